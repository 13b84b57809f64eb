"""A new episode is given to a cluster, which learns from it; or it founds one."""

from __future__ import annotations

from typing import Any

from receiver.core import evidence, severity, titling
from receiver.core.clusters import Cluster
from receiver.core.evidence import rarity, telling
from receiver.core.evolution import EventType
from receiver.core.explain import Placement, explain, sentence
from receiver.core.labels import tokens
from receiver.core.lives import Lives
from receiver.core.looking import Looking
from receiver.core.model import Episode, Vector
from receiver.core.placing import Newcomer, Placing
from receiver.core.spread import Spread
from receiver.core.state import State
from receiver.core.timestamps import nanoseconds


class Assigning:
    """Gives episodes to clusters."""

    def __init__(self, state: State, placing: Placing, lives: Lives, looking: Looking) -> None:
        """Give them to the clusters of *state*, where *placing* says."""
        self._state = state
        self._placing = placing
        self._lives = lives
        self._looking = looking
        self._settings = state.settings.clustering
        self._severity = state.settings.severity

    def assign(self, episode: Episode, vector: Vector | None, recurs: Episode | None) -> None:
        """Give *episode* to a cluster.

        Args:
            episode: Just opened.
            vector: Of its text, shape (dims,); None if it has none.
            recurs: The episode that it repeats under the same startsAt, its cluster being over.
        """
        state, now = self._state, self._state.now
        placement = self._placing.place(
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
        told = tokens(episode.labels, self._severity.label)
        state.frequencies.observe(told, now)
        state.counters.moved_no += 1
        if placement.cluster_id is None:
            cluster = self._found(recurs, vector)
            state.frequencies.open(now)
        else:
            cluster = state.live.by_id[placement.cluster_id]
            cluster.confidence_sum += placement.confidence
            state.frequencies.compare(told, cluster.tokens, now)
        self._learn(cluster, episode, vector, told)
        episode.cluster_id = cluster.id
        episode.confidence = placement.confidence
        episode.founder = placement.cluster_id is None
        state.changed.whys[episode.id] = explain(placement, self._settings)
        state.stability.observe(episode.id, episode.founder, placement.confidence)
        self._tell(cluster, episode, placement)
        self._lives.settle(cluster)
        self._lives.rename(cluster)
        self._looking.look(cluster, placement)

    def _found(self, recurs: Episode | None, vector: Vector | None) -> Cluster:
        state = self._state
        state.counters.cluster_id += 1
        cluster = Cluster(
            id=state.counters.cluster_id,
            opened_at=state.now,
            spread=Spread(nanoseconds(self._settings.simultaneous)),
        )
        before = None if recurs is None else state.past_held.get(recurs.cluster_id or 0)
        if before is not None:
            cluster.recurs, cluster.next_look = before.reopened(vector), None
        state.live.by_id[cluster.id] = cluster
        return cluster

    def _learn(
        self, cluster: Cluster, episode: Episode, vector: Vector | None, told: tuple[str, ...]
    ) -> None:
        """Let *cluster*, and what there is to learn of the stream, take in *episode*.

        Args:
            cluster: Where it goes.
            episode: Which.
            vector: Of its text, shape (dims,); None if it has none.
            told: Tokens of its labels.
        """
        state, settings, now = self._state, self._settings, self._state.now
        onset, name = min(episode.starts_at, now), episode.labels.get("alertname", "")
        cluster.links |= state.constraints.marks([episode.fingerprint])
        cluster.moved_no = state.counters.moved_no
        if name not in cluster.names:
            state.frequencies.meet(name, now)
            cluster.novelty += state.kinds.novelty(name, now)
        state.kinds.see(name, now)
        # In how many other clusters it was: this one is counted by now.
        met = state.frequencies.met(name, now) - 1.0
        texts_gone, tokens_gone = cluster.learn(
            text_id=episode.text_id,
            vector=vector,
            fingerprint=episode.fingerprint,
            onset=onset,
            labels=episode.labels,
            tokens=told,
            affected_labels=settings.affected_labels,
            learning_rate=settings.learning_rate,
            telling=telling(met),
            rarity=rarity(met, state.frequencies.opened(now)),
            gaps_kept=evidence.GAPS_KEPT,
        )
        cluster.size += 1
        cluster.joined_at = now
        cluster.idle_since = cluster.quiet_at = None
        cluster.count_firing(severity.of(episode.labels, self._severity), 1)
        self._lives.rate(cluster)
        keeps = bool(cluster.only) and episode.habit.keeps_to_itself
        cluster.patience = episode.habit.patience if keeps else 0
        state.live.unindex(cluster, texts_gone, tokens_gone)
        state.live.index(cluster, [episode.text_id], told)
        if episode.text_id:
            state.companions.observe(episode.text_id, onset, state.counters.moved_no)

    def _tell(self, cluster: Cluster, episode: Episode, placement: Placement) -> None:
        """Tell that *episode* went to *cluster*, and of that if it is new."""
        state = self._state
        if episode.founder:
            titling.first(cluster, self._lives.title_for(cluster), state.now, self._settings)
            known: dict[str, Any] = (
                {} if cluster.recurs is None else {"recurs": dict(cluster.recurs)}
            )
            state.emit(EventType.CLUSTER_CREATED, cluster, title=cluster.title, **known)
        state.emit(
            EventType.ALERT_ASSIGNED,
            cluster,
            episode,
            confidence=placement.confidence,
            reason=sentence(placement),
        )
