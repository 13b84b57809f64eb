"""The usual: how many new episodes come while nothing much is wrong, learned for each hour of day.

Time is cut into spans; a span that was calm and in which anything was received is remembered as the
number it counted. The usual is a median, so that bursts too small for a storm do not move it. A span
in which nothing was received is not learned from: calm cannot be told from deaf.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from statistics import median
from typing import Any

from receiver.core.timestamps import SECOND, seconds

SPAN = 600 * SECOND
"""Nanoseconds. Twice a group_interval, so that the sender's rhythm does not show; and a new site is
known within half an hour."""

_KEPT_PER_HOUR = 84
"""Spans remembered of an hour of day: a fortnight, so that weekends are a minority."""

_LEAST_OF_HOUR = 12
"""Spans an hour of day needs to speak for itself: two days of it, as one may have been odd."""

_LEAST_OF_ALL = 3
"""Spans that make a median which one odd span does not decide."""

_HOUR = 3600 * SECOND
_HOURS = 24


class Baseline:
    """Learns the usual, in bounded memory."""

    def __init__(self) -> None:
        """Start knowing nothing."""
        self._hours: list[deque[int]] = [deque(maxlen=_KEPT_PER_HOUR) for _ in range(_HOURS)]
        self._span = 0
        self._count = 0
        self._heard = False
        self._stormy = False
        self._paused = False
        # Spans of the storm in hand, (hour of day, count): learned only if it becomes the usual.
        self._of_storm: deque[tuple[int, int]] = deque(maxlen=2 * _LEAST_OF_ALL)
        self._usual: dict[int, float | None] = {}
        self.changed = False

    def hear(self, now: int) -> None:
        """Note that something, whatever it was, was received at *now*."""
        self._turn(now)
        self._heard = True

    def count(self, now: int) -> None:
        """Count one new episode at *now*."""
        self._turn(now)
        self._count += 1

    def pause(self) -> None:
        """Learn nothing from here on, the span in hand included: a storm has started."""
        self._paused = self._stormy = True

    def resume(self, *, adopt: bool) -> None:
        """Learn again, from the next span on: the storm has ended.

        Args:
            adopt: Whether what the storm brought is the usual from now on, and all before forgotten.
        """
        self._paused = False
        if adopt:
            for spans in self._hours:
                spans.clear()
            # Even if the storm brought no whole span: that all is forgotten must be kept too.
            self._usual.clear()
            self.changed = True
            for hour, count in self._of_storm:
                self._learn(hour, count)
        self._of_storm.clear()

    def _turn(self, now: int) -> None:
        """Close the span in hand if it is over at *now*."""
        span = now // SPAN
        if span == self._span:
            return
        hour = self._span * SPAN // _HOUR % _HOURS
        if self._paused:
            self._of_storm.append((hour, self._count))
        elif self._heard and not self._stormy:
            self._learn(hour, self._count)
        self._span, self._count, self._heard, self._stormy = span, 0, False, self._paused

    def _learn(self, hour: int, count: int) -> None:
        self._hours[hour].append(count)
        self._usual.clear()
        self.changed = True

    def per_second(self, now: int) -> float | None:
        """Return the usual new episodes a second at the hour of day of *now*; None if not known."""
        hour = now // _HOUR % _HOURS
        if hour not in self._usual:
            self._usual[hour] = self._median(hour)
        return self._usual[hour]

    def _median(self, hour: int) -> float | None:
        spans = list(self._hours[hour])
        if len(spans) < _LEAST_OF_HOUR:
            spans = [count for of_hour in self._hours for count in of_hour]
        return median(spans) / seconds(SPAN) if len(spans) >= _LEAST_OF_ALL else None

    # -- to and from a store ---------------------------------------------------------------------

    def dump(self) -> dict[str, Any]:
        """Return what was learned, as JSON has it; it changes once a span."""
        return {"hours": [list(spans) for spans in self._hours]}

    def dump_span(self) -> dict[str, Any]:
        """Return the span in hand, as JSON has it; it changes with each input."""
        return {
            "span": self._span,
            "count": self._count,
            "heard": self._heard,
            "stormy": self._stormy,
            "paused": self._paused,
            "of_storm": [list(pair) for pair in self._of_storm],
        }

    def restore(self, learned: Mapping[str, Any], span: Mapping[str, Any]) -> None:
        """Become what gave *learned* by `dump` and *span* by `dump_span`; only for an empty one."""
        for spans, counts in zip(self._hours, learned["hours"], strict=True):
            spans.extend(counts)
        self._span, self._count = span["span"], span["count"]
        self._heard, self._stormy, self._paused = span["heard"], span["stormy"], span["paused"]
        self._of_storm.extend((hour, count) for hour, count in span["of_storm"])
