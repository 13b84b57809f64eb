"""The demo from start to end: receiver, sender, table, summary, and everything put away again."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
import sys
import tempfile
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

from receiver.app import App, running
from receiver.config import Config, WebSettings, split_address
from receiver.core.settings import ConfigError
from receiver.demo import words
from receiver.demo.alertmanager import alertmanager, find_binary
from receiver.demo.direct import direct
from receiver.demo.errors import DemoError
from receiver.demo.interrupt import Interrupted, signals, unless
from receiver.demo.pace import Pace, faster, now
from receiver.demo.prometheus import Pair, Sender
from receiver.demo.scenario import DURATION, Scenario, build_scenario
from receiver.demo.screen import Screen
from receiver.demo.verdict import Verdict, expected, judge
from receiver.demo.view import View, view

_LEAST_SECONDS = 3.0
_GROUP_WAIT, _GROUP_INTERVAL = 10.0, 40.0
"""Of the sender, scenario seconds."""

_TICK = 5.0
"""Scenario seconds from one look at what is due to the next."""

_MODEL_SECONDS = 120.0
_SETTLE_SECONDS = 30.0
"""Real seconds that the receiver has to end up with what was sent."""

_INTERRUPTED = 130
"""What a shell reports of a command ended by Ctrl-C."""


async def demo(config: Config, *, seconds: float, stay: bool) -> int:
    """Run the demo and return the exit code; 1 if not every alert was kept.

    Args:
        config: Of the receiver; storage, and times of clustering, are the demo's own.
        seconds: About how long it takes.
        stay: Whether to serve on after the summary, until a signal.

    Raises:
        ConfigError: *seconds* is too short.
        DemoError: Something that is needed failed.
        StormcellError: The receiver failed.
        OSError: The address that *config* asks for cannot be listened on.
    """
    if not _LEAST_SECONDS <= seconds < float("inf"):
        raise ConfigError(f"--seconds: got {seconds:g}, expected at least {_LEAST_SECONDS:g}")
    with signals() as stop, tempfile.TemporaryDirectory(prefix="stormcell-demo-") as folder:
        try:
            return await _Demo(config, Path(folder), DURATION / seconds, stop).run(stay=stay)
        except Interrupted:
            print("interrupted", file=sys.stderr)
            return _INTERRUPTED


class _Demo:
    def __init__(self, config: Config, folder: Path, speed: float, stop: asyncio.Event) -> None:
        self._folder = folder
        self._speed = speed
        self._stop = stop
        self._scenario: Scenario = build_scenario()
        self._sent = expected(self._scenario, config.identity.drop_labels)
        self._config, self._changed = faster(config, speed)

    async def run(self, *, stay: bool) -> int:
        address = _free_address(self._config.web.listen_address)
        config = replace(
            self._config,
            web=replace(self._config.web, listen_address=address),
            storage=replace(self._config.storage, path=str(self._folder / "data")),
        )
        async with running(config) as app, view(app.server.url) as api:
            await unless(self._stop, _model_ready(app))
            code = await unless(self._stop, self._play(app, api))
            if stay:
                print(f"\nServing on {app.server.url} until Ctrl-C.", flush=True)
                with contextlib.suppress(Interrupted):
                    await unless(self._stop, app.ended())
                    raise _fault(app)
        return code

    async def _play(self, app: App, api: View) -> int:
        wait, interval = _GROUP_WAIT / self._speed, _GROUP_INTERVAL / self._speed
        async with self._sender(app, wait, interval) as (sender, name):
            opening = words.opening(
                speed=self._speed,
                url=app.server.url,
                folder=str(self._folder),
                sender=name,
                changed=self._changed,
                page=await api.has_page(),
            )
            print("\n".join(opening), flush=True)
            pace = Pace(now(), self._speed)
            screen, pair = Screen(sys.stdout, pace), Pair(self._scenario, pace, sender)
            verdict = await self._tell(app, api, pair, pace, screen)
        ledger, clusters, storms = await api.ledger(), await api.clusters(), await api.storms()
        lines = words.summary(
            verdict,
            ledger,
            clusters,
            storms,
            self._scenario,
            pace=pace,
            pair=pair,
            screen=screen,
        )
        print("\n".join(lines), flush=True)
        return 0 if verdict.complete else 1

    async def _tell(self, app: App, api: View, pair: Pair, pace: Pace, screen: Screen) -> Verdict:
        """Tell the whole scenario; return once the receiver has it all, or has had long enough."""
        ended_at: float | None = None
        while True:
            if app.fatal is not None:
                raise _fault(app)
            await pair.tick()
            passed = pace.passed
            if screen.due(passed):
                pending = app.writer.pending_alerts
                screen.show(await api.clusters(), await api.ledger(), pending)
            if pace.now >= DURATION and pair.finished:
                ended_at = passed if ended_at is None else ended_at
                verdict = judge(self._sent, await api.episodes(), await api.clusters())
                settled = verdict.complete and app.writer.pending_alerts == 0
                if settled or passed > ended_at + _SETTLE_SECONDS:
                    return verdict
            await asyncio.sleep(min(0.25, max(0.02, pace.real(_TICK))))

    @contextlib.asynccontextmanager
    async def _sender(
        self, app: App, wait: float, interval: float
    ) -> AsyncIterator[tuple[Sender, str]]:
        url = f"{app.server.url}/api/v1/webhook"
        binary = find_binary()
        if binary is None:
            async with direct(url, wait=wait, interval=interval) as poster:
                yield poster, "the demo itself, as a pair of Alertmanagers (none is installed here)"
            return
        async with alertmanager(binary, self._folder, url, wait=wait, interval=interval) as real:
            yield real, f"Alertmanager {real.version} ({binary}) at {real.url}"


async def _model_ready(app: App) -> None:
    loop = asyncio.get_running_loop()
    deadline, told_at = loop.time() + _MODEL_SECONDS, loop.time() + 2.0
    while not app.worker.embedder_ready:
        if app.fatal is not None:
            raise _fault(app)
        if loop.time() > deadline:
            raise DemoError("the embedding model does not load; `--log.level=info` says more")
        if loop.time() > told_at:
            print("loading the embedding model …", flush=True)
            told_at = deadline + 1.0
        await asyncio.sleep(0.05)


def _fault(app: App) -> Exception:
    return DemoError(f"the receiver cannot go on: {app.fatal}")


def _free_address(wanted: str) -> str:
    """Return *wanted*, or any free port if that is the default and in use."""
    host, port = split_address(wanted)
    if wanted != WebSettings().listen_address:
        return wanted
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            print(f"{wanted} is in use, so the receiver of the demo listens on another port.")
            return f"{host}:0"
    return wanted
