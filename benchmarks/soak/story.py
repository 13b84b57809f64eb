"""What one sender tells, and what is true of it: each firing period of each of its alerts."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from benchmarks import texts
from benchmarks.texts import Drawn
from receiver.core.timestamps import render

Period = tuple[str, str]
"""The instance, which only one alert has, and startsAt."""

_MILLISECOND = 10**6
_KNOWN = 300
"""Texts that come again and again."""

_NEW_TEXTS = 0.1
"""Share of new alerts whose text was never seen."""

_OPEN = 200
"""Alerts that may fire at once; then some must resolve."""

_OVER = 200
"""Alerts that are over and may fire again."""

NUMBERS = 1_000_000
"""Alerts that one story may number."""

_SIZES = (1, 1, 1, 1, 5, 20)


@dataclass(slots=True)
class _Alert:
    number: int
    drawn: Drawn
    starts_at: int
    ended_at: int | None = None

    @property
    def period(self) -> Period:
        return self.drawn.labels["instance"], render(self.starts_at)

    def told(self) -> dict[str, Any]:
        return self.drawn.told(self.starts_at, ended_at=self.ended_at)


class Story:
    """Alerts that fire, repeat, resolve and flap.

    Whoever tells it must have each notification taken before it asks for the next: then what is true
    does not depend on what was lost on the way.

    Attributes:
        periods: The state of each firing period told, "firing" or "resolved".
    """

    def __init__(self, number: int, seed: int) -> None:
        """Be story *number*, from 0 on: no two have an alert in common."""
        self._random = random.Random(f"{seed}-{number}")
        self._next = number * NUMBERS
        self._open: list[_Alert] = []
        self._over: deque[_Alert] = deque(maxlen=_OVER)
        self.periods: dict[Period, str] = {}

    def notification(self, now: int) -> list[dict[str, Any]]:
        """Return what is to be told now, nanoseconds since 1970."""
        now -= now % _MILLISECOND
        told: dict[str, dict[str, Any]] = {}
        for _ in range(self._random.choice(_SIZES)):
            alert = self._step(now, told.keys())
            told[alert.drawn.labels["instance"]] = alert.told()
            self.periods[alert.period] = "firing" if alert.ended_at is None else "resolved"
        return list(told.values())

    def _step(self, now: int, taken: Collection[str]) -> _Alert:
        """Have something happen to an alert that is not in *taken*."""
        chance = self._random.random()
        if self._open and (chance < 0.3 or len(self._open) > _OPEN):
            place = self._random.randrange(len(self._open))
            alert = self._open[place]
            if alert.drawn.labels["instance"] not in taken:
                self._open[place] = self._open[-1]
                self._open.pop()
                alert.ended_at = max(now, alert.starts_at + _MILLISECOND)
                self._over.append(alert)
                return alert
        if self._over and chance < 0.4:
            alert = self._over[0]
            if alert.drawn.labels["instance"] not in taken:
                self._over.popleft()
                again = _Alert(
                    alert.number, alert.drawn, max(now, (alert.ended_at or 0) + _MILLISECOND)
                )
                self._open.append(again)
                return again
        if self._open and chance < 0.6:
            alert = self._random.choice(self._open)
            # That one with an odd number fires is told once: if that is lost nothing hides it.
            if alert.number % 2 == 0 and alert.drawn.labels["instance"] not in taken:
                return alert
        alert = _Alert(*self._new(), now)
        self._open.append(alert)
        return alert

    def _new(self) -> tuple[int, Drawn]:
        self._next += 1
        known = self._random.random() >= _NEW_TEXTS
        unseen = _KNOWN + self._next % (texts.COUNT - _KNOWN)
        text = self._random.randrange(_KNOWN) if known else unseen
        return self._next, texts.distinct(text).elsewhere(self._next)
