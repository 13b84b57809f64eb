"""Firing periods out of samples: when each began and ended, as Prometheus told Alertmanager.

Times are milliseconds, as Prometheus keeps them. A sample of `ALERTS` stands for one evaluation at
which the alert fired; the value of `ALERTS_FOR_STATE` is when its condition became true, and stays the
same for as long as it holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

LabelSet = tuple[tuple[str, str], ...]

RESEND = 60_000
"""Milliseconds; how often Prometheus repeats an alert at most (`--rules.alert.resend-delay`)."""

VOUCHED = 4
"""Evaluations, or repeats if these are longer apart, for which Prometheus vouches for an alert; a gap
that is not longer is seen by no Alertmanager."""

OUTAGE = 3_600_000
"""Milliseconds; after a longer outage Prometheus does not restore when an alert's condition became true
(`--rules.alert.for-outage-tolerance`)."""

UNRECORDED = 3
"""Evaluations at most that a Prometheus just started keeps to itself, until it has looked up when
conditions became true."""


@dataclass(slots=True)
class Period:
    """One firing period of the alert with *labels*; times in milliseconds.

    Attributes:
        labels: Sorted by name.
        interval: Between two evaluations of its rule.
        starts_at: First evaluation that it fired at.
        seen: When that could be known: later where it fired already when the samples begin.
        last: Last evaluation that it was recorded to fire at.
        looked: When it was last seen to fire; later than *last* where Prometheus was away.
        active: When its condition became true; None if that is not known.
        ended: First evaluation at which it fired no more; None while it fires.
    """

    labels: LabelSet
    interval: int
    starts_at: int
    seen: int
    last: int
    looked: int
    active: int | None
    ended: int | None = None


class Periods:
    """Puts the samples of all alerts together, range after range."""

    def __init__(self) -> None:
        """Start with none."""
        self._latest: dict[LabelSet, Period] = {}
        self.all: list[Period] = []

    def add(
        self,
        labels: LabelSet,
        interval: int,
        hold: int,
        evaluations: Iterable[tuple[int, int]],
        active: Mapping[int, int],
        first: int,
    ) -> None:
        """Take in the samples of one alert, later than all that it had before.

        Args:
            labels: Of the alert.
            interval: Between two evaluations of its rule.
            hold: The rule's `for`.
            evaluations: (looked at, evaluated at) in order; the same evaluation may be seen again.
            active: When the condition became true, by when it was looked at.
            first: When was looked first at all.
        """
        period = self._latest.get(labels)
        for looked, evaluated in evaluations:
            since = active.get(looked)
            if period is None or not _goes_on(period, evaluated, since):
                cut = looked == first
                starts_at = _starts_at(evaluated, since, interval, hold, cut=cut)
                if period is not None:
                    # Not later than the next begins, should that be sooner than an evaluation.
                    period.ended = min(period.last + period.interval, starts_at - 1)
                seen = evaluated if cut else starts_at
                period = Period(labels, interval, starts_at, seen, evaluated, looked, since)
                self.all.append(period)
                self._latest[labels] = period
            period.last = max(period.last, evaluated)
            period.looked = looked
            period.active = since if period.active is None else period.active

    def finish(self, until: int) -> None:
        """End what was not seen to fire at *until*, milliseconds, the last time looked at."""
        for period in self._latest.values():
            if period.looked < until or until - period.last > _bridged(period):
                period.ended = period.last + period.interval


def _starts_at(evaluated: int, active: int | None, interval: int, hold: int, *, cut: bool) -> int:
    """Return the evaluation at which an alert first fired that is first recorded at *evaluated*."""
    if active is None:
        return evaluated
    # The value is in whole seconds, rounded down: what is less than an evaluation away is this one.
    before = max(0, (evaluated - active - hold) // interval)
    return evaluated - (before if cut or before <= UNRECORDED else 0) * interval


def _bridged(period: Period) -> int:
    return VOUCHED * max(period.interval, RESEND)


def _goes_on(period: Period, evaluated: int, active: int | None) -> bool:
    gap = evaluated - period.last
    if active is None or period.active is None:
        return gap <= _bridged(period)
    # A condition that began anew is another period, however short the gap; the same one goes on
    # through an outage of Prometheus.
    return active == period.active and gap <= max(OUTAGE, _bridged(period))
