"""A page of another origin neither reads nor changes anything."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from receiver.web.origins import Origins
from tests.support.credentials import bearer
from tests.web.conftest import Client, Start
from tests.web.test_roles import calls

PLAIN = Origins("", [], encrypted=False)
TLS = Origins("", [], encrypted=True)
PROXIED = Origins("https://storms.example/path/", [], encrypted=False)
PORT = Origins("https://storms.example:8443", [], encrypted=False)
ALLOWED = Origins(
    "", ["https://a.example:443", "HTTP://B.example", "https://c.example:3000"], encrypted=False
)


@pytest.mark.parametrize(
    ("origins", "host", "origin", "good"),
    [
        (PLAIN, "h:9783", "http://h:9783", True),
        (PLAIN, "H:9783", "http://h:9783", True),
        (PLAIN, "[::1]:9783", "http://[::1]:9783", True),
        # There may be a proxy that speaks TLS; without external_url nobody says so.
        (PLAIN, "h", "https://h", True),
        (PLAIN, "h", "http://h", True),
        (PLAIN, "h:443", "https://h", True),
        (PLAIN, "h:443", "http://h", False),
        (PLAIN, "h", "https://h:8443", False),
        (PLAIN, "h:9783", "http://h", False),
        (PLAIN, "h:9783", "http://h:9784", False),
        (PLAIN, "h:9783", "http://other:9783", False),
        (PLAIN, "h:9783", "http://h.other:9783", False),
        (PLAIN, "127.0.0.1:9783", "http://localhost:9783", False),
        (PLAIN, "h:9783", "ftp://h:9783", False),
        (PLAIN, "h:9783", "//h:9783", False),
        (PLAIN, "h:9783", "h:9783", False),
        (PLAIN, "h:9783", "null", False),
        (PLAIN, "null", "null", False),
        (PLAIN, "h:9783", "", False),
        (PLAIN, "", "", False),
        (PLAIN, "h:9783", "http://h:9783/", False),
        (PLAIN, "h:9783", "http://h:9783/path", False),
        (PLAIN, "h:9783", "http://other@h:9783", False),
        (PLAIN, "h:9783", "http://h:9783 http://other", False),
        (PLAIN, "h:9783", "http://h:port", False),
        (PLAIN, "h:0", "http://h", False),
        (TLS, "h:9783", "https://h:9783", True),
        (TLS, "h", "https://h", True),
        (TLS, "h:9783", "http://h:9783", False),
        (PROXIED, "storms.example", "https://storms.example", True),
        (PROXIED, "stormcell:9783", "https://storms.example", True),
        (PROXIED, "storms.example", "http://storms.example", False),
        (PROXIED, "storms.example:443", "http://storms.example:443", False),
        (PROXIED, "storms.example", "https://storms.example:8443", False),
        # Past the proxy, or by a name of another kind.
        (PROXIED, "storms.example:9783", "http://storms.example:9783", True),
        (PROXIED, "10.0.0.1:9783", "http://10.0.0.1:9783", True),
        (PORT, "storms.example:8443", "https://storms.example:8443", True),
        # A proxy that leaves out the port; at the usual one there is another server.
        (PORT, "storms.example", "https://storms.example:8443", True),
        (PORT, "storms.example", "https://storms.example", False),
        (PORT, "storms.example:8443", "http://storms.example:8443", False),
        (ALLOWED, "h", "https://a.example", True),
        (ALLOWED, "h", "http://b.example", True),
        (ALLOWED, "h", "https://c.example:3000", True),
        (ALLOWED, "h", "http://a.example", False),
        (ALLOWED, "h", "https://b.example", False),
        (ALLOWED, "h", "https://c.example", False),
        (ALLOWED, "h", "https://x.a.example", False),
    ],
)  # fmt: skip
def test_whose_pages_may_change_things(
    origins: Origins, host: str, origin: str, good: bool
) -> None:
    assert origins.admit(origin, host) is good


@pytest.mark.parametrize("origin", ["https://other.example", "null", "https://grafana.example"])
@pytest.mark.parametrize("guarded", [False, True])
async def test_no_answer_may_be_read_and_no_preflight_succeeds(
    start: Start, tmp_path: Path, origin: str, guarded: bool
) -> None:
    """Also of a page that is allowed: it may send and open a stream, and for more there is a proxy."""
    token = tmp_path / "token"
    token.write_text("o" * 20)
    told = [f"web.operator_token_files={json.dumps([str(token)])}"] * guarded
    async with start(*told, "web.allowed_origins=['https://grafana.example']") as client:
        for method, path, _ in calls():
            for place in ("{id}", "{fingerprint}", "{seq}"):
                path = path.replace(place, "1")
            if path.startswith("/api/v1/stream"):
                continue
            for verb, asked in ((method, {}), ("OPTIONS", preflight(method))):
                status, headers = await answered(client, verb, path, asked | {"Origin": origin})
                assert not [name for name in headers if name.lower().startswith("access-control")]
                assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
                assert verb != "OPTIONS" or status in (403, 405), path


def preflight(method: str) -> dict[str, str]:
    return {
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "authorization,content-type",
    }


async def answered(
    client: Client, method: str, path: str, headers: dict[str, str]
) -> tuple[int, Mapping[str, str]]:
    url = client.url + path
    known = headers | bearer("o" * 20)
    async with client.session.request(method, url, headers=known) as answer:
        return answer.status, answer.headers


async def test_the_host_of_an_allowed_origin_is_not_ours(start: Start) -> None:
    """Its page could have its name resolve to this machine, and read what it may only change."""
    async with start("web.allowed_origins=['https://grafana.example']") as client:
        status, _ = await client.call(
            "GET", "/api/v1/stats", headers={"Host": "grafana.example:9783"}
        )

    assert status == 403
