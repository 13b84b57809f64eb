"""Episodes as a store holds them that was told of every change: what a replay is held against."""

from __future__ import annotations

from collections.abc import Mapping

from receiver.core.changes import Changes, Merged
from receiver.core.model import Episode

Row = tuple[str, str, int | None, int]
"""Fingerprint, state, cluster, reopen_no."""


class ToldEpisodes:
    """The episodes after all changes so far, by id."""

    def __init__(self) -> None:
        """Start with none."""
        self._episodes: dict[int, tuple[str, str, int]] = {}
        self._clusters: dict[int, int | None] = {}
        self._members: dict[int | None, set[int]] = {}
        self._keys: dict[tuple[str, int, int], int] = {}
        self._key_of: dict[int, tuple[str, int, int]] = {}

    def take(self, changes: Changes) -> None:
        """Take in *changes*, in the order in which a store writes them."""
        for change in changes.regrouped:
            if isinstance(change, Merged):
                going = list(self._members.get(change.gone, ()))
            else:
                going = [number for number in change.episodes if number in self._clusters]
            for number in going:
                self._put(number, change.into)
        for episode in changes.ended:
            # One that is known has its end moved, and nothing else.
            if self._keys.get(_key(episode), episode.id) == episode.id:
                self._write(episode)
        for episode in changes.episodes:
            self._write(episode)

    def _write(self, episode: Episode) -> None:
        # A second sender may have moved its start since.
        before = self._key_of.get(episode.id)
        if before is not None and self._keys[before] == episode.id:
            del self._keys[before]
        self._keys[_key(episode)] = episode.id
        self._key_of[episode.id] = _key(episode)
        self._episodes[episode.id] = (episode.fingerprint, episode.state.value, episode.reopen_no)
        self._put(episode.id, episode.cluster_id)

    def _put(self, number: int, cluster_id: int | None) -> None:
        if number in self._clusters:
            self._members[self._clusters[number]].discard(number)
        self._clusters[number] = cluster_id
        self._members.setdefault(cluster_id, set()).add(number)

    def rows(self) -> Mapping[int, Row]:
        """Return all of them by id."""
        return {
            number: (fingerprint, state, self._clusters[number], reopen_no)
            for number, (fingerprint, state, reopen_no) in self._episodes.items()
        }


def _key(episode: Episode) -> tuple[str, int, int]:
    return episode.fingerprint, episode.starts_at, episode.reopen_no
