"""What is asked of the alerts kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AlertQuery:
    """Which alerts are wanted; None or empty is any.

    Attributes:
        text: Part of a label, a label's name or an annotation, whatever its case.
        labels: (name, value) pairs that must all be there.
        state: firing, stale or resolved.
        cluster_id: Members of it.
        start, end: Fired at some time in between, nanoseconds.
    """

    text: str = ""
    labels: Sequence[tuple[str, str]] = ()
    state: str = ""
    cluster_id: int | None = None
    start: int | None = None
    end: int | None = None
