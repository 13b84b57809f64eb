"""The words of the domain: an alert as received, an episode of it, the inputs of the fold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from receiver.core.habit import Habit

if TYPE_CHECKING:
    from receiver.core.clusters import Cluster
    from receiver.core.past import PastCluster

Vector = NDArray[np.float32]


class Status(StrEnum):
    """What the sender says of an alert."""

    FIRING = "firing"
    RESOLVED = "resolved"


class EpisodeState(StrEnum):
    """Where a firing period stands."""

    OPEN = "open"
    STALE = "stale"
    SUPPRESSED = "suppressed"
    RESOLVED = "resolved"


class Ending(StrEnum):
    """How the end of an episode is known."""

    TOLD = "told"
    """Its sender said so."""
    LAPSED = "lapsed"
    """It came at the very moment until which its sender had vouched for it: silence, not recovery."""
    GONE = "gone"
    """No Alertmanager knew it any more."""


class Outcome(StrEnum):
    """What became of one received alert; the label `outcome` of alerts_received_total."""

    NEW = "new"
    REFRESH = "refresh"
    REOPENED = "reopened"
    SUPERSEDED = "superseded"
    RESOLVED = "resolved"
    STALE = "stale"
    SELF = "self"
    HEARTBEAT = "heartbeat"
    DEAD_LETTER = "dead_letter"


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert of a notification, valid, with the labels that do not identify it taken off.

    Attributes:
        fingerprint: FNV-1a 64 over *labels*, 16 hex digits.
        sender_fingerprint: The same over all labels the sender gave; differs where some were dropped.
        status: Firing or resolved.
        labels: At least one pair, sorted by name.
        annotations: May be empty.
        starts_at: Nanoseconds. Where the sender gave none: when it was received.
        ends_at: Nanoseconds. Of one that fires: until when its sender vouches for it, though it
            tells nothing more. None when the sender gave none, as webhooks do while it fires.
        generator_url: May be empty.
        links: Further addresses the sender gave (silenceURL, dashboardURL, panelURL).
        start_told: Whether the sender of one that fires gave *starts_at*.
    """

    fingerprint: str
    sender_fingerprint: str
    status: Status
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    starts_at: int
    ends_at: int | None = None
    generator_url: str = ""
    links: Mapping[str, str] = field(default_factory=dict)
    start_told: bool = True

    @property
    def is_own(self) -> bool:
        """Whether it is one of Stormcell's own: those are stored and never clustered."""
        return self.labels.get("origin") == "stormcell"


@dataclass(slots=True)
class Episode:
    """One firing period of an alert.

    Attributes:
        id: Never reused; ascends in the order of first sight.
        fingerprint: Whose firing period this is.
        labels: The alert's labels.
        starts_at: Earliest startsAt seen of it, nanoseconds.
        ends_at: When it ended; None until it is resolved.
        state: Open, stale, suppressed or resolved.
        reopen_no: How often the same startsAt had been counted as an episode before.
        after: startsAt of the alert's episode before this one; None if it is not known.
        received_at: First sight by our clock, nanoseconds.
        last_seen: Last sight by our clock, nanoseconds.
        senders: startsAt by sender fingerprint, of those that say it fires. Replicas fold into one
            alert, and each has a startsAt of its own.
        superseded: Ended because a later startsAt arrived, not by a resolve.
        reopened: How often it was opened again after its end.
        flaps: How many episodes of this alert before it ended unseen, in a row.
        habit: How the alert came back before this.
        cluster_id: None if not clustered (our own alerts; resolved before ever seen firing).
        founder: It opened its cluster.
        confidence: Of its assignment, 0 to 1.
        text_id: Its masked text; 0 if it has none.
        vouched_until: The latest time until which a sender vouched for it; None if none did.
        only_vouched: All who told of it said until when: past that, nobody says that it fires.
        listed: An Alertmanager was seen to know it.
        held_until: Until when it counts as suppressed, unless that is found again.
        ending: How its end is known.
    """

    id: int
    fingerprint: str
    labels: Mapping[str, str]
    starts_at: int
    received_at: int
    last_seen: int
    ends_at: int | None = None
    state: EpisodeState = EpisodeState.OPEN
    reopen_no: int = 0
    after: int | None = None
    senders: dict[str, int] = field(default_factory=dict)
    superseded: bool = False
    reopened: int = 0
    flaps: int = 0
    habit: Habit = Habit()
    cluster_id: int | None = None
    founder: bool = False
    confidence: float | None = None
    text_id: int = 0
    vouched_until: int | None = None
    only_vouched: bool = False
    listed: bool = False
    held_until: int = 0
    ending: Ending = Ending.TOLD

    @property
    def fires(self) -> bool:
        """Whether it counts as firing."""
        return self.state is EpisodeState.OPEN

    @property
    def goes_on(self) -> bool:
        """Whether it fires or is suppressed: both are known to go on, and are held in memory."""
        return self.state in (EpisodeState.OPEN, EpisodeState.SUPPRESSED)


