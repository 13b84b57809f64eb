"""The whole demo, fast, with the hashing embedder; and the parts of it that speak to others."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from receiver.config import load
from receiver.core.settings import ConfigError
from receiver.demo import demo, run
from receiver.demo.alertmanager import find_binary
from receiver.demo.direct import Direct
from receiver.demo.errors import DemoError
from receiver.demo.pace import Pace, faster, now, rfc3339
from receiver.demo.prometheus import PostedAlert
from receiver.demo.scenario import Scenario
from receiver.demo.verdict import Sent
from tests.support.waiting import until

CONFIG = load(None, ["embedding.backend=hashing", "web.listen_address='127.0.0.1:0'"])

needs_alertmanager = pytest.mark.skipif(
    find_binary() is None, reason="no Alertmanager on PATH (prometheus-alertmanager, alertmanager)"
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the demo makes its own folder."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


@pytest.fixture
def no_alertmanager(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """The only folder of PATH; it is empty."""
    empty = tmp_path_factory.mktemp("bin")
    monkeypatch.setenv("PATH", str(empty))
    return empty


class Said:
    """What was printed so far."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self._text = ""

    @property
    def text(self) -> str:
        self._text += self._capsys.readouterr().out
        return self._text

    async def wait_for(self, part: str) -> None:
        await until(lambda: part in self.text, f"{part!r} to be printed")


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Said:
    return Said(capsys)


def check_all_kept(output: str) -> None:
    found = re.search(r"(\d+) alerts sent, (\d+) kept, 0 lost$", output, re.MULTILINE)

    assert found is not None, output
    assert found[1] == found[2]


def check_a_storm_was_seen(output: str) -> None:
    # When, and in how many parts, depends on how well this machine keeps up with hundreds of times life.
    found = re.findall(r"storm \d +\d\d:\d\d to \d\d:\d\d, (\d+) new alerts in", output)

    assert sum(map(int, found)) > 150, output


def check_put_away(folder: Path) -> None:
    """Nothing of the demo is left: no file, and no process that was given one."""
    commands = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            commands.append(entry.read_bytes())
        except OSError:
            continue

    assert list(folder.iterdir()) == []
    assert not any(str(folder).encode() in command for command in commands)


@pytest.mark.e2e
@needs_alertmanager
async def test_the_storm_comes_through_a_real_alertmanager_whole(folder: Path, said: Said) -> None:
    code = await demo(CONFIG, seconds=5, stay=False)

    assert code == 0
    assert "Alertmanager 0." in said.text
    check_all_kept(said.text)
    check_a_storm_was_seen(said.text)
    check_put_away(folder)


@pytest.mark.e2e
async def test_without_alertmanager_it_posts_webhooks_itself_and_serves_on(
    folder: Path, no_alertmanager: Path, said: Said
) -> None:
    playing = asyncio.create_task(demo(CONFIG, seconds=5, stay=True))
    await said.wait_for("Serving on http://127.0.0.1:")
    url = re.findall(r"Serving on (\S+)", said.text)[0]
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{url}/api/v1/alerts", params={"label": "alertname=PostgresDown"}) as answer,
    ):
        found = (await answer.json())["items"]
    os.kill(os.getpid(), signal.SIGINT)

    assert await playing == 0
    assert len(found) == 1
    assert "none is installed here" in said.text
    check_all_kept(said.text)
    check_a_storm_was_seen(said.text)
    check_put_away(folder)


@pytest.mark.e2e
async def test_a_signal_in_the_middle_ends_it_and_all_that_it_started(
    folder: Path, said: Said
) -> None:
    playing = asyncio.create_task(demo(CONFIG, seconds=60, stay=False))
    await said.wait_for("Look around meanwhile")
    os.kill(os.getpid(), signal.SIGINT)

    assert await playing == 130
    check_put_away(folder)


@pytest.mark.e2e
async def test_a_lost_alert_is_named_and_fails_the_demo(
    folder: Path, no_alertmanager: Path, said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "expected", lambda *_: {"00000000000000aa": Sent("none", True)})
    monkeypatch.setattr(run, "build_scenario", lambda: Scenario(()))
    monkeypatch.setattr(run, "DURATION", 3.0)
    monkeypatch.setattr(run, "_SETTLE_SECONDS", 0.1)

    assert await demo(CONFIG, seconds=3, stay=False) == 1
    assert "1 alerts sent, 0 kept, 1 lost: 00000000000000aa" in said.text


