"""The tables of the fold, the events of a step, and the log of what a store has yet to write.

Nothing is decided in here. Who decides is handed the state, changes it, and says so: an event by
`emit`, an episode by `touch`, a cluster by `touch_cluster`. The tables of which a class has its own file
know by themselves what changed in them; the others have it in `changed`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from receiver.core.changes import Changes, Counters, Merged, Moved, Restored
from receiver.core.clusters import Cluster
from receiver.core.companions import Companions
from receiver.core.constraints import Constraints
from receiver.core.core_settings import CoreSettings
from receiver.core.evolution import AlertRef, Event, EventType
from receiver.core.index import VectorIndex
from receiver.core.kinds import Kinds
from receiver.core.labels import LabelFrequencies
from receiver.core.live import LiveClusters
from receiver.core.model import Alert, Episode, Recall
from receiver.core.past import PastCluster, PastClusters
from receiver.core.stability import Stability
from receiver.core.storms import Storms
from receiver.core.texts import Texts
from receiver.core.timers import Timers
from receiver.core.timestamps import nanoseconds


@dataclass(slots=True)
class Changed:
    """What a store has yet to write of episodes and clusters; fields as of `Changes`, some by id."""

    episodes: dict[int, Episode] = field(default_factory=dict)
    clusters: dict[int, Cluster] = field(default_factory=dict)
    regrouped: list[Merged | Moved] = field(default_factory=list)
    ended: list[Episode] = field(default_factory=list)
    whys: dict[int, Mapping[str, Any]] = field(default_factory=dict)
    told: dict[int, Alert] = field(default_factory=dict)
    heartbeats: dict[str, Mapping[str, str]] = field(default_factory=dict)


class State:
    """All state of one partition.

    Attributes:
        settings: What steers the fold; never changes.
        counters: Ids drawn, the clock, outcomes.
        live: Clusters that are going on.
        texts, frequencies, companions, kinds: What was learned of texts, label values, company and
            alert names.
        past: Clusters that are over and may recur.
        constraints: What operators said.
        stability, storms: Figures of the stream.
        timers: What time alone will bring.
        episodes: The latest of each alert that goes on, or was heard of since the last `forget`.
        flapping: Fingerprints of alerts that flap.
        resting: Fingerprints of those that `forget` may let go.
        past_held, over_held: Clusters over since the last `forget`, and those recalled: what is kept of
            them for good, and whole. By id.
        changed: What a store has yet to write.
        events: What happened in this step so far.
    """

    def __init__(
        self, settings: CoreSettings, dims: int, make_index: Callable[[int], VectorIndex]
    ) -> None:
        """Start empty, for vectors of *dims* components, kept in what *make_index* makes."""
        clustering, memory = settings.clustering, settings.memory
        self.settings = settings
        self.counters = Counters()
        self.live = LiveClusters(make_index(dims))
        self.texts = Texts(
            make_index(dims), memory.max_vectors, memory.retention_days, self.live.uses
        )
        self.stability = Stability(clustering.stability_window)
        self.storms = Storms(settings.storms)
        self.frequencies = LabelFrequencies(memory.max_label_values)
        self.companions = Companions(memory.max_companions)
        self.constraints = Constraints(clustering.max_linked_alerts)
        self.past = PastClusters(memory.max_past_clusters, make_index(dims))
        self.kinds = Kinds(memory.max_alert_names, nanoseconds(clustering.novel_after))
        self.timers = Timers()
        self.episodes: dict[str, Episode] = {}
        self.flapping: set[str] = set()
        self.resting: set[str] = set()
        self.past_held: dict[int, PastCluster] = {}
        self.over_held: dict[int, Cluster] = {}
        self.changed = Changed()
        self.events: list[Event] = []

    # -- what all ask ----------------------------------------------------------------------------

    @property
    def now(self) -> int:
        """The fold's clock, nanoseconds: the latest time of any input."""
        return self.counters.clock

    def going_on(self, fingerprint: str) -> Episode | None:
        """Return the episode of *fingerprint* that goes on, if one does."""
        episode = self.episodes.get(fingerprint)
        return episode if episode is not None and episode.goes_on else None

    def cluster_of(self, episode: Episode) -> Cluster | None:
        """Return the cluster of *episode*, if it is live."""
        return None if episode.cluster_id is None else self.live.by_id.get(episode.cluster_id)

    def cluster(self, cluster_id: int) -> Cluster | None:
        """Return the cluster, if it is live or was recalled whole."""
        return self.live.by_id.get(cluster_id) or self.over_held.get(cluster_id)

    # -- what all say ----------------------------------------------------------------------------

    def come_to(self, time: int) -> None:
        """Let the clock be *time*, unless it is later: time never falls."""
        if time > self.counters.clock:
            self.counters.clock = time

    def touch(self, episode: Episode) -> None:
        """Have *episode*, which changed, written."""
        self.changed.episodes[episode.id] = episode

    def touch_cluster(self, cluster: Cluster) -> None:
        """Have *cluster*, which changed, written."""
        self.changed.clusters[cluster.id] = cluster

    def emit(
        self,
        kind: EventType,
        cluster: Cluster | None,
        episode: Episode | None = None,
        *,
        confidence: float | None = None,
        reason: str = "",
        **detail: Any,
    ) -> None:
        """Tell that *kind* happened now; arguments as the fields of `Event`.

        Args:
            kind: What happened.
            cluster: To which cluster, if it is held whole; it is then written too.
            episode: Of which episode it speaks, if of one.
            confidence: Of an assignment, 0 to 1.
            reason: Why, for people.
            detail: What only this type has.
        """
        counters = self.counters
        counters.seq += 1
        alert, cluster_id, size, firing = None, None, 0, 0
        if cluster is not None:
            cluster_id, size, firing = cluster.id, cluster.size, cluster.firing
            cluster.updated_at = counters.clock
            self.changed.clusters[cluster.id] = cluster
        elif episode is not None and episode.cluster_id is not None:
            cluster_id = episode.cluster_id
            size = self.past_held[cluster_id].size if cluster_id in self.past_held else 0
        if episode is not None:
            alert = AlertRef(episode.id, episode.fingerprint, episode.starts_at, episode.labels)
        self.events.append(
            Event(
                seq=counters.seq,
                time=counters.clock,
                type=kind,
                cluster_id=cluster_id,
                cluster_size=size,
                cluster_firing=firing,
                total_clusters=len(self.live),
                alert=alert,
                confidence=confidence,
                reason=reason,
                detail=detail,
            )
        )

    # -- to and from a store ---------------------------------------------------------------------

    def take_events(self) -> list[Event]:
        """Return what happened since the last call."""
        happened, self.events = self.events, []
        return happened

    def drain(self) -> Changes:
        """Return what changed since the last call."""
        label_counts, labels_forgotten = self.frequencies.changes()
        texts, used_texts, forgotten_texts = self.texts.changes()
        kinds, kinds_forgotten = self.kinds.changes()
        companions, companions_forgotten = self.companions.changes()
        storms, storm_memory = self.storms.changes(self.live.by_id)
        constraints, lifted = self.constraints.changes()
        changed, self.changed = self.changed, Changed()
        return Changes(
            counters=replace(
                self.counters,
                outcomes=dict(self.counters.outcomes),
                heartbeats=dict(self.counters.heartbeats),
            ),
            regrouped=changed.regrouped,
            episodes=list(changed.episodes.values()),
            ended=changed.ended,
            whys=changed.whys,
            told=changed.told,
            heartbeats=changed.heartbeats,
            clusters=list(changed.clusters.values()),
            texts=texts,
            used_texts=used_texts,
            forgotten_texts=forgotten_texts,
            label_counts=label_counts,
            labels_forgotten=labels_forgotten,
            kinds=kinds,
            kinds_forgotten=kinds_forgotten,
            companions=companions,
            companions_forgotten=companions_forgotten,
            storms=storms,
            storm_memory=storm_memory,
            constraints=constraints,
            lifted=lifted,
        )

    def forget(self) -> None:
        """Let go of episodes and clusters that are over; `recall` brings them back."""
        for fingerprint in self.resting:
            if not self.episodes[fingerprint].goes_on:
                del self.episodes[fingerprint]
        self.resting.clear()
        self.past_held.clear()
        self.over_held.clear()

    def recall(self, recall: Recall) -> None:
        """Hold again what was forgotten."""
        for episode in recall.episodes:
            self.episodes.setdefault(episode.fingerprint, episode)
            self.resting.add(episode.fingerprint)
        for cluster_over in recall.clusters:
            self.past_held[cluster_over.id] = cluster_over
        for cluster in recall.edited:
            self.over_held[cluster.id] = cluster

    def restore(self, restored: Restored) -> None:
        """Become the state that *restored* was written of, timers left out; only for an empty one."""
        self.counters = restored.counters
        self.texts.restore(restored.texts, restored.vectors)
        for cluster in restored.clusters:
            self.live.add(cluster)
        for episode in restored.episodes:
            self.episodes[episode.fingerprint] = episode
        self.frequencies.restore(restored.label_counts)
        self.kinds.restore(restored.kinds)
        self.companions.restore(restored.companions)
        self.past.restore(restored.past)
        self.stability.restore(restored.assignments)
        self.storms.restore(restored.storm_memory)
        self.constraints.restore(restored.constraints)
