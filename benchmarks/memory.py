"""What the receiver holds in memory: `python -m benchmarks.memory [--short]`.

With 50,000 vectors, 2,000 live clusters and everything else at its bound (`benchmarks.filled` says what is
made), in a process of its own: resident memory at rest after the start, and through an hour of churn (one
minute in the short form): 50 alerts a second through HTTP, half of them new and half the ends of those of
a minute ago, every fifth new one with a text never seen, so that vectors are let go all the time. The peak
is the kernel's own count, start and churn included.

Then, in another process, how the memory is made up: resident bytes after each step of the start, and the
bytes of each part of the state as Python and numpy count them. What SQLite, onnxruntime, faiss beyond its
vectors, and holes in the heap take is in the rest.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import multiprocessing
import statistics
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from unittest.mock import patch

from benchmarks import findings, texts
from benchmarks.filled import CASES, FIRST_NEW, Filled, FilledReceiver, copied, real_config
from benchmarks.findings import Findings
from benchmarks.later import clock_set_back
from benchmarks.machine import memory_mb
from benchmarks.sizes import reached_bytes
from benchmarks.texts import Drawn
from receiver.app import App, running
from receiver.config import Config
from receiver.core.timestamps import SECOND
from receiver.pipeline import Worker
from tests.support.processes import HOST, free_port
from tests.support.waiting import until, wait_until

_CASE = CASES[1]
_REST_SECONDS = 10.0
_TRAINING_SECONDS = 600.0
_EVERY_SECONDS = 5.0
_NEW_A_SECOND = 25
_NEW_TEXT_EACH = 5
_LASTS_SECONDS = 60
_TEXTS = 500


class Churn:
    """Alerts that come and go."""

    def __init__(self, now: Callable[[], int]) -> None:
        """Let them begin and end by *now*, nanoseconds."""
        self._now = now
        self._number = 0
        self._open: deque[tuple[int, Drawn]] = deque()

    def next(self) -> list[dict[str, Any]]:
        """Return what a second brings."""
        now = self._now()
        told = []
        while self._open and self._open[0][0] <= now - _LASTS_SECONDS * SECOND:
            began, drawn = self._open.popleft()
            told.append(drawn.told(began, ended_at=now))
        for _ in range(_NEW_A_SECOND):
            self._number += 1
            if self._number % _NEW_TEXT_EACH:
                known = texts.distinct(FIRST_NEW + self._number % _TEXTS)
                drawn = known.elsewhere(self._number)
            else:
                drawn = texts.distinct(FIRST_NEW + _TEXTS + self._number)
            self._open.append((now, drawn))
            told.append(drawn.told(now))
        return told


def churn(receiver: FilledReceiver, filled: Filled, seconds: float) -> list[tuple[float, float]]:
    """Let alerts come and go for *seconds*; return what was resident when: seconds, MB."""
    coming, samples = Churn(filled.now), []
    began = time.monotonic()
    due, sampled = 0.0, 0.0
    while due < seconds:
        time.sleep(max(0.0, began + due - time.monotonic()))
        answer = receiver.post(texts.webhook(coming.next()))
        assert answer.status == 200, answer.body
        due += 1.0
        if due >= sampled:
            samples.append((time.monotonic() - began, memory_mb(receiver.pid, "VmRSS")))
            sampled += _EVERY_SECONDS
    return samples


def measure(seconds: float) -> Findings:
    """Return what was resident at rest, in *seconds* of churn, and the parts of it."""
    told = Findings()
    real_config()
    with copied(_CASE) as filled, tempfile.TemporaryDirectory() as folder:
        receiver = FilledReceiver(filled, Path(folder))
        receiver.start()
        try:
            wait_until("the model", lambda: receiver.metric("stormcell_embedder_ready") == 1)
            receiver.settle()
            wait_until(
                "cells",
                lambda: receiver.read("stats")["index"]["cells"] > 1,
                patience_seconds=_TRAINING_SECONDS,
                pause_seconds=1.0,
            )
            time.sleep(_REST_SECONDS)
            rest, start_peak = (memory_mb(receiver.pid, name) for name in ("VmRSS", "VmHWM"))
            samples = churn(receiver, filled, seconds)
            receiver.settle()
            time.sleep(_REST_SECONDS)
            after, peak = (memory_mb(receiver.pid, name) for name in ("VmRSS", "VmHWM"))
            archived = receiver.metric("stormcell_vectors_archived_total")
            index = receiver.read("stats")["index"]
        finally:
            receiver.stop()
    late = samples[len(samples) // 2 :]
    told.figures = {
        "rest_mb": rest,
        "start_peak_mb": start_peak,
        "peak_mb": peak,
        "after_churn_mb": after,
        "slope_mb_per_minute": statistics.linear_regression(*zip(*late, strict=True)).slope * 60,
        "vectors_let_go": archived,
        "index_cells": index["cells"],
    }
    told.tables = [
        ("Resident, MB", [["", "MB"], *_rows(told.figures)]),
        ("In the churn", [["minute", "MB"], *_by_time(samples)]),
        ("Resident after each step of the start", [["step", "MB"], *_in_a_process(_steps)]),
        ("Parts of the state", [["part", "MB"], *_in_a_process(_parts)]),
    ]
    searched = "searched flat, nothing is trained" if index["cells"] == 1 else f"index: {index}"
    told.notes = [
        f"{_CASE.vectors:,} vectors, {_CASE.clusters:,} live clusters; {searched}. {seconds:.0f} s of"
        f" churn, in which {archived:.0f} vectors were let go.",
    ]
    return told


def _rows(figures: dict[str, float]) -> list[list[str]]:
    names = {
        "rest_mb": "at rest",
        "start_peak_mb": "peak of the start, training included",
        "after_churn_mb": "at rest after the churn",
        "peak_mb": "peak of all",
        "slope_mb_per_minute": "slope in the second half of the churn, a minute",
    }
    return [[name, f"{figures[key]:.1f}"] for key, name in names.items()]


def _by_time(samples: Sequence[tuple[float, float]]) -> list[list[str]]:
    chosen = samples[:: max(1, len(samples) // 10)]
    return [[f"{at / 60:.1f}", f"{used:.1f}"] for at, used in chosen]


# -- inside --------------------------------------------------------------------------------------


_Look = Callable[[Filled, Connection], Coroutine[Any, Any, None]]


def _in_a_process(look: _Look) -> list[list[str]]:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    with copied(_CASE) as filled:
        arguments = (filled.directory, filled.set_back, look, theirs)
        process = context.Process(target=_look, args=arguments)
        process.start()
        theirs.close()
        found: list[tuple[str, float]] = ours.recv()
        process.join()
    return [[name, f"{size:.1f}"] for name, size in found]


def _look(directory: Path, set_back: int, look: _Look, pipe: Connection) -> None:
    with clock_set_back(set_back):
        asyncio.run(look(Filled(directory, _CASE, time.time_ns() - set_back), pipe))


def _config(filled: Filled) -> Config:
    address = f"web.listen_address={HOST}:{free_port()}"
    return real_config([*filled.overrides, address, f"storage.path={filled.directory}"])


async def _ready(app: App) -> None:
    await until(lambda: app.worker.embedder_ready and app.is_ready(), "the model")


async def _steps(filled: Filled, pipe: Connection) -> None:
    """Tell what is resident after each step of the start; on the way nothing else is done."""
    config = _config(filled)
    steps = [("imports, and this benchmark's own", memory_mb("self", "VmRSS"))]
    restore, load = Worker._restore, Worker._open_embedder

    def restored(worker: Worker) -> None:
        restore(worker)
        steps.append(("state restored", memory_mb("self", "VmRSS")))

    def loaded(worker: Worker) -> None:
        load(worker)
        steps.append(("model loaded", memory_mb("self", "VmRSS")))

    with patch.object(Worker, "_restore", restored), patch.object(Worker, "_open_embedder", loaded):
        async with running(config) as app:
            await _ready(app)
            await asyncio.sleep(1)
            steps.append(("a second later", memory_mb("self", "VmRSS")))
            await asyncio.wrap_future(app.worker.ask(lambda engine, embed: list(embed(["a text"]))))
            steps.append(("a text embedded", memory_mb("self", "VmRSS")))
            # What the start has freed and the heap keeps; glibc only.
            ctypes.CDLL(None).malloc_trim(0)
            steps.append(("holes of the heap given back", memory_mb("self", "VmRSS")))
    pipe.send(steps)


async def _parts(filled: Filled, pipe: Connection) -> None:
    """Tell the bytes of each part of the state."""
    async with running(_config(filled)) as app:
        await _ready(app)
        engine = await asyncio.wrap_future(app.worker.ask(lambda engine, embed: engine))
        gc.collect()
        seen: set[int] = set()
        reached_bytes(engine.settings, seen)
        # The first holds 16-bit floats; each vector has an id.
        vectors = {
            "vectors of texts": (engine.texts.index, 2),
            "vectors of texts of live clusters": (engine.live.texts, 4),
        }
        found = [(name, len(i) * (i.dims * size + 8) / 1e6) for name, (i, size) in vectors.items()]
        told = {
            "texts: digests, ids, order of use": engine.texts,
            "live clusters, and what finds them": engine.live,
            "clusters that are over, their vectors left out": engine.past,
            "label values": engine.frequencies,
            "companions": engine.companions,
            "alert names": engine.kinds,
            "episodes": engine.episodes,
            "the rest of the engine": engine,
            "the stream": app.feed,
            "metrics": app.metrics,
        }
        found += [(name, reached_bytes(part, seen) / 1e6) for name, part in told.items()]
        centers = len(engine.past) * engine.texts.index.dims * 4 / 1e6
        found.append(("centres of clusters that are over, in an index", centers))
    pipe.send(sorted(found, key=lambda pair: -pair[1]))


def main(arguments: Sequence[str]) -> int:
    """Measure and tell."""
    parser = findings.parser(__doc__, "memory")
    parser.add_argument(
        "--seconds", type=float, help="of churn; default 3,600, 60 in the short form"
    )
    options = parser.parse_args(arguments)
    seconds = options.seconds or (60.0 if options.short else 3600.0)
    findings.record("memory", options, lambda: measure(seconds))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
