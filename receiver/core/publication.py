"""What the listeners are told after each commit, and only after it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from receiver.core.evolution import Event


@dataclass(frozen=True, slots=True)
class Publication:
    """One committed step.

    Attributes:
        time: Of the core's clock after it, nanoseconds.
        seq: Of the latest event there is.
        events: What happened, in order.
        clusters: Those that changed, as the public sees them.
        whole: *clusters* are all live ones, not only those that changed: the state was restored.
        outcomes: Alerts applied, by `status.outcome`.
        ages_seconds: From receipt to this commit, of each alert applied.
        dead_letters: Status given, or "unknown", of each alert that could not be taken.
        texts_known: Texts whose vector was held.
        texts_embedded: Texts that were embedded.
        vectors_archived: Vectors let go.
        flapping: Alerts that flap.
        heartbeat_at: Last heartbeat, nanoseconds; 0 for never.
        quiet_at: By when a source had gone quiet whose heartbeat is gone, nanoseconds; 0: none is.
        storm: What is going on, as the public sees it; None while it is calm.
        stats: Figures for the API.
    """

    time: int
    seq: int
    events: Sequence[Event]
    clusters: Sequence[Mapping[str, Any]]
    whole: bool = False
    outcomes: Mapping[str, int] = field(default_factory=dict)
    ages_seconds: Sequence[float] = ()
    dead_letters: Sequence[str] = ()
    texts_known: int = 0
    texts_embedded: int = 0
    vectors_archived: int = 0
    flapping: int = 0
    heartbeat_at: int = 0
    quiet_at: int = 0
    storm: Mapping[str, Any] | None = None
    stats: Mapping[str, Any] = field(default_factory=dict)


Listener = Callable[[Publication], None]
