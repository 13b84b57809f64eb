"""Time passes: each timer that is due rings at its own time, and who is rung is looked at.

A timer that rings early, its cluster or episode having moved on, is set again and leaves no trace: which
timers are set may differ after a restart, what they do may not.
"""

from __future__ import annotations

from receiver.core.endings import Endings
from receiver.core.lives import Lives
from receiver.core.reconciling import Reconciling
from receiver.core.standing import Standing
from receiver.core.state import State
from receiver.core.storm_watch import StormWatch


class Clockwork:
    """Rings timers."""

    def __init__(
        self,
        state: State,
        standing: Standing,
        lives: Lives,
        endings: Endings,
        reconciling: Reconciling,
        storm_watch: StormWatch,
    ) -> None:
        """Ring those of *state*."""
        self._state = state
        self._timers = state.timers
        self._settings = state.settings.clustering
        self._standing = standing
        self._lives = lives
        self._endings = endings
        self._reconciling = reconciling
        self._storm_watch = storm_watch

    def advance(self, now: int) -> None:
        """Let all that is due at or before *now* happen, each at its own time.

        The clock is not *now* after that, but when something last happened.
        """
        while (ring := self._timers.pop(now)) is not None:
            if ring.fingerprint:
                self._ring_episode(ring.fingerprint, ring.due)
            elif ring.cluster_id:
                self._ring_cluster(ring.cluster_id, ring.due)
            else:
                self._storm_watch.ring(ring.due)

    def wind(self) -> None:
        """Set the timers of a state that was restored."""
        for cluster_id in self._state.live.by_id:
            # Something may be due at this very moment, or since long by settings that changed.
            self._timers.set_cluster(cluster_id, self._state.now)
        for episode in self._state.episodes.values():
            self._standing.watch(episode)
        self._storm_watch.arm()

    def _ring_cluster(self, cluster_id: int, due: int) -> None:
        cluster, settings = self._state.live.by_id[cluster_id], self._settings
        if cluster.next_due(due - 1, settings) == due or cluster.is_overdue(due, settings):
            self._state.come_to(due)
            self._lives.settle(cluster)
            self._lives.rename(cluster)
        else:
            self._lives.arm(cluster, due - 1)

    def _ring_episode(self, fingerprint: str, due: int) -> None:
        episode = self._state.going_on(fingerprint)
        if episode is None:
            return
        if self._standing.due(episode) > due:
            self._standing.watch(episode)
            return
        self._state.come_to(due)
        if episode.fires:
            self._endings.go_stale(episode)
        else:
            self._reconciling.unsuppress(episode, "nobody could say any more that it is suppressed")
