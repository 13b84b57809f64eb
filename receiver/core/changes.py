"""What passes between the engine and a store: changes out, all of them back at the next start."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from receiver.core import companions, kinds
from receiver.core.clusters import Cluster
from receiver.core.constraints import Constraint
from receiver.core.model import Alert, Episode, Vector
from receiver.core.past import PastCluster


@dataclass(frozen=True, slots=True)
class Text:
    """A masked text and its vector, under the id that episodes refer to."""

    id: int
    digest: bytes
    text: str
    vector: Vector


@dataclass(slots=True)
class Counters:
    """Numbers that only grow and survive restarts.

    Attributes:
        seq: Of the latest event.
        episode_id, cluster_id, text_id, storm_id: Drawn last; never reused.
        moved_no: Assignments, merges and splits so far.
        clock: Latest time of any input, nanoseconds.
        heartbeat_at: When the heartbeat was last received firing, nanoseconds; 0 for never.
        outcomes: Alerts received, by `status.outcome`.
        heartbeats: Until when the word of heartbeats holds; see `quiet`.
        lenient_until: Before that silence proves nothing; see `Resumed`.
    """

    seq: int = 0
    episode_id: int = 0
    cluster_id: int = 0
    text_id: int = 0
    storm_id: int = 0
    moved_no: int = 0
    clock: int = 0
    heartbeat_at: int = 0
    outcomes: dict[str, int] = field(default_factory=dict)
    heartbeats: dict[str, int] = field(default_factory=dict)
    lenient_until: int = 0


@dataclass(frozen=True, slots=True)
class Merged:
    """All episodes of the cluster *gone* are now of *into*; *seq* is that of the event that told it.

    They are no part any more of what the merges *released* (seqs) moved.
    """

    seq: int
    gone: int
    into: int
    released: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class Moved:
    """These *episodes*, ids, are now of the cluster *into*.

    If an operator split them off, *seq* is that of the event that told it, and *stayed* are the ids of
    the others; else it is 0. What the merges *released* (seqs) moved they are no part of any more.
    """

    episodes: Sequence[int]
    into: int
    seq: int = 0
    stayed: Sequence[int] = ()
    released: Sequence[int] = ()


@dataclass(slots=True)
class Changes:
    """What a store must write so that it agrees with the engine.

    Attributes:
        regrouped: Episodes that changed their cluster, in order, and before `episodes` are written;
            many of them are not in memory.
        episodes: New or changed.
        ended: Episodes known only by their resolve; where the store has one of the same alert,
            startsAt and reopen_no, only its end is moved to this one's.
        whys: The terms of the decision, as kept for people, of each episode that was assigned, by its id.
        told: What was last said of an episode, by its id: annotations, addresses.
        heartbeats: Labels of heartbeats received, by fingerprint; the journal names alerts by it.
        clusters: New or changed.
        texts: New.
        used_texts: (id, when) of texts used, in that order.
        forgotten_texts: Ids of texts whose vector is held no more.
        label_counts, labels_forgotten: See `LabelFrequencies.changes`.
        kinds, kinds_forgotten: See `Kinds.changes`.
        companions, companions_forgotten: See `Companions.changes`.
        storms: New or changed, in the order of their ids, as the public sees them.
        storm_memory: What `Storms.restore` wants, as JSON by key; only the keys that changed.
        constraints, lifted: See `Constraints.changes`.
        counters: As they stand.
    """

    counters: Counters
    regrouped: list[Merged | Moved] = field(default_factory=list)
    episodes: list[Episode] = field(default_factory=list)
    ended: list[Episode] = field(default_factory=list)
    whys: dict[int, Mapping[str, Any]] = field(default_factory=dict)
    told: dict[int, Alert] = field(default_factory=dict)
    heartbeats: dict[str, Mapping[str, str]] = field(default_factory=dict)
    clusters: list[Cluster] = field(default_factory=list)
    texts: list[Text] = field(default_factory=list)
    used_texts: list[tuple[int, int]] = field(default_factory=list)
    forgotten_texts: list[int] = field(default_factory=list)
    label_counts: list[tuple[str, float, int]] = field(default_factory=list)
    labels_forgotten: list[str] = field(default_factory=list)
    kinds: list[kinds.Row] = field(default_factory=list)
    kinds_forgotten: list[str] = field(default_factory=list)
    companions: list[companions.Row] = field(default_factory=list)
    companions_forgotten: list[int] = field(default_factory=list)
    storms: list[dict[str, Any]] = field(default_factory=list)
    storm_memory: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    constraints: list[Constraint] = field(default_factory=list)
    lifted: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Restored:
    """What a store gives back: all that `Engine.restore` needs.

    Attributes:
        counters: As last committed.
        episodes: The open ones.
        clusters: Live ones, ascending by `moved_no`; exemplars with vectors.
        texts: (id, digest, when used) of those held, the longest unused first, and their vectors
            beside them.
        label_counts: See `LabelFrequencies.restore`.
        kinds: See `Kinds.restore`.
        companions: See `Companions.restore`.
        past: Clusters that are over, the first to end first; the latest, as many as are wanted.
        assignments: See `Stability.restore`.
        storm_memory: The latest of each key of `Changes.storm_memory`.
        constraints: Those that hold, the oldest first.
    """

    counters: Counters
    episodes: Sequence[Episode] = ()
    clusters: Sequence[Cluster] = ()
    texts: Sequence[tuple[int, bytes, int]] = ()
    vectors: NDArray[np.float32] | None = None
    label_counts: Iterable[tuple[str, float, int]] = ()
    kinds: Iterable[kinds.Row] = ()
    companions: Iterable[companions.Row] = ()
    past: Sequence[PastCluster] = ()
    assignments: Iterable[tuple[int, bool, float]] = ()
    storm_memory: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    constraints: Iterable[Constraint] = ()
