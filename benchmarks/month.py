"""Months to find storms in: sites with the rhythm they have, and real storms that break over them.

What fires beside is made here: Poisson arrivals with the rhythm of a day and a week, some sites with
bursts by the clock, flapping alerts, Prometheus restarts, a first connection where much fires already;
one site has the arrivals of a real telecom network instead. The storms are real: the alerts of a
fault that, in two labelled streams, came 30 in two minutes or faster, with their gaps, repeats and ends.
"""

from __future__ import annotations

import gzip
import json
import math
import random
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from receiver.core import timestamps
from receiver.core.timestamps import SECOND

DAY, HOUR = 86400.0, 3600.0
STORM_STREAMS = ("boerste_gaia", "boerste_ob1")
NETWORK_STREAM = "huawei_18v"
EPISODES, WINDOW, RATIO = 30, 120.0, 3.0
"""What a storm is: so many new ones in so many seconds, and so many times the usual."""

_DELIVERY = 30.0
"""Seconds, as Alertmanager's group_wait: what is told together has waited for each other."""

_GROUP_INTERVAL, _GROUPS = 300.0, 60
_FLAP_EVERY = 240.0
_OPEN_AT_START = 300
FIRST_STORM = 3
"""Days: by then a site has been seen for a while."""


@dataclass(frozen=True)
class Site:
    """What a site is like.

    Attributes:
        name: For people.
        a_day: New alerts a day, on average over the first week.
        swing: How far day and night are from the mean.
        weekend: Rate at weekends, of that on other days.
        growth: Rate at the end of the month, of that at its beginning.
        bursts: (hour of day, alerts, seconds they take), every day.
        flappers: Alerts that fire every four minutes, all month.
        restarts: How often a Prometheus comes back and sends all it has again.
        grouped: Alerts are delivered by group, every five minutes, instead of one by one.
        network: Arrivals are those of a real network, and `a_day` is what that had.
        storms_at_weekend: All storms are at weekends.
    """

    name: str
    a_day: float = 10_000
    swing: float = 0.35
    weekend: float = 0.42
    growth: float = 1.0
    bursts: tuple[tuple[float, int, float], ...] = ()
    flappers: int = 5
    restarts: int = 2
    grouped: bool = False
    network: bool = False
    storms_at_weekend: bool = False

    def rate(self, at: float, days: int) -> float:
        """Return new alerts a second, on average, at *at* seconds, bursts left out."""
        rhythm = 1.0 + self.swing * math.cos((at % DAY / HOUR - 14.0) / 24.0 * 2.0 * math.pi)
        week = 7.0 / (5.0 + 2.0 * self.weekend)
        grown = 1.0 + (self.growth - 1.0) * at / (days * DAY)
        return self.a_day / DAY * rhythm * week * (self.weekend if is_weekend(at) else 1.0) * grown


SITES = (
    Site("an office's day and week"),
    Site("quiet at weekends", weekend=0.1, swing=0.6),
    Site("storms at weekends", weekend=0.1, swing=0.6, storms_at_weekend=True),
    Site("round the clock", swing=0.0, weekend=1.0),
    Site("nightly jobs", bursts=((2.0, 150, 200.0), (4.5, 250, 1200.0))),
    Site("grows by half a week", growth=3.0),
    Site("flaps and restarts", flappers=20, restarts=12),
    Site("delivered in groups", grouped=True),
    Site("small", a_day=100, flappers=1),
    Site("a telecom network", network=True, a_day=145, flappers=0),
)


@dataclass(frozen=True)
class Sent:
    """One alert as it is received; times in seconds from the month's beginning."""

    received: float
    starts_at: float
    name: str
    resolved: bool


@dataclass(frozen=True)
class Month:
    """What is played, and what is true of it."""

    sent: Sequence[Sent]
    onsets: Sequence[float]


