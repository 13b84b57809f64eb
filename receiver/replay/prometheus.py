"""A source that is the past of a Prometheus: what it would have told Alertmanager, and when.

Each moment on a grid of the evaluation interval is asked for the alerts that fire; `timestamp` gives the
evaluation that said so, so that a sample that is only carried on through an outage is not taken for
one that fires. The past is read once and kept as firing periods; a second run reads these.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from receiver.core.model import Tick
from receiver.replay.arrivals import Arrival
from receiver.replay.errors import ReplayError
from receiver.replay.intake import Intake
from receiver.replay.periods import LabelSet, Period, Periods
from receiver.replay.promapi import PromApi, Series, TooMuch
from receiver.replay.rules import Rules

FIRING = 'timestamp(ALERTS{alertstate="firing"})'
ACTIVE = 'ALERTS_FOR_STATE and ignoring(alertstate) ALERTS{alertstate="firing"}'

MAX_POINTS = 480
"""Moments in one query: two hours at 15 s. Prometheus would take 11,000, but `timestamp` over a range costs
it the square of these (2.42: 0.02 s for 480, 18 s for 11,000, of 26 series)."""

MAX_PERIODS = 500_000
"""Firing periods kept: a month of eleven a minute, in some 200 MB."""

USUAL_STEP = 60_000
"""Milliseconds; Prometheus's default evaluation_interval, where its rules are not told."""

_MILLISECOND = 1_000_000


class Prometheus:
    """The alerts of a Prometheus over the last *since* seconds."""

    def __init__(self, url: str, since: float) -> None:
        """Read the one at *url*, from *since* seconds before its now.

        Raises:
            ReplayError: The address or the time cannot be used.
        """
        if since < 1:
            raise ReplayError(f"--since: got {since:g} s, expected at least a second, such as 30d")
        self._api = PromApi(url)
        self.name = self._api.url
        self._since = round(since * 1000)
        self._start = self._until = 0
        self._periods: list[Period] | None = None
        self._remarks: list[str] = []
        self._rules = Rules(())

    def read(self, intake: Intake, place: dict[str, Any]) -> Iterator[Arrival | Tick]:
        """Yield each alert when it began to fire, in order; a line's number is that of the period.

        Raises:
            ReplayError: Prometheus cannot be read, or there is more than can be kept.
        """
        if self._periods is None:
            self._periods = self._fetch()
        intake.remarks += self._remarks
        intake.notifications += len(self._periods)
        for number, period in enumerate(self._periods, start=1):
            yield self._arrival(period, intake, {"line": number, **place})
        yield Tick(self._until * _MILLISECOND)

    def _arrival(self, period: Period, intake: Intake, place: dict[str, Any]) -> Arrival:
        labels = dict(period.labels)
        rule = self._rules.of(labels)
        texts = rule.texts(labels) if rule else {}
        alert = intake.alert(labels, texts, period.starts_at * _MILLISECOND)
        return intake.told(
            alert,
            place,
            at=period.seen * _MILLISECOND,
            ends_at=None if period.ended is None else period.ended * _MILLISECOND,
            repeated_until=self._until * _MILLISECOND,
        )

    # -- the past --------------------------------------------------------------------------------

    def _fetch(self) -> list[Period]:
        self._until = self._now()
        self._rules = self._read_rules()
        step = self._rules.shortest_interval() or USUAL_STEP
        points = max(1, self._since // step)
        self._start = self._until - (points - 1) * step
        periods = Periods()
        done, wanted = 0, MAX_POINTS
        while done < points:
            count = min(wanted, points - done)
            start = self._start + done * step
            try:
                self._add(periods, start, start + (count - 1) * step, step)
            except TooMuch as error:
                if count == 1:
                    raise ReplayError(f"{error}, even for a single moment") from error
                wanted = count // 2
                continue
            done += count
            wanted = min(2 * wanted, MAX_POINTS)
            if len(periods.all) > MAX_PERIODS:
                raise ReplayError(
                    f"{self.name}: more than {MAX_PERIODS} firing periods in {done * step / 864e5:.1f}"
                    " days; give a shorter --since"
                )
        periods.finish(self._until)
        found = sorted(periods.all, key=lambda period: (period.seen, period.labels))
        self._remarks.append(
            f"{self.name}: {points * step / 864e5:.3g} days, every {step / 1000:g} s, in"
            f" {self._api.queries} requests: {len(found)} firing periods of"
            f" {len({period.labels for period in found})} alerts"
        )
        return found

    def _now(self) -> int:
        try:
            return self._api.now()
        except TooMuch as error:
            raise ReplayError(str(error)) from error

    def _read_rules(self) -> Rules:
        try:
            return Rules(self._api.alert_groups())
        except (ReplayError, TooMuch) as error:
            self._remarks.append(
                f"its rules are not told, so alerts have no texts and are looked for every"
                f" {USUAL_STEP // 1000} s: {error}"
            )
            return Rules(())

    def _add(self, periods: Periods, start: int, end: int, step: int) -> None:
        """Add what fired from *start* to *end*."""
        firing = self._api.range(FIRING, start, end, step)
        active: dict[LabelSet, dict[int, int]] = {}
        if firing:
            for series in self._api.range(ACTIVE, start, end, step):
                told = active.setdefault(_label_set(series), {})
                told.update((at, round(value * 1000)) for at, value in series.samples)
        for series in firing:
            labels = _label_set(series)
            looks = ((at, round(value * 1000)) for at, value in series.samples)
            rule = self._rules.of(dict(labels))
            periods.add(
                labels,
                (rule.interval if rule else 0) or step,
                rule.hold if rule else 0,
                looks,
                active.get(labels, {}),
                self._start,
            )


def _label_set(series: Series) -> LabelSet:
    hidden = ("__name__", "alertstate")
    return tuple(sorted((k, v) for k, v in series.labels.items() if k not in hidden))
