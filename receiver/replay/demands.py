"""What operators demanded of alerts, and how much of it a grouping honours: scored, never obeyed.

A replay that obeyed them could not be judged by them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from receiver.core.constraints import Kind
from receiver.replay.arrivals import Line


@dataclass(frozen=True, slots=True)
class Demand:
    """One merge or split of an operator that still holds.

    Attributes:
        kind: That both sides belong together, or that they never do.
        time: When it was said, nanoseconds: it speaks of the firing periods known by then.
        sides: Fingerprints of the alerts on each side.
    """

    kind: Kind
    time: int
    sides: tuple[tuple[str, ...], tuple[str, ...]]


def honours(demands: Iterable[Demand], lines: Iterable[Line]) -> dict[str, Any]:
    """Return, by kind of demand, how many there are, and how many the clusters of *lines* honour.

    Returns:
        `told`, `honoured` (by more than half of the pairs across the sides), `pairs`, and
        `pairs_honoured`. A demand of which one side is not among the lines is not counted.
    """
    demands = list(demands)
    wanted = {name for demand in demands for side in demand.sides for name in side}
    placed: dict[str, list[tuple[int, int]]] = {}
    for line in lines:
        episode = line.episode
        if episode is not None and episode.cluster_id is not None and line.fingerprint in wanted:
            placed.setdefault(episode.fingerprint, []).append(
                (episode.received_at, episode.cluster_id)
            )
    found = {
        kind.value: {"told": 0, "honoured": 0, "pairs": 0, "pairs_honoured": 0} for kind in Kind
    }
    for demand in demands:
        one, other = (_clusters(side, placed, demand.time) for side in demand.sides)
        pairs = one.total() * other.total()
        if not pairs:
            continue
        together = sum(count * other[cluster] for cluster, count in one.items())
        honoured = together if demand.kind is Kind.MUST else pairs - together
        figures = found[demand.kind.value]
        figures["told"] += 1
        figures["honoured"] += 2 * honoured > pairs
        figures["pairs"] += pairs
        figures["pairs_honoured"] += honoured
    return found


def _clusters(
    side: Sequence[str], placed: dict[str, list[tuple[int, int]]], time: int
) -> Counter[int]:
    """Return how many alerts of *side* each cluster has, by the latest of their periods until *time*."""
    latest = [
        [cluster for received_at, cluster in placed.get(name, ()) if received_at <= time][-1:]
        for name in side
    ]
    return Counter(cluster for found in latest for cluster in found)