def is_weekend(at: float) -> bool:
    """Whether *at* seconds is on a Saturday or Sunday; months begin on a Thursday."""
    return int(at // DAY) % 7 in (2, 3)


Fault = list[tuple[str, str, float, float]]
"""(kind, alert, start, end) of the alerts of one fault, in seconds from its first."""


def real_storms(folder: Path) -> list[Fault]:
    """Return the faults of the labelled streams that are storms by themselves."""
    found: list[Fault] = []
    for stream in STORM_STREAMS:
        faults: dict[str, Fault] = defaultdict(list)
        for told, start, end in _lines(folder / f"{stream}.jsonl.gz"):
            alert = json.dumps(told["labels"], sort_keys=True)
            faults[told["truth"]].append((told["labels"]["alertname"], alert, start, end))
        for fault in faults.values():
            fault.sort(key=lambda alert: alert[2])
            first = fault[0][2]
            moved = [(kind, alert, s - first, e - first) for kind, alert, s, e in fault]
            if onset([s for _, _, s, _ in moved], 0.0) is not None:
                found.append(moved)
    return found


def network_arrivals(folder: Path) -> Fault:
    """Return the alarms of the telecom network, in seconds from the first."""
    found = [
        ("network", json.dumps(told["labels"], sort_keys=True), start, end)
        for told, start, end in _lines(folder / f"{NETWORK_STREAM}.jsonl.gz")
    ]
    found.sort(key=lambda alert: alert[2])
    return [(kind, alert, s - found[0][2], e - found[0][2]) for kind, alert, s, e in found]


def _lines(path: Path) -> Iterator[tuple[dict[str, Any], float, float]]:
    with gzip.open(path, "rt") as lines:
        for line in lines:
            told = json.loads(line)
            start, end = (timestamps.parse(told[key]) for key in ("startsAt", "endsAt"))
            if told["status"] == "firing" and start is not None:
                yield told, start / SECOND, max(start, end or start) / SECOND


def onset(times: Sequence[float], usual: float) -> float | None:
    """Return from when on the new alerts at *times*, sorted, are a storm by themselves.

    With what comes beside them they are clearly one: at the very ratio, chance would decide.

    Args:
        times: Of the storm's own alerts only.
        usual: What else comes in a window, on average.
    """
    least = max(EPISODES, math.ceil(RATIO * usual))
    for first, last in zip(times, times[least - 1 :], strict=False):
        if last - first <= WINDOW:
            return last
    return None


def play(site: Site, days: int, storms: Sequence[Fault], network: Fault, seed: int) -> Month:
    """Return a month of *site* with real *storms* chosen so that they are some, here and then.

    Args:
        site: Where.
        days: How long the month is.
        storms: One of these is drawn for each day on which a storm breaks: three.
        network: Arrivals of the real network, of which a month is cut out.
        seed: Of all that is drawn.
    """
    draw = random.Random(f"{site.name} {seed}")
    made = _Maker(site, days, draw)
    for number in range(_OPEN_AT_START):
        made.send(f"old-{number}", 1.0, -draw.uniform(600, 9e5), HOUR * (1 + number % 48))
    for number in range(site.flappers):
        for turn in range(int(days * DAY / _FLAP_EVERY)):
            at = turn * _FLAP_EVERY + number * 17.0
            made.fire(f"flapper-{number}", f"flapper-{number}", at, at + _FLAP_EVERY / 2)
    if site.network:
        begin = draw.uniform(0, network[-1][2] - days * DAY)
        since = bisect_left(network, begin, key=lambda alert: alert[2])
        for _, alert, start, end in network[since:]:
            if start - begin > days * DAY:
                break
            made.fire(f"network-{alert}", "usual network", start - begin, end - begin)
    else:
        made.usual()
    onsets = made.storms(storms)
    return Month(list(made.in_order()), onsets)


class _Maker:
    """Collects what is sent in one month."""

    def __init__(self, site: Site, days: int, draw: random.Random) -> None:
        self.site, self.days, self.draw = site, days, draw
        self.sent: list[Sent] = []
        self.groups: dict[str, float] = {}

    def fire(self, name: str, group: str, start: float, end: float) -> None:
        self.send(name, self.delivered(group, start), start, end)

    def send(self, name: str, received: float, start: float, end: float) -> None:
        self.sent.append(Sent(received, start, name, resolved=False))
        self.sent.append(Sent(max(received, end), start, name, resolved=True))

    def delivered(self, group: str, at: float) -> float:
        if not self.site.grouped:
            return at + self.draw.uniform(0, _DELIVERY)
        if group not in self.groups:
            # Those of what is usual are never empty, and were there before the month began.
            old = group.startswith("usual")
            self.groups[group] = self.draw.uniform(0, _GROUP_INTERVAL) if old else at + _DELIVERY
        since = at - self.groups[group]
        return self.groups[group] + _GROUP_INTERVAL * max(0, math.ceil(since / _GROUP_INTERVAL))

    def usual(self) -> None:
        draw, at, number = self.draw, 0.0, 0
        highest = 1.05 * max(self.site.rate(h * HOUR, self.days) for h in range(24 * self.days))
        while (at := at + draw.expovariate(highest)) < self.days * DAY:
            if draw.random() * highest < self.site.rate(at, self.days):
                number += 1
                # A site has some thousands of alerts, most of which have fired before.
                told = draw.randrange(4000) if draw.random() < 0.7 else number + 10**6
                end = at + draw.expovariate(1 / 1800.0) + 60
                self.fire(f"usual-{told}", f"usual {told % _GROUPS}", at, end)
        for day in range(self.days):
            for hour, count, lasts in self.site.bursts:
                begin = day * DAY + hour * HOUR + draw.uniform(0, 60)
                for number in range(round(count * draw.uniform(0.7, 1.3))):
                    at = begin + draw.uniform(0, lasts)
                    self.fire(
                        f"job-{hour}-{number}",
                        f"usual job {hour}",
                        at,
                        at + draw.uniform(300, 1800),
                    )

    def storms(self, faults: Sequence[Fault]) -> list[float]:
        """Let three storms break; return when each is one."""
        found = []
        days = [
            day
            for day in range(FIRST_STORM, self.days)
            if is_weekend(day * DAY) or not self.site.storms_at_weekend
        ]
        for day in sorted(self.draw.sample(days, 3)):
            while (played := self.storm(day, self.draw.choice(faults))) is None:
                pass
            found.append(played)
        return found

    def storm(self, day: int, fault: Fault) -> float | None:
        """Let *fault* break out on *day*; return when it is a storm, and do nothing if it is none."""
        at = day * DAY + self.draw.uniform(6 * HOUR, 23 * HOUR)
        place = f"storm {at:.0f}"
        told = [self.delivered(f"{place} {kind}", at + start) for kind, _, start, _ in fault]
        news: dict[str, float] = {}
        for (_, alert, _, _), received in zip(fault, told, strict=True):
            news[alert] = min(received, news.get(alert, received))
        when = onset(sorted(news.values()), self.site.rate(at, self.days) * WINDOW)
        if when is not None:
            for (_, alert, start, end), received in zip(fault, told, strict=True):
                self.send(f"{place} {alert}", received, at + start, at + end)
        return when

    def in_order(self) -> Iterator[Sent]:
        """Yield all that was made by when it is received, and what a Prometheus sends again."""
        back = sorted(self.draw.uniform(4, self.days - 1) * DAY for _ in range(self.site.restarts))
        fires: dict[str, Sent] = {}
        for sent in sorted(self.sent, key=lambda sent: sent.received):
            if back and sent.received > back[0]:
                back.pop(0)
                # All that fires is sent again, with the startsAt it had.
                yield from (replace(old, received=sent.received) for old in fires.values())
            if sent.resolved:
                fires.pop(sent.name, None)
            else:
                fires[sent.name] = sent
            if sent.received < self.days * DAY:
                yield sent
