"""The soak from its beginning to its end."""

from __future__ import annotations

import asyncio
import contextlib
import random
import re
import time
from collections.abc import Callable, Coroutine
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import aiohttp

from benchmarks.soak import faults, judge
from benchmarks.soak.judge import Window
from benchmarks.soak.listeners import Lines, Listener, Socket
from benchmarks.soak.load import Load
from benchmarks.soak.stage import TIMEOUT_SECONDS, Stage
from benchmarks.soak.story import Period, Story
from benchmarks.soak.watch import Watch, quarters
from tests.support.waiting import until

SENDERS = 8
_PATIENCE_SECONDS = 120.0
_SETTLED_SECONDS = 2.0
"""Alerts of so many seconds may be pending where it has caught up."""


@dataclass(frozen=True)
class Plan:
    """What is to be done.

    Attributes:
        seconds: With faults.
        every_seconds: From fault to fault.
        fault_seconds: How long one lasts, about.
        quiet_seconds: Without a fault, at the end, in which everything is counted.
        sample_seconds: Between two looks at the process.
        rate: Alerts a second.
        seed: Draws everything.
        real_model: Or the hashing embedder.
        kinds: Faults in this order, again and again; empty: shuffled decks of all.
    """

    seconds: float = 3600.0
    every_seconds: float = 60.0
    fault_seconds: float = 6.0
    quiet_seconds: float = 60.0
    sample_seconds: float = 10.0
    rate: float = 30.0
    seed: int = 1
    real_model: bool = True
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True)
class Struck:
    """A fault, and what came of it.

    Attributes:
        at: Seconds since the beginning.
        taken_seconds: From its end to the answer 200 to a webhook sent after it; None: never.
        calm_seconds: From its end until it had caught up; None: never.
        refused: Webhooks not taken meanwhile.
        line: Whether the log told; None where it need not.
        metric: Whether a metric told; None where none can.
    """

    kind: str
    at: float
    taken_seconds: float | None
    calm_seconds: float | None
    refused: int
    line: bool | None
    metric: bool | None


