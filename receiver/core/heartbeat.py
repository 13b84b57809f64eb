"""The alert that always fires, to prove that the way from Prometheus to us is whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from receiver.core.matchers import Matcher, parse
from receiver.core.settings import setting


@dataclass(frozen=True)
class HeartbeatSettings:
    """Which alert is the heartbeat."""

    matchers: tuple[str, ...] = setting(
        ('alertname="Watchdog"',),
        "Matchers that an alert must all meet to be the heartbeat; none: there is no heartbeat.",
    )

    def __post_init__(self) -> None:
        """Refuse a matcher that cannot be read."""
        self.parsed()

    def parsed(self) -> tuple[Matcher, ...]:
        """Return the matchers, read."""
        return tuple(parse(text, "heartbeat.matchers") for text in self.matchers)


def is_heartbeat(labels: Mapping[str, str], wanted: tuple[Matcher, ...]) -> bool:
    """Return whether *labels* meet all *wanted*, and any are wanted at all."""
    return bool(wanted) and all(matcher.matches(labels) for matcher in wanted)
