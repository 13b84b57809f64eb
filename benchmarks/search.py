"""Looks for the constants of clustering: `python -m benchmarks.search [--step NAME …]`.

Runs every labelled stream with the shipped constants, and with each of them a step to either side, and
prints the mean score and the incidents hidden: where a step costs much, the constant is fitted too closely.

Then it leaves out one dataset after the other: of all settings run, the one with the best mean on the
other four is scored on the one left out. What that loses against the shipped constants' score there is
what choosing by five datasets may have flattered them by.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Sequence

from benchmarks import quality, streams
from receiver import config as configuration
from receiver.config import Config
from receiver.core import evidence
from receiver.core.embedder import Embedder
from receiver.core.scores import Agreement
from receiver.embedding import open_embedder
from receiver.embedding.prepare import prepare

STEPS: dict[str, tuple[float, float]] = {
    "TEXT_SLOPE": (15.0, 25.0),
    "TEXT_MARGIN": (0.2, 0.3),
    "TEXT_USUAL": (0.45, 0.55),
    "TEXT_AGAINST": (-6.0, -4.5),
    "TEXT_FOR": (2.0, 4.0),
    "KIND_KNOWN": (0.2, 0.5),
    "LABELS_FOR": (1.5, 2.5),
    "LABELS_AGAINST": (-1.0, 0.0),
    "TIME_FOR": (1.5, 2.5),
    "GAPS_KEPT": (8.0, 32.0),
    "clustering.time_scale": (40.0, 90.0),
}
"""Constants of core/evidence.py, and settings, with what is tried beside the shipped value."""

Found = dict[str, Agreement]


def score(config: Config, embedder: Embedder, rows: dict[str, list[streams.Row]]) -> Found:
    """Return how well each stream is grouped."""
    return {label: quality.run(stream, config, embedder)[0] for label, stream in rows.items()}


def mean(found: Found, leave_out: str = "") -> float:
    """Return the mean score of *found*, without the dataset *leave_out*."""
    return statistics.fmean(
        agreement.score
        for label, agreement in found.items()
        if label.removesuffix(" -ns") != leave_out
    )


def only(found: Found, name: str) -> float:
    """Return the mean score of the dataset *name*."""
    return mean({label: a for label, a in found.items() if label.removesuffix(" -ns") == name})


def main(arguments: Sequence[str] | None = None) -> None:
    """Search and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stream", action="append", choices=list(streams.NAMES))
    parser.add_argument("--step", action="append", choices=list(STEPS), help="try these alone")
    parser.add_argument("--set", dest="overrides", action="append", default=[], metavar="KEY=VALUE")
    options = parser.parse_args(arguments)
    base = configuration.load(None, options.overrides)
    if base.embedding.backend == "onnx":
        prepare(base.embedding, report=lambda line: print(line, file=sys.stderr))
    embedder = quality.Remembering(open_embedder(base.embedding))
    names = options.stream or list(streams.NAMES)
    rows = dict(streams.variants(names))
    runs = {"as shipped": score(base, embedder, rows)}
    print(f"{'':32}{'mean':>6}{'hidden':>8}")
    report("as shipped", runs["as shipped"])
    for name in options.step or STEPS:
        for value in STEPS[name]:
            label = f"{name} = {value:g}"
            if "." in name:
                config = configuration.load(None, [*options.overrides, f"{name}={value}"])
                runs[label] = score(config, embedder, rows)
            else:
                shipped = getattr(evidence, name)
                setattr(evidence, name, value)
                runs[label] = score(base, embedder, rows)
                setattr(evidence, name, shipped)
            report(label, runs[label])
    if len(names) > 1:
        print(f"\n{'left out':16}{'chosen':>10}{'shipped':>10}  by the others")
        for name in names:
            best = max(runs, key=lambda label: mean(runs[label], name))
            chosen, shipped = only(runs[best], name), only(runs["as shipped"], name)
            print(f"{name:16}{chosen:>10.3f}{shipped:>10.3f}  {best}")


def report(label: str, found: Found) -> None:
    """Print the mean and the hidden incidents of one run."""
    hidden = sum(agreement.hidden for agreement in found.values())
    print(f"{label:32}{mean(found):>6.3f}{hidden:>8}", flush=True)


if __name__ == "__main__":
    main()