class Soak:
    """One run."""

    def __init__(self, plan: Plan, folder: Path, say: Callable[[str], None]) -> None:
        """Prepare it in *folder*."""
        self._plan = plan
        self._say = say
        self._stage = stage = Stage(folder, real_model=plan.real_model)
        self._stories = [Story(number, plan.seed) for number in range(SENDERS)]
        self._hers = Story(SENDERS, plan.seed)
        self._load = Load(stage, self._stories, rate=plan.rate, seed=plan.seed)
        self._watch = Watch(stage, plan.sample_seconds)
        self._listeners: list[Listener] = [
            Socket(stage, "socket 1"),
            Socket(stage, "socket 2"),
            Lines(stage, "lines"),
        ]
        self._random = random.Random(f"faults-{plan.seed}")
        self._windows: list[Window] = []
        self._struck: list[Struck] = []
        self._began = 0.0

    async def run(self) -> dict[str, Any]:
        """Run it, and return all that was found; `wrong` is empty if all is well."""
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(timeout=timeout, connector=connector) as session:
            self._stage.session = session
            try:
                return await self._run()
            finally:
                self._stage.receiver.ensure_ended()

    async def _run(self) -> dict[str, Any]:
        stage, load = self._stage, self._load
        async with _going_on(self._watch.scrape(), self._watch.sample()):
            stage.launch()
            await stage.ready()
            await until(self._has_model, "the model", patience_seconds=_PATIENCE_SECONDS)
            self._began = time.monotonic()
            async with _going_on(*(listener.listen() for listener in self._listeners)):
                asking = [asyncio.create_task(load.read()), asyncio.create_task(load.operate())]
                sending = asyncio.create_task(load.send())
                try:
                    await self._strike_all()
                finally:
                    load.sending = load.asking = False
                await asyncio.gather(sending, *asking)
                await self._settled()
                quiet = await self._count_exactly()
                found = await self._judge(quiet)
            await stage.stop()
        self._say("check-db")
        found["check_db"], wrong = await judge.check_db(stage)
        found["wrong"] += wrong
        return found

    # -- faults ----------------------------------------------------------------------------------

    async def _strike_all(self) -> None:
        plan = self._plan
        names: list[str] = []
        end = self._began + plan.seconds
        due = self._began + plan.every_seconds / 2
        while due < end:
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            names = (
                names or list(plan.kinds) or faults.deck(self._random, real_model=plan.real_model)
            )
            await self._strike(names.pop(0))
            due += plan.every_seconds
        await asyncio.sleep(max(0.0, end - time.monotonic()))

    async def _strike(self, name: str) -> None:
        fault, stage = faults.KINDS[name], self._stage
        began, place = time.monotonic(), stage.log_size()
        before, refused = dict(stage.scraped), len(stage.ledger.refused)
        seconds = self._plan.fault_seconds * self._random.uniform(0.5, 1.5)
        self._watch.calm = False
        seen = False

        async def look() -> None:
            nonlocal seen
            while not seen:
                await asyncio.sleep(0.1)
                seen = fault.metric is not None and fault.metric(before, stage.scraped)

        async with _going_on(look()):
            over = await fault.strike(faults.Blow(stage, self._hers, self._random, seconds))
            taken = await self._after(over, lambda: stage.ledger.taken_began > over)
            calm = await self._after(over, self._is_calm)
            await stage.scrape()
        seen = seen or (fault.metric is not None and fault.metric(before, stage.scraped))
        self._windows.append(Window(began, time.monotonic(), fault.harmless))
        self._watch.calm = True
        struck = Struck(
            kind=name,
            at=round(began - self._began, 1),
            taken_seconds=taken,
            calm_seconds=calm,
            refused=len(stage.ledger.refused) - refused,
            line=bool(re.search(fault.line, stage.log_since(place))) if fault.line else None,
            metric=seen if fault.metric else None,
        )
        self._struck.append(struck)
        self._say(f"{struck.at:7.1f} s  {name}: {_shown(struck)}")

    async def _after(self, over: float, holds: Callable[[], bool]) -> float | None:
        """Return how many seconds after *over* something holds; None if it does not."""
        try:
            await until(holds, patience_seconds=_PATIENCE_SECONDS)
        except TimeoutError:
            return None
        return round(time.monotonic() - over, 2)

    def _has_model(self) -> bool:
        return self._stage.scraped.get("stormcell_embedder_ready") == 1

    def _is_calm(self) -> bool:
        pending = self._stage.scraped.get("stormcell_pending_alerts")
        few = pending is not None and pending <= self._plan.rate * _SETTLED_SECONDS
        return few and self._has_model() and self._stage.scraped.get("stormcell_ready") == 1

    # -- the end ---------------------------------------------------------------------------------

    async def _settled(self) -> None:
        def nothing_pending() -> bool:
            return self._stage.scraped.get("stormcell_pending_alerts") == 0

        await self._stage.scrape()
        await until(nothing_pending, "all to be applied", patience_seconds=_PATIENCE_SECONDS)

    async def _count_exactly(self) -> list[str]:
        """Have a life without a fault, and hold its counters against what was sent."""
        self._say("a life without faults")
        stage, plan = self._stage, self._plan
        self._watch.calm = False
        began = time.monotonic()
        await stage.stop()
        stage.launch()
        await stage.ready()
        self._windows.append(Window(began, time.monotonic(), harmless=False))
        self._watch.calm = True
        before = len(self._periods())
        await self._load.send(seconds=plan.quiet_seconds)
        await self._settled()
        await stage.scrape()
        return judge.counted(stage, len(self._periods()) - before)

    def _periods(self) -> dict[Period, str]:
        return {
            p: state for story in (*self._stories, self._hers) for p, state in story.periods.items()
        }

    async def _judge(self, quiet: list[str]) -> dict[str, Any]:
        self._say("judging")
        stage, ledger, periods = self._stage, self._stage.ledger, self._periods()
        kept, lost = await asyncio.to_thread(judge.kept, stage, periods)
        last = await asyncio.to_thread(stage.receiver.events)
        with contextlib.suppress(TimeoutError):
            await until(lambda: all(len(one.seen) >= len(last) for one in self._listeners))
        journal, missed = await asyncio.to_thread(judge.events, stage, self._listeners)
        wrong = [
            *stage.wrong,
            *lost,
            *missed,
            *await asyncio.to_thread(judge.ledger, stage, len(periods)),
            *(f"the life without faults: {one}" for one in quiet),
            *judge.refusals(ledger.refused, self._load.calls, self._windows),
            *(f"{s.kind} at {s.at}: {what}" for s in self._struck for what in _missing(s)),
        ]
        return {
            "plan": asdict(self._plan),
            "seconds": round(time.monotonic() - self._began, 1),
            "webhooks": ledger.attempts,
            "answers": {str(status): n for status, n in sorted(ledger.answers.items())},
            "alerts_taken": ledger.alerts_taken,
            "periods_told": len(periods),
            "periods_kept": kept,
            "events": journal,
            "calls": {str(status): n for status, n in sorted(self._load.answered.items())},
            "connections": {
                path: sum(one.connections for one in self._listeners if one.path == path)
                for path in {one.path for one in self._listeners}
            },
            "lives": ledger.life,
            "storage_mb": round(stage.scraped.get("stormcell_storage_size_bytes", 0.0) / 1e6, 1),
            "faults": [asdict(struck) for struck in self._struck],
            "process": quarters(self._watch.samples),
            "samples": [asdict(sample) for sample in self._watch.samples],
            "wrong": wrong,
        }


def _missing(struck: Struck) -> list[str]:
    """Return what should have been seen of a fault, and was not."""
    return [
        what
        for what, missed in {
            "no webhook was taken afterwards": struck.taken_seconds is None,
            "it did not catch up": struck.calm_seconds is None,
            "no line in the log": struck.line is False,
            "no metric": struck.metric is False,
        }.items()
        if missed
    ]


def _shown(struck: Struck) -> str:
    return (
        f"a 200 after {struck.taken_seconds} s, caught up after {struck.calm_seconds} s,"
        f" {struck.refused} refused, line {struck.line}, metric {struck.metric}"
    )


@contextlib.asynccontextmanager
async def _going_on(*work: Coroutine[Any, Any, None]) -> Any:
    """Have *work*, which never ends, go on meanwhile; what it raises is raised."""
    tasks = [asyncio.create_task(one) for one in work]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
    for one in ended:
        if isinstance(one, Exception):
            raise one
