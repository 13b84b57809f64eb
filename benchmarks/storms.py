"""A simulated month: are its storms found in time, and is calm left alone?

    python -m benchmarks.storms [--days 28] [--a-day 10000] [--storms 3] [--seeds 1] [--out FILE]

New alerts come by a Poisson process with the rhythm of a day and of a week; a few alerts flap all
along; twice a Prometheus is away and sends all it has anew when it is back; the month begins with a
first connection to a site where 300 alerts fire already. Storms have the shape of outages: a rise within
seconds to minutes, a tail, some in the middle of the night and some at the busiest hour. A storm counts
as found if one starts within two minutes of the true onset, that is, of the moment from which its own
alerts alone are 30 in two minutes.
"""

from __future__ import annotations

import argparse
import heapq
import json
import math
import random
import statistics
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from receiver.core import identity
from receiver.core.engine import CoreSettings, Engine
from receiver.core.evolution import EventType
from receiver.core.intake import sightings
from receiver.core.model import Alert, Status
from receiver.core.timestamps import SECOND
from receiver.embedding.hashing import HashingEmbedder

DAY, MINUTE = 86400.0, 60.0
START = 1_767_225_600  # a Thursday, 00:00 UTC
_DELIVERY = 30.0
"""Seconds, as Alertmanager's group_wait: what is told together has waited for each other."""

_FLAPPERS, _FLAP_EVERY = 5, 240.0
_RESTARTS = 2
_OPEN_AT_START = 300
_ONSET_EPISODES, _ONSET_WINDOW = 30, 120.0
_BATCH = 512


@dataclass(frozen=True)
class Result:
    """What was found in one month; delays in seconds from the true onset, false_at from its start."""

    seed: int
    alerts: int
    storms: int
    found: int
    false: int
    delays: list[float]
    false_at: list[str]
    f_score: float


@dataclass(frozen=True)
class _Storm:
    at: float
    alerts: int
    rise: float
    tail: float


