"""The configuration is read again: what can be applied is, what cannot is named, a bad one does nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from receiver import config as configuration
from receiver.config import Config
from receiver.core.settings import ConfigError
from tests.builders import body, entry
from tests.support.credentials import basic, hashed
from tests.web.conftest import Client, Start


def told_next(client: Client, *overrides: str) -> None:
    """Have the next reload read the settings there are, and *overrides*."""
    told = {
        f"{name}.{key}": value
        for name, section in vars(client.app.config).items()
        for key, value in vars(section).items()
    }
    kept = [f"{key}={json.dumps(value)}" for key, value in told.items()]
    client.app._load = lambda: configuration.load(None, [*kept, *overrides])


def metric(client: Client, name: str) -> float:
    value = client.app.metrics.registry.get_sample_value(f"stormcell_{name}")
    assert value is not None
    return value


async def reload(client: Client, token: str = "") -> tuple[int, str]:
    return await client.call("POST", "/-/reload", token=token)


async def test_limits_apply_at_once(start: Start) -> None:
    async with start("web.enable_lifecycle=true") as client:
        large = body(entry(annotations={"summary": "x" * 5000}))
        before = (await client.post(large))[0]
        told_next(client, "intake.max_body_bytes=4KiB", "intake.batch_size=7", "feed.max_clients=1")
        status, said = await reload(client)
        after = (await client.post(large))[0]

        assert (before, status, after) == (200, 200, 413)
        assert said == "applied: intake.max_body_bytes, intake.batch_size, feed.max_clients\n"
        assert client.app.worker.config.intake.batch_size == 7
        assert client.app.feed._settings.max_clients == 1
        assert metric(client, "config_last_reload_successful") == 1
        assert metric(client, "config_last_reload_success_timestamp_seconds") > 0
        assert metric(client, "config_settings_need_restart") == 0


async def test_what_needs_a_restart_is_named_and_not_applied(start: Start) -> None:
    async with start("web.enable_lifecycle=true") as client:
        told_next(client, "clustering.threshold=0.9", "web.external_url=https://storms.example")
        status, said = await reload(client)

        assert (status, said) == (
            200,
            "applied: nothing has changed\n"
            "needs a restart: web.external_url, clustering.threshold\n",
        )
        assert client.app.worker.config.clustering.threshold != 0.9
        assert metric(client, "config_settings_need_restart") == 2
        # Asked again it is said again: it still waits.
        assert "clustering.threshold" in (await reload(client))[1]


async def test_a_bad_one_changes_nothing(start: Start, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("t" * 20)
    async with start("web.enable_lifecycle=true") as client:
        for overrides, message in (
            (["intake.batch_size=0"], "intake.batch_size: got 0, expected at least 1"),
            (
                [
                    "intake.batch_size=9",
                    f"web.read_token_files={json.dumps([str(tmp_path / 'no')])}",
                ],
                "cannot be read",
            ),
        ):
            before = client.app.config
            told_next(client, *overrides)
            status, said = await reload(client)

            assert status == 500
            assert said.startswith("failed to reload config: ")
            assert message in said
            assert client.app.config is before
            assert metric(client, "config_last_reload_successful") == 0
        told_next(client)
        assert (await reload(client))[0] == 200
        assert metric(client, "config_last_reload_successful") == 1


async def test_who_may_come_in_is_read_again(start: Start, tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("t" * 20)
    files = json.dumps([str(path)])
    async with start("web.enable_lifecycle=true") as client:
        _, answer = await client.call("POST", "/api/v1/tickets")
        told_next(client, f"web.operator_token_files={files}")
        assert (await reload(client))[1] == "applied: web.operator_token_files\n"
        open_to_all, _ = await client.get("/api/v1/stats")
        with_token, _ = await client.call("GET", "/api/v1/stats", token="t" * 20)
        # A ticket that was out gives no more than who asked for it has now.
        ticket, _ = await client.get(f"/api/v1/stream.ndjson?ticket={answer['ticket']}")
        refused, _ = await reload(client)

    assert (open_to_all, with_token, ticket, refused) == (401, 200, 401, 401)


@pytest.mark.parametrize(
    ("guard", "opened"),
    [
        ("web.operator_token_files=[{path}]", "webhook, read, operator"),
        ("web.anonymous_roles=[read]", "webhook, operator"),
    ],
)
@pytest.mark.parametrize("text", ["", "web:\n", "intake: {batch_size: 7}\n"])
async def test_no_slip_of_the_pen_opens_a_door(
    start: Start, tmp_path: Path, guard: str, opened: str, text: str
) -> None:
    """A file that says nothing any more of who may come in lets nobody in whom it did not before."""
    token, file = tmp_path / "token", tmp_path / "stormcell.yml"
    token.write_text("t" * 20)
    async with start(guard.format(path=json.dumps(str(token)))) as client:
        before = client.app.config
        file.write_text(text)
        client.app._load = lambda: configuration.load(file)
        client.app.reload_if_good()
        with pytest.raises(ConfigError, match=f"everybody the roles {opened}: name them in web.an"):
            client.app.reload()
        shut, _ = await client.post(body(entry()))

        assert shut == 401
        assert client.app.config is before
        assert metric(client, "config_last_reload_successful") == 0


async def test_no_slip_of_the_pen_gives_each_user_every_role(start: Start, tmp_path: Path) -> None:
    users, file = tmp_path / "web.yml", tmp_path / "stormcell.yml"
    users.write_text(json.dumps({"basic_auth_users": {"anna": hashed("of anna")}}))
    file.write_text("")
    async with start(
        f"web.config_file={json.dumps(str(users))}", "web.read_users=[anna]"
    ) as client:
        client.app._load = lambda: configuration.load(file)
        with pytest.raises(ConfigError, match="would give each user every role"):
            client.app.reload()
        posted, _ = await client.call(
            "POST", "/api/v1/webhook", data=body(entry()), headers=basic("anna", "of anna")
        )

    assert posted == 403


async def test_a_door_is_opened_by_its_name(start: Start, tmp_path: Path) -> None:
    token, file = tmp_path / "token", tmp_path / "stormcell.yml"
    token.write_text("t" * 20)
    async with start(f"web.operator_token_files={json.dumps([str(token)])}") as client:
        file.write_text("web: {anonymous_roles: [webhook]}\n")
        client.app._load = lambda: configuration.load(file)
        client.app.reload()
        posted, _ = await client.post(body(entry()))
        read, _ = await client.get("/api/v1/stats")

    assert (posted, read) == (200, 401)


@pytest.fixture
def users(tmp_path: Path) -> Path:
    path = tmp_path / "web.yml"
    path.write_text(json.dumps({"basic_auth_users": {"anna": hashed("of anna")}}))
    return path


def with_users(path: Path) -> list[str]:
    return [f"web.config_file={json.dumps(str(path))}", "web.operator_users=[anna]"]


async def test_a_user_that_was_just_added_is_known(start: Start, users: Path) -> None:
    async with start(*with_users(users)) as client:
        assert client.app._file.now.users
        both = {"anna": hashed("of anna"), "zoe": hashed("of zoe")}
        users.write_text(json.dumps({"basic_auth_users": both}))
        told_next(client, "web.read_users=[zoe]")

        assert client.app.reload().applied == ("web.read_users",)
        status, _ = await client.call("GET", "/api/v1/stats", headers=basic("zoe", "of zoe"))
        assert status == 200


@pytest.mark.parametrize("text", ["basic_auth_users: [", None])
async def test_a_file_of_users_that_was_just_broken_fails_it(
    start: Start, users: Path, text: str | None
) -> None:
    good = users.read_text()
    async with start(*with_users(users)) as client:
        assert client.app._file.now.users
        users.unlink() if text is None else users.write_text(text)
        told_next(client)
        with pytest.raises(ConfigError, match=r"web.yml.*(not YAML|cannot be read)"):
            client.app.reload()
        after = metric(client, "config_last_reload_successful")
        users.write_text(good)
        client.app.reload()

        assert (after, metric(client, "config_last_reload_successful")) == (0, 1)


async def test_a_broken_file_is_told_of_while_nobody_asks(
    start: Start, users: Path, caplog: pytest.LogCaptureFixture
) -> None:
    token = users.with_name("a.token")
    token.write_text("t" * 20)
    tokens = f"web.read_token_files={json.dumps([str(token)])}"
    async with start(*with_users(users), tokens) as client:
        users.write_text("basic_auth_users: [")
        token.write_text("short")

        def said() -> str:
            return " ".join(str(vars(record).get("err")) for record in caplog.records)

        await client.until(lambda: "web.yml, line 1" in said() and "a.token, line 1" in said())


async def test_without_the_lifecycle_api_it_is_refused(start: Start) -> None:
    async with start() as client:
        status, said = await reload(client)

    assert status == 403
    assert "web.enable_lifecycle" in said["error"]["message"]  # type: ignore[index]


def test_every_setting_is_applied_or_named() -> None:
    """Each setting of another value ends up in one of the lists; none is passed over."""
    other: dict[type, Any] = {bool: True, int: 64, float: 1.25, str: "x", tuple: ("read",)}
    now = Config()
    seen = set()
    for key, value, *_ in configuration.describe(now):
        section, _, name = key.partition(".")
        changed = _changed(now, section, name, other.get(type(value)))
        if changed is None:
            continue
        reloaded = configuration.reload(now, changed)
        assert (*reloaded.applied, *reloaded.waiting) == (key,)
        assert (reloaded.config == now) is (key in reloaded.waiting)
        seen.add(key)

    assert len(seen) > 40
    assert all(any(key.startswith(name) for key in seen) for name in ("intake.", "feed.", "web."))


def _changed(now: Config, section: str, name: str, value: Any) -> Config | None:
    try:
        return configuration.load(None, [f"{section}.{name}={json.dumps(value)}"])
    except ConfigError:
        # Some take no such value; enough of them do.
        return None


@pytest.mark.parametrize("key", configuration.RELOADED)
def test_what_is_said_to_reload_exists(key: str) -> None:
    keys = {key for key, *_ in configuration.describe(Config())}

    assert key in keys | {each.partition(".")[0] for each in keys}
