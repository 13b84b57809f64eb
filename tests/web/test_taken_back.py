"""Who is let in no more is told no more: streams that are open end, tickets that are out are refused."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import trustme

from receiver import config as configuration
from receiver.web import watched
from tests.support.credentials import basic, bearer, hashed
from tests.web.conftest import Client, Start
from tests.web.test_tls import Folder, with_identity

STAYS, GOES = bearer("s" * 20), bearer("g" * 20)
ANNA = basic("anna", "of anna")


class Files:
    """The files that say who may come in, and the settings that name them."""

    def __init__(self, folder: Path) -> None:
        self.tokens, self.users, self.settings = (
            folder / name for name in ("tokens", "web.yml", "stormcell.yml")
        )
        self.write_tokens(STAYS, GOES)
        self.write_users(anna="of anna", bert="of bert")
        self.write_settings()

    def write_tokens(self, *headers: dict[str, str]) -> None:
        self.tokens.write_text("\n".join(h["Authorization"].split()[1] for h in headers))

    def write_users(self, **passwords: str) -> None:
        users = {user: hashed(password) for user, password in passwords.items()}
        self.users.write_text(json.dumps({"basic_auth_users": users}))

    def write_settings(self, **told: object) -> None:
        web = {
            "read_token_files": [str(self.tokens)],
            "config_file": str(self.users),
            "read_users": ["anna", "bert"],
            **told,
        }
        self.settings.write_text(json.dumps({"web": web}))
        self.overrides = [f"web.{key}={json.dumps(value)}" for key, value in web.items()]


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Files:
    monkeypatch.setattr(watched, "LOOK_SECONDS", 0.0)
    return Files(tmp_path)


@pytest.fixture
async def guarded(start: Start, files: Files) -> AsyncIterator[Client]:
    async with start(*files.overrides) as client:
        client.app._load = lambda: configuration.load(files.settings)
        yield client


@contextlib.asynccontextmanager
async def stream(
    client: Client, headers: dict[str, str] | None = None, query: str = ""
) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """Listen, as who shows *headers*; the snapshot has come."""
    url = f"{client.url}/api/v1/stream{query}"
    async with client.session.ws_connect(url, headers=headers) as socket:
        await socket.receive_json(timeout=20)
        yield socket


async def check_ended(socket: aiohttp.ClientWebSocketResponse) -> None:
    message = await socket.receive(timeout=20)
    while message.type is aiohttp.WSMsgType.TEXT:
        message = await socket.receive(timeout=20)

    assert message.type is aiohttp.WSMsgType.CLOSE
    assert (message.data, message.extra) == (4001, "access was taken back")


async def check_goes_on(socket: aiohttp.ClientWebSocketResponse) -> None:
    await socket.send_str('{"type": "resume", "after": 0}')

    assert (await socket.receive_json(timeout=20))["type"] == "events"


async def ticket(client: Client, headers: dict[str, str] | None = None) -> str:
    _, answer = await client.call("POST", "/api/v1/tickets", headers=headers or {})
    return f"?ticket={answer['ticket']}"


async def redeemed(client: Client, query: str) -> int:
    """Return how a stream is answered that shows a ticket."""
    async with client.session.get(f"{client.url}/api/v1/stream.ndjson{query}") as answer:
        return answer.status


@pytest.mark.parametrize("reload", [True, False])
async def test_a_token_that_is_taken_back(guarded: Client, files: Files, reload: bool) -> None:
    """At once by a reload; without one it is seen when files are looked at the next time."""
    by_ticket = await ticket(guarded, GOES)
    goes, stays = await ticket(guarded, GOES), await ticket(guarded, STAYS)
    url = guarded.url + "/api/v1/stream.ndjson"
    async with (
        stream(guarded, GOES) as one,
        stream(guarded, query=by_ticket) as two,
        stream(guarded, STAYS) as other,
        guarded.session.get(url, headers=GOES) as lines,
    ):
        await lines.content.readline()
        files.write_tokens(STAYS)
        if reload:
            guarded.app.reload()
        await check_ended(one)
        await check_ended(two)
        with pytest.raises(aiohttp.ClientPayloadError):
            # Only heartbeats could come before the end.
            await lines.content.read()
        await check_goes_on(other)

    assert [await redeemed(guarded, query) for query in (goes, stays)] == [401, 200]


async def test_a_user_that_is_removed_or_has_another_password(
    guarded: Client, files: Files
) -> None:
    for passwords in ({"bert": "another", "anna": "of anna"}, {"anna": "of anna"}):
        bert = basic("bert", passwords.get("bert", "of bert"))
        before = basic("bert", "of bert")
        files.write_users(anna="of anna", bert="of bert")
        held = await ticket(guarded, before)
        async with stream(guarded, before) as ended, stream(guarded, ANNA) as other:
            files.write_users(**passwords)
            await check_ended(ended)
            await check_goes_on(other)

        assert await redeemed(guarded, held) == 401
        status, _ = await guarded.call("GET", "/api/v1/stats", headers=bert)
        assert status == (200 if "bert" in passwords else 401)


async def test_a_role_that_is_lowered(guarded: Client, files: Files) -> None:
    held = await ticket(guarded, ANNA)
    async with stream(guarded, ANNA) as ended, stream(guarded, basic("bert", "of bert")) as other:
        files.write_settings(read_users=["bert"], webhook_users=["anna"])
        guarded.app.reload()
        await check_ended(ended)
        await check_goes_on(other)

    assert await redeemed(guarded, held) == 401


async def test_what_anybody_could_read(start: Start, files: Files) -> None:
    async with start() as client:
        held = await ticket(client)
        async with stream(client) as ended:
            client.app._load = lambda: configuration.load(
                None, [f"web.read_token_files={json.dumps([str(files.tokens)])}"]
            )
            client.app.reload()
            await check_ended(ended)

        assert await redeemed(client, held) == 401


async def test_a_reload_that_changes_nothing_ends_nothing(guarded: Client) -> None:
    async with stream(guarded, GOES) as one, stream(guarded, ANNA) as two:
        guarded.app.reload()
        await check_goes_on(one)
        await check_goes_on(two)


async def test_certificates_of_another_ca(start: Start, tmp_path: Path, files: Files) -> None:
    """Who came in by a certificate of the one before shows one anew; another of our own changes nothing."""
    folder, other = Folder(tmp_path), trustme.CA()
    told = folder.write(client_auth_type="RequireAndVerifyClientCert", client_ca_file="ca.crt")
    async with (
        start(told) as client,
        aiohttp.TCPConnector(ssl=folder.client(identity=True)) as connector,
        aiohttp.ClientSession(connector=connector) as session,
        aiohttp.ClientSession(connector_owner=False, connector=connector) as kept,
    ):
        client.session = session
        url = client.url + "/api/v1/stats"
        held = await ticket(client)
        async with stream(client) as ended, kept.get(url) as before:
            await before.read()
            folder.issue()
            client.app.reload()
            await check_goes_on(ended)
            async with kept.get(url) as renewed:
                await renewed.read()
            other.cert_pem.write_to_path(tmp_path / "ca.crt")
            client.app.reload()
            await check_ended(ended)
            async with kept.get(url) as old:
                said = await old.json()
        identified = with_identity(folder.client(), other)
        async with (
            aiohttp.ClientSession() as newcomer,
            newcomer.get(url, ssl=identified) as new,
            newcomer.get(f"{client.url}/api/v1/stream.ndjson{held}", ssl=identified) as late,
        ):
            pass

    assert (before.status, renewed.status, old.status) == (200, 200, 503)
    assert "connect anew" in said["error"]["message"]
    assert old.headers["Connection"] == "close"
    assert (new.status, late.status) == (200, 401)
