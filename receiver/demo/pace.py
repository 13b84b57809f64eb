"""How scenario time lies on the real clock, and the receiver's settings that have to keep step."""

from __future__ import annotations

import typing
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from receiver.config import Config
from receiver.core.settings import Seconds

_SECTIONS = ("clustering", "storms")
_KEPT = "stale_after"
"""It says how long a sender may be silent. After the end nobody repeats what still fires: divided,
it would end the clusters under the eyes of who looks at them."""


@dataclass(frozen=True)
class Pace:
    """Scenario seconds, *speed* of them in a real one, counted from *started_at*."""

    started_at: datetime
    speed: float

    def moment(self, offset: float) -> datetime:
        """Return the real time of *offset* scenario seconds."""
        return self.started_at + timedelta(seconds=offset / self.speed)

    def offset(self, moment: datetime) -> float:
        """Return the scenario seconds at *moment*."""
        return (moment - self.started_at).total_seconds() * self.speed

    def opened(self, cluster: Mapping[str, Any]) -> float:
        """Return the scenario seconds at which *cluster*, as the API gives it, was opened."""
        return self.offset(datetime.fromisoformat(cluster["opened_at"]))

    @property
    def now(self) -> float:
        """The scenario seconds gone by."""
        return self.offset(now())

    def real(self, seconds: float, least: float = 0.0) -> float:
        """Return how many real seconds *seconds* of the scenario take, but at least *least*."""
        return max(seconds / self.speed, least)


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
