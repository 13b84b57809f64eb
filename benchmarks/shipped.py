"""Runs what is shipped over a stream: through `replay`, with a file's clock, as anybody would.

Nothing in here knows how replay or engine work inside; time is taken around `Engine.step`.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

from benchmarks import streams
from benchmarks.measures import Grouping
from receiver import replay
from receiver.config import Config
from receiver.core.embedder import Embedder
from receiver.core.engine import Engine
from receiver.core.evolution import Event, EventType
from receiver.core.model import Input
from receiver.core.scores import Agreement


def play(rows: list[streams.Row], config: Config, embedder: Embedder) -> replay.Replay:
    """Return the replay of *rows*."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "stream.jsonl"
        streams.write(rows, path)
        return replay.run([path], config, embedder)


def run(rows: list[streams.Row], config: Config, embedder: Embedder) -> tuple[Agreement, float]:
    """Return how well *rows* are grouped, and microseconds per alert, embedding of what is new too."""
    started = time.perf_counter()
    played = play(rows, config, embedder)
    took = time.perf_counter() - started
    found = played.agreement()
    if found is None:
        raise SystemExit("the stream carries no truth")
    return found, took / len(played.lines) * 1e6


def group(rows: list[streams.Row], config: Config, embedder: Embedder) -> Grouping:
    """Return the grouping of the firing ones of *rows*, in their order."""
    with stopwatch() as seconds:
        lines = play(rows, config, embedder).lines
    refused = [line for line in lines if line.error]
    if refused or len(lines) != len(streams.firing(rows)):
        raise SystemExit(f"{len(refused)} of {len(lines)} alerts were refused")
    return Grouping(
        assigned=[line.assigned for line in lines],
        final=[line.episode.cluster_id if line.episode else None for line in lines],
        seconds=seconds,
    )


@contextmanager
def stopwatch() -> Iterator[list[float]]:
    """Note the seconds of every alert that any engine assigns meanwhile, embedding left out.

    What else the step brings, as a cluster that closes by time, is counted with the alert;
    repeats and resolves, which cost less, are not.
    """
    seconds: list[float] = []
    step = Engine.step

    def timed(engine: Engine, inputs: Iterable[Input]) -> list[Event]:
        started = time.perf_counter()
        events = step(engine, inputs)
        took = time.perf_counter() - started
        assigned = sum(event.type is EventType.ALERT_ASSIGNED for event in events)
        seconds.extend([took / assigned] * assigned if assigned else [])
        return events

    with mock.patch.object(Engine, "step", timed):
        yield seconds
