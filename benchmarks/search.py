"""Looks for the constants of clustering: `python -m benchmarks.search [--step NAME …] [--jobs N]`.

Runs every labelled stream, and thinned copies of it (a seventh of the firings dropped), with the shipped
constants, and with each of them a step to either side, and prints the mean score and the incidents
hidden: where a step costs much, the constant is fitted too closely; where the streams gain and their
copies do not, it was luck.

Then it leaves out one dataset after the other: of all settings run, the one with the best mean on the
other four is scored on the one left out. What that loses against the shipped constants' score there is
what choosing by five datasets may have flattered them by.
"""

from __future__ import annotations

import argparse
import importlib
import statistics
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from benchmarks import shipped, streams, tables
from receiver import config as configuration
from receiver import replay
from receiver.core.scores import Agreement
from receiver.embedding import open_embedder
from receiver.embedding.prepare import prepare

STEPS: dict[str, tuple[float, float]] = {
    "evidence.TEXT_SLOPE": (15.0, 25.0),
    "evidence.TEXT_MARGIN": (0.2, 0.3),
    "evidence.TEXT_USUAL": (0.45, 0.55),
    "evidence.TEXT_AGAINST": (-6.0, -4.0),
    "evidence.TEXT_FOR": (2.0, 4.0),
    "evidence.KIND_KNOWN": (0.2, 0.5),
    "evidence.KIND_NEW": (0.02, 0.2),
    "evidence.LABELS_FOR": (1.5, 2.5),
    "evidence.LABELS_AGAINST": (-1.0, 0.0),
    "evidence.DIFFER_AGAINST": (-4.0, -6.0),
    "evidence.SHARED_TELLS": (0.5, 2.0),
    "evidence.TIME_FOR": (1.5, 2.5),
    "evidence.TOGETHER_FOR": (1.5, 4.0),
    "evidence.HABIT_SHARE": (0.05, 0.3),
    "evidence.GAPS_KEPT": (8.0, 32.0),
    "labels._CONSTANT": (0.5, 0.85),
    "labels._CONSTANT_TRUST": (1.0, 4.0),
    "habit._ALONE": (0.5, 1.8),
    "habit._GAPS_WAITED": (2.5, 6.0),
    "companions._PRIOR": (0.5, 2.0),
    "companions.MOST_COMPANIONS": (8, 32),
    "looks.ONE": (0.5, 2.0),
    "clustering.time_scale": (40.0, 90.0),
    "clustering.threshold": (0.62, 0.72),
}
"""Constants of files in receiver/core, and settings, with what is tried beside the shipped value."""

COPIES = 4
"""Thinned copies of a stream, beside the stream itself."""

LONGEST = 2500
"""Lines of a thinned copy: of a long stream the first tell as much, and sooner."""


@dataclass(frozen=True, slots=True)
class Job:
    """One stream to be run, in one of its copies, with one constant changed; none if *name* is empty."""

    stream: str
    copy: int
    name: str
    value: float
    overrides: tuple[str, ...]

    @property
    def label(self) -> str:
        """What the change is called."""
        return f"{self.name} = {self.value:g}" if self.name else "as shipped"

    @property
    def dataset(self) -> str:
        """The stream's dataset, which has two: with namespaces and without."""
        return self.stream.removesuffix(" -ns")


@cache
def _embedder(overrides: tuple[str, ...]) -> replay.Remembering:
    config = configuration.load(None, list(overrides))
    return replay.Remembering(open_embedder(config.embedding))


@cache
def _rows(stream: str, copy: int) -> list[streams.Row]:
    """Return the lines of a stream, copy 0, or of a thinned copy of it."""
    rows = dict(streams.variants([stream.removesuffix(" -ns")]))[stream]
    return streams.thinned(rows[:LONGEST], copy) if copy else rows


