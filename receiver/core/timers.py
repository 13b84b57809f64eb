"""What time alone will bring: moments at which a cluster, an episode or the storm is looked at.

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
        cluster_id: Of the cluster; 0 for an episode or the storm.
        fingerprint: Of the episode's alert; empty for a cluster or the storm.
    """

    due: int
    cluster_id: int
    fingerprint: str


class Timers:
    """Timers by when they ring: one a cluster, one an alert, and one for the storm."""

    def __init__(self) -> None:
        """Start with none."""
        self._heap: list[Ring] = []
        self._clusters: dict[int, int] = {}
        self._episodes: dict[str, int] = {}
        self._storm: int | None = None

    def __len__(self) -> int:
        """How many are held, those among them that will ring for nobody."""
        return len(self._heap)

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

    def set_episode(self, fingerprint: str, due: int) -> None:
        """Have the latest episode of *fingerprint* looked at no later than *due*."""
        if due < self._episodes.get(fingerprint, due + 1):
            self._episodes[fingerprint] = due
            heapq.heappush(self._heap, Ring(due, 0, fingerprint))

    def set_storm(self, due: int) -> None:
        """Have the storm looked at at *due*; nothing else may be set for it."""
        self._storm = due
        heapq.heappush(self._heap, Ring(due, 0, ""))

    def pop(self, now: int) -> Ring | None:
        """Return the next that rings at or before *now*, which is set no more; None if none does."""
        while self._heap and self._heap[0].due <= now:
            ring = heapq.heappop(self._heap)
            if ring.fingerprint and self._episodes.get(ring.fingerprint) == ring.due:
                del self._episodes[ring.fingerprint]
                return ring
            if ring.cluster_id and self._clusters.get(ring.cluster_id) == ring.due:
                del self._clusters[ring.cluster_id]
                return ring
            if ring == (self._storm, 0, ""):
                self._storm = None
                return ring
        return None
