"""How many new episodes came lately, and to which clusters: a sliding window in a few pieces."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

PIECES = 12
"""Of a window. What is counted is between 11/12 and 12/12 of it, never more; memory is bounded."""

_MOST_CLUSTERS = 512
"""Clusters told apart in a piece; the episodes of others count in its total only. A cluster that
matters comes again in the next piece."""


@dataclass(slots=True)
class _Piece:
    """Episodes of one piece of time.

    Attributes:
        number: Its time over the width of a piece.
        total: Episodes in it.
        clusters: Episodes by cluster id.
    """

    number: int
    total: int = 0
    clusters: dict[int, int] = field(default_factory=dict)


class Window:
    """Counts over the latest *length* nanoseconds."""

    def __init__(self, length: int) -> None:
        """Start with nothing counted."""
        self.width = max(1, length // PIECES)
        self.total = 0
        self._pieces: deque[_Piece] = deque()

    def add(self, cluster_id: int, now: int) -> None:
        """Count one episode of *cluster_id* at *now*, which never falls."""
        self.move(now)
        number = now // self.width
        if not self._pieces or self._pieces[-1].number != number:
            self._pieces.append(_Piece(number))
        piece = self._pieces[-1]
        piece.total += 1
        self.total += 1
        if cluster_id in piece.clusters or len(piece.clusters) < _MOST_CLUSTERS:
            piece.clusters[cluster_id] = piece.clusters.get(cluster_id, 0) + 1

    def move(self, now: int) -> None:
        """Let go of what is out of the window at *now*."""
        while self._pieces and self._pieces[0].number <= now // self.width - PIECES:
            self.total -= self._pieces.popleft().total

    def by_cluster(self) -> Counter[int]:
        """Return the episodes in the window by cluster id."""
        counts: Counter[int] = Counter()
        for piece in self._pieces:
            counts.update(piece.clusters)
        return counts

    def merge(self, gone: int, into: int) -> bool:
        """Count what was counted of the cluster *gone* as of *into*; return whether anything was."""
        held = [piece.clusters for piece in self._pieces if gone in piece.clusters]
        for clusters in held:
            clusters[into] = clusters.get(into, 0) + clusters.pop(gone)
        return bool(held)

    def boundary_after(self, now: int) -> int:
        """Return when the window next loses a piece, at the earliest, nanoseconds."""
        return (now // self.width + 1) * self.width

    def dump(self) -> dict[str, Any]:
        """Return the window, as JSON has it."""
        return {
            "width": self.width,
            "pieces": [[p.number, p.total, list(p.clusters.items())] for p in self._pieces],
        }

    def restore(self, told: Mapping[str, Any]) -> None:
        """Become what gave *told*; what was counted in pieces of another width is let go."""
        if told["width"] != self.width:
            return
        for number, total, clusters in told["pieces"]:
            self._pieces.append(_Piece(number, total, dict(clusters)))
            self.total += total