@dataclass(frozen=True, slots=True)
class Sighting:
    """Input: an alert was received.

    Attributes:
        time: When it was committed to the inbox, nanoseconds; never falls from input to input.
        alert: What was received.
        text: Its masked text; may be empty where `Engine.needs_text` says no.
        vector: Of *text*, shape (dims,), unit length; None if there is no text, or no vector can be
            had of it and labels and time must do.
    """

    time: int
    alert: Alert
    text: str = ""
    vector: Vector | None = None


@dataclass(frozen=True, slots=True)
class Tick:
    """Input: time has come to *time* (nanoseconds) and nothing else happened."""

    time: int


@dataclass(frozen=True, slots=True)
class Recall:
    """Input: latest episodes of alerts the engine has forgotten, and the clusters they were in.

    Forgetting and recalling change no outcome; they bound memory.

    Attributes:
        episodes: One an alert.
        clusters: Those of the episodes that are over.
        edited: Clusters that are over, whole, of which a command is to follow.
    """

    episodes: Sequence[Episode] = ()
    clusters: Sequence[PastCluster] = ()
    edited: Sequence[Cluster] = ()


@dataclass(frozen=True, slots=True)
class OperatorCommand:
    """Input: an operator's word on one cluster.

    Attributes:
        time: When it was given, nanoseconds.
        cluster_id: Of a cluster that is live or was recalled whole; of any other it is ignored.
        update: Fields to set, as `operator.read_update` gives them.
        undoes: Seq of the event of the command that is taken back by this; 0 if none is. What that
            demanded of alerts holds no more.
        by: Who gave it; empty if nobody knows.
    """

    time: int
    cluster_id: int
    update: Mapping[str, Any]
    undoes: int = 0
    by: str = ""


@dataclass(frozen=True, slots=True)
class Merge:
    """Input: an operator wants two live clusters to be one.

    Attributes:
        time: When it was said, nanoseconds.
        gone: The cluster that ends.
        into: The one that survives.
        named: Fingerprints of members of each; they must be together from now on. The engine
            holds neither all members nor, when the journal is run again, the same ones.
        undoes: As of `OperatorCommand`: of a split, and then nothing is demanded from now on, and later
            merges of *gone* demand nothing of those *named* of it.
        by: As of `OperatorCommand`.
    """

    time: int
    gone: int
    into: int
    named: tuple[Sequence[str], Sequence[str]] = ((), ())
    undoes: int = 0
    by: str = ""


@dataclass(frozen=True, slots=True)
class Member:
    """One episode of a cluster, with what the cluster learned from it; fields as of `Episode`."""

    id: int
    fingerprint: str
    labels: Mapping[str, str]
    starts_at: int
    received_at: int
    state: EpisodeState
    text_id: int
    founder: bool
    confidence: float | None

    @classmethod
    def of(cls, episode: Episode) -> Member:
        """Return *episode* as a member of its cluster."""
        return cls(
            id=episode.id,
            fingerprint=episode.fingerprint,
            labels=episode.labels,
            starts_at=episode.starts_at,
            received_at=episode.received_at,
            state=episode.state,
            text_id=episode.text_id,
            founder=episode.founder,
            confidence=episode.confidence,
        )


@dataclass(frozen=True, slots=True)
class Split:
    """Input: an operator wants some members of a live cluster to be a cluster of their own.

    Attributes:
        time: When it was said, nanoseconds.
        cluster_id: Which.
        members: All of it as they are at *time*, by id: the engine forgets those that fire no more.
        moved: Ids of those that go.
        undoes: As of `OperatorCommand`: of a merge, and then nothing is demanded from now on.
        by: As of `OperatorCommand`.
        into: The live cluster that those that go join at once, where a split is undone; 0 for none.
    """

    time: int
    cluster_id: int
    members: Sequence[Member]
    moved: Sequence[int]
    undoes: int = 0
    by: str = ""
    into: int = 0


@dataclass(frozen=True, slots=True)
class Members:
    """Input: the members of a cluster that `Engine.take_asked` named, for a second look at it.

    Attributes:
        time: When they were read, nanoseconds.
        cluster_id: Which.
        members: All of it as they are at *time*, by id; if the cluster has changed since, nothing happens.
    """

    time: int
    cluster_id: int
    members: Sequence[Member]


@dataclass(frozen=True, slots=True)
class Reconciled:
    """Input: what Alertmanagers were found to know of episodes that go on here, as far as it is news.

    Attributes:
        time: When they were asked, nanoseconds.
        held_until: Until when the *suppressed* ones count as that, unless it is found again.
        active: Fingerprints of those that one of them lists as firing.
        suppressed: Of those that all list as silenced or inhibited, and none as firing.
        gone: Of those that one listed before and none does any more.
    """

    time: int
    held_until: int
    active: Sequence[str] = ()
    suppressed: Sequence[str] = ()
    gone: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Resumed:
    """Input: nothing could be received for a while, so that silence proves nothing.

    Attributes:
        time: Nanoseconds.
        until: Before that nothing goes stale, nor ceases to be suppressed: all have time to be told again.
    """

    time: int
    until: int


Command = OperatorCommand | Merge | Split
Input = Sighting | Tick | Recall | Members | Reconciled | Resumed | Command