def _rate(at: float, a_day: float) -> float:
    """New alerts a second at *at* seconds: by day twice as many as by night, at weekends half."""
    day, hour = int(at // DAY), at % DAY / 3600.0
    rhythm = 1.0 + 0.35 * math.cos((hour - 14.0) / 24.0 * 2.0 * math.pi)
    weekend = 0.5 if day % 7 in (2, 3) else 1.2
    return a_day / DAY * rhythm * weekend


def _storms(count: int, days: int, draw: random.Random) -> list[_Storm]:
    weeks = draw.sample(range(3, days), count)
    return [
        _Storm(
            at=day * DAY + draw.choice([3, 9, 14, 21]) * 3600.0 + draw.uniform(0, 3000),
            alerts=draw.choice([150, 430, 1500]),
            rise=draw.choice([20.0, 90.0, 240.0]),
            tail=draw.choice([300.0, 900.0]),
        )
        for day in sorted(weeks)
    ]


def _onset(times: Sequence[float]) -> float:
    """Return from when on the alerts at *times*, sorted, are a storm by themselves."""
    for first, last in zip(times, times[_ONSET_EPISODES - 1 :], strict=False):
        if last - first <= _ONSET_WINDOW:
            return last
    raise ValueError("these alerts are no storm")


def _month(
    days: int, a_day: float, storms: Sequence[_Storm], draw: random.Random
) -> Iterator[tuple[float, float, str, bool]]:
    """Yield (received, startsAt, name of the alert, resolved), in order of receipt."""
    queue: list[tuple[float, float, str, bool]] = []

    def fire(at: float, name: str, lasts: float, received: float | None = None) -> None:
        told = at + draw.uniform(0, _DELIVERY) if received is None else received
        heapq.heappush(queue, (told, at, name, False))
        heapq.heappush(queue, (max(told, at + lasts), at, name, True))

    for number in range(_OPEN_AT_START):
        fire(-draw.uniform(600, 9e5), f"old-{number}", 9e5 + 3600.0 * (number % 48), 1.0)
    for number in range(_FLAPPERS):
        for turn in range(int(days * DAY / _FLAP_EVERY)):
            fire(turn * _FLAP_EVERY + number * 17.0, f"flapper-{number}", _FLAP_EVERY / 2)
    for storm in storms:
        for number in range(storm.alerts):
            part = number / storm.alerts
            after = (
                storm.rise * part * 2 if part < 0.5 else storm.rise + storm.tail * (part - 0.5) * 2
            )
            fire(storm.at + after, f"storm-{storm.at:.0f}-{number}", draw.uniform(300, 3600))
    back = [draw.uniform(4, days - 1) * DAY for _ in range(_RESTARTS)]
    open_now: dict[str, float] = {}
    at, number = 0.0, 0
    peak = _rate(14 * 3600.0, a_day)
    while at < days * DAY:
        at += draw.expovariate(peak * 1.05)
        if draw.random() * peak * 1.05 < _rate(at, a_day):
            number += 1
            # A site has some thousands of alerts, most of which have fired before.
            fire(at, f"usual-{draw.randrange(4000) if draw.random() < 0.7 else number + 10**6}",
                 draw.expovariate(1 / 1800.0) + 60)  # fmt: skip
        while queue and queue[0][0] <= at:
            told = heapq.heappop(queue)
            if told[3]:
                open_now.pop(told[2], None)
            else:
                open_now[told[2]] = told[1]
            if back and told[0] > back[0]:
                back.pop(0)
                # All that fires is sent again, with the startsAt it had.
                yield from (
                    (told[0], starts_at, name, False) for name, starts_at in open_now.items()
                )
            yield told


def _alert(starts_at: float, name: str, *, resolved: bool, received: float) -> Alert:
    labels = {"alertname": name.partition("-")[0].title(), "instance": name}
    fingerprint = identity.fingerprint(labels)
    return Alert(
        fingerprint=fingerprint,
        sender_fingerprint=fingerprint,
        status=Status.RESOLVED if resolved else Status.FIRING,
        labels=labels,
        annotations={},
        starts_at=_moment(starts_at),
        ends_at=_moment(received) if resolved else None,
    )


def _moment(seconds: float) -> int:
    return START * SECOND + round(seconds * SECOND)


def run(days: int, a_day: float, count: int, seed: int) -> Result:
    """Play a month and return what was found in it."""
    draw = random.Random(seed)
    storms = _storms(count, days, draw)
    embedder = HashingEmbedder()
    engine = Engine(CoreSettings(), embedder.dims)
    starts: list[float] = []
    of_storm: dict[float, list[float]] = {}
    batch: list[tuple[int, Alert]] = []
    total = 0

    def flush() -> None:
        # What is forgotten is not recalled here: it was forgotten because it does not fire.
        inputs, _, _ = sightings(engine, batch, embedder.embed)
        starts.extend(
            event.time / SECOND - START
            for event in engine.step(inputs)
            if event.type is EventType.STORM_STARTED
        )
        engine.drain()
        batch.clear()

    for received, starts_at, name, resolved in _month(days, a_day, storms, draw):
        total += 1
        if name.startswith("storm-") and not resolved:
            of_storm.setdefault(float(name.split("-")[1]), []).append(received)
        alert = _alert(starts_at, name, resolved=resolved, received=received)
        batch.append((_moment(received), alert))
        if len(batch) == _BATCH:
            flush()
    flush()
    onsets = [_onset(sorted(times)) for times in of_storm.values()]
    delays, left = [], list(starts)
    for onset in onsets:
        near = [at for at in left if -_ONSET_WINDOW <= at - onset <= _ONSET_WINDOW]
        if near:
            left.remove(near[0])
            delays.append(round(near[0] - onset, 1))
    found = len(delays)
    scored = 2 * found / (len(onsets) + found + len(left)) if onsets or left else 1.0
    false_at = [f"day {at // DAY:.0f} {at % DAY / 3600:.2f} h" for at in left]
    return Result(seed, total, len(onsets), found, len(left), delays, false_at, round(scored, 3))


def main(arguments: Sequence[str]) -> int:
    """Play the months and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--days", type=int, default=28)
    parser.add_argument("--a-day", type=float, default=10_000, help="new alerts a day")
    parser.add_argument("--storms", type=int, default=3)
    parser.add_argument("--seeds", type=int, default=1, help="months, each another")
    parser.add_argument("--out", type=Path, help="write the results as JSON")
    options = parser.parse_args(arguments)
    results = []
    print("month   alerts  storms  found  false  F      delay of onset, s")
    for seed in range(1, options.seeds + 1):
        r = run(options.days, options.a_day, options.storms, seed)
        results.append(r)
        print(
            f"{r.seed:5}  {r.alerts:7}  {r.storms:6}  {r.found:5}  {r.false:5}  {r.f_score:.3f}"
            f"  {', '.join(f'{d:g}' for d in r.delays)}{'  false: ' * bool(left := r.false_at)}"
            f"{', '.join(left)}",
            flush=True,
        )
    total = statistics.fmean(r.f_score for r in results)
    print(f"mean F {total:.3f}")
    if options.out:
        options.out.write_text(json.dumps([asdict(r) for r in results], indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
