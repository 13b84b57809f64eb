"""Connections are encrypted, with a certificate that is renewed while the server runs."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import trustme

from receiver.core.settings import ConfigError
from receiver.web import listener, watched
from tests.builders import body, entry
from tests.support.credentials import basic, hashed
from tests.web.conftest import Client, Start


class Folder:
    """A folder with a CA's certificates and the file that names them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ca = trustme.CA()
        self.issue()
        self.ca.cert_pem.write_to_path(folder / "ca.crt")

    def issue(self, ca: trustme.CA | None = None) -> None:
        issued = (ca or self.ca).issue_cert("127.0.0.1")
        issued.private_key_pem.write_to_path(self.folder / "server.key")
        issued.cert_chain_pems[0].write_to_path(self.folder / "server.crt")

    def write(self, users: dict[str, str] | None = None, **told: object) -> str:
        """Write the file; return the setting that names it."""
        told = {"cert_file": "server.crt", "key_file": "server.key"} | told
        document = {"tls_server_config": told, "basic_auth_users": users or {}}
        (self.folder / "web.yml").write_text(json.dumps(document))
        return f"web.config_file={json.dumps(str(self.folder / 'web.yml'))}"

    def client(self, ca: trustme.CA | None = None, identity: bool = False) -> ssl.SSLContext:
        """Return what trusts *ca*, and has a certificate if it is to have an *identity*."""
        context = ssl.create_default_context()
        (ca or self.ca).configure_trust(context)
        if identity:
            self.ca.issue_cert("client.example").configure_cert(context)
        return context


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    monkeypatch.setattr(watched, "LOOK_SECONDS", 0.0)
    return Folder(tmp_path)


async def status(client: Client, context: ssl.SSLContext, **told: object) -> int:
    """Return how a new connection's request is answered."""
    async with (
        aiohttp.ClientSession() as session,
        session.get(client.url + "/api/v1/stats", ssl=context, **told) as answer,  # type: ignore[arg-type]
    ):
        return answer.status


async def test_all_there_is_goes_over_tls(start: Start, folder: Folder) -> None:
    async with start(folder.write()) as client:
        context = folder.client()
        assert client.url.startswith("https://")
        posted, _ = await client.call(
            "POST", "/api/v1/webhook", data=body(entry()), ssl=context, headers={}
        )
        async with client.session.ws_connect(client.url + "/api/v1/stream", ssl=context) as stream:
            first = await stream.receive_json(timeout=20)
        with pytest.raises(aiohttp.ClientError):
            await client.session.get(client.url.replace("https", "http") + "/-/healthy")

    assert posted == 200
    assert first["type"] == "snapshot"


async def test_a_certificate_is_renewed_while_it_runs(
    start: Start, folder: Folder, caplog: pytest.LogCaptureFixture
) -> None:
    other = trustme.CA()
    async with start(folder.write()) as client:
        assert await status(client, folder.client()) == 200
        folder.issue(other)
        assert await status(client, folder.client(other)) == 200
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await status(client, folder.client())
        (folder.folder / "server.key").write_text("half a key")
        assert await status(client, folder.client(other)) == 200
        (folder.folder / "server.key").unlink()
        assert await status(client, folder.client(other)) == 200
        (folder.folder / "web.yml").unlink()
        assert await status(client, folder.client(other)) == 200

    assert "what it said before stays" in caplog.text
    assert "half a key" not in caplog.text


async def test_only_clients_with_a_certificate_get_in(start: Start, folder: Folder) -> None:
    told = folder.write(client_auth_type="RequireAndVerifyClientCert", client_ca_file="ca.crt")
    stranger = trustme.CA()
    # Others can reach it, and nothing else guards it: a certificate is as good as a token.
    async with start(told, "web.listen_address='0.0.0.0:0'") as client:
        url = client.url.replace("0.0.0.0", "127.0.0.1")
        for context, good in (
            (folder.client(identity=True), True),
            (folder.client(), False),
            (with_identity(folder.client(), stranger), False),
        ):
            assert await gets_in(url, context) is good
        stranger.cert_pem.write_to_path(folder.folder / "ca.crt")
        assert not await gets_in(url, folder.client(identity=True))
        assert await gets_in(url, with_identity(folder.client(), stranger))


@pytest.mark.parametrize(
    "loosened",
    [{"client_auth_type": "VerifyClientCertIfGiven", "client_ca_file": "ca.crt"}, {}],
)
async def test_to_want_no_certificate_any_more_needs_a_restart(
    start: Start, folder: Folder, caplog: pytest.LogCaptureFixture, loosened: dict[str, Any]
) -> None:
    told = folder.write(client_auth_type="RequireAndVerifyClientCert", client_ca_file="ca.crt")
    async with start(told) as client:
        folder.write(**loosened)
        for _ in range(2):
            assert not await gets_in(client.url, folder.client())
        assert await gets_in(client.url, folder.client(identity=True))
        # Nor by way of a file that was gone meanwhile.
        (folder.folder / "web.yml").unlink()
        assert not await gets_in(client.url, folder.client())
        folder.write(**loosened)
        assert not await gets_in(client.url, folder.client())

    said = {getattr(record, "err", "") for record in caplog.records} - {""}
    assert any("no certificate of clients any more needs a restart" in line for line in said)


def with_identity(context: ssl.SSLContext, ca: trustme.CA) -> ssl.SSLContext:
    ca.issue_cert("client.example").configure_cert(context)
    return context


