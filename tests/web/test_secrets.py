"""Nothing secret is told, whoever asks and whatever goes wrong; and browsers are told to be careful."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from receiver import config as configuration
from receiver import logs
from receiver.core.settings import ConfigError
from receiver.web import watched
from tests.builders import body, entry
from tests.support.credentials import basic, bearer, hashed
from tests.web.conftest import Client, Start
from tests.web.test_roles import calls

TOKEN, PASSWORD = "s3cret-token-of-the-operator", "s3cret-password-of-anna"
WRONG = "s3cret-that-is-none"
HASH = hashed(PASSWORD)


@pytest.fixture
def written() -> Iterator[list[str]]:
    """Every line that is logged, at every level, as it would be written."""
    lines: list[str] = []

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(self.format(record))

    handler = Handler()
    handler.setFormatter(logs._Formatter("logfmt"))
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield lines
    root.removeHandler(handler)
    root.setLevel(level)


@pytest.fixture
def guarded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setattr(watched, "LOOK_SECONDS", 0.0)
    (tmp_path / "token").write_text(TOKEN + "\n")
    (tmp_path / "web.yml").write_text(json.dumps({"basic_auth_users": {"anna": HASH}}))
    return [
        "web.enable_lifecycle=true",
        f"web.config_file={json.dumps(str(tmp_path / 'web.yml'))}",
        f"web.operator_token_files={json.dumps([str(tmp_path / 'token')])}",
    ]


async def raw(client: Client, request: bytes) -> bytes:
    """Return the answer to bytes that no client would send."""
    port = int(client.url.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    answer = await asyncio.wait_for(reader.read(), 20)
    writer.close()
    return answer


async def test_no_secret_is_told(
    start: Start, guarded: list[str], tmp_path: Path, written: list[str]
) -> None:
    told: list[str] = []

    async def ask(client: Client, method: str, path: str, **options: Any) -> None:
        async with client.session.request(method, client.url + path, **options) as answer:
            if answer.content_type == "application/x-ndjson":
                text = (await answer.content.readline()).decode()
                answer.close()
            else:
                text = await answer.text(errors="replace")
            told.append(f"{answer.headers} {text}")

    async with start(*guarded) as client:
        good = [bearer(TOKEN), basic("anna", PASSWORD)]
        bad = [bearer(WRONG), basic("anna", WRONG), basic(WRONG, "x"), {"Authorization": WRONG}]
        for method, path, _ in calls():
            for place in ("{id}", "{fingerprint}", "{seq}"):
                path = path.replace(place, "1")
            if path != "/api/v1/stream":
                for headers in [*good, *bad, {}]:
                    await ask(client, method, path, headers=headers)
        _, answer = await client.call("POST", "/api/v1/tickets", token=TOKEN)
        ticket = answer["ticket"]
        async with client.session.ws_connect(f"{client.url}/api/v1/stream?ticket={ticket}") as ws:
            told.append(await ws.receive_str(timeout=20))
        for place in (f"/api/v1/stream.ndjson?ticket={ticket}", f"/api/v1/stats?token={TOKEN}"):
            await ask(client, "GET", place)
        # A fault in the middle of a request, which is logged with its trace.
        client.app.server._api._queries = None  # type: ignore[assignment]
        await ask(client, "GET", f"/api/v1/storms?cursor={ticket}", headers=bearer(TOKEN))
        # A token with its line break, or cut in two by a client that cannot count.
        header = f"Authorization: Bearer {TOKEN}".encode()
        for line in (header + b"\x00", header + b"\rX", b"\x01" + header, header + b"x" * 9000):
            sent = b"GET /api/v1/stats HTTP/1.1\r\nHost: a\r\n" + line + b"\r\n\r\n"
            told.append((await raw(client, sent)).decode())
        told.append((await raw(client, header + b"\r\n\r\n")).decode())
        # Files that break while it runs.
        (tmp_path / "token").write_text(f"short\n{TOKEN}\n")
        (tmp_path / "web.yml").write_text(f"basic_auth_users: {{anna: {PASSWORD}}}")
        for headers in good:
            await ask(client, "POST", "/-/reload", headers=headers)
        client.app._load = lambda: configuration.load(
            None, [f"web.external_url=https://anna:{PASSWORD}@storms.example"]
        )
        await ask(client, "POST", "/-/reload", headers=basic("anna", PASSWORD))
        metrics = client.app.metrics.render().decode()

    everything = "\n".join([*told, *written, metrics])
    assert "cannot be used" in everything
    assert "a request failed" in everything
    assert "a request cannot be read" in everything
    for secret in (TOKEN, PASSWORD, HASH, WRONG, *(h["Authorization"].split()[-1] for h in good)):
        assert secret not in everything
    # The ticket is told once, to whom it is for.
    assert everything.count(ticket) == 0


@pytest.mark.parametrize("key", ["web.external_url", "web.allowed_origins", "embedding.hub_url"])
def test_an_address_with_a_password_is_refused_without_it(key: str) -> None:
    value = f"https://anna:{PASSWORD}@storms.example"
    with pytest.raises(ConfigError, match=r"\*\*\*@storms.example") as refused:
        configuration.load(
            None, [f"{key}={json.dumps([value] if key.endswith('origins') else value)}"]
        )

    assert PASSWORD not in str(refused.value)


@pytest.mark.parametrize("role", ["webhook", "read", "operator"])
@pytest.mark.parametrize(
    "value", [TOKEN, f"@{TOKEN}", [TOKEN], [f"/{TOKEN}"], [f"no-such/{TOKEN}"], [TOKEN * 20]]
)
async def test_a_token_in_place_of_its_file_is_refused_without_it(
    start: Start, tmp_path: Path, role: str, value: Any, written: list[str]
) -> None:
    key = f"web.{role}_token_files"
    told = f"{key}={value if isinstance(value, str) else json.dumps(value)}"
    async with start() as client:
        client.app._load = lambda: configuration.load(
            None, [told, f"storage.path={json.dumps(str(tmp_path / 'data'))}"]
        )
        with pytest.raises(ConfigError, match=rf"{key}: .*may be a secret") as refused:
            client.app.reload()

    assert TOKEN not in "\n".join([str(refused.value), *written])


async def test_a_path_that_is_mistyped_is_shown(start: Start, tmp_path: Path) -> None:
    path = tmp_path / "no.token"
    with pytest.raises(ConfigError, match=r"web.read_token_files: .*/no.token: cannot be read"):
        async with start(f"web.read_token_files={json.dumps([str(path)])}"):
            pass


SECURITY = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Server": "stormcell",
}


def check_headers(answer: aiohttp.ClientResponse) -> None:
    assert {name: answer.headers.get(name) for name in SECURITY} == SECURITY, answer.url
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"], answer.url
    assert answer.headers["Cache-Control"] in ("no-store", "no-cache"), answer.url


async def test_every_answer_tells_browsers_to_be_careful(start: Start, guarded: list[str]) -> None:
    answers: set[int] = set()
    async with start(*guarded, "web.route_prefix=/storms") as client:
        for method, path, _ in [*calls(), ("GET", "/nowhere", None), ("PUT", "/metrics", None)]:
            for headers in (bearer(TOKEN), {}):
                async with client.session.request(
                    method, client.url + path, headers=headers
                ) as answer:
                    check_headers(answer)
                    answers.add(answer.status)
                    answer.close()
        root = client.url.removesuffix("/storms") + "/"
        async with client.session.get(root, allow_redirects=False) as answer:
            check_headers(answer)
            answers.add(answer.status)
        url, headers = client.url + "/api/v1/stream", bearer(TOKEN)
        async with client.session.ws_connect(url, headers=headers) as socket:
            check_headers(socket._response)

    assert answers >= {200, 302, 400, 401, 403, 404, 405}


async def test_headers_of_the_file_go_with_every_answer(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watched, "LOOK_SECONDS", 0.0)
    path = tmp_path / "web.yml"

    def write(**headers: str) -> None:
        path.write_text(json.dumps({"http_server_config": {"headers": headers}}))

    write(**{"Strict-Transport-Security": "max-age=1"})
    async with start(f"web.config_file={json.dumps(str(path))}") as client:
        for place in ("/", "/metrics", "/nowhere"):
            async with client.session.get(client.url + place) as answer:
                check_headers(answer)
                assert answer.headers["Strict-Transport-Security"] == "max-age=1"
        write(**{"X-Frame-Options": "deny"})
        async with client.session.get(client.url + "/") as answer:
            assert "Strict-Transport-Security" not in answer.headers
            assert answer.headers["X-Frame-Options"] == "deny"
        assert (await client.post(body(entry())))[0] == 200
