"""What a source of a replay yields: an alert that arrives, and the line that tells what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from receiver.core.model import Alert, Episode, Status


@dataclass(slots=True)
class Line:
    """What became of one firing alert of the input, or of a line that was refused.

    Attributes:
        place: Where it stands in the input, as `jsonl` tells it.
        episode: Its firing period; None if it was refused, or is of no episode.
        assigned: Its cluster when it arrived.
        error: Why it was refused; empty if it was not.
        fingerprint: Recomputed.
        starts_at: As the input has it.
        truth: The group it belongs to, if the input tells; never reaches the core.
        was: Its cluster in the store that it was read from, if it was.
    """

    place: dict[str, Any]
    episode: Episode | None = None
    assigned: int | None = None
    error: str = ""
    fingerprint: str | None = None
    starts_at: str | None = None
    truth: str | None = None
    was: int | None = None


@dataclass(frozen=True, slots=True)
class Arrival:
    """An alert arrives.

    Attributes:
        at: When, nanoseconds; where it lies before the arrival before, it counts as of that.
        alert: What is told.
        line: Where to note what became of it; None if nobody asks.
        ends_at: When it will end, nanoseconds, which only the replay's clock may reveal.
        repeated_until: How long the sender repeats it, if it does not end before, nanoseconds.
    """

    at: int
    alert: Alert
    line: Line | None = None
    ends_at: int | None = None
    repeated_until: int | None = None


def moment(alert: Alert) -> int:
    """Return when what *alert* tells of happened: it began, or it ended; nanoseconds."""
    if alert.status is Status.RESOLVED and alert.ends_at is not None:
        return alert.ends_at
    return alert.starts_at
