"""The usual: how many new episodes come while nothing much is wrong, learned from late and from before.

Time is cut into spans, and of each is remembered how many it counted and whether a storm went on. The
usual is the greatest of what explains a rate: the last hour of calm (a rise that builds up over hours,
growth, a Monday after a quiet weekend), the same time in weeks before or, until there are such, on the
days before (a rise that comes by the clock), and bursts that come again at one time (a nightly job).
Each is a median or a second best, so that one odd day, one storm, does not make it. A span in which
nothing was received is not learned from: calm cannot be told from deaf.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import fmean, median, median_high
from typing import Any

from receiver.core.timestamps import SECOND, seconds

SPAN = 600 * SECOND
"""Nanoseconds. Twice a group_interval, so that the sender's rhythm does not show; and a new site is
known within half an hour."""

_DAY, _WEEK = 144, 7 * 144
"""Spans."""

_WEEKS_KEPT = 4
"""As people make rosters; and a site of a month ago is another."""

_KEPT = _WEEKS_KEPT * _WEEK + 1
"""Spans remembered: some 30 KB in a store. One more, as each is looked at with both beside it."""

_LATELY = 6
"""Spans of the last hour of calm: short enough to follow the rhythm of a day, and a median of six is
moved neither by a burst nor by the tail of a storm."""

_LEAST = 3
"""Spans that make a median which one odd span does not decide."""

_TWICE = 2
"""Days, or weeks, that make a custom. One may have been odd."""

_DAYS_OF_BURSTS = 3
"""Days looked back on for a burst that comes at one time of day: one missed night is forgiven."""

_BURST = 2.0
"""Times the mean, from which on the busiest window is a burst; with ten in a window, or more, chance does
not make one, and with less it does not matter."""

_BURST_PART = 2 / 3
"""Of a burst that counts as the usual: what comes in one burst, every night, is a storm when it is twice
what it was (3 times two thirds)."""

_HOUR = 6
"""Spans."""


@dataclass(slots=True)
class _Past:
    """One span in which something was received.

    Attributes:
        count: Its new episodes.
        peak: Most of them in a window.
        stormy: Whether a storm went on in it.
    """

    count: int
    peak: int
    stormy: bool


class Baseline:
    """Learns the usual, in bounded memory."""

    def __init__(self, window: int) -> None:
        """Start knowing nothing.

        Args:
            window: How long the window is that rates are measured in, nanoseconds.
        """
        self._window = window
        # The span before the one in hand comes last.
        self._past: deque[_Past | None] = deque(maxlen=_KEPT)
        self._span = 0
        self._count = 0
        self._peak = 0
        self._heard = False
        self._stormy = False
        self._paused = False
        self._usual: tuple[int, float | None] = (0, None)
        self.changed = False

    def hear(self, now: int) -> None:
        """Note that something, whatever it was, was received at *now*."""
        self._turn(now)
        self._heard = True

    def count(self, now: int, lately: int) -> None:
        """Count one new episode at *now*, with which there are *lately* in the window."""
        self._turn(now)
        self._count += 1
        self._peak = max(self._peak, lately)

    def pause(self) -> None:
        """Learn of a storm from here on, the span in hand included."""
        self._paused = self._stormy = True

    def resume(self, *, adopt: bool) -> None:
        """Learn of calm again, from the next span on: the storm has ended.

        Args:
            adopt: Whether what the storm brought is the usual from now on.
        """
        self._paused = False
        if not adopt:
            return
        self._stormy = False
        for past in list(self._past)[-_LATELY:]:
            if past is not None:
                past.stormy = False
        self._forget_usual()

    def _turn(self, now: int) -> None:
        """Close the span in hand if it is over at *now*."""
        span = now // SPAN
        if span == self._span:
            return
        if self._span:
            closed = _Past(self._count, self._peak, self._stormy)
            self._past.append(closed if self._heard else None)
            self._past.extend([None] * min(span - self._span - 1, _KEPT))
        self._span, self._count, self._peak = span, 0, 0
        self._heard, self._stormy = False, self._paused
        self._forget_usual()

    def _forget_usual(self) -> None:
        self._usual = (0, None)
        self.changed = True

    # -- what is usual -----------------------------------------------------------------------------

    def per_second(self, now: int) -> float | None:
        """Return the usual new episodes a second at *now*; None if not known."""
        span = now // SPAN
        if self._usual[0] != span:
            told = [count for count in self._explained(span) if count is not None]
            self._usual = (span, max(told) / seconds(SPAN) if told else None)
        return self._usual[1]

    def _explained(self, span: int) -> Iterable[float | None]:
        """Return what the *span* may be expected to count, by each of what explains it."""
        yield self._lately()
        weeks = self._at_this_time(span, _WEEK, _WEEKS_KEPT, stormy=False)
        # One week is no custom, but it knows a Monday from the Sunday before.
        yield median_high(weeks) if weeks else None
        if len(weeks) < _TWICE:
            days = self._at_this_time(span, _DAY, _WEEK // _DAY, stormy=False)
            yield median_high(days) if len(days) >= _TWICE else None
        yield _repeated(self._at_this_time(span, _DAY, _DAYS_OF_BURSTS, stormy=True))
        yield _repeated(self._at_this_time(span, _WEEK, _WEEKS_KEPT, stormy=True))

    def _lately(self, ago: int = 0) -> float | None:
        """Return what the last hour of calm counted in a span, so many spans *ago*."""
        calm: list[int] = []
        for at in range(ago + 1, min(ago + _DAY, len(self._past)) + 1):
            past = self._past[-at]
            if past is not None and not past.stormy:
                calm.append(past.count)
            if len(calm) == _LATELY:
                break
        return median(calm) if len(calm) >= _LEAST else None

    def _at_this_time(self, span: int, period: int, most: int, *, stormy: bool) -> list[float]:
        """Return what is to be expected of *span* by so many periods before, sooner ones first.

        Of each period three spans count, as clocks, jobs and deliveries are some minutes off. If
        less came in the last hour than in the hour before these, less is to be expected: a Sunday
        is not like the Friday before. Only what came by the clock, above that hour, is as ever.
        """
        found = []
        lately = self._lately()
        for number in range(1, most + 1):
            ago = self._span - span + number * period
            near = [self._past[-at] for at in (ago - 1, ago, ago + 1) if 0 < at <= len(self._past)]
            told = [past for past in near if past is not None and past.stormy is stormy]
            if not told:
                continue
            mean = fmean(past.count for past in told)
            burst = max(past.peak for past in told) * SPAN / self._window
            then = self._lately(ago)
            if burst > _BURST * mean:
                found.append(_BURST_PART * burst)
            elif lately is not None and then:
                level = min(mean, then)
                found.append(level * min(1.0, lately / then) + mean - level)
            else:
                found.append(mean)
        return found

    # -- to and from a store ---------------------------------------------------------------------

    def dump(self) -> dict[str, Any]:
        """Return what was learned, as JSON has it; it changes once a span."""
        return {
            "counts": [None if past is None else past.count for past in self._past],
            "peaks": [0 if past is None else past.peak for past in self._past],
            "stormy": [
                at for at, past in enumerate(self._past) if past is not None and past.stormy
            ],
        }

    def dump_span(self) -> dict[str, Any]:
        """Return the span in hand, as JSON has it; it changes with each input."""
        return {
            "span": self._span,
            "count": self._count,
            "peak": self._peak,
            "heard": self._heard,
            "stormy": self._stormy,
            "paused": self._paused,
        }

    def restore(self, learned: Mapping[str, Any], span: Mapping[str, Any]) -> None:
        """Become what gave *learned* by `dump` and *span* by `dump_span`; only for an empty one."""
        self._span, self._count, self._peak = span["span"], span["count"], span.get("peak", 0)
        self._heard, self._stormy, self._paused = span["heard"], span["stormy"], span["paused"]
        if "hours" in learned:
            self._past.extend(_past_of_hours(learned["hours"], self._span))
            return
        stormy = frozenset(learned["stormy"])
        told = zip(learned["counts"], learned["peaks"], strict=True)
        self._past.extend(
            None if count is None else _Past(count, peak, at in stormy)
            for at, (count, peak) in enumerate(told)
        )


def _repeated(counts: list[float]) -> float | None:
    """Return what was reached as often as makes a custom."""
    return sorted(counts)[-_TWICE] if len(counts) >= _TWICE else None


def _past_of_hours(hours: Iterable[Iterable[int]], span: int) -> list[_Past | None]:
    """Return the past before *span*, of counts by hour of day as they were kept once, latest last.

    On which day each was is not known: they are taken to have come without a gap.
    """
    left = [list(counts) for counts in hours]
    found: list[_Past | None] = []
    for at in range(span - 1, span - _KEPT, -1):
        counts = left[at // _HOUR % len(left)]
        found.append(_Past(counts.pop(), 0, stormy=False) if counts else None)
    return found[::-1]
