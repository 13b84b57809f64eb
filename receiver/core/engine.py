"""The fold: inputs in, events out. `Engine.step` is the whole of what Stormcell decides.

Rule 1: nothing in here reads a clock, draws a number, or speaks to the world; each input brings its
time. Rule 2: how inputs are cut into batches changes nothing. Rule 3: every change is an event or is
in `drain`, so that a store can keep up and `restore` gives the same state back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from receiver.core import (
    episodes,
    evidence,
    heartbeat,
    looks,
    past,
    quiet,
    regroup,
    severity,
    titles,
    titling,
)
from receiver.core.changes import Changes, Counters, Merged, Moved, Restored
from receiver.core.clusters import Cluster, ClusteringSettings, ClusterState
from receiver.core.companions import Companions
from receiver.core.constraints import Constraint, Constraints, Kind
from receiver.core.episodes import Action
from receiver.core.errors import Conflict, NotFound, StormcellError
from receiver.core.evidence import rarity, telling
from receiver.core.evolution import AlertRef, Event, EventType
from receiver.core.explain import Placement, explain, sentence
from receiver.core.habit import Habit
from receiver.core.heartbeat import HeartbeatSettings
from receiver.core.identity import IdentitySettings
from receiver.core.index import IndexSettings, VectorIndex
from receiver.core.kinds import Kinds
from receiver.core.labels import LabelFrequencies, tokens
from receiver.core.live import LiveClusters
from receiver.core.memory import MemorySettings
from receiver.core.model import (
    Alert,
    Command,
    Ending,
    Episode,
    EpisodeState,
    Input,
    Member,
    Members,
    Merge,
    OperatorCommand,
    Outcome,
    Recall,
    Reconciled,
    Resumed,
    Sighting,
    Split,
    Status,
    Vector,
)
from receiver.core.past import PastCluster, PastClusters
from receiver.core.placing import Newcomer, Placing
from receiver.core.severity import SeveritySettings
from receiver.core.spread import Spread
from receiver.core.stability import Stability
from receiver.core.storms import Storms, StormSettings
from receiver.core.texts import Texts
from receiver.core.timers import Timers
from receiver.core.timestamps import SECOND, nanoseconds

_FLAP_WINDOW = 600 * SECOND
"""Nanoseconds; an alert that fires again within two group_intervals of its end has flapped."""

_FLAPPING = 2
"""Flaps in a row that make an alert a flapping one: the third firing in short order."""


@dataclass(frozen=True)
class CoreSettings:
    """The settings that steer the core."""

    identity: IdentitySettings = IdentitySettings()
    severity: SeveritySettings = SeveritySettings()
    heartbeat: HeartbeatSettings = HeartbeatSettings()
    index: IndexSettings = IndexSettings()
    clustering: ClusteringSettings = ClusteringSettings()
    storms: StormSettings = StormSettings()
    memory: MemorySettings = MemorySettings()


class Engine:
    """All state of one partition, and the step that moves it."""

    def __init__(
        self,
        settings: CoreSettings,
        dims: int,
        make_index: Callable[[int], VectorIndex] = VectorIndex,
    ) -> None:
        """Start empty, for vectors of *dims* components, kept in what *make_index* makes."""
        self.settings = settings
        self.counters = Counters()
        self.live = LiveClusters(make_index(dims))
        self.texts = Texts(make_index(dims), settings.memory.max_vectors, self.live.uses)
        self.stability = Stability(settings.clustering.stability_window)
        self.storms = Storms(settings.storms)
        self.frequencies = LabelFrequencies(settings.memory.max_label_values)
        self.companions = Companions(settings.memory.max_companions)
        self.constraints = Constraints(settings.clustering.max_linked_alerts)
        self.past = PastClusters(settings.memory.max_past_clusters, make_index(dims))
        self.kinds = Kinds(
            settings.memory.max_alert_names, nanoseconds(settings.clustering.novel_after)
        )
        self._placing = Placing(
            settings.clustering,
            neighbors=settings.index.neighbors,
            severity_label=settings.severity.label,
            live=self.live,
            frequencies=self.frequencies,
            companions=self.companions,
            constraints=self.constraints,
        )
        self.episodes: dict[str, Episode] = {}
        self.flapping: set[str] = set()
        self._resting: set[str] = set()
        self._past: dict[int, PastCluster] = {}
        self._over: dict[int, Cluster] = {}
        self._heartbeat = settings.heartbeat.parsed()
        self._timers = Timers()
        self._events: list[Event] = []
        self._changed_episodes: dict[int, Episode] = {}
        self._told: dict[int, Alert] = {}
        self._heartbeats: dict[str, Mapping[str, str]] = {}
        self._ended: list[Episode] = []
        self._changed_clusters: dict[int, Cluster] = {}
        self._regrouped: list[Merged | Moved] = []
        self._asked: list[int] = []

    # -- what the caller asks before a step ------------------------------------------------------

    def needs_text(self, alert: Alert) -> bool:
        """Whether *alert* may have to be clustered by its text; False for most repeats."""
        if alert.status is Status.RESOLVED or self._is_apart(alert):
            return False
        known = self.episodes.get(alert.fingerprint)
        return known is None or known.senders.get(alert.sender_fingerprint) != alert.starts_at

    def vector_of_text(self, text: str) -> Vector | None:
        """Return the vector of *text*, shape (dims,); None if it is not held."""
        return self.texts.vector(self.texts.id_of(text))

    def text_id(self, text: str) -> int:
        """Return the id of *text*; 0 if its vector is not held."""
        return self.texts.id_of(text)

    def habit_of(self, fingerprint: str, onset: int) -> Habit:
        """Return how the alert *fingerprint* comes back that would fire at *onset*, if it is held."""
        before = self.episodes.get(fingerprint)
        return Habit() if before is None else self._habit_after(before, onset)

    def remembers(self, fingerprint: str) -> bool:
        """Whether the latest episode of *fingerprint* is held; else the caller gives a `Recall`."""
        return fingerprint in self.episodes

    def next_due(self) -> int | None:
        """Return when time alone will next change something, nanoseconds; None for never."""
        return self._timers.next_due()

    def take_asked(self) -> list[int]:
        """Return ids of clusters of which `Members` are wanted, since the last call.

        The engine does not hold members. One that is not answered is asked for again when the cluster
        has doubled.
        """
        asked, self._asked = self._asked, []
        return asked

    # -- the fold --------------------------------------------------------------------------------

    def step(self, inputs: Iterable[Input]) -> list[Event]:
        """Take in *inputs*, in order, and return what happened.

        An input whose time lies before the clock counts as of the clock: time never falls.
        """
        for item in inputs:
            if isinstance(item, Sighting):
                self._advance(item.time - 1)
                self.counters.clock = max(self.counters.clock, item.time)
                self._sight(item)
            elif isinstance(item, Command):
                self._advance(item.time)
                self._obey(item)
            elif isinstance(item, Recall):
                self._recall(item)
            elif isinstance(item, Members):
                self._advance(item.time)
                self.counters.clock = max(self.counters.clock, item.time)
                self._look_into(item)
            elif isinstance(item, Reconciled):
                self._advance(item.time)
                self.counters.clock = max(self.counters.clock, item.time)
                self._reconcile(item)
            elif isinstance(item, Resumed):
                self.counters.lenient_until = max(self.counters.lenient_until, item.until)
                self._advance(item.time)
            else:
                self._advance(item.time)
        happened, self._events = self._events, []
        return happened

    def drain(self) -> Changes:
        """Return what changed since the last call."""
        label_counts, labels_forgotten = self.frequencies.changes()
        texts, used_texts, forgotten_texts = self.texts.changes()
        kinds, kinds_forgotten = self.kinds.changes()
        companions, companions_forgotten = self.companions.changes()
        storms, storm_memory = self.storms.changes(self.live.by_id)
        constraints, lifted = self.constraints.changes()
        changes = Changes(
            counters=replace(
                self.counters,
                outcomes=dict(self.counters.outcomes),
                heartbeats=dict(self.counters.heartbeats),
            ),
            regrouped=self._regrouped,
            episodes=list(self._changed_episodes.values()),
            ended=self._ended,
            told=self._told,
            heartbeats=self._heartbeats,
            clusters=list(self._changed_clusters.values()),
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
        self._regrouped = []
        self._changed_episodes, self._ended, self._changed_clusters = {}, [], {}
        self._told, self._heartbeats = {}, {}
        return changes

    def forget(self) -> None:
        """Let go of episodes that are over; `Recall` brings them back when they are needed."""
        for fingerprint in self._resting:
            if not self.episodes[fingerprint].goes_on:
                del self.episodes[fingerprint]
        self._resting.clear()
        self._past.clear()
        self._over.clear()

    def restore(self, restored: Restored) -> None:
        """Become the engine that *restored* was written by; only for an empty engine."""
        self.counters = restored.counters
        self.texts.restore(restored.texts, restored.vectors)
        for cluster in restored.clusters:
            self.live.add(cluster)
            # Something may be due at this very moment, or since long by settings that changed.
            self._timers.set_cluster(cluster.id, self.counters.clock)
        for episode in restored.episodes:
            self.episodes[episode.fingerprint] = episode
            self._note_flap(episode)
            self._arm_stale(episode)
        self.frequencies.restore(restored.label_counts)
        self.kinds.restore(restored.kinds)
        self.companions.restore(restored.companions)
        self.past.restore(restored.past)
        self.stability.restore(restored.assignments)
        self.storms.restore(restored.storm_memory)
        self.constraints.restore(restored.constraints)
        self._arm_storm()

    # -- sightings -------------------------------------------------------------------------------

    def _is_apart(self, alert: Alert) -> bool:
        """Whether *alert* is never clustered: our own would feed the storm they tell of."""
        return is_self(alert) or heartbeat.is_heartbeat(alert.labels, self._heartbeat)

    def _sight(self, sighting: Sighting) -> None:
        alert, now = sighting.alert, self.counters.clock
        self.storms.hear(now)
        if heartbeat.is_heartbeat(alert.labels, self._heartbeat):
            if alert.status is Status.FIRING:
                self.counters.heartbeat_at = now
            ended = quiet.hear(self.counters.heartbeats, alert, now)
            if ended is not None:
                self._doubt_all(ended)
            self._heartbeats[alert.fingerprint] = alert.labels
            self._count(alert, Outcome.HEARTBEAT)
            return
        known = self.episodes.get(alert.fingerprint)
        action, outcome = episodes.decide(known, alert, now)
        self._count(alert, Outcome.SELF if is_self(alert) else outcome)
        if action is Action.RECORD:
            self._record_ended(alert, now, known)
        elif known is None:
            self._open(sighting)
        elif action is Action.OPEN:
            self._open(sighting, after=known)
        elif action is Action.REFRESH:
            self._refresh(known, sighting)
        elif action is Action.SUPERSEDE:
            self._supersede(known, sighting)
        elif action is Action.REOPEN:
            self._reopen(known, sighting)
        elif action is Action.RESOLVE:
            end = episodes.end_of(alert, now)
            self._end(known, end, "", ending=episodes.ended_by(known, end))
        elif action is Action.PROLONG:
            episodes.prolong(known, episodes.end_of(alert, now))
            self._changed_episodes[known.id] = known
        if action not in (Action.IGNORE, Action.RECORD):
            self._told[self.episodes[alert.fingerprint].id] = alert

    def _count(self, alert: Alert, outcome: Outcome) -> None:
        key = f"{alert.status}.{outcome}"
        self.counters.outcomes[key] = self.counters.outcomes.get(key, 0) + 1

    def _new_episode(self, alert: Alert) -> Episode:
        self.counters.episode_id += 1
        now = self.counters.clock
        return Episode(
            id=self.counters.episode_id,
            fingerprint=alert.fingerprint,
            labels=alert.labels,
            starts_at=alert.starts_at,
            received_at=now,
            last_seen=now,
        )

    def _open(
        self, sighting: Sighting, *, after: Episode | None = None, again: Episode | None = None
    ) -> None:
        """Open an episode.

        Args:
            sighting: What tells of it.
            after: The alert's episode before, if it is known.
            again: The episode that this one repeats under the same startsAt, its cluster being over.
        """
        alert = sighting.alert
        episode = self._new_episode(alert)
        episode.senders = {alert.sender_fingerprint: alert.starts_at}
        episode.vouched_until, episode.only_vouched = alert.ends_at, alert.ends_at is not None
        vector: Vector | None = None
        if again is not None:
            # The same firing period, counted again: episodes of an alert are in the order of
            # startsAt and reopen_no, whatever an earlier startsAt a second sender gives now.
            episode.starts_at = again.starts_at
            episode.reopen_no = again.reopen_no + 1
            vector = self.texts.vector(again.text_id)
            episode.text_id = again.text_id if vector is not None else 0
        before = after or again
        if before is not None:
            # A repeat under the same startsAt is as old as the episode it repeats.
            episode.after = before.after if again is not None else before.starts_at
            episode.habit = self._habit_after(before, episode.starts_at)
        if before is not None and flaps_after(before, self.counters.clock):
            episode.flaps = before.flaps + 1
        if not episode.text_id and not is_self(alert):
            episode.text_id, vector = self.texts.learn(
                sighting.text, sighting.vector, self._new_text_id
            )
        self.episodes[alert.fingerprint] = episode
        self._changed_episodes[episode.id] = episode
        self._note_flap(episode)
        self._arm_stale(episode)
        if not is_self(alert):
            self._assign(episode, vector, recurs=again)
            self._watch(episode, before)

    def _habit_after(self, before: Episode, onset: int) -> Habit:
        """Return how an alert came back that fires anew at *onset*, *before* being its last episode."""
        if onset <= before.starts_at:
            # The same firing period, counted again, is no return.
            return before.habit
        was: Cluster | PastCluster | None = self._cluster_of(before)
        if was is None:
            was = self._past.get(before.cluster_id or 0)
        alone = was is not None and was.only == before.fingerprint
        return before.habit.after(onset - before.starts_at, alone=alone)

    def _record_ended(self, alert: Alert, now: int, known: Episode | None) -> None:
        """Keep an episode of which only the end was told: nothing to cluster, nothing that fires."""
        episode = self._new_episode(alert)
        episode.state = EpisodeState.RESOLVED
        episode.ends_at = max(alert.starts_at, episodes.end_of(alert, now))
        self._ended.append(episode)
        self._told[episode.id] = alert
        if known is not None:
            known.after = max(alert.starts_at, known.after or alert.starts_at)
            self._changed_episodes[known.id] = known
            return
        self.episodes[alert.fingerprint] = episode
        self._resting.add(episode.fingerprint)
        if not is_self(alert):
            self._emit(EventType.ALERT_RESOLVED, None, episode, reason="it was never seen to fire")

    def _refresh(self, known: Episode, sighting: Sighting) -> None:
        if known.state is EpisodeState.STALE:
            self._wake(known, sighting)
            return
        self._note_sender(known, sighting.alert)

    def _note_sender(self, known: Episode, alert: Alert) -> None:
        started = known.starts_at
        episodes.note_sender(known, alert)
        known.last_seen = self.counters.clock
        self._changed_episodes[known.id] = known
        self.kinds.see(known.labels.get("alertname", ""), known.last_seen)
        cluster = self._cluster_of(known)
        if cluster is not None and known.starts_at < started:
            onset = min(known.starts_at, known.received_at)
            told = tokens(known.labels, self.settings.severity.label)
            cluster.start_earlier(onset, told, known.fingerprint, known.labels)
            self._changed_clusters[cluster.id] = cluster

    def _wake(self, known: Episode, sighting: Sighting) -> None:
        """A stale episode is heard of again: it fired all along."""
        if known.cluster_id is not None and self._cluster_of(known) is None:
            known.superseded = True
            self._end(known, self.counters.clock, "its cluster was over when it was heard of again")
            self._open(sighting, again=known)
            return
        self._note_sender(known, sighting.alert)
        self._revive(known, "heard of again after it was stale")

    def _supersede(self, known: Episode, sighting: Sighting) -> None:
        known.superseded = True
        cluster = self._cluster_of(known)
        reason = "its resolve was never told; a later firing was"
        # Settled once, after both: a flap must not look like a recovery in between.
        self._end(known, sighting.alert.starts_at, reason, settle=False)
        self._open(sighting, after=known)
        cluster = self._cluster_of(known)
        if cluster is not None:
            self._settle(cluster)

    def _reopen(self, known: Episode, sighting: Sighting) -> None:
        cluster = self._cluster_of(known)
        if not is_self(sighting.alert) and (cluster is None or not cluster.accepting):
            self._open(sighting, again=known)
            return
        known.senders = {}
        episodes.note_sender(known, sighting.alert)
        known.ends_at = None
        episodes.note_word(known, sighting.alert)
        known.last_seen = self.counters.clock
        known.reopened += 1
        self._revive(known, "the same startsAt fires again")

    def _revive(self, episode: Episode, reason: str) -> None:
        """Make *episode*, resolved or stale, open again in its cluster."""
        was = episode.state
        episode.state, episode.ending = EpisodeState.OPEN, Ending.TOLD
        self._changed_episodes[episode.id] = episode
        self._note_flap(episode)
        self._arm_stale(episode)
        cluster = self._cluster_of(episode)
        if cluster is None:
            return
        self._recount(cluster, episode, was)
        cluster.idle_since = cluster.quiet_at = None
        self._rate(cluster)
        self._emit(EventType.ALERT_REOPENED, cluster, episode, reason=reason)
        self._settle(cluster)

    def _end(
        self,
        episode: Episode,
        ends_at: int,
        reason: str,
        *,
        ending: Ending = Ending.TOLD,
        settle: bool = True,
    ) -> None:
        """Resolve *episode*, which is not resolved yet."""
        was = episode.state
        episode.state, episode.ending = EpisodeState.RESOLVED, ending
        episode.ends_at = max(ends_at, episode.starts_at)
        episode.senders = {}
        episode.last_seen = self.counters.clock
        self._changed_episodes[episode.id] = episode
        self._resting.add(episode.fingerprint)
        self.flapping.discard(episode.fingerprint)
        doubt = self._doubt(episode, episode.ends_at, told=ending is not Ending.LAPSED)
        reason = reason or ("" if doubt is None else quiet.sentence(doubt))
        cluster = self._leave(episode, EventType.ALERT_RESOLVED, reason, was)
        if cluster is not None and settle:
            self._settle(cluster)

    def _recount(self, cluster: Cluster, episode: Episode, was: EpisodeState) -> None:
        """Count *episode* of *cluster*, which *was* in another state, in the one in which it is."""
        told = severity.of(episode.labels, self.settings.severity)
        cluster.count(was, told, -1)
        cluster.count(episode.state, told, 1)

    def _leave(
        self, episode: Episode, kind: EventType, reason: str, was: EpisodeState
    ) -> Cluster | None:
        """Let the cluster of *episode*, if it is live, know that it goes on no more; return it."""
        cluster = self._cluster_of(episode)
        if cluster is None:
            if episode.cluster_id is not None:
                self._emit(kind, None, episode, reason=reason)
            return None
        self._recount(cluster, episode, was)
        cluster.member_resolved_at = self.counters.clock
        cluster.ended = past.ending(
            cluster,
            episode.labels,
            resolved=kind is EventType.ALERT_RESOLVED,
            severity_label=self.settings.severity.label,
        )
        if not cluster.goes_on and cluster.idle_since is None:
            cluster.idle_since = self.counters.clock
        self._rate(cluster)
        self._emit(kind, cluster, episode, reason=reason)
        return cluster

    def _recall(self, recall: Recall) -> None:
        for episode in recall.episodes:
            self.episodes.setdefault(episode.fingerprint, episode)
            self._resting.add(episode.fingerprint)
        for cluster_over in recall.clusters:
            self._past[cluster_over.id] = cluster_over
        for cluster in recall.edited:
            self._over[cluster.id] = cluster

    def _new_text_id(self) -> int:
        self.counters.text_id += 1
        return self.counters.text_id

    # -- what others know, and what nobody says any more ------------------------------------------

    def _reconcile(self, item: Reconciled) -> None:
        """Take over what Alertmanagers, asked, know of episodes that go on."""
        for fingerprint in item.active:
            episode = self._going_on(fingerprint)
            if episode is not None:
                episode.listed, episode.only_vouched = True, False
                episode.last_seen = self.counters.clock
                self._changed_episodes[episode.id] = episode
                if episode.state is EpisodeState.SUPPRESSED:
                    self._unsuppress(episode, "neither silenced nor inhibited any more")
        for fingerprint in item.suppressed:
            episode = self._going_on(fingerprint)
            if episode is not None:
                self._suppress(episode, item.held_until)
        for fingerprint in item.gone:
            episode = self._going_on(fingerprint)
            if episode is not None:
                self._end(
                    episode, item.time, "no Alertmanager knows it any more", ending=Ending.GONE
                )

    def _going_on(self, fingerprint: str) -> Episode | None:
        episode = self.episodes.get(fingerprint)
        return episode if episode is not None and episode.goes_on else None

    def _suppress(self, episode: Episode, held_until: int) -> None:
        """Let *episode* count as suppressed until *held_until*."""
        was = episode.state
        episode.state, episode.held_until = EpisodeState.SUPPRESSED, held_until
        episode.listed, episode.last_seen = True, self.counters.clock
        self._changed_episodes[episode.id] = episode
        self._arm_stale(episode)
        if was is not EpisodeState.SUPPRESSED:
            self.flapping.discard(episode.fingerprint)
            self._restate(episode, was, EventType.ALERT_SUPPRESSED, "silenced or inhibited")

    def _unsuppress(self, episode: Episode, reason: str) -> None:
        was = episode.state
        episode.state, episode.held_until = EpisodeState.OPEN, 0
        # From now on it must be heard of as others are; until now it could not be.
        episode.last_seen, episode.only_vouched = self.counters.clock, False
        self._changed_episodes[episode.id] = episode
        self._note_flap(episode)
        self._arm_stale(episode)
        self._restate(episode, was, EventType.ALERT_UNSUPPRESSED, reason)

    def _restate(self, episode: Episode, was: EpisodeState, kind: EventType, reason: str) -> None:
        """Tell that *episode*, which goes on, *was* in another state."""
        cluster = self._cluster_of(episode)
        if cluster is not None:
            self._recount(cluster, episode, was)
            self._rate(cluster)
            self._emit(kind, cluster, episode, reason=reason)
            self._settle(cluster)

    def _doubt(self, episode: Episode, end: int, *, told: bool) -> int | None:
        """Return by when the source of *episode*, which ended at *end*, had gone quiet, if it may have.

        Its cluster remembers it. *told*: its sender told that end, and not only by its silence.
        """
        at = quiet.explanation(self.counters.heartbeats, end, self.counters.clock) if told else end
        cluster = self._cluster_of(episode)
        if cluster is not None:
            cluster.last_end = max(cluster.last_end, end)
            cluster.quiet_at = at if at is not None else cluster.quiet_at
        return at

    def _doubt_all(self, ran_out: int) -> None:
        """A heartbeat ended at *ran_out*: let clusters know of which members ended as it did."""
        for cluster in list(self.live.by_id.values()):
            if cluster.quiet_at is None and quiet.may_explain(ran_out, cluster.last_end):
                cluster.quiet_at = ran_out
                self._emit(
                    EventType.CLUSTER_STATE_CHANGED,
                    cluster,
                    reason=quiet.sentence(ran_out),
                    state=cluster.state.value,
                )

    def _storm_doubt(self) -> str:
        now = self.counters.clock
        at = quiet.explanation(self.counters.heartbeats, now, now)
        return "" if at is None else f"; {quiet.sentence(at)}"

    # -- clusters --------------------------------------------------------------------------------

    def _cluster_of(self, episode: Episode) -> Cluster | None:
        return None if episode.cluster_id is None else self.live.by_id.get(episode.cluster_id)

    def place(self, alert: Newcomer, now: int) -> Placement:
        """Return where *alert* would go at *now*, nanoseconds; nothing changes."""
        return self._placing.place(alert, now)

    def _assign(self, episode: Episode, vector: Vector | None, recurs: Episode | None) -> None:
        now, settings = self.counters.clock, self.settings.clustering
        placement = self.place(
            Newcomer(
                labels=episode.labels,
                vector=vector,
                starts_at=episode.starts_at,
                fingerprint=episode.fingerprint,
                text_id=episode.text_id,
                habit=episode.habit,
            ),
            now,
        )
        told = tokens(episode.labels, self.settings.severity.label)
        self.frequencies.observe(told, now)
        self.counters.moved_no += 1
        if placement.cluster_id is None:
            cluster = self._found(recurs, vector)
            self.frequencies.open(now)
        else:
            cluster = self.live.by_id[placement.cluster_id]
            cluster.confidence_sum += placement.confidence
            self.frequencies.compare(told, cluster.tokens, now)
        cluster.links |= self.constraints.marks([episode.fingerprint])
        cluster.moved_no = self.counters.moved_no
        name = episode.labels.get("alertname", "")
        if name not in cluster.names:
            self.frequencies.meet(name, now)
            cluster.novelty += self.kinds.novelty(name, now)
        self.kinds.see(name, now)
        texts_gone, tokens_gone = cluster.learn(
            text_id=episode.text_id,
            vector=vector,
            fingerprint=episode.fingerprint,
            onset=min(episode.starts_at, now),
            labels=episode.labels,
            tokens=told,
            affected_labels=settings.affected_labels,
            learning_rate=settings.learning_rate,
            # In how many other clusters it was: this one is counted by now.
            telling=telling(self.frequencies.met(name, now) - 1.0),
            rarity=rarity(self.frequencies.met(name, now) - 1.0, self.frequencies.opened(now)),
            gaps_kept=evidence.GAPS_KEPT,
        )
        cluster.size += 1
        cluster.joined_at = now
        cluster.idle_since = cluster.quiet_at = None
        cluster.count_firing(severity.of(episode.labels, self.settings.severity), 1)
        self._rate(cluster)
        keeps = bool(cluster.only) and episode.habit.keeps_to_itself
        cluster.patience = episode.habit.patience if keeps else 0
        self.live.unindex(cluster, texts_gone, tokens_gone)
        self.live.index(cluster, [episode.text_id], told)
        if episode.text_id:
            onset = min(episode.starts_at, now)
            self.companions.observe(episode.text_id, onset, self.counters.moved_no)
        episode.cluster_id = cluster.id
        episode.confidence = placement.confidence
        episode.founder = placement.cluster_id is None
        episode.why = explain(placement, settings)
        self.stability.observe(episode.founder, placement.confidence)
        if episode.founder:
            titling.first(cluster, self._title_for(cluster), now, settings)
            known: dict[str, Any] = (
                {} if cluster.recurs is None else {"recurs": dict(cluster.recurs)}
            )
            self._emit(EventType.CLUSTER_CREATED, cluster, title=cluster.title, **known)
        self._emit(
            EventType.ALERT_ASSIGNED,
            cluster,
            episode,
            confidence=placement.confidence,
            reason=sentence(placement),
        )
        self._settle(cluster)
        self._rename(cluster)
        self._look(cluster, placement)

    def _look(self, cluster: Cluster, placement: Placement) -> None:
        """Look whether *cluster*, which just took an alert, is one with another, or is two."""
        sight = self._sight_of_all()
        twin = looks.twin(cluster, placement, sight)
        if twin is not None:
            other, found = twin
            with suppress(Conflict):
                self.merge(
                    cluster.id, other.id, looks.why_one(found), confidence=looks.sureness(found)
                )
        elif len(self._asked) < looks.MOST_ASKED and looks.may_be_two(cluster, sight):
            self._asked.append(cluster.id)

    def _look_into(self, item: Members) -> None:
        """Split a cluster of which the members were asked for, if it is two."""
        cluster = self.live.by_id.get(item.cluster_id)
        if cluster is None:
            return
        found = looks.division(cluster, item.members, self._sight_of_all(), self._rebuilding())
        if found is not None:
            with suppress(Conflict):
                self.split(cluster.id, item.members, found[0], looks.why_two(found[1]))

    def _sight_of_all(self) -> looks.Sight:
        settings, now = self.settings.clustering, self.counters.clock
        return looks.Sight(self.live, self.frequencies, settings, self._placing.new_rate(now), now)

    def _rebuilding(self) -> regroup.Rebuilding:
        return regroup.Rebuilding(
            self.settings.clustering, self.settings.severity, self.texts.vector
        )

    def _found(self, recurs: Episode | None, vector: Vector | None) -> Cluster:
        self.counters.cluster_id += 1
        now = self.counters.clock
        cluster = Cluster(
            id=self.counters.cluster_id,
            opened_at=now,
            spread=Spread(nanoseconds(self.settings.clustering.simultaneous)),
        )
        before = self._past.get(recurs.cluster_id or 0) if recurs is not None else None
        if before is not None:
            cluster.recurs, cluster.next_look = before.reopened(vector), None
        self.live.by_id[cluster.id] = cluster
        return cluster

    def _rate(self, cluster: Cluster) -> None:
        """Let the severity be that of the worst firing member; the last one stays when none fires."""
        settings = self.settings.severity
        worst = ""
        for name in sorted(cluster.firing_by_severity):
            worst = severity.worse(worst, name, settings)
        if cluster.firing:
            cluster.severity = worst

    def _title_for(self, cluster: Cluster) -> str:
        now = self.counters.clock
        return titles.title(cluster.names, cluster.tokens, self.frequencies, now)

    def _rename(self, cluster: Cluster) -> None:
        now = self.counters.clock
        if not titling.may_change(cluster, now, self.settings.clustering):
            return
        title = self._title_for(cluster)
        if titling.change(cluster, title, now):
            self._emit(EventType.CLUSTER_RENAMED, cluster, title=title)

    # -- the operator ------------------------------------------------------------------------------

    def check(self, command: Command) -> None:
        """Return if *command* can be obeyed as things stand; nothing changes.

        Raises:
            NotFound: Its cluster is neither live nor was it recalled whole.
            Conflict: It contradicts how things stand, or what an operator said before.
        """
        if isinstance(command, Merge):
            gone, into = self._live(command.gone), self._live(command.into)
            if gone is into:
                raise Conflict(f"cluster {into.id} cannot be merged with itself")
            names = (*command.named[0], *command.named[1])
            self.constraints.check_merge(gone, into, names, undoes=command.undoes)
        elif isinstance(command, Split):
            self._check_split(self._live(command.cluster_id), command)
        elif self.cluster(command.cluster_id) is None:
            raise NotFound(f"cluster {command.cluster_id} does not exist", field="id")

    def _live(self, cluster_id: int) -> Cluster:
        cluster = self.live.by_id.get(cluster_id)
        if cluster is None:
            raise Conflict(
                f"cluster {cluster_id} is over, and only live clusters are merged or split"
            )
        return cluster

    def _check_split(self, cluster: Cluster, command: Split) -> None:
        rest, gone = _sides(command.members, command.moved)
        if not rest or not gone:
            raise Conflict(f"of cluster {cluster.id}, some members must go and some must stay")
        firing = sum(member.state is EpisodeState.OPEN for member in command.members)
        if (len(command.members), firing) != (cluster.size, cluster.firing):
            raise Conflict(f"cluster {cluster.id} has changed meanwhile")
        self.constraints.check_split(
            {m.fingerprint for m in rest}, {m.fingerprint for m in gone}, undoes=command.undoes
        )

    def _obey(self, command: Command) -> None:
        """Do what *command* says, if it can be done."""
        self.counters.clock = max(self.counters.clock, command.time)
        try:
            self.check(command)
        except StormcellError:
            # Whoever gave it has asked `check` before; the journal has none of these.
            return
        if command.undoes:
            self._lift(command.undoes)
        if isinstance(command, Merge):
            self._obey_merge(command)
        elif isinstance(command, Split):
            self._obey_split(command)
        else:
            self._obey_update(command)

    def _obey_merge(self, command: Merge) -> None:
        gone, into = self.live.by_id[command.gone], self.live.by_id[command.into]
        seq, count = self.counters.seq + 1, gone.size
        self._merge(
            gone,
            into,
            f"an operator said so: {_spell(count)} went to {into.id}",
            told=_word_of(command, "merge") | {"from": gone.id, "into": into.id},
        )
        if not command.undoes:
            named = (tuple(command.named[0]), tuple(command.named[1]))
            into.links[seq] = 0
            self._demand(Constraint(seq, Kind.MUST, self.counters.clock, gone.id, into.id, named))

    def _obey_split(self, command: Split) -> None:
        cluster = self.live.by_id[command.cluster_id]
        seq = self.counters.seq + 1
        made = self._split(
            cluster,
            command.members,
            command.moved,
            f"an operator said so: {_spell(len(command.moved))} left {cluster.id}",
            told=_word_of(command, "split"),
        )
        if not command.undoes:
            rest, gone = _sides(command.members, command.moved)
            most = self.constraints.most_named
            named = (_latest_names(rest, most), _latest_names(gone, most))
            cluster.links[seq], made.links[seq] = 0, 1
            self._demand(
                Constraint(seq, Kind.CANNOT, self.counters.clock, cluster.id, made.id, named)
            )

    def _demand(self, constraint: Constraint) -> None:
        for seq in self.constraints.add(constraint):
            self._unmark(seq)

    def _lift(self, seq: int) -> None:
        self.constraints.lift(seq)
        self._unmark(seq)

    def _unmark(self, seq: int) -> None:
        """Let clusters know no more of the constraint *seq*, which holds no more."""
        for cluster in self.live.by_id.values():
            if cluster.links.pop(seq, None) is not None:
                self._changed_clusters[cluster.id] = cluster

    def _obey_update(self, command: OperatorCommand) -> None:
        """Set what *command* sets, if it changes anything."""
        cluster = self.cluster(command.cluster_id)
        assert cluster is not None
        was = {name: getattr(cluster, name) for name in command.update}
        changed = {name: value for name, value in command.update.items() if value != was[name]}
        if "title" in command.update and bool(command.update["title"]) != cluster.own_title:
            changed["title"] = command.update["title"]
        if not changed and not command.undoes:
            return
        for name, value in changed.items():
            if name != "title":
                setattr(cluster, name, value)
        told = _word_of(command, "update")
        if changed:
            told |= {"set": changed, "was": {name: was[name] for name in changed}}
        if "title" in changed:
            # So that this can be undone: a title of our own follows the members, an operator's stays.
            told["title_was_own"] = cluster.own_title
        self._emit(EventType.OPERATOR_COMMAND, cluster, **told)
        if "title" in changed:
            self._entitle(cluster, changed["title"])

    def _entitle(self, cluster: Cluster, own: str) -> None:
        """Give *cluster* the title an operator wants; the one it would have, if that is empty."""
        cluster.own_title = bool(own)
        # What a title is made of is not kept of a cluster that is over.
        title = own or (self._title_for(cluster) if cluster.live else cluster.title)
        if title != cluster.title:
            cluster.title, cluster.titled_at = title, self.counters.clock
            self._emit(EventType.CLUSTER_RENAMED, cluster, title=title)
            self.past.retitle(cluster)
            if cluster.id in self._past:
                self._past[cluster.id] = PastCluster.of(cluster)

    def cluster(self, cluster_id: int) -> Cluster | None:
        """Return the cluster, if it is live or was recalled whole."""
        return self.live.by_id.get(cluster_id) or self._over.get(cluster_id)

    # -- two into one, one into two --------------------------------------------------------------

    def merge(
        self, one: int, other: int, reason: str, *, into: int | None = None, confidence: float
    ) -> int:
        """Make one of two live clusters; for decisions of the fold's own, in the midst of a step.

        Args:
            one: Id of the one.
            other: Id of the other.
            reason: Why, for people.
            into: Which survives; None for the larger, of equals the older.
            confidence: That they belong together, 0 to 1.

        Returns:
            The id of the survivor.

        Raises:
            Conflict: One is over, or an operator keeps them apart. Nothing has changed.
        """
        self.check(Merge(self.counters.clock, one, other))
        first, second = self.live.by_id[one], self.live.by_id[other]
        gone, kept = regroup.in_order(first, second)
        if into == gone.id:
            gone, kept = kept, gone
        self._merge(gone, kept, reason, confidence=confidence)
        return kept.id

    def split(
        self, cluster_id: int, members: Sequence[Member], moved: Sequence[int], reason: str
    ) -> int:
        """Make of *moved* members of a live cluster one of its own; for decisions of the fold's own.

        Args:
            cluster_id: Which.
            members: All of it as they are now, by id, which the fold must have been given.
            moved: Ids of the episodes that go.
            reason: Why, for people.

        Returns:
            The id of the new cluster.

        Raises:
            Conflict: It is over, an operator keeps them together, or *members* are not all of it.
                Nothing has changed.
        """
        self.check(Split(self.counters.clock, cluster_id, members, moved))
        return self._split(self.live.by_id[cluster_id], members, moved, reason).id

    def _merge(
        self,
        gone: Cluster,
        into: Cluster,
        reason: str,
        *,
        confidence: float = 1.0,
        told: Mapping[str, Any] | None = None,
    ) -> None:
        title = into.title
        for cluster in (gone, into):
            # As it is now found; the survivor is found again as it then is.
            self.live.close(cluster)
        self.live.remove(gone)
        self._timers.drop_cluster(gone.id)
        regroup.absorb(gone, into, self.counters.clock, confidence)
        self._move(into.id, lambda episode: episode.cluster_id == gone.id)
        self.storms.merge(gone.id, into.id)
        self._regrouped.append(Merged(self.counters.seq + 1, gone.id, into.id))
        self._take_in(into)
        self._rate(into)
        self._tell_regrouped(into, reason, told)
        self._emit(EventType.CLUSTER_MERGED, gone, reason=reason, into=into.id)
        if into.title != title:
            self._emit(EventType.CLUSTER_RENAMED, into, title=into.title)
        titling.regrouped(into, by_operator=told is not None)
        self._settle(into)
        self._rename(into)

    def _split(
        self,
        cluster: Cluster,
        members: Sequence[Member],
        moved: Sequence[int],
        reason: str,
        *,
        told: Mapping[str, Any] | None = None,
    ) -> Cluster:
        now, ids = self.counters.clock, frozenset(moved)
        self.live.close(cluster)
        self.counters.cluster_id += 1
        made = regroup.take_apart(
            cluster, members, ids, self.counters.cluster_id, now, self._rebuilding()
        )
        links = cluster.links
        for each, theirs in zip((cluster, made), _sides(members, ids), strict=True):
            marks = self.constraints.marks(member.fingerprint for member in theirs)
            each.links = {seq: side for seq, side in marks.items() if seq in links}
        self._move(made.id, lambda episode: episode.id in ids)
        self._regrouped.append(Moved(sorted(ids), made.id))
        self._take_in(cluster)
        self._take_in(made)
        titling.first(made, self._title_for(made), now, self.settings.clustering)
        titling.regrouped(cluster, by_operator=told is not None)
        lineage: dict[str, Any] = {"from": cluster.id, "into": made.id}
        self._tell_regrouped(cluster, reason, None if told is None else {**told, **lineage})
        self._emit(EventType.CLUSTER_SPLIT, made, reason=reason, title=made.title, **lineage)
        self._settle(cluster)
        self._settle(made)
        self._rename(cluster)
        return made

    def _move(self, into: int, goes: Callable[[Episode], bool]) -> None:
        """Let those episodes held that *goes* names be of the cluster *into*."""
        for episode in (*self.episodes.values(), *self._changed_episodes.values()):
            if goes(episode):
                episode.cluster_id = into

    def _take_in(self, cluster: Cluster) -> None:
        """Have *cluster*, new or changed as a whole, found by what it now is."""
        self.counters.moved_no += 1
        cluster.moved_no = self.counters.moved_no
        self.live.add(cluster)

    def _tell_regrouped(
        self, cluster: Cluster, reason: str, told: Mapping[str, Any] | None
    ) -> None:
        """Tell the new numbers of *cluster*, the one that keeps its id: with the command, if it was one."""
        if told is None:
            state = cluster.state.value
            self._emit(EventType.CLUSTER_STATE_CHANGED, cluster, reason=reason, state=state)
        else:
            self._emit(EventType.OPERATOR_COMMAND, cluster, **told)

    # -- storms ----------------------------------------------------------------------------------

    def _watch(self, episode: Episode, before: Episode | None) -> None:
        """Count the new *episode* if it is news, *before* being its alert's last one."""
        if not self.storms.is_news(episode, before):
            return
        now = self.counters.clock
        if self.storms.count(episode.cluster_id or 0, now):
            self.counters.storm_id += 1
            reason = self.storms.start(self.counters.storm_id, now)
            self.storms.represent(self.episodes.values(), self.settings.severity)
            self._emit(
                EventType.STORM_STARTED, None, reason=reason, storm_id=self.counters.storm_id
            )
            self._arm_storm()

    def _arm_storm(self) -> None:
        due = self.storms.next_due()
        if due is not None:
            self._timers.set_storm(due)

    def _ring_storm(self, due: int) -> None:
        self.counters.clock = max(self.counters.clock, due)
        self.storms.represent(self.episodes.values(), self.settings.severity)
        reason = self.storms.look(self.counters.clock, self.live.by_id)
        if reason:
            reason += self._storm_doubt()
            self._emit(EventType.STORM_ENDED, None, reason=reason, storm_id=self.counters.storm_id)
        self._arm_storm()

    # -- time ------------------------------------------------------------------------------------

    def _arm_cluster(self, cluster: Cluster, after: int) -> None:
        """Set the timer of *cluster* for what is due after *after*, unless one rings before that."""
        due = cluster.next_due(after, self.settings.clustering)
        if due is not None:
            self._timers.set_cluster(cluster.id, due)

    def _stale_due(self, episode: Episode) -> int:
        due = episodes.stale_at(episode, nanoseconds(self.settings.clustering.stale_after))
        if episode.state is EpisodeState.SUPPRESSED:
            # Nobody hears of it but who asks: it is the hold that runs out.
            due = episode.held_until
        return max(due, self.counters.lenient_until)

    def _arm_stale(self, episode: Episode) -> None:
        self._timers.set_episode(episode.fingerprint, self._stale_due(episode))

    def _advance(self, now: int) -> None:
        """Let all that is due at or before *now* happen, each at its own time.

        A timer that rings early, its cluster or episode having moved on, is set again and leaves no
        trace: which timers are set may differ after a restart, what they do may not.
        """
        while (ring := self._timers.pop(now)) is not None:
            if ring.fingerprint:
                self._ring_episode(ring.fingerprint, ring.due)
            elif ring.cluster_id:
                self._ring_cluster(ring.cluster_id, ring.due)
            else:
                self._ring_storm(ring.due)

    def _ring_cluster(self, cluster_id: int, due: int) -> None:
        cluster, settings = self.live.by_id[cluster_id], self.settings.clustering
        if cluster.next_due(due - 1, settings) == due or cluster.is_overdue(due, settings):
            self.counters.clock = max(self.counters.clock, due)
            self._settle(cluster)
            self._rename(cluster)
        else:
            self._arm_cluster(cluster, due - 1)

    def _ring_episode(self, fingerprint: str, due: int) -> None:
        episode = self.episodes.get(fingerprint)
        if episode is None or not episode.goes_on:
            return
        if self._stale_due(episode) > due:
            self._arm_stale(episode)
            return
        self.counters.clock = max(self.counters.clock, due)
        if episode.fires:
            self._go_stale(episode)
        else:
            self._unsuppress(episode, "nobody could say any more that it is suppressed")

    def _go_stale(self, episode: Episode) -> None:
        was, reason = episode.state, "neither repeated nor resolved for too long"
        if episode.only_vouched and (episode.vouched_until or 0) <= self.counters.clock:
            reason = "its sender vouches for it no more"
            self._doubt(episode, episode.vouched_until or 0, told=False)
        episode.state = EpisodeState.STALE
        self._changed_episodes[episode.id] = episode
        self._resting.add(episode.fingerprint)
        self.flapping.discard(episode.fingerprint)
        cluster = self._leave(episode, EventType.ALERT_STALE, reason, was)
        if cluster is not None:
            self._settle(cluster)

    def _settle(self, cluster: Cluster) -> None:
        """Bring *cluster* to the state that members and clock give, and set its next timer."""
        now, settings = self.counters.clock, self.settings.clustering
        self._changed_clusters[cluster.id] = cluster
        quiet, over = cluster.is_quiet(now, settings), cluster.is_over(now, settings)
        if cluster.accepting and (quiet or over):
            cluster.accepting = False
            cluster.closed_at = now
            self.live.close(cluster)
            reason = "no new member for long" if quiet else "nothing fires any more"
            self._emit(EventType.CLUSTER_CLOSED, cluster, reason=reason)
        if over:
            self._resolve(cluster)
            return
        state = cluster.state_at(now, settings)
        told, reason = self._look_back(cluster, state)
        if state is not cluster.state or told:
            cluster.state = state
            self._emit(
                EventType.CLUSTER_STATE_CHANGED, cluster, reason=reason, state=state.value, **told
            )
        self._arm_cluster(cluster, now)

    def _look_back(self, cluster: Cluster, state: ClusterState) -> tuple[dict[str, Any], str]:
        """Look which past cluster *cluster* recurs, if it is time to; return what is new of that."""
        due = cluster.next_look is not None and cluster.size >= cluster.next_look
        if state is ClusterState.FORMING or not due:
            return {}, ""
        cluster.next_look = past.LOOK_AGAIN * cluster.size
        found, reason = past.recurrence(cluster, self.past, self.settings.clustering.recurs_from)
        if found == cluster.recurs:
            return {}, ""
        cluster.recurs = found
        return {"recurs": found}, reason

    def _resolve(self, cluster: Cluster) -> None:
        cluster.state = ClusterState.RESOLVED
        cluster.resolved_at = self.counters.clock
        self.live.remove(cluster)
        self._past[cluster.id] = PastCluster.of(cluster)
        self.past.add(self._past[cluster.id])
        self._over[cluster.id] = cluster
        self._timers.drop_cluster(cluster.id)
        told = [f"{cluster.stale} of its alerts are stale, not resolved"] if cluster.stale else []
        told += [] if cluster.quiet_at is None else [quiet.sentence(cluster.quiet_at)]
        self._emit(EventType.CLUSTER_RESOLVED, cluster, reason="; ".join(told))

    def _note_flap(self, episode: Episode) -> None:
        if episode.fires and episode.flaps >= _FLAPPING:
            self.flapping.add(episode.fingerprint)

    # -- events ----------------------------------------------------------------------------------

    def _emit(
        self,
        kind: EventType,
        cluster: Cluster | None,
        episode: Episode | None = None,
        *,
        confidence: float | None = None,
        reason: str = "",
        **detail: Any,
    ) -> None:
        self.counters.seq += 1
        alert, cluster_id, size, firing = None, None, 0, 0
        if cluster is not None:
            cluster_id, size, firing = cluster.id, cluster.size, cluster.firing
            cluster.updated_at = self.counters.clock
            self._changed_clusters[cluster.id] = cluster
        elif episode is not None and episode.cluster_id is not None:
            cluster_id = episode.cluster_id
            size = self._past[cluster_id].size if cluster_id in self._past else 0
        if episode is not None:
            alert = AlertRef(episode.id, episode.fingerprint, episode.starts_at, episode.labels)
        self._events.append(
            Event(
                seq=self.counters.seq,
                time=self.counters.clock,
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


def _word_of(command: Command, name: str) -> dict[str, Any]:
    """Return what the event of *command*, which is called *name*, begins with."""
    if command.undoes:
        return {"command": "undo", "undoes": command.undoes}
    return {"command": name}


def _sides(members: Sequence[Member], moved: Iterable[int]) -> tuple[list[Member], list[Member]]:
    """Return those of *members* that stay, and those that are *moved*."""
    ids = frozenset(moved)
    return [m for m in members if m.id not in ids], [m for m in members if m.id in ids]


def _latest_names(members: Sequence[Member], most: int) -> tuple[str, ...]:
    """Return at most so many fingerprints of *members*, in order of ids, the last to come first."""
    return tuple(dict.fromkeys(m.fingerprint for m in reversed(members)))[:most]


def _spell(count: int) -> str:
    return "its alert" if count == 1 else f"{count} alerts"


def flaps_after(before: Episode, now: int) -> bool:
    """Whether an alert that fires at *now* flaps, *before* being its last episode."""
    return before.superseded or now - (before.ends_at or now) < _FLAP_WINDOW


def is_self(alert: Alert) -> bool:
    """Whether *alert* is one of Stormcell's own: those are stored and never clustered."""
    return alert.labels.get("origin") == "stormcell"