async def gets_in(url: str, context: ssl.SSLContext) -> bool:
    try:
        async with (
            aiohttp.ClientSession() as session,
            session.get(url + "/api/v1/stats", ssl=context) as answer,
        ):
            return answer.status == 200
    except (aiohttp.ClientError, ssl.SSLError):
        return False


@pytest.mark.parametrize(
    ("least", "most", "good"),
    [
        (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_2, False),
        (ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_3, True),
    ],
)
async def test_an_older_version_is_refused(
    start: Start, folder: Folder, least: ssl.TLSVersion, most: ssl.TLSVersion, good: bool
) -> None:
    async with start(folder.write(min_version="TLS13")) as client:
        context = folder.client()
        context.minimum_version, context.maximum_version = least, most

        assert await gets_in(client.url, context) is good


async def test_a_suite_that_was_not_chosen_is_refused(start: Start, folder: Folder) -> None:
    suite = "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"
    async with start(
        folder.write(max_version="TLS12", cipher_suites=[suite], prefer_server_cipher_suites=False)
    ) as client:
        for suites, good in (("ECDHE-ECDSA-AES256-GCM-SHA384", True), ("ECDHE+AES128", False)):
            context = folder.client()
            context.set_ciphers(suites)
            assert await gets_in(client.url, context) is good


async def test_users_come_and_go_while_it_runs(start: Start, folder: Folder) -> None:
    hashes = {n: hashed(f"of {n}") for n in ("a", "b")}

    async def statuses(client: Client) -> list[int]:
        return [
            await status(client, folder.client(), headers=basic(name, f"of {name}"))
            for name in ("a", "b")
        ] + [await status(client, folder.client())]

    async with start(folder.write({"a": hashes["a"]})) as client:
        first = await statuses(client)
        folder.write({"b": hashes["b"]})
        second = await statuses(client)
        folder.write({"b": "no hash"})
        third = await statuses(client)
        folder.write({})
        emptied = await statuses(client)
        folder.write({"a": hashes["a"]})
        again = await statuses(client)
        (folder.folder / "web.yml").unlink()
        gone = await statuses(client)

    assert first == again == [200, 401, 401]
    assert second == third == [401, 200, 401]
    # Nobody, and not everybody.
    assert emptied == gone == [401, 401, 401]


async def test_tls_comes_and_goes_with_a_restart_only(
    start: Start, folder: Folder, caplog: pytest.LogCaptureFixture
) -> None:
    async with start(folder.write()) as client:
        (folder.folder / "web.yml").write_text("basic_auth_users: {}")
        assert await status(client, folder.client()) == 200

    (said,) = {getattr(record, "err", "") for record in caplog.records} - {""}
    assert "to come or to go it needs a restart" in said


def encrypted(folder: Folder) -> None:
    from cryptography.hazmat.primitives import serialization

    key = serialization.load_pem_private_key((folder.folder / "server.key").read_bytes(), None)
    (folder.folder / "server.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"x"),
        )
    )


SPOILERS: dict[str, tuple[Callable[[Folder], object], str]] = {
    "no key": (lambda f: (f.folder / "server.key").unlink(), "server.key: cannot be read: No such"),
    "another's key": (lambda f: other_key(f), r"expected a certificate and its key"),
    "no certificate": (
        lambda f: (f.folder / "server.crt").write_text("x"),
        "expected a certificate",
    ),
    "an encrypted key": (encrypted, "not encrypted"),
    "no CA": (lambda f: (f.folder / "ca.crt").write_text("x"), "client_ca_file: .*expected certif"),
}


def other_key(folder: Folder) -> None:
    pem = folder.ca.issue_cert("127.0.0.1").private_key_pem
    pem.write_to_path(folder.folder / "server.key")


@pytest.mark.parametrize("name", SPOILERS)
async def test_what_is_no_certificate_is_refused_at_the_start(
    start: Start, folder: Folder, name: str
) -> None:
    spoil, message = SPOILERS[name]
    told = folder.write(client_auth_type="VerifyClientCertIfGiven", client_ca_file="ca.crt")
    spoil(folder)
    with pytest.raises(ConfigError, match=message):
        async with start(told):
            pass


async def test_tls_alone_guards_nothing(start: Start, folder: Folder) -> None:
    told = folder.write(client_auth_type="VerifyClientCertIfGiven", client_ca_file="ca.crt")
    with pytest.raises(ConfigError, match="others can reach, but no token and no user"):
        async with start(told, "web.listen_address='0.0.0.0:0'"):
            pass


async def test_a_role_for_a_user_that_there_is_not_is_refused(start: Start, folder: Folder) -> None:
    with pytest.raises(ConfigError, match=r"web.read_users: got 'anna', expected a user of basic"):
        async with start(folder.write(), "web.read_users=[anna]"):
            pass


async def test_who_shakes_no_hands_keeps_nobody_out(
    start: Start, folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener, "_HANDSHAKE_SECONDS", 0.5)
    async with start(folder.write(), "web.max_connections=8") as client:
        host, port = client.url.removeprefix("https://").split(":")
        silent = [await asyncio.open_connection(host, int(port)) for _ in range(8)]
        garbled = await asyncio.open_connection(host, int(port))
        garbled[1].write(b"GET / HTTP/1.1\r\n\r\n")
        answered = await status(client, folder.client())
        for _, writer in (*silent, garbled):
            writer.close()

        assert answered == 200
        await client.until(lambda: len(client.app.server._connections) == 0)
