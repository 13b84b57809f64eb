"""How soon the receiver works after a start: `python -m benchmarks.restart [--short]`.

With 50,000 vectors and 2,000 live clusters (`benchmarks.filled` says what is made), in a process of its
own, the model prepared: from the start of the process to the first webhook answered 200, which is kept from
then on, and to that alert clustered and published, which takes state and model. Once after it was asked to
end, once after it was killed, in turns; medians.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks import findings, texts
from benchmarks.filled import CASES, FIRST_NEW, Filled, FilledReceiver, copied, real_config
from benchmarks.findings import Findings
from tests.support.waiting import wait_until

_CASE = CASES[1]
_POLL_SECONDS = 0.01
_LOOK_SECONDS = 0.1
"""Metrics are not asked for more often: to tell them takes the processor from what is waited for."""

_PATIENCE_SECONDS = 120.0


def start(receiver: FilledReceiver, filled: Filled, number: int) -> tuple[float, float]:
    """Start *receiver*; return the seconds until it took alert *number*, and until that was clustered."""
    drawn = texts.distinct(FIRST_NEW + number)
    body = texts.webhook([drawn.told(filled.now())])
    began = time.monotonic()
    receiver.launch()
    wait_until(
        "200",
        lambda: _taken(receiver, body),
        patience_seconds=_PATIENCE_SECONDS,
        pause_seconds=_POLL_SECONDS,
    )
    taken = time.monotonic() - began
    wait_until(
        "the alert to be clustered",
        lambda: receiver.received(outcome="new") == 1 and receiver.pending() == 0,
        patience_seconds=_PATIENCE_SECONDS,
        pause_seconds=_LOOK_SECONDS,
    )
    return taken, time.monotonic() - began


def _taken(receiver: FilledReceiver, body: bytes) -> bool:
    if not receiver.running:
        raise RuntimeError(f"it ended at its start:\n{receiver.log_text()}")
    try:
        return receiver.post(body).status == 200
    except OSError:
        return False


def measure(rounds: int) -> Findings:
    """Return what *rounds* starts of each kind take."""
    real_config()
    took: dict[str, list[tuple[float, float]]] = {"asked to end": [], "killed": []}
    with copied(_CASE) as filled, tempfile.TemporaryDirectory() as folder:
        receiver = FilledReceiver(filled, Path(folder))
        start(receiver, filled, 0)
        for number in range(1, 2 * rounds + 1):
            how = "killed" if number % 2 else "asked to end"
            if number % 2:
                receiver.kill()
            else:
                receiver.stop()
            took[how].append(start(receiver, filled, number))
        receiver.stop()
    told = Findings()
    rows = [["after it was", "starts", "accepts, s", "longest", "clusters, s", "longest"]]
    for how, pairs in took.items():
        accepts, clusters = zip(*pairs, strict=True)
        cells = (
            statistics.median(accepts),
            max(accepts),
            statistics.median(clusters),
            max(clusters),
        )
        rows.append([how, str(len(pairs)), *(f"{cell:.2f}" for cell in cells)])
    every = [pair for pairs in took.values() for pair in pairs]
    told.figures = {
        "accepts_s": statistics.median(accepts for accepts, _ in every),
        "clusters_s": statistics.median(clusters for _, clusters in every),
    }
    told.tables = [("From the start of the process", rows)]
    told.notes = [f"{_CASE.vectors:,} vectors, {_CASE.clusters:,} live clusters."]
    return told


def main(arguments: Sequence[str]) -> int:
    """Measure and tell."""
    parser = findings.parser(__doc__, "restart")
    parser.add_argument("--rounds", type=int, help="default 10, 2 in the short form")
    options = parser.parse_args(arguments)
    rounds = options.rounds or (2 if options.short else 10)
    findings.record("restart", options, lambda: measure(rounds))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
