"""The life of a cluster: its state, severity and title follow its members and the clock."""

from __future__ import annotations

from typing import Any

from receiver.core import past, quiet, severity, titles, titling
from receiver.core.clusters import Cluster, ClusterState
from receiver.core.evolution import EventType
from receiver.core.model import Episode, EpisodeState
from receiver.core.past import PastCluster
from receiver.core.state import State


class Lives:
    """Brings live clusters to what they now are; whoever changes one calls."""

    def __init__(self, state: State) -> None:
        """Of the clusters of *state*."""
        self._state = state
        self._settings = state.settings.clustering
        self._severity = state.settings.severity

    # -- state -----------------------------------------------------------------------------------

    def settle(self, cluster: Cluster) -> None:
        """Bring *cluster* to the state that members and clock give, and set its next timer."""
        now, settings = self._state.now, self._settings
        self._state.touch_cluster(cluster)
        silent, over = cluster.is_quiet(now, settings), cluster.is_over(now, settings)
        if cluster.accepting and (silent or over):
            cluster.accepting = False
            cluster.closed_at = now
            self._state.live.close(cluster)
            reason = "no new member for long" if silent else "nothing fires any more"
            self._state.emit(EventType.CLUSTER_CLOSED, cluster, reason=reason)
        if over:
            self._resolve(cluster)
            return
        state = cluster.state_at(now, settings)
        told, reason = self._look_back(cluster, state)
        if state is not cluster.state or told:
            cluster.state = state
            self._state.emit(
                EventType.CLUSTER_STATE_CHANGED, cluster, reason=reason, state=state.value, **told
            )
        self.arm(cluster, now)

    def arm(self, cluster: Cluster, after: int) -> None:
        """Set the timer of *cluster* for what is due after *after*, unless one rings before that."""
        due = cluster.next_due(after, self._settings)
        if due is not None:
            self._state.timers.set_cluster(cluster.id, due)

    def _look_back(self, cluster: Cluster, state: ClusterState) -> tuple[dict[str, Any], str]:
        """Look which past cluster *cluster* recurs, if it is time to; return what is new of that."""
        due = cluster.next_look is not None and cluster.size >= cluster.next_look
        if state is ClusterState.FORMING or not due:
            return {}, ""
        cluster.next_look = past.LOOK_AGAIN * cluster.size
        found, reason = past.recurrence(cluster, self._state.past, self._settings.recurs_from)
        if found == cluster.recurs:
            return {}, ""
        cluster.recurs = found
        return {"recurs": found}, reason

    def _resolve(self, cluster: Cluster) -> None:
        state = self._state
        cluster.state = ClusterState.RESOLVED
        cluster.resolved_at = state.now
        state.live.remove(cluster)
        state.past_held[cluster.id] = PastCluster.of(cluster)
        state.past.add(state.past_held[cluster.id])
        state.over_held[cluster.id] = cluster
        state.timers.drop_cluster(cluster.id)
        told = [f"{cluster.stale} of its alerts are stale, not resolved"] if cluster.stale else []
        told += [] if cluster.quiet_at is None else [quiet.sentence(cluster.quiet_at)]
        state.emit(EventType.CLUSTER_RESOLVED, cluster, reason="; ".join(told))

    # -- severity --------------------------------------------------------------------------------

    def recount(self, cluster: Cluster, episode: Episode, was: EpisodeState) -> None:
        """Count *episode* of *cluster*, which *was* in another state, in the one in which it is."""
        told = severity.of(episode.labels, self._severity)
        cluster.count(was, told, -1)
        cluster.count(episode.state, told, 1)

    def rate(self, cluster: Cluster) -> None:
        """Let the severity be that of the worst firing member; the last one stays when none fires."""
        worst = ""
        for name in sorted(cluster.firing_by_severity):
            worst = severity.worse(worst, name, self._severity)
        if cluster.firing:
            cluster.severity = worst

    # -- title -----------------------------------------------------------------------------------

    def title_for(self, cluster: Cluster) -> str:
        """Return the title that *cluster* would be given now."""
        state = self._state
        return titles.title(cluster.names, cluster.tokens, state.frequencies, state.now)

    def rename(self, cluster: Cluster) -> None:
        """Give *cluster* the title that it would be given now, if it may change."""
        now = self._state.now
        if not titling.may_change(cluster, now, self._settings):
            return
        title = self.title_for(cluster)
        if titling.change(cluster, title, now):
            self._state.emit(EventType.CLUSTER_RENAMED, cluster, title=title)
