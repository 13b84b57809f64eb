"""Do clusters stay what they are? `python -m benchmarks.stability [--short] [FILE...]`.

Churn is the share of alerts whose cluster at the end is not that which they were given on arrival. Order
says how alike the clusters are when alerts come up to five seconds late, in another order, at worst of
three shuffles (1: the same); repeat, whether each line told twice changes nothing.

The measures are those of `benchmarks.quality`, over our own scenario with the real model; in the long form
over the labelled streams too, where they are there, and over files of such lines that are named.
"""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks import findings, quality, streams
from benchmarks.filled import real_config
from benchmarks.findings import Findings
from receiver.core.timestamps import nanoseconds, render
from receiver.demo.draft import WATCHDOG
from receiver.demo.scenario import Status, build_scenario
from receiver.embedding import open_embedder
from receiver.replay import Remembering

_START = 1_767_225_600.0
_NEVER = "0001-01-01T00:00:00Z"


def scenario() -> list[streams.Row]:
    """Return our own scenario as a labelled stream, its heartbeat left out."""
    rows = []
    for step in build_scenario().steps:
        firing = step.firing
        if firing.incident == WATCHDOG:
            continue
        over = step.status is Status.RESOLVED
        rows.append(
            {
                "t": _START + step.at,
                "status": step.status.value,
                "labels": firing.labels,
                "annotations": firing.annotations,
                "startsAt": _moment(firing.at),
                "endsAt": _moment(step.at) if over else _NEVER,
                "truth": firing.incident,
            }
        )
    return rows


def _moment(offset: float) -> str:
    return render(nanoseconds(_START + offset))


def wanted(files: Sequence[Path], *, short: bool) -> Iterator[tuple[str, list[streams.Row]]]:
    """Yield each stream that is to be measured, with its name."""
    yield "our scenario", scenario()
    for path in files:
        lines = path.read_text(encoding="utf-8").splitlines()
        yield path.stem, [json.loads(line) for line in lines]
    if not short and streams.folder().is_dir():
        yield from ((name, streams.read(name)) for name in streams.NAMES)


def measure(files: Sequence[Path], *, short: bool) -> Findings:
    """Return churn and order of each stream."""
    config = real_config()
    embedder = Remembering(open_embedder(config.embedding))
    results = [
        quality.ours(name, rows, config, embedder, seeds=quality.SEEDS)
        for name, rows in wanted(files, short=short)
    ]
    told = Findings()
    rows = [["stream", "score", "churn", "order", "score shuffled", "repeat the same"]]
    for one in results:
        cells = (one["score"], one["churn"], one["order"], one["shuffled"])
        same = "yes" if one["repeat_same"] else "no"
        rows.append([one["stream"], *(f"{cell:.3f}" for cell in cells), same])
    told.tables = [("Churn and order", rows)]
    told.figures = {
        "churn": statistics.fmean(one["churn"] for one in results),
        "order": min(one["order"] for one in results),
        "repeat_same": float(all(one["repeat_same"] for one in results)),
    }
    return told


def main(arguments: Sequence[str]) -> int:
    """Measure and tell."""
    parser = findings.parser(__doc__, "stability")
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help="labelled JSON lines")
    options = parser.parse_args(arguments)
    findings.record("stability", options, lambda: measure(options.files, short=options.short))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
