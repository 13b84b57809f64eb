"""The replay's clock: puts between the arrivals what the sender would have told meanwhile.

These are the ends that firing lines tell of, which the core must not see before their time, and the
repeats by which a sender keeps an alert from becoming stale. Both wait here, and not in the core.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import replace

from receiver.core.model import Alert, Status, Tick
from receiver.core.timestamps import SECOND
from receiver.replay.arrivals import Arrival

REPEAT_EVERY = 4 * 3600 * SECOND
"""Nanoseconds; Alertmanager's default repeat_interval."""

_Due = tuple[int, int, Arrival, bool]
"""When, a number that keeps their order, of which arrival, and whether it is the end."""


def in_time(told: Iterable[Arrival | Tick]) -> Iterator[Arrival | Tick]:
    """Yield all of *told* in order, and what is due before each; time never falls."""
    return _Clock().play(told)


class _Clock:
    def __init__(self) -> None:
        self._now = 0
        self._order = 0
        self._due: list[_Due] = []
        self._ends: dict[str, tuple[int, int]] = {}
        self._repeats: dict[str, tuple[int, int]] = {}

    def play(self, told: Iterable[Arrival | Tick]) -> Iterator[Arrival | Tick]:
        for item in told:
            at = max(self._now, item.time if isinstance(item, Tick) else item.at)
            yield from self._before(at)
            self._now = at
            if isinstance(item, Tick):
                yield Tick(at)
                continue
            yield replace(item, at=at)
            self._note_end(item)
            self._note_repeats(item, at)

    def _before(self, at: int) -> Iterator[Arrival]:
        while self._due and self._due[0][0] < at:
            due, _, arrival, is_end = heapq.heappop(self._due)
            alert = arrival.alert
            if is_end and self._ends.get(alert.fingerprint) == (alert.starts_at, due):
                del self._ends[alert.fingerprint]
                self._repeats.pop(alert.fingerprint, None)
                self._now = max(self._now, due)
                yield Arrival(self._now, _resolved(alert, due))
            elif not is_end and self._repeats.get(alert.fingerprint) == _repeating(arrival):
                self._now = max(self._now, due)
                yield Arrival(self._now, alert)
                self._push_repeat(arrival, due)

    def _push(self, due: int, arrival: Arrival, *, is_end: bool) -> None:
        self._order += 1
        heapq.heappush(self._due, (due, self._order, arrival, is_end))

    def _note_end(self, told: Arrival) -> None:
        """One end an alert: that of its latest firing, and the latest told of that."""
        alert = told.alert
        starts_at, ends_at = self._ends.get(
            alert.fingerprint, (alert.starts_at, alert.starts_at - 1)
        )
        if alert.status is Status.RESOLVED or alert.starts_at > starts_at:
            self._ends.pop(alert.fingerprint, None)
            ends_at = alert.starts_at - 1
        if told.ends_at is not None and alert.starts_at >= starts_at and told.ends_at > ends_at:
            self._ends[alert.fingerprint] = (alert.starts_at, told.ends_at)
            self._push(told.ends_at, told, is_end=True)

    def _note_repeats(self, told: Arrival, at: int) -> None:
        self._repeats.pop(told.alert.fingerprint, None)
        if told.repeated_until is not None:
            self._repeats[told.alert.fingerprint] = _repeating(told)
            self._push_repeat(told, at)

    def _push_repeat(self, arrival: Arrival, last: int) -> None:
        if arrival.repeated_until is not None and last + REPEAT_EVERY <= arrival.repeated_until:
            self._push(last + REPEAT_EVERY, arrival, is_end=False)


def _repeating(arrival: Arrival) -> tuple[int, int]:
    return arrival.alert.starts_at, arrival.at


def _resolved(alert: Alert, ends_at: int) -> Alert:
    # An end later than the start tells a resolve of this episode from one of an older.
    return replace(alert, status=Status.RESOLVED, ends_at=max(ends_at, alert.starts_at + 1))
