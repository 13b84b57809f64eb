"""From receipt to clustered, an alert at a time: `python -m benchmarks.realtime_performance [--short]`.

The whole receiver in this process, with the real model and the real database, its history at 5,000, 50,000
and, in the long form or with `--only 500000`, 500,000 vectors (`benchmarks.filled` says what of that is
made). Each alert is a webhook of its own:
parsed, committed to the inbox, taken up by the worker, embedded if its text is new, clustered, committed,
published; the clock runs from before the parsing until the last listener is told. HTTP is left out, `load`
has it. New texts and known ones (another alert with a text seen before) take turns, with a pause after
each as in calm. `--texts FILE` takes the alerts of a file in place of our own.

Then webhooks of 64 alerts with known texts, for what an alert costs in a storm, and searches of all
vectors held, whose answers are compared with those of an exact search.

A second pass, with a stopwatch around each stage (which takes time itself, so that its figures stand for
themselves), tells where the time goes. "waking" is what is left: threads that wait for each other,
less what two of them did at once.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import findings, texts
from benchmarks.filled import CASES, FIRST_NEW, Case, Filled, copied, real_config
from benchmarks.findings import Findings
from benchmarks.later import clock_set_back
from benchmarks.stages import Place, Stages
from benchmarks.texts import Drawn
from receiver.app import App, running
from receiver.core import payload
from receiver.core.engine import Engine
from receiver.core.index import VectorIndex
from receiver.core.publication import Publication
from receiver.pipeline import Worker, Writer
from receiver.pipeline import worker as worker_module
from receiver.pipeline.embedding import Embedding
from tests.support.processes import HOST, free_port
from tests.support.waiting import until

_PAUSE_SECONDS = 0.01
"""After each alert: the worker finishes what it does after publishing, and goes to sleep."""

_BATCH = 64
_NEIGHBORS = 24
"""As many as the default `index.neighbors`."""

_TRAINING_SECONDS = 600.0

_CALLS = {"inbox": "read inbox", "recall": "recall", "commit": "commit", "members": "second look"}
"""What the worker calls of the writer, and the stage that is."""

STAGES = (
    "parse", "inbox commit", "waking", "read inbox", "parse again", "recall", "mask", "embed", "decide",
    "search", "drain", "commit", "publish",
)  # fmt: skip


def _called(writer: Writer, function: Any, *arguments: Any) -> str:
    return _CALLS.get(function.__name__, "other calls")


PLACES: tuple[Place, ...] = (
    ("inbox commit", Writer, "receive"),
    ("parse again", Worker, "_parse"),
    ("mask", worker_module, "sightings"),
    ("embed", Embedding, "embed"),
    ("search", VectorIndex, "search"),
    ("decide", Engine, "step"),
    ("drain", Engine, "drain"),
    ("publish", Worker, "_publish"),
    # What the worker waits for of the writer is told by what it calls.
    (_called, Writer, "call"),
)


@dataclass
class Pass:
    """What was measured of alerts of one kind, seconds an alert.

    Attributes:
        took: From receipt to published.
        cpu: Processor time of the whole process, the pause after it included.
        stages: By stage; empty where no stopwatch was around.
    """

    took: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    stages: list[dict[str, float]] = field(default_factory=list)


class Bench:
    """A running receiver, and the way of one webhook through it."""

    def __init__(self, app: App, filled: Filled) -> None:
        """Listen to *app*, which serves *filled*."""
        self._app, self._filled = app, filled
        self._loop = asyncio.get_running_loop()
        self._told: asyncio.Future[float] = self._loop.create_future()
        self._left = 0
        self._stages: Stages | None = None
        self._taken: dict[str, int] = {}
        listeners: Any = app.worker._listeners
        listeners.append(self._published)

    def _published(self, publication: Publication) -> None:
        """Note when the last alert of the webhook was published; on the worker's thread."""
        self._left -= len(publication.ages_seconds)
        if publication.ages_seconds and self._left == 0:
            at = time.perf_counter()
            if self._stages is not None:
                self._taken = self._stages.take()
            self._loop.call_soon_threadsafe(self._told.set_result, at)

    async def post(self, drawn: Sequence[Drawn], into: Pass, stages: Stages | None = None) -> None:
        """Let a webhook of *drawn* go its way, and note in *into* what it took."""
        now = self._filled.now()
        body = texts.webhook([one.told(now) for one in drawn])
        self._told, self._left, self._stages = self._loop.create_future(), len(drawn), stages
        if stages is not None:
            stages.take()
        cpu, began = time.process_time(), time.perf_counter()
        notification = payload.parse(body, self._app.config.identity)
        parsed = time.perf_counter()
        await self._app.intake.commit(
            body, len(notification.alerts), lambda: False, said=notification
        )
        took = await self._told - began
        await asyncio.sleep(_PAUSE_SECONDS)
        into.took.append(took)
        into.cpu.append((time.process_time() - cpu) / len(drawn))
        if stages is not None:
            told = {name: ns / 1e9 for name, ns in self._taken.items()}
            told["parse"] = parsed - began
            told["waking"] = took - sum(told.values())
            into.stages.append(told)

    async def ask(self, question: Any) -> Any:
        """Return what *question* returns of the engine, asked on the worker's thread."""
        return await asyncio.wrap_future(self._app.worker.ask(question))