async def test_an_alertmanager_that_does_not_start_is_one_clear_line(
    folder: Path, no_alertmanager: Path
) -> None:
    fake = no_alertmanager / "alertmanager"
    fake.write_text("#!/bin/sh\necho 'flag not understood'\nexit 1\n")
    fake.chmod(0o755)

    with pytest.raises(DemoError, match="Alertmanager did not start: flag not understood"):
        await demo(CONFIG, seconds=5, stay=False)
    check_put_away(folder)


@pytest.mark.parametrize("seconds", [0.0, -1.0, float("nan"), float("inf")])
async def test_a_demo_takes_a_sensible_time(seconds: float) -> None:
    with pytest.raises(ConfigError, match="--seconds"):
        await demo(CONFIG, seconds=seconds, stay=False)


def test_clustering_keeps_step_with_the_clock_but_staleness_does_not() -> None:
    config, changed = faster(CONFIG, 20.0)

    assert config.clustering.time_scale == CONFIG.clustering.time_scale / 20
    assert config.clustering.close_after == CONFIG.clustering.close_after / 20
    assert config.clustering.stale_after == CONFIG.clustering.stale_after
    assert config.clustering.threshold == CONFIG.clustering.threshold
    assert "time_scale 60 → 3 s" in changed
    assert config.storms.window == CONFIG.storms.window / 20
    assert config.storms.fresh_within == CONFIG.storms.fresh_within / 20
    assert config.storms.min_episodes == CONFIG.storms.min_episodes


def test_a_machine_that_cannot_keep_up_holds_the_scenario_back() -> None:
    pace = Pace(now() - timedelta(seconds=100), 20.0)
    pace.advance()
    held_at = pace.now
    pace.advance()

    assert held_at == pytest.approx(30.0)
    assert pace.now < 40
    assert pace.passed > 100
    assert pace.offset(pace.moment(held_at)) == pytest.approx(held_at, abs=0.01)


class Webhooks:
    """A receiver that answers with the *codes* given, then 200."""

    def __init__(self, *codes: int) -> None:
        self._codes = list(codes)
        self.bodies: list[dict[str, Any]] = []

    async def _post(self, request: web.Request) -> web.Response:
        if self._codes:
            return web.Response(status=self._codes.pop(0), text="not now")
        self.bodies.append(await request.json())
        return web.Response()

    @contextlib.asynccontextmanager
    async def sender(self) -> AsyncIterator[Direct]:
        app = web.Application()
        app.add_routes([web.post("/", self._post)])
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        try:
            async with aiohttp.ClientSession() as session:
                yield Direct(session, f"http://{host}:{port}/", wait=0, interval=0)
        finally:
            await runner.cleanup()


def posted(name: str, instance: str, *, resolved: bool = False) -> PostedAlert:
    return {
        "labels": {"alertname": name, "instance": instance},
        "annotations": {"summary": name},
        "startsAt": rfc3339(now() - timedelta(seconds=9)),
        "endsAt": rfc3339(now() + timedelta(seconds=-1 if resolved else 60)),
        "generatorURL": "",
    }


async def test_both_peers_notify_of_a_group_once_and_again_only_when_it_changes() -> None:
    hooks = Webhooks()
    alert = posted("HostDown", "a")
    async with hooks.sender() as sender:
        await sender.post([alert, posted("HostDown", "b")])
        await sender.post([alert])
        await sender.post([{**alert, "endsAt": rfc3339(now() - timedelta(seconds=1))}])
        await sender.post([posted("Short", "c", resolved=True)])

    assert [len(body["alerts"]) for body in hooks.bodies] == [2, 2, 2, 2]
    assert len({body["externalURL"] for body in hooks.bodies[:2]}) == 2
    first, last = hooks.bodies[0], hooks.bodies[-1]
    assert first["version"] == "4"
    assert first["commonLabels"] == {"alertname": "HostDown"}
    assert first["alerts"][0]["endsAt"] == "0001-01-01T00:00:00Z"
    assert sorted(entry["status"] for entry in last["alerts"]) == ["firing", "resolved"]


async def test_a_webhook_that_is_put_off_is_posted_again() -> None:
    hooks = Webhooks(503, 503, 500)
    async with hooks.sender() as sender:
        await sender.post([posted("HostDown", "a")])

    assert len(hooks.bodies) == 2


async def test_a_webhook_that_is_refused_ends_the_demo() -> None:
    hooks = Webhooks(400)
    async with hooks.sender() as sender:
        with pytest.raises(DemoError, match="400 not now"):
            await sender.post([posted("HostDown", "a")])
