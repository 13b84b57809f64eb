"""The faults: each strikes, is over, and says what must be seen of it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import resource
import signal
import sqlite3
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from benchmarks import texts
from benchmarks.soak.ledger import LEFT
from benchmarks.soak.stage import Stage
from benchmarks.soak.story import Story
from receiver.store.database import FILE_NAME
from tests.support.processes import HOST
from tests.support.waiting import until

Scraped = Mapping[str, float]
Strike = Callable[["Blow"], Awaitable[float]]


@dataclass(frozen=True)
class Blow:
    """What a fault needs to strike.

    Attributes:
        stage: What it strikes.
        story: Alerts of which nobody else tells.
        random: Where it has a choice.
        seconds: How long it lasts, if it lasts.
    """

    stage: Stage
    story: Story
    random: random.Random
    seconds: float


@dataclass(frozen=True)
class Fault:
    """A kind of fault.

    Attributes:
        words: What it is.
        strike: Has it happen; returns when it was over, by `time.monotonic`.
        harmless: Whether no webhook may be refused for it.
        line: What the log must say of it, a regular expression; empty for nothing.
        metric: Tells from the samples before it and those of a moment since whether they show it; None
            where the process was not there to count.
        needs_model: Whether it is a fault of the real model.
    """

    words: str
    strike: Strike
    harmless: bool = False
    line: str = ""
    metric: Callable[[Scraped, Scraped], bool] | None = None
    needs_model: bool = False


def _grows(series: str) -> Callable[[Scraped, Scraped], bool]:
    return lambda before, now: now.get(series, 0.0) > before.get(series, 0.0)


def _is(series: str, value: float) -> Callable[[Scraped, Scraped], bool]:
    return lambda before, now: now.get(series) == value


async def _kill(blow: Blow) -> float:
    await asyncio.to_thread(blow.stage.receiver.kill)
    over = time.monotonic()
    blow.stage.launch()
    await blow.stage.ready()
    return over


async def _terminate(blow: Blow) -> float:
    await blow.stage.stop()
    over = time.monotonic()
    blow.stage.launch()
    await blow.stage.ready()
    return over


_RELOADED = "stormcell_config_last_reload_success_timestamp_seconds"
_GOOD = "stormcell_config_last_reload_successful"


async def _reload(blow: Blow) -> float:
    stage, before = blow.stage, blow.stage.scraped.get(_RELOADED, 0.0)
    stage.configure(f"{blow.random.randrange(16, 64)}MiB")
    stage.signal(signal.SIGHUP)
    await until(lambda: stage.scraped.get(_RELOADED, 0.0) > before, "the reload")
    return time.monotonic()


async def _reload_bad(blow: Blow) -> float:
    blow.stage.configure("many")
    blow.stage.signal(signal.SIGHUP)
    await until(lambda: blow.stage.scraped.get(_GOOD) == 0, "the refusal of the configuration")
    await asyncio.sleep(blow.seconds / 4)
    await _reload(blow)
    return time.monotonic()


async def _freeze(blow: Blow) -> float:
    blow.stage.signal(signal.SIGSTOP)
    await asyncio.sleep(blow.seconds)
    blow.stage.signal(signal.SIGCONT)
    return time.monotonic()


async def _lock(blow: Blow) -> float:
    other = sqlite3.connect(
        blow.stage.receiver.storage / FILE_NAME, timeout=30.0, check_same_thread=False
    )
    try:
        await asyncio.to_thread(other.execute, "BEGIN IMMEDIATE")
        # It waits for five seconds; what is refused only then is seen.
        await asyncio.sleep(5.0 + blow.seconds / 2)
        other.rollback()
    finally:
        other.close()
    return time.monotonic()


_ERRORS = "stormcell_storage_errors_total"


async def _fill_disk(blow: Blow) -> float:
    """Let none of its files grow, as on a full disk; its log has room."""
    stage, before = blow.stage, blow.stage.scraped.get(_ERRORS, 0.0)
    _, most = resource.prlimit(stage.receiver.pid, resource.RLIMIT_FSIZE)
    room = max(2**20, stage.log_size() + 2**18)
    resource.prlimit(stage.receiver.pid, resource.RLIMIT_FSIZE, (room, most))
    try:
        await until(lambda: stage.scraped.get(_ERRORS, 0.0) > before, "the full disk")
        await asyncio.sleep(blow.seconds / 2)
    finally:
        resource.prlimit(stage.receiver.pid, resource.RLIMIT_FSIZE, (most, most))
    return time.monotonic()


async def _take_descriptors(blow: Blow) -> float:
    receiver = blow.stage.receiver
    used = len(os.listdir(f"/proc/{receiver.pid}/fd"))
    before, most = resource.prlimit(receiver.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(receiver.pid, resource.RLIMIT_NOFILE, (used + 4, most))
    writers = []
    try:
        for _ in range(40):
            _, writer = await asyncio.open_connection(HOST, receiver.port)
            writers.append(writer)
        await asyncio.sleep(blow.seconds)
    finally:
        resource.prlimit(receiver.pid, resource.RLIMIT_NOFILE, (before, most))
        for writer in writers:
            writer.close()
    return time.monotonic()


_HEAD = (
    "POST /api/v1/webhook HTTP/1.1\r\nHost: soak\r\nContent-Type: application/json\r\n"
    "Content-Length: %d\r\n\r\n"
)


async def _give_up(blow: Blow) -> float:
    """Have a hundred clients leave in the middle of a body, and twenty before they are answered."""
    stage = blow.stage

    async def half() -> None:
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection(HOST, stage.receiver.port)
            writer.write((_HEAD % 100_000).encode() + b"{" * blow.random.randrange(50_000))
            await writer.drain()
            await asyncio.sleep(0.05)
            writer.transport.abort()

    async def unanswered() -> None:
        alerts = blow.story.notification(time.time_ns())
        body = texts.webhook(alerts)
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection(HOST, stage.receiver.port)
            attempt = stage.ledger.begin(len(alerts))
            writer.write((_HEAD % len(body)).encode() + body)
            await writer.drain()
            writer.close()
            stage.ledger.end(attempt, LEFT)
        # As Alertmanager does: what was not acknowledged is told again.
        await stage.deliver(body, len(alerts), blow.random)

    await asyncio.gather(*(half() for _ in range(100)))
    for _ in range(20):
        await unanswered()
    return time.monotonic()


def _model(how: str) -> Strike:
    async def strike(blow: Blow) -> float:
        blow.stage.fail(model=how)
        await asyncio.sleep(blow.seconds)
        blow.stage.fail()
        return time.monotonic()

    return strike


_PENDING = "stormcell_pending_alerts"
_MODEL = "stormcell_embedder_ready"


async def _lose_model(blow: Blow) -> float:
    """Take a file of the model away, start anew without it, and put it back."""
    stage = blow.stage
    assert stage.model is not None
    there, away = stage.model / "tokenizer.json", stage.model / "tokenizer.away"
    there.rename(away)
    try:
        await stage.stop()
        stage.launch()
        await until(lambda: stage.scraped.get(_PENDING, 0.0) > 50, "alerts to be pending")
        await asyncio.sleep(blow.seconds / 2)
    finally:
        away.rename(there)
    return time.monotonic()


async def _set_clock(blow: Blow) -> float:
    blow.stage.fail(clock_seconds=120)
    await asyncio.sleep(blow.seconds)
    blow.stage.fail()
    await until(
        lambda: blow.stage.scraped.get("stormcell_clock_ahead_seconds", 0.0) > 30, "the clock"
    )
    return time.monotonic()


KINDS: Mapping[str, Fault] = {
    "kill": Fault("kill -9, started anew", _kill),
    "term": Fault("SIGTERM, started anew", _terminate, line="msg=stopping"),
    "reload": Fault(
        "SIGHUP, a new configuration", _reload, harmless=True,
        line="the configuration was reloaded", metric=_grows(_RELOADED),
    ),
    "reload_bad": Fault(
        "SIGHUP, a configuration that cannot be used", _reload_bad, harmless=True,
        line="the configuration was not reloaded", metric=_is(_GOOD, 0.0),
    ),
    "freeze": Fault("SIGSTOP for some seconds", _freeze),
    "lock": Fault(
        "another program holds the database's lock", _lock,
        line="database is locked", metric=_grows(_ERRORS),
    ),
    "disk": Fault(
        "files may not grow: a full disk", _fill_disk,
        line="disk I/O error|disk is full", metric=_grows(_ERRORS),
    ),
    "descriptors": Fault(
        "no descriptor is left", _take_descriptors,
        line="out of system resource", metric=_grows("stormcell_event_loop_faults_total"),
    ),
    "give_up": Fault(
        "120 clients give up", _give_up, harmless=True,
        metric=_grows('stormcell_webhook_requests_total{code="499"}'),
    ),
    "clock": Fault(
        "the clock two minutes ahead, then set right", _set_clock, harmless=True,
        line="the clock was set back", metric=_grows("stormcell_clock_ahead_seconds"),
    ),
    "model_raises": Fault(
        "the model raises", _model("raises"), harmless=True,
        line="alerts stay pending", metric=_grows("stormcell_retries_total"),
    ),
    "model_nan": Fault(
        "the model gives NaN", _model("nan"), harmless=True,
        line="alerts stay pending", metric=_grows("stormcell_retries_total"),
    ),
    "model_hangs": Fault(
        "the model hangs for some seconds", _model("hangs"), harmless=True,
        metric=lambda before, now: now.get("stormcell_oldest_pending_age_seconds", 0.0) > 1,
    ),
    "model_missing": Fault(
        "started anew without its model", _lose_model,
        line="alerts stay pending", metric=_is(_MODEL, 0.0), needs_model=True,
    ),
}  # fmt: skip
"""By a short name."""


def deck(chance: random.Random, *, real_model: bool) -> list[str]:
    """Return each kind once, in any order."""
    names = [name for name, fault in KINDS.items() if real_model or not fault.needs_model]
    chance.shuffle(names)
    return names