@dataclass
class Result:
    """What was measured with one history."""

    case: Case
    new: Pass = field(default_factory=Pass)
    known: Pass = field(default_factory=Pass)
    storm: Pass = field(default_factory=Pass)
    staged: dict[str, Pass] = field(default_factory=lambda: {"new": Pass(), "known": Pass()})
    searches: list[float] = field(default_factory=list)
    recall: float = 0.0
    searched: int = 0
    live_texts: int = 0


async def measure(case: Case, alerts: int, path: Path | None) -> Result:
    """Return what *alerts* alerts of each kind take with the history of *case*."""
    with copied(case) as filled, clock_set_back(filled.set_back):
        address = f"web.listen_address={HOST}:{free_port()}"
        config = real_config([*filled.overrides, address, f"storage.path={filled.directory}"])
        async with running(config) as app:
            await until(lambda: app.worker.embedder_ready and app.is_ready(), "the model")
            if case.vectors >= config.core.index.cells_from:
                # They come some seconds after a start; what is searched until then is searched exactly.
                await until(lambda: in_cells(app), "cells", patience_seconds=_TRAINING_SECONDS)
            return await _measure(Bench(app, filled), Result(case), alerts, path)


def in_cells(app: App) -> bool:
    """Return whether texts are searched in cells."""
    return app.training.rounds > 0


