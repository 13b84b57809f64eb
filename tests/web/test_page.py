"""The page's files, as a browser gets them."""

from __future__ import annotations

import pytest

from receiver.web.page import FOLDER
from tests.web.conftest import Client, Start


async def test_the_page_and_all_its_files_are_served(client: Client) -> None:
    for path in ["", *sorted(p.name for p in FOLDER.iterdir())]:
        async with client.session.get(f"{client.url}/{path}") as answer:
            assert answer.status == 200, path
            assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Referrer-Policy"] == "no-referrer"


async def test_a_file_that_is_known_is_not_sent_again(client: Client) -> None:
    async with client.session.get(client.url + "/page.js") as first:
        etag = first.headers["ETag"]
    async with client.session.get(
        client.url + "/page.js", headers={"If-None-Match": etag}
    ) as second:
        assert second.status == 304


@pytest.mark.parametrize("path", ["/app.py", "/../config.py", "/%2e%2e/config.py", "/page/", "/x"])
async def test_nothing_else_is_served(client: Client, path: str) -> None:
    status, _ = await client.get(path)

    assert status == 404


async def test_behind_a_prefix_everything_is_behind_it(start: Start) -> None:
    async with start("web.external_url=https://proxy.example/storms/") as client:
        host = client.url.removesuffix("/storms")
        statuses = {}
        for path in ("/storms/", "/storms/page.js", "/storms/-/ready", "/storms/api/v1/stats"):
            async with client.session.get(host + path) as answer:
                statuses[path] = answer.status
        async with client.session.get(host + "/", allow_redirects=False) as answer:
            led = answer.status, answer.headers["Location"]
        async with client.session.get(host + "/api/v1/stats") as answer:
            outside = answer.status

    assert set(statuses.values()) == {200}
    assert led == (302, "/storms/")
    assert outside == 404
