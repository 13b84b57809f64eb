"""Episodes that end, go stale, and come back: what becomes of them and of their clusters."""

from __future__ import annotations

from receiver.core import past, quiet
from receiver.core.clusters import Cluster
from receiver.core.doubts import Doubts
from receiver.core.evolution import EventType
from receiver.core.lives import Lives
from receiver.core.model import Ending, Episode, EpisodeState
from receiver.core.standing import Standing
from receiver.core.state import State


class Endings:
    """Ends episodes, and takes an end back."""

    def __init__(self, state: State, standing: Standing, lives: Lives, doubts: Doubts) -> None:
        """Of the episodes of *state*."""
        self._state = state
        self._standing = standing
        self._lives = lives
        self._doubts = doubts

    def end(
        self,
        episode: Episode,
        ends_at: int,
        reason: str,
        *,
        ending: Ending = Ending.TOLD,
        settle: bool = True,
    ) -> None:
        """Resolve *episode*, which is not resolved yet.

        Args:
            episode: Which.
            ends_at: When it ended, nanoseconds.
            reason: Why, for people; may be empty.
            ending: How that is known.
            settle: Whether its cluster is settled too; else the caller does that.
        """
        was = episode.state
        episode.state, episode.ending = EpisodeState.RESOLVED, ending
        episode.ends_at = max(ends_at, episode.starts_at)
        episode.senders = {}
        episode.last_seen = self._state.now
        self._state.touch(episode)
        self._standing.rest(episode)
        doubt = self._doubts.of_end(episode, episode.ends_at, told=ending is not Ending.LAPSED)
        reason = reason or ("" if doubt is None else quiet.sentence(doubt))
        cluster = self._leave(episode, EventType.ALERT_RESOLVED, reason, was)
        if cluster is not None and settle:
            self._lives.settle(cluster)

    def go_stale(self, episode: Episode) -> None:
        """Let *episode*, which fires, be stale: nothing was heard of it for too long."""
        was, reason = episode.state, "neither repeated nor resolved for too long"
        if episode.only_vouched and (episode.vouched_until or 0) <= self._state.now:
            reason = "its sender vouches for it no more"
            self._doubts.of_end(episode, episode.vouched_until or 0, told=False)
        episode.state = EpisodeState.STALE
        self._state.touch(episode)
        self._standing.rest(episode)
        cluster = self._leave(episode, EventType.ALERT_STALE, reason, was)
        if cluster is not None:
            self._lives.settle(cluster)

    def revive(self, episode: Episode, reason: str) -> None:
        """Make *episode*, resolved or stale, open again in its cluster."""
        was = episode.state
        episode.state, episode.ending = EpisodeState.OPEN, Ending.TOLD
        self._state.touch(episode)
        self._standing.watch(episode)
        cluster = self._state.cluster_of(episode)
        if cluster is None:
            return
        self._lives.recount(cluster, episode, was)
        cluster.idle_since = cluster.quiet_at = None
        self._lives.rate(cluster)
        self._state.emit(EventType.ALERT_REOPENED, cluster, episode, reason=reason)
        self._lives.settle(cluster)

    def _leave(
        self, episode: Episode, kind: EventType, reason: str, was: EpisodeState
    ) -> Cluster | None:
        """Let the cluster of *episode*, if it is live, know that it goes on no more; return it."""
        state = self._state
        cluster = state.cluster_of(episode)
        if cluster is None:
            if episode.cluster_id is not None:
                state.emit(kind, None, episode, reason=reason)
            return None
        self._lives.recount(cluster, episode, was)
        cluster.member_resolved_at = state.now
        cluster.ended = past.ending(
            cluster,
            episode.labels,
            resolved=kind is EventType.ALERT_RESOLVED,
            severity_label=state.settings.severity.label,
        )
        if not cluster.goes_on and cluster.idle_since is None:
            cluster.idle_since = state.now
        self._lives.rate(cluster)
        state.emit(kind, cluster, episode, reason=reason)
        return cluster
