"""Which cluster each firing period is in at the end, after merges and splits.

The engine moves the periods that it holds; of an alert that is only the latest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from receiver.core.changes import Merged, Moved
from receiver.core.evolution import Event, EventType
from receiver.core.model import Episode, Member


class Grouping:
    """Clusters by the ids of their firing periods, as a store would keep them."""

    def __init__(self) -> None:
        """Start with none."""
        self._members: dict[int, dict[int, None]] = {}
        self._cluster: dict[int, int] = {}
        self._periods: dict[int, Episode] = {}

    def members(self, cluster_id: int) -> list[Member]:
        """Return all firing periods of a cluster, in the order in which they came."""
        return [Member.of(self._periods[number]) for number in sorted(self._members[cluster_id])]

    def note(self, events: Iterable[Event], latest: Mapping[str, Episode]) -> None:
        """Take in what was assigned; *latest* are the alerts' periods, by fingerprint."""
        for event in events:
            if event.type is EventType.ALERT_ASSIGNED and event.alert is not None:
                assert event.cluster_id is not None
                self._put(event.alert.episode_id, event.cluster_id)
                self._periods[event.alert.episode_id] = latest[event.alert.fingerprint]

    def regroup(self, changes: Iterable[Merged | Moved]) -> None:
        """Take in *changes*, those since the last call, of all that was noted."""
        for change in changes:
            if isinstance(change, Merged):
                going = list(self._members.get(change.gone, ()))
            else:
                going = [episode for episode in change.episodes if episode in self._cluster]
            for episode in going:
                self._put(episode, change.into)

    def _put(self, episode: int, cluster: int) -> None:
        before = self._cluster.get(episode)
        if before is not None:
            del self._members[before][episode]
        self._cluster[episode] = cluster
        self._members.setdefault(cluster, {})[episode] = None

    def apply(self, episodes: Iterable[Episode]) -> None:
        """Let *episodes* know their clusters."""
        for episode in episodes:
            episode.cluster_id = self._cluster.get(episode.id, episode.cluster_id)