def run(job: Job) -> Agreement:
    """Return how well *job* groups."""
    overrides = list(job.overrides)
    module, _, constant = job.name.rpartition(".")
    if module == "clustering":
        overrides.append(f"{job.name}={job.value}")
    config = configuration.load(None, overrides)
    embedder = _embedder(job.overrides)
    rows = _rows(job.stream, job.copy)
    if not module or module == "clustering":
        return shipped.run(rows, config, embedder)[0]
    place = importlib.import_module(f"receiver.core.{module}")
    before = getattr(place, constant)
    setattr(place, constant, job.value)
    try:
        return shipped.run(rows, config, embedder)[0]
    finally:
        setattr(place, constant, before)


def jobs(
    names: Sequence[str], steps: Sequence[str], overrides: tuple[str, ...]
) -> Iterator[list[Job]]:
    """Yield, of each change, the runs that it takes; first of none."""
    labels = [f"{name}{suffix}" for name in names for suffix in ("", " -ns")]
    changes = [("", 0.0)] + [(name, value) for name in steps for value in STEPS[name]]
    for name, value in changes:
        yield [
            Job(stream, copy, name, value, overrides)
            for copy in range(COPIES + 1)
            for stream in labels
        ]


Found = dict[Job, Agreement]


def mean(found: Found, *, without: str = "", only: str = "", copies: bool = True) -> float:
    """Return the mean score over streams, each that of its copies too unless *copies* is false.

    Args:
        found: Of one change.
        without: A dataset to leave out.
        only: The one dataset to look at.
        copies: Whether thinned copies count.
    """
    by_stream: dict[str, list[float]] = {}
    for job, agreement in found.items():
        if job.dataset != without and only in ("", job.dataset) and (copies or not job.copy):
            by_stream.setdefault(job.stream, []).append(agreement.score)
    return statistics.fmean(map(statistics.fmean, by_stream.values()))


def hidden(found: Found) -> int:
    """Return the incidents hidden in the streams themselves."""
    return sum(agreement.hidden for job, agreement in found.items() if not job.copy)


def main(arguments: Sequence[str] | None = None) -> None:
    """Search and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stream", action="append", choices=list(streams.NAMES))
    parser.add_argument("--step", action="append", choices=list(STEPS), help="try these alone")
    parser.add_argument("--set", dest="overrides", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--write", type=Path, metavar="FILE", help="into the docs' generated block")
    options = parser.parse_args(arguments)
    base = configuration.load(None, options.overrides)
    if base.embedding.backend == "onnx":
        prepare(base.embedding, report=lambda line: print(line, file=sys.stderr))
    names = options.stream or list(streams.NAMES)
    found: dict[str, Found] = {}
    steps = [["change", "streams", "and copies", "hidden"]]
    with ProcessPoolExecutor(options.jobs) as pool:
        for group in jobs(names, options.step or list(STEPS), tuple(options.overrides)):
            one = dict(zip(group, pool.map(run, group), strict=True))
            label = group[0].label
            found[label] = one
            steps.append(
                [label, f"{mean(one, copies=False):.4f}", f"{mean(one):.4f}", str(hidden(one))]
            )
            print(tables.text([steps[-1]]), flush=True)
    told = [steps, left_out(found, names)] if len(names) > 1 else [steps]
    print("\n\n".join(map(tables.text, told)))
    if options.write:
        body = "\n\n".join(map(tables.markdown, told))
        tables.replace_block(options.write, "search", body)


def left_out(found: dict[str, Found], names: Sequence[str]) -> list[list[str]]:
    """Return, of each dataset, what the best setting by the others scores there."""
    rows = [["left out", "chosen by the others", "score", "as shipped"]]
    for name in names:
        best = max(found, key=lambda label: mean(found[label], without=name))
        scores = (mean(found[label], only=name) for label in (best, "as shipped"))
        rows.append([name, best, *(f"{score:.4f}" for score in scores)])
    return rows


if __name__ == "__main__":
    main()
