"""Simulated months: are their storms found in time, and is calm left alone?

    python -m benchmarks.storms DATA [--days 28] [--seeds 1] [--only SITE] [--clustered] [--out FILE]

DATA is the folder of labelled streams; benchmarks/month.py says what is played. A storm counts as found
if one starts within two minutes of the true onset: of the moment from which its own alerts alone are 30 in
two minutes and three times the usual. What starts besides is false. Precision, recall and F are over all
seeds of a site; calm weeks are those in which no storm breaks. Alerts are not clustered unless that is
asked for: it changes nothing of when storms start, and is most of the work.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from unittest import mock

from benchmarks.month import (
    DAY,
    FIRST_STORM,
    HOUR,
    SITES,
    WINDOW,
    Month,
    Sent,
    Site,
    network_arrivals,
    play,
    real_storms,
)
from benchmarks.tables import replace_block
from receiver.core import identity
from receiver.core.assigning import Assigning
from receiver.core.core_settings import CoreSettings
from receiver.core.engine import Engine
from receiver.core.evolution import EventType
from receiver.core.intake import sightings
from receiver.core.model import Alert, Episode, Status, Vector
from receiver.core.timestamps import SECOND
from receiver.embedding.hashing import HashingEmbedder

START = 1_767_225_600  # a Thursday, 00:00 UTC
_BATCH = 512


@dataclass(frozen=True)
class Result:
    """What was found in one month; delays in seconds from the true onset, the others from its start."""

    site: str
    seed: int
    alerts: int
    storms: int
    delays: Sequence[float]
    false_at: Sequence[float]
    missed_at: Sequence[float]
    false_early: int
    calm_weeks: int
    false_in_calm: int

    @property
    def found(self) -> int:
        """Storms that were found in time."""
        return len(self.delays)


@contextmanager
def _unclustered() -> Iterator[None]:
    """Let no engine look where alerts belong meanwhile; whatever is said of clusters is nothing."""

    def assign(_: Assigning, episode: Episode, vector: Vector | None, recurs: Any) -> None:
        episode.cluster_id = 1

    with (
        mock.patch.object(Engine, "needs_text", return_value=False),
        mock.patch.object(Assigning, "assign", assign),
    ):
        yield


@lru_cache(maxsize=10_000)
def _labels(name: str) -> tuple[dict[str, str], str]:
    labels = {"alertname": name.split("-")[0].title(), "instance": name}
    return labels, identity.fingerprint(labels)


def _alert(sent: Sent) -> Alert:
    labels, fingerprint = _labels(sent.name)
    return Alert(
        fingerprint=fingerprint,
        sender_fingerprint=fingerprint,
        status=Status.RESOLVED if sent.resolved else Status.FIRING,
        labels=labels,
        annotations={},
        starts_at=_moment(sent.starts_at),
        ends_at=_moment(sent.received) if sent.resolved else None,
    )


def _moment(seconds: float) -> int:
    return START * SECOND + round(seconds * SECOND)


def starts(month: Month, *, clustered: bool) -> list[float]:
    """Return when storms start in *month*, seconds from its beginning."""
    with nullcontext() if clustered else _unclustered():
        return _starts(month)


def _starts(month: Month) -> list[float]:
    embedder = HashingEmbedder()
    engine = Engine(CoreSettings(), embedder.dims)
    found: list[float] = []
    for first in range(0, len(month.sent), _BATCH):
        batch = [(_moment(s.received), _alert(s)) for s in month.sent[first : first + _BATCH]]
        # What is forgotten is not recalled here: it was forgotten because it does not fire.
        inputs, _, _ = sightings(engine, batch, embedder.embed)
        found += [
            event.time / SECOND - START
            for event in engine.step(inputs)
            if event.type is EventType.STORM_STARTED
        ]
        engine.drain()
    return found


def score(site: Site, seed: int, days: int, month: Month, found: Sequence[float]) -> Result:
    """Return which of the storms *found* are true."""
    delays, left, missed = [], list(found), []
    for onset in month.onsets:
        near = [at for at in left if abs(at - onset) <= WINDOW]
        if near:
            left.remove(near[0])
            delays.append(round(near[0] - onset, 1))
        else:
            missed.append(onset)
    calm = set(range(days // 7)) - {int(at // (7 * DAY)) for at in month.onsets}
    in_calm = sum(int(at // (7 * DAY)) in calm for at in left)
    return Result(
        site=site.name,
        seed=seed,
        alerts=len(month.sent),
        storms=len(month.onsets),
        delays=delays,
        false_at=left,
        missed_at=missed,
        false_early=sum(at < FIRST_STORM * DAY for at in left),
        calm_weeks=len(calm),
        false_in_calm=in_calm,
    )


def rates(results: Sequence[Result]) -> tuple[float, float, float]:
    """Return precision, recall and F of all *results* together."""
    found = sum(r.found for r in results)
    told = found + sum(len(r.false_at) for r in results)
    true = sum(r.storms for r in results)
    return found / (told or 1), found / (true or 1), 2 * found / ((told + true) or 1)


_COLUMNS = (
    "site", "storms", "found", "false", "in the first 3 days", "precision", "recall", "F",
    "onset, s", "false in calm weeks",
)  # fmt: skip


def _row(name: str, results: Sequence[Result]) -> str:
    delays = [delay for r in results for delay in r.delays] or [float("nan")]
    calm, false = sum(r.calm_weeks for r in results), sum(r.false_in_calm for r in results)
    cells = [
        name,
        *(str(sum(r.storms for r in results)), str(sum(r.found for r in results))),
        *(str(sum(len(r.false_at) for r in results)), str(sum(r.false_early for r in results))),
        *(f"{rate:.3f}" for rate in rates(results)),
        f"{min(delays):.0f} to {max(delays):.0f}, median {statistics.median(delays):.0f}",
        f"{false} in {calm}",
    ]
    return f"| {' | '.join(cells)} |"


def main(arguments: Sequence[str]) -> int:
    """Play the months and print a line for each site."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path, help="folder of labelled streams")
    parser.add_argument("--days", type=int, default=28)
    parser.add_argument("--seeds", type=int, default=1, help="months a site, each another")
    parser.add_argument("--only", help="sites with this in their name")
    parser.add_argument("--clustered", action="store_true", help="cluster the alerts too")
    parser.add_argument("--out", type=Path, help="write the results as JSON")
    parser.add_argument("--write", type=Path, metavar="FILE", help="into the docs' generated block")
    options = parser.parse_args(arguments)
    faults = real_storms(options.data)
    network = network_arrivals(options.data)
    lines = [f"| {' | '.join(_COLUMNS)} |", "|" + "---|" * len(_COLUMNS)]
    print("\n".join(lines), flush=True)
    results: list[Result] = []
    for site in SITES:
        if options.only and options.only not in site.name:
            continue
        of_site = []
        for seed in range(1, options.seeds + 1):
            month = play(site, options.days, faults, network, seed)
            found = starts(month, clustered=options.clustered)
            of_site.append(score(site, seed, options.days, month, found))
            for what in ("false", "missed"):
                for at in getattr(of_site[-1], f"{what}_at"):
                    when = f"day {at // DAY:.0f}, {at % DAY / HOUR:.2f} h"
                    print(f"{site.name}, seed {seed}: {what} at {when}", file=sys.stderr)
        results += of_site
        lines.append(_row(site.name, of_site))
        print(lines[-1], flush=True)
    lines.append(_row("all", results))
    print(lines[-1])
    if options.write:
        replace_block(options.write, "storms", "\n".join(lines))
    if options.out:
        options.out.write_text(json.dumps([asdict(r) for r in results], indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
