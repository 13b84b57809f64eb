"""What time alone will bring: moments at which a cluster or an episode is to be looked at.

A timer may ring early, because what it waits for has moved on; whoever is rung looks whether it is due
and sets it again. So nothing is searched when time passes, and nothing is lost when it jumps.
"""

from __future__ import annotations

import heapq
from typing import NamedTuple


class Ring(NamedTuple):
    """A timer that rings.

    Attributes:
        due: Nanoseconds.
        key: Id of the cluster or episode.
        fingerprint: Of the episode; empty for a cluster.
    """

    due: int
    key: int
    fingerprint: str


class Timers:
    """Timers by when they ring, those of the same moment by id."""

    def __init__(self) -> None:
        """Start with none."""
        self._heap: list[Ring] = []
        self._clusters: dict[int, int] = {}

    def next_due(self) -> int | None:
        """Return when the next may ring, nanoseconds; None for never."""
        return self._heap[0].due if self._heap else None

    def set_cluster(self, cluster_id: int, due: int) -> None:
        """Have *cluster_id* looked at no later than *due*."""
        if due < self._clusters.get(cluster_id, due + 1):
            self._clusters[cluster_id] = due
            heapq.heappush(self._heap, Ring(due, cluster_id, ""))

    def drop_cluster(self, cluster_id: int) -> None:
        """Let *cluster_id* be looked at no more."""
        self._clusters.pop(cluster_id, None)

    def set_episode(self, episode_id: int, fingerprint: str, due: int) -> None:
        """Have the episode looked at at *due*."""
        heapq.heappush(self._heap, Ring(due, episode_id, fingerprint))

    def pop(self, now: int) -> Ring | None:
        """Return the next that rings at or before *now*, which is set no more; None if none does."""
        while self._heap and self._heap[0].due <= now:
            ring = heapq.heappop(self._heap)
            if ring.fingerprint:
                return ring
            if self._clusters.get(ring.key) == ring.due:
                del self._clusters[ring.key]
                return ring
        return None
