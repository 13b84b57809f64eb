"""How scenario time lies on the real clock, and the receiver's settings that have to keep step."""

from __future__ import annotations

import typing
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from receiver.config import Config
from receiver.core.settings import Seconds

_SECTIONS = ("clustering", "storms")
_KEPT = "stale_after"
"""It says how long a sender may be silent. After the end nobody repeats what still fires: divided,
it would end the clusters under the eyes of who looks at them."""


_LONGEST_STEP = 30.0
"""Scenario seconds; on a machine that cannot keep up, the scenario is held back instead.

Alerts would else be over before a sender told of them, and senders do not tell of such.
"""


class Pace:
    """Scenario seconds, *speed* of them in a real one; they pass with each `advance`."""

    def __init__(self, started_at: datetime, speed: float) -> None:
        """Let the scenario begin at *started_at*."""
        self.speed = speed
        self._started_at = self._reached_at = started_at
        self._held: list[tuple[datetime, float]] = [(started_at, 0.0)]

    def advance(self) -> None:
        """Let the scenario go on to now, at most by the longest step."""
        before, self._reached_at = self._reached_at, now()
        step, longest = (self._reached_at - before).total_seconds(), self.real(_LONGEST_STEP)
        if step > longest:
            self._held.append((self._reached_at, self._held[-1][1] + step - longest))

    @property
    def now(self) -> float:
        """The scenario seconds gone by."""
        return self.offset(self._reached_at)

    @property
    def passed(self) -> float:
        """The real seconds gone by."""
        return (self._reached_at - self._started_at).total_seconds()

    def offset(self, moment: datetime) -> float:
        """Return the scenario seconds at *moment*."""
        place = bisect_right(self._held, moment, key=lambda entry: entry[0])
        held = self._held[max(0, place - 1)][1]
        return ((moment - self._started_at).total_seconds() - held) * self.speed

    def moment(self, offset: float) -> datetime:
        """Return the real time of *offset* scenario seconds, which passed in the last step."""
        return self._reached_at - timedelta(seconds=(self.now - offset) / self.speed)

    def opened(self, cluster: Mapping[str, Any]) -> float:
        """Return the scenario seconds at which *cluster*, as the API gives it, was opened."""
        return self.at(cluster["opened_at"])

    def at(self, moment: str) -> float:
        """Return the scenario seconds at *moment*, as the API gives times."""
        return self.offset(datetime.fromisoformat(moment))

    def real(self, seconds: float) -> float:
        """Return how many real seconds *seconds* of the scenario take."""
        return seconds / self.speed


def now() -> datetime:
    """Return the time of this machine."""
    return datetime.now(UTC)


def rfc3339(moment: datetime) -> str:
    """Return *moment*, in UTC, as senders write it; texts sort as the times do."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def faster(config: Config, speed: float) -> tuple[Config, list[str]]:
    """Divide the times that steer clustering by *speed*, for alerts that come so much closer.

    Returns:
        The configuration, and what changed, as `name before → after`.
    """
    changed: list[str] = []
    sections: dict[str, Any] = {}
    for section in _SECTIONS:
        settings = getattr(config, section, None)
        if settings is None:
            continue
        hints = typing.get_type_hints(type(settings))
        values = {}
        for name in (f.name for f in fields(settings) if hints[f.name] is Seconds):
            if name != _KEPT:
                before = getattr(settings, name)
                values[name] = Seconds(before / speed)
                changed.append(f"{name} {before:g} → {values[name]:.3g} s")
        sections[section] = replace(settings, **values)
    return replace(config, **sections), changed
