"""Who may do what, from where."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from yarl import URL

from receiver.config import WebSettings, load
from receiver.core.settings import ConfigError
from receiver.web import tickets as tickets_module
from receiver.web import watched
from tests.builders import body, entry
from tests.web.conftest import Client, Start

WEBHOOK, READ, OPERATOR = "w" * 20, "r" * 20, "o" * 20


@pytest.fixture
def tokens(tmp_path: Path) -> list[str]:
    """Settings that name a file of tokens for each role."""
    told = []
    for role, token in (("webhook", WEBHOOK), ("read", READ), ("operator", OPERATOR)):
        path = tmp_path / f"{role}.token"
        path.write_text(f"# of {role}\n{token}\n")
        told.append(f"web.{role}_token_files={json.dumps([str(path)])}")
    return told


@pytest.fixture
async def guarded(start: Start, tokens: list[str]) -> AsyncIterator[Client]:
    async with start(*tokens) as made:
        yield made


@pytest.mark.parametrize("header", ["Bearer nonsense", "Basic eDp5", "Bearer \udcff"])
async def test_a_wrong_token_is_refused(guarded: Client, header: str) -> None:
    status, answer = await guarded.call(
        "GET", "/api/v1/stats", headers={"Authorization": header.encode(errors="replace").decode()}
    )

    assert (status, answer["error"]["code"]) == (401, "unauthorized")
    assert "nonsense" not in json.dumps(answer)


async def test_who_is_refused_is_logged_and_counted(
    guarded: Client, caplog: pytest.LogCaptureFixture
) -> None:
    """An Alertmanager with a wrong token would not be seen from here."""
    wrong = {"Authorization": "Bearer nonsense"}
    status, _ = await guarded.call("POST", "/api/v1/webhook", headers=wrong)

    assert status == 401
    (line,) = [r for r in caplog.records if r.message == "access was refused"]
    assert (vars(line)["code"], vars(line)["call"]) == (401, "POST /api/v1/webhook")
    assert "nonsense" not in caplog.text
    assert 'stormcell_access_refused_total{code="401"} 1.0' in guarded.app.metrics.render().decode()


async def test_tokens_are_rotated_without_a_restart(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(watched, "LOOK_SECONDS", 0.0)
    path = tmp_path / "read.token"
    path.write_text(READ + "\n")
    old, new = READ, "n" * 20

    async def statuses(client: Client) -> list[int]:
        return [(await client.call("GET", "/api/v1/stats", token=t))[0] for t in (old, new)]

    async with start(f"web.read_token_files={json.dumps([str(path)])}") as client:
        before = await statuses(client)
        path.write_text(f"{old}\n{new}\n")
        both = await statuses(client)
        path.write_text(f"{new}\n")
        after = await statuses(client)
        path.write_text("short\n")
        broken = await statuses(client)
        path.unlink()
        gone = await statuses(client)

    assert before == [200, 401]
    assert both == [200, 200]
    assert after == broken == [401, 200]
    assert gone == [401, 401]
    assert "what it said before stays" in caplog.text
    assert new not in caplog.text


@pytest.mark.parametrize("text", ["", "\n", f"# {READ}\n"])
async def test_a_file_without_tokens_has_taken_them_back(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setattr(watched, "LOOK_SECONDS", 0.0)
    path = tmp_path / "read.token"
    path.write_text(READ)

    async def status(client: Client, token: str) -> int:
        return (await client.call("GET", "/api/v1/stats", token=token))[0]

    async with start(f"web.read_token_files={json.dumps([str(path)])}") as client:
        before = await status(client, READ)
        path.write_text(text)
        taken_back = [await status(client, READ), await status(client, "")]
        path.write_text(READ)
        again = await status(client, READ)

    # Nobody, and not everybody.
    assert (before, taken_back, again) == (200, [401, 401], 200)


async def test_a_role_without_a_token_is_shut_unless_the_settings_open_it(
    start: Start, tokens: list[str]
) -> None:
    async with start(tokens[0]) as client:
        shut = await client.get("/api/v1/stats")
    async with start(tokens[0], "web.anonymous_roles=[read]") as client:
        opened = [await client.get("/api/v1/stats"), await client.post(body(entry()))]

    assert shut[0] == 401
    assert "web.anonymous_roles" in shut[1]["error"]["message"]
    assert [status for status, _ in opened] == [200, 401]


class TestTickets:
    async def test_a_ticket_opens_the_stream_once(self, guarded: Client) -> None:
        status, answer = await guarded.call("POST", "/api/v1/tickets", token=READ)
        url = f"{guarded.url}/api/v1/stream?ticket={answer['ticket']}"
        async with guarded.session.ws_connect(url) as stream:
            first = await stream.receive_json(timeout=20)
        with pytest.raises(aiohttp.WSServerHandshakeError) as second:
            await guarded.session.ws_connect(url)

        assert (status, first["type"]) == (200, "snapshot")
        assert second.value.status == 401

    async def test_a_ticket_opens_nothing_else(self, guarded: Client) -> None:
        _, answer = await guarded.call("POST", "/api/v1/tickets", token=READ)
        status, _ = await guarded.get(f"/api/v1/stats?ticket={answer['ticket']}")

        assert status == 401

    async def test_a_ticket_grows_old(
        self, guarded: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(tickets_module, "_TICKET_SECONDS", -1.0)
        _, answer = await guarded.call("POST", "/api/v1/tickets", token=READ)
        status, _ = await guarded.get(f"/api/v1/stream.ndjson?ticket={answer['ticket']}")

        assert status == 401

    async def test_not_everything_can_be_out(
        self, guarded: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(tickets_module, "_MAX_TICKETS", 1)
        first, _ = await guarded.call("POST", "/api/v1/tickets", token=READ)
        second, answer = await guarded.call("POST", "/api/v1/tickets", token=READ)

        assert (first, second) == (200, 503)
        assert answer["error"]["code"] == "try_later"


class TestPlaces:
    @pytest.mark.parametrize(
        ("origin", "status"),
        [
            ("http://evil.example", 403),
            ("null", 403),
            ("http://[::", 403),
            ("{own}", 200),
            ("https://storms.example", 200),
            ("https://grafana.example:3000", 200),
        ],
    )
    async def test_who_changes_things_comes_from_a_known_page(
        self, start: Start, origin: str, status: int
    ) -> None:
        async with start(
            "web.external_url=https://storms.example/",
            'web.allowed_origins=["https://grafana.example:3000"]',
        ) as client:
            headers = {"Origin": origin.format(own=client.url)}
            posted, _ = await client.call(
                "POST", "/api/v1/webhook", data=body(entry()), headers=headers
            )
            try:
                async with client.session.ws_connect(
                    client.url + "/api/v1/stream", headers=headers
                ) as stream:
                    await stream.receive(timeout=20)
                opened = 200
            except aiohttp.WSServerHandshakeError as error:
                opened = error.status

        assert (posted, opened) == (status, status)

    @pytest.mark.parametrize(
        ("host", "status"),
        [
            ("localhost:1", 200),
            ("127.0.0.1", 200),
            ("[::1]:9783", 200),
            ("storms.example", 200),
            ("rebound.example:9783", 403),
            ("[::", 403),
        ],
    )
    async def test_a_name_that_is_not_ours_reads_nothing_from_an_open_loopback(
        self, start: Start, host: str, status: int
    ) -> None:
        """A stranger's page can have its own name resolve to this machine."""
        async with start("web.external_url=https://storms.example/") as client:
            headers = {"Host": host}
            read, _ = await client.call("GET", "/api/v1/stats", headers=headers)
            posted, _ = await client.call(
                "POST", "/api/v1/webhook", data=body(entry()), headers=headers
            )

        assert (read, posted) == (status, 200)

    @pytest.mark.parametrize("roles", ["[]", "[webhook]"])
    @pytest.mark.parametrize(
        ("host", "status"), [("rebound.example:9783", 403), ("localhost:9783", 200)]
    )
    async def test_a_page_by_a_name_that_is_not_ours_posts_no_alerts(
        self, start: Start, roles: str, host: str, status: int
    ) -> None:
        """A browser sends Origin with each post; to the page of such a name it is our own."""
        async with start(f"web.anonymous_roles={roles}") as client:
            headers = {"Host": host, "Origin": f"http://{host}"}
            statuses = [
                (await client.call("POST", path, data=content, headers=headers))[0]
                for path, content in (
                    ("/api/v1/webhook", body(entry())),
                    ("/api/v2/alerts", b'[{"labels": {"alertname": "A"}}]'),
                )
            ]

        assert statuses == [status, status]

    async def test_a_role_that_needs_a_token_is_asked_for_by_any_name(
        self, start: Start, tokens: list[str]
    ) -> None:
        headers = {"Host": "storms.example"}
        async with start(*tokens, "web.anonymous_roles=[read]") as client:
            undone, _ = await client.call("POST", "/api/v1/undo/1", token=OPERATOR, headers=headers)
            read, _ = await client.call("GET", "/api/v1/stats", headers=headers)

        assert (undone, read) == (404, 403)

    async def test_with_tokens_any_name_will_do(self, guarded: Client) -> None:
        status, _ = await guarded.call(
            "GET", "/api/v1/stats", token=READ, headers={"Host": "storms.example"}
        )

        assert status == 200


