"""The clusters that are going on, and the indexes that find those an alert may belong to.

Candidates come from nearest texts, shared label values and recent movement, each bounded, so that the
cost of an alert does not grow with how many clusters there are or ever were.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from receiver.core.clusters import Cluster
from receiver.core.evidence import Background, Probe
from receiver.core.index import VectorIndex
from receiver.core.ranking import Reach
from receiver.core.text_holders import TextHolders

PER_SOURCE = 8
"""Clusters taken from one text or one label value: the latest that moved. On no labelled stream did half or
twice as many change anything, and each costs its comparison."""

MOVED_LAST = 16
"""Clusters taken because they moved last; texts are judged against those of these."""

COMMON = 256
"""A label value in more accepting clusters than this tells nothing, and is no source."""

_Ids = set[int] | frozenset[int]

_NOBODY: frozenset[int] = frozenset()


class LiveClusters:
    """Live clusters by id, with the indexes over those that accept members."""

    def __init__(self, texts: VectorIndex) -> None:
        """Start with none; *texts*, empty, finds their texts."""
        self.by_id: dict[int, Cluster] = {}
        self.texts = texts
        self._by_text: dict[int, set[int]] = {}
        self._closed = TextHolders()
        self._by_token: dict[str, set[int]] = {}
        self._recent: dict[int, None] = {}
        self._homes: dict[str, set[int]] = {}
        self._waits: dict[int, str] = {}

    def __len__(self) -> int:
        return len(self.by_id)

    def uses(self, text_id: int) -> bool:
        """Whether a live cluster holds the text *text_id*: one that is merged may be asked for it."""
        return text_id in self._by_text or text_id in self._closed

    def add(self, cluster: Cluster) -> None:
        """Take in a new or restored *cluster*; those restored come in the order of `moved_no`."""
        self.by_id[cluster.id] = cluster
        self._closed.drop(cluster.id)
        if cluster.accepting:
            self.index(cluster, cluster.exemplars, cluster.tokens)
        else:
            self._closed.put(cluster.id, cluster.exemplars)

    def index(self, cluster: Cluster, text_ids: Iterable[int], tokens: Iterable[str]) -> None:
        """Make *cluster*, which moved, found by those of *text_ids* and *tokens* that it holds."""
        for text_id in cluster.exemplars.keys() & set(text_ids):
            if text_id not in self._by_text:
                self.texts.add([text_id], cluster.exemplars[text_id].vector.reshape(1, -1))
            self._by_text.setdefault(text_id, set()).add(cluster.id)
        for token in cluster.tokens.keys() & set(tokens):
            self._by_token.setdefault(token, set()).add(cluster.id)
        self._recent.pop(cluster.id, None)
        if not cluster.patience:
            self._recent[cluster.id] = None
        self._wait(cluster.id, cluster.only if cluster.patience else "")

    def unindex(self, cluster: Cluster, text_ids: Iterable[int], tokens: Iterable[str]) -> None:
        """Make *cluster* no longer found by *text_ids* and *tokens*."""
        unused = []
        for text_id in text_ids:
            holders = self._by_text.get(text_id, set())
            holders.discard(cluster.id)
            if not holders and self._by_text.pop(text_id, None) is not None:
                unused.append(text_id)
        self.texts.remove(unused)
        for token in tokens:
            holders = self._by_token.get(token, set())
            holders.discard(cluster.id)
            if not holders:
                self._by_token.pop(token, None)

    def close(self, cluster: Cluster) -> None:
        """*cluster* takes no more members."""
        self.unindex(cluster, cluster.exemplars, cluster.tokens)
        self._recent.pop(cluster.id, None)
        self._wait(cluster.id, "")
        self._closed.put(cluster.id, cluster.exemplars)

    def remove(self, cluster: Cluster) -> None:
        """*cluster*, closed before, is no longer live."""
        self._closed.drop(cluster.id)
        self.by_id.pop(cluster.id, None)

    def _wait(self, cluster_id: int, fingerprint: str) -> None:
        """Let a cluster wait for the alert *fingerprint* alone; for none if that is empty."""
        before = self._waits.pop(cluster_id, "")
        if before:
            self._homes[before].discard(cluster_id)
            if not self._homes[before]:
                del self._homes[before]
        if fingerprint:
            self._waits[cluster_id] = fingerprint
            self._homes.setdefault(fingerprint, set()).add(cluster_id)

    def candidates(self, probe: Probe, neighbors: int) -> tuple[list[Cluster], Reach]:
        """Return the accepting clusters that *probe* may belong to, by id, and how near texts can be.

        Args:
            probe: An alert.
            neighbors: How many nearest texts are looked at.
        """
        texts = [] if probe.vector is None else self.texts.search(probe.vector, neighbors)
        by_text = [self._by_text[text_id] for text_id, _ in texts]
        holding: dict[str, _Ids] = {
            token: self._by_token.get(token, _NOBODY) for token in probe.weights
        }
        telling = [holders for holders in holding.values() if len(holders) <= COMMON]
        # One that waits for its alert is part of what goes on, and nobody else's: it takes no place from
        # those that others may belong to.
        sources: list[_Ids] = [
            ids if len(ids) <= PER_SOURCE else self._latest(ids) for ids in (*by_text, *telling)
        ]
        latest = set[int]().union(*sources).difference(self._waits)
        homes = self._homes.get(probe.fingerprint, _NOBODY)
        found = latest.union(self._moved_last(), homes)
        most = len(found)
        nearest = [
            (cosine, holders if len(holders) <= most else found.intersection(holders))
            for (_, cosine), holders in zip(reversed(texts), reversed(by_text), strict=True)
        ]
        sharing = {
            token: holders if len(holders) <= most else found.intersection(holders)
            for token, holders in holding.items()
        }
        met = (self._by_text[text_id] for text_id in probe.companions if text_id in self._by_text)
        beyond = texts[-1][1] if 0 < len(texts) < len(self.texts) else -1.0
        clusters = [self.by_id[cluster_id] for cluster_id in sorted(found)]
        return clusters, Reach(nearest, beyond, sharing, set().union(*met), homes)

    def background(self, tokens: Iterable[str], new_rate: float) -> Background:
        """Return what is going on that an alert with *tokens* is judged against."""
        return Background(
            accepting=len(self._recent) + len(self._waits),
            holders={token: len(self._by_token.get(token, ())) for token in tokens},
            recent=self._moved_last(),
            new_rate=new_rate,
        )

    def _moved_last(self) -> list[int]:
        return list(islice(reversed(self._recent), MOVED_LAST))

    def _latest(self, cluster_ids: _Ids) -> _Ids:
        """Return those of *cluster_ids* that moved last and do not wait."""
        moved = sorted((self.by_id[c].moved_no, c) for c in cluster_ids.difference(self._waits))
        return {cluster_id for _, cluster_id in moved[-PER_SOURCE:]}