async def _measure(bench: Bench, result: Result, alerts: int, path: Path | None) -> Result:
    fresh = texts.source(path, FIRST_NEW)
    seen: list[Drawn] = []
    numbers = iter(range(1, 2**24))

    def known() -> Drawn:
        number = next(numbers)
        return seen[number * 7 % len(seen)].elsewhere(number)

    async def alternate(count: int, new: Pass, old: Pass, stages: Stages | None = None) -> None:
        for _ in range(count):
            drawn = next(fresh, None)
            if drawn is not None:
                seen.append(drawn)
                await bench.post([drawn], new, stages)
            await bench.post([known()], old, stages)

    await alternate(max(10, alerts // 10), Pass(), Pass())
    await alternate(alerts, result.new, result.known)
    for _ in range(max(3, alerts // 20)):
        await bench.post([known() for _ in range(_BATCH)], result.storm)
    stages = Stages(time.perf_counter_ns)
    with stages.watched(PLACES):
        await alternate(alerts, result.staged["new"], result.staged["known"], stages)
    queries = [drawn.text for drawn in seen[-alerts:]]
    result.searches, result.recall, result.searched, result.live_texts = await bench.ask(
        lambda engine, embed: searches(engine, np.stack(list(embed(queries))))
    )
    return result


def searches(engine: Engine, queries: Any) -> tuple[list[float], float, int, int]:
    """Return the seconds of each search of all vectors for one of *queries*, and the recall of them all."""
    index = engine.texts.index
    keys = np.fromiter(sorted(index._ids), dtype=np.int64)
    every = np.stack([index.vector(int(key)) for key in keys])
    took, found, wanted = [], 0, 0
    for query in queries:
        began = time.perf_counter()
        hits = index.search(query, _NEIGHBORS)
        took.append(time.perf_counter() - began)
        cosines = every @ query
        least = np.partition(cosines, -_NEIGHBORS)[-_NEIGHBORS]
        # By similarity: of those that are as near as the last, any will do. By that of the vectors: the
        # index tells it of rounded ones.
        chosen = np.searchsorted(keys, [key for key, _ in hits])
        found += int((cosines[chosen] >= least - 1e-6).sum())
        wanted += _NEIGHBORS
    return took, found / wanted, len(keys), len(engine.live.texts)


# -- what is told --------------------------------------------------------------------------------


def found(results: Sequence[Result], alerts: int) -> Findings:
    """Return the figures and tables of *results*."""
    told = Findings()
    for result in results:
        size = f"{result.case.vectors // 1000}k"
        for kind, one in (("new", result.new), ("known", result.known)):
            for name, value in findings.spread(one.took).items():
                told.figures[f"{kind}_{name}_ms_{size}"] = value * 1e3
            told.figures[f"{kind}_cpu_p50_ms_{size}"] = statistics.median(one.cpu) * 1e3
        told.figures[f"storm_cpu_p50_ms_{size}"] = statistics.median(result.storm.cpu) * 1e3
        told.figures[f"search_p99_ms_{size}"] = findings.spread(result.searches)["p99"] * 1e3
        told.figures[f"search_recall_{size}"] = result.recall
        told.curve.append(
            {
                "vectors": result.case.vectors,
                "new_ms": statistics.median(result.new.took) * 1e3,
                "known_ms": statistics.median(result.known.took) * 1e3,
                "storm_cpu_ms": statistics.median(result.storm.cpu) * 1e3,
            }
        )
    _growth(told.figures)
    told.tables = [
        ("Receipt to clustered, milliseconds an alert", list(_totals(results))),
        ("Processor time, milliseconds an alert, median", list(_cpu(results))),
        ("By stage, milliseconds an alert, median (mean)", list(_stages(results))),
        ("A search for the nearest 24", list(_searches(results))),
    ]
    told.notes = [
        f"{alerts} alerts of each kind and history. Made: the history. Real: model, database,"
        " pipeline, and the texts and vectors of the alerts measured. Without HTTP.",
    ]
    return told


def _growth(figures: dict[str, float]) -> None:
    """Add how many times as much an alert costs as at 5k, the worst of new, known, and known in a storm."""
    for size, name in (("50k", "growth_50k_ratio"), ("500k", "growth_ratio")):
        if f"new_p50_ms_{size}" in figures and "new_p50_ms_5k" in figures:
            figures[name] = max(
                figures[f"{kind}_{size}"] / figures[f"{kind}_5k"]
                for kind in ("new_p50_ms", "known_p50_ms", "storm_cpu_p50_ms")
            )


def _totals(results: Sequence[Result]) -> Iterator[list[str]]:
    yield ["vectors", "text", "mean", "p50", "p95", "p99", "longest"]
    for result in results:
        for kind, one in (("new", result.new), ("known", result.known)):
            values = {key: value * 1e3 for key, value in findings.spread(one.took).items()}
            yield findings.cells([f"{result.case.vectors:,}", kind], values, ".2f")


def _cpu(results: Sequence[Result]) -> Iterator[list[str]]:
    yield ["vectors", "new text", "known text", f"known text, {_BATCH} in a webhook"]
    for result in results:
        columns = (result.new.cpu, result.known.cpu, result.storm.cpu)
        yield [
            f"{result.case.vectors:,}",
            *(format(statistics.median(column) * 1e3, ".2f") for column in columns),
        ]


def _stages(results: Sequence[Result]) -> Iterator[list[str]]:
    columns = [(result, kind) for kind in ("new", "known") for result in results]
    yield ["stage", *(f"{kind}, {result.case.vectors // 1000}k" for result, kind in columns)]
    for stage in STAGES:
        cells = []
        for result, kind in columns:
            values = [told.get(stage, 0.0) * 1e3 for told in result.staged[kind].stages]
            cells.append(f"{statistics.median(values):.2f} ({statistics.fmean(values):.2f})")
        yield [stage, *cells]


def _searches(results: Sequence[Result]) -> Iterator[list[str]]:
    yield ["vectors", "mean ms", "p50", "p95", "p99", "longest", "recall", "texts of live clusters"]
    for result in results:
        values = {key: value * 1e3 for key, value in findings.spread(result.searches).items()}
        row = findings.cells([f"{result.searched:,}"], values, ".2f")
        yield [*row, f"{result.recall:.4f}", f"{result.live_texts:,}"]


def main(arguments: Sequence[str]) -> int:
    """Measure and tell."""
    parser = findings.parser(__doc__, "realtime_performance")
    parser.add_argument(
        "--alerts", type=int, help="of each kind; default 2,000, 150 in the short form"
    )
    parser.add_argument("--texts", type=Path, metavar="FILE", help="alerts as JSON lines")
    parser.add_argument(
        "--only", type=int, action="append", choices=[c.vectors for c in CASES], metavar="VECTORS"
    )
    options = parser.parse_args(arguments)
    findings.record("realtime_performance", options, lambda: _run(options))
    return 0


def _run(options: argparse.Namespace) -> Findings:
    alerts = options.alerts or (150 if options.short else 2000)
    # Half a million take minutes to restore, and to put into cells: in the short form only when asked for.
    sizes = options.only or [case.vectors for case in (CASES[:2] if options.short else CASES)]
    cases = [case for case in CASES if case.vectors in sizes]
    return found([asyncio.run(measure(case, alerts, options.texts)) for case in cases], alerts)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