class TestSettings:
    @pytest.mark.parametrize(
        "address", [":9783", "0.0.0.0:9783", "[::]:9783", "10.0.0.1:1", "box:1"]
    )
    def test_nobody_listens_to_the_world_without_a_token(self, address: str) -> None:
        with pytest.raises(ConfigError, match=r"no token and no user is.*web\.anonymous_roles"):
            WebSettings(listen_address=address)

        WebSettings(listen_address=address, anonymous_roles=("read",))
        WebSettings(listen_address=address, read_token_files=("x",))

    @pytest.mark.parametrize("address", ["127.0.0.1:9783", "localhost:1", "[::1]:1", "127.9.9.9:1"])
    def test_this_machine_alone_needs_none(self, address: str) -> None:
        WebSettings(listen_address=address)

    @pytest.mark.parametrize(
        ("override", "message"),
        [
            (
                "web.external_url=storms.example",
                r"web.external_url: got 'storms.example', expected",
            ),
            ("web.external_url=http://h/?q", "web.external_url: got"),
            ("web.external_url=http://[::", "web.external_url: got"),
            (
                "web.allowed_origins=['https://x/y']",
                r"web.allowed_origins: .*https://host\[:port\]$",
            ),
            ("web.allowed_origins=['*']", r"web.allowed_origins: got '\*'"),
            ("web.anonymous_roles=[admin]", "web.anonymous_roles: got 'admin', expected some of"),
            ("web.external_url='https://h /x'", "web.external_url: got 'https://h /x', expected"),
            (
                'web.external_url="https://h/x\\n"',
                r"web.external_url: got 'https://h/x.n', expected",
            ),
            ("web.external_url='https://h\\x'", "web.external_url: got"),
            ("web.external_url=https://h/a/../b", "web.external_url: got .*, expected a path such"),
            ("web.external_url=https://h/a%20b", "web.external_url: got .*, expected a path such"),
        ],
    )
    def test_what_cannot_be_used_is_refused(self, override: str, message: str) -> None:
        with pytest.raises(ConfigError, match=message):
            load(None, [override])

    @pytest.mark.parametrize(
        "prefix",
        [
            "/a//b", "/..", "/../a", "/a/../b", "/a/..", "/.", "/a/./b", "..", "/%2e%2e/a", "/%41",
            "/a%2Fb", "/%zz", "/a b", " /a", "/a ", "/a%20b", "/ä", "/a?b", "/a#b", "/{id}", "/a{",
            "/a}", "/a\n", "/a\\b", "/a<b", "/a\"b", "/\u202ea", "/a/\t",
        ],
    )  # fmt: skip
    def test_a_prefix_that_others_make_another_path_of_is_refused(self, prefix: str) -> None:
        with pytest.raises(
            ConfigError, match=r"web\.route_prefix: got .*, expected a path such as"
        ):
            WebSettings(route_prefix=prefix)
        # Where it is no prefix but for links alone, a proxy may make of it what it likes.
        WebSettings(external_url="https://h/a%20b", route_prefix="/")

    @pytest.mark.parametrize(
        "prefix", ["/storms", "/a/b.c/...", "/aZ0-._~!$&'()*+,;=:@", "/-/healthy"]
    )
    async def test_under_a_prefix_everything_is_found(self, start: Start, prefix: str) -> None:
        async with start(f"web.route_prefix={json.dumps(prefix)}") as client:
            found = []
            for path in ("/", "/-/healthy", "/api/v1/stats", "/api/v1/clusters/1"):
                url = URL(client.url + path, encoded=True)
                async with client.session.get(url) as answer:
                    found.append(answer.status)
            root = URL(client.url.removesuffix(prefix) + "/", encoded=True)
            async with client.session.get(root, allow_redirects=False) as answer:
                led = answer.headers["Location"]

        assert found == [200, 200, 200, 404]
        assert led == f"{prefix}/"

    @pytest.mark.parametrize(
        ("given", "prefix"),
        [
            ({}, ""),
            ({"external_url": "http://h"}, ""),
            ({"external_url": "http://h/storms/"}, "/storms"),
            ({"external_url": "http://h/storms/", "route_prefix": "/"}, ""),
            ({"route_prefix": "/a/b/"}, "/a/b"),
            # As Prometheus has it.
            ({"route_prefix": "a/b"}, "/a/b"),
            ({"route_prefix": "//a//"}, "/a"),
            ({"route_prefix": "//"}, ""),
        ],
    )
    def test_the_prefix_is_that_of_the_address_unless_told(
        self, given: dict[str, Any], prefix: str
    ) -> None:
        assert WebSettings(**given).prefix == prefix

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            ("", "expected a token"),
            ("# only words\n", "expected a token"),
            ("short", "line 1: expected a token of at least 16"),
            ("x" * 20 + "\n" + "ä" * 20, "line 2: expected a token"),
            (None, "cannot be read"),
        ],
    )
    async def test_a_file_without_good_tokens_is_refused_at_the_start(
        self, start: Start, tmp_path: Path, content: str | None, message: str
    ) -> None:
        path = tmp_path / "token"
        if content is not None:
            path.write_text(content, encoding="utf-8")
        with pytest.raises(ConfigError, match=message) as refused:
            async with start(f"web.read_token_files={json.dumps([os.fspath(path)])}"):
                pass

        assert "x" * 20 not in str(refused.value)
