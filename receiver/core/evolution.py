"""The one vocabulary of events: each step of a cluster's life, as stored, streamed, counted and shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from receiver.core import timestamps


class EventType(StrEnum):
    """What happened."""

    CLUSTER_CREATED = "cluster_created"
    ALERT_ASSIGNED = "alert_assigned"
    ALERT_RESOLVED = "alert_resolved"
    ALERT_STALE = "alert_stale"
    ALERT_SUPPRESSED = "alert_suppressed"
    ALERT_UNSUPPRESSED = "alert_unsuppressed"
    ALERT_REOPENED = "alert_reopened"
    CLUSTER_MERGED = "cluster_merged"
    CLUSTER_SPLIT = "cluster_split"
    CLUSTER_STATE_CHANGED = "cluster_state_changed"
    CLUSTER_CLOSED = "cluster_closed"
    CLUSTER_RESOLVED = "cluster_resolved"
    CLUSTER_RENAMED = "cluster_renamed"
    OPERATOR_COMMAND = "operator_command"
    STORM_STARTED = "storm_started"
    STORM_ENDED = "storm_ended"


@dataclass(frozen=True, slots=True)
class AlertRef:
    """Which episode an event speaks of."""

    episode_id: int
    fingerprint: str
    starts_at: int
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Event:
    """One step of evolution.

    Attributes:
        seq: Grows by one from event to event and survives restarts; the first is 1.
        time: When it happened by the core's clock, nanoseconds.
        type: What happened.
        cluster_id: To which cluster, if to one.
        cluster_size: Episodes the cluster ever had, after this.
        cluster_firing: Members of the cluster that fire, after this.
        total_clusters: Live clusters, after this.
        alert: Which episode it speaks of, if of one.
        confidence: Of an assignment, 0 to 1.
        reason: Why, in a few words for people; empty if there is nothing to add.
        detail: What only this type has: `into`, `from`, `state`, `title`, `recurs`, `storm_id`,
            `command` with `set` and `was`.
    """

    seq: int
    time: int
    type: EventType
    cluster_id: int | None
    cluster_size: int
    cluster_firing: int
    total_clusters: int
    alert: AlertRef | None = None
    confidence: float | None = None
    reason: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the public form, in which every reading of events shows it."""
        document: dict[str, Any] = {
            "seq": self.seq,
            "time": timestamps.render(self.time),
            "type": self.type.value,
            "cluster_id": self.cluster_id,
            "cluster_size": self.cluster_size,
            "cluster_firing": self.cluster_firing,
            "total_clusters": self.total_clusters,
        }
        if self.alert is not None:
            document["alert"] = {
                "fingerprint": self.alert.fingerprint,
                "startsAt": timestamps.render(self.alert.starts_at),
                "labels": dict(self.alert.labels),
            }
        if self.confidence is not None:
            document["confidence"] = self.confidence
        if self.reason:
            document["reason"] = self.reason
        return document | dict(self.detail)
