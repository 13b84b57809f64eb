"""How well a grouping agrees with the truth; for replay and benchmarks, never for deciding."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Agreement:
    """Agreement of a grouping with the true one, over the same alerts.

    Attributes:
        f1: Pairwise F1: harmonic mean of the precision and recall over pairs put together, 0 to 1.
        b_cubed_precision: Mean share of an alert's cluster that is of its true group, 0 to 1.
        b_cubed_recall: Mean share of an alert's true group that is in its cluster, 0 to 1.
        hidden: True groups that are the majority of no cluster: nobody would have seen them.
        over_merged: Share of clusters that hold two or more true groups, 0 to 1.
        singletons: Share of clusters with one alert, 0 to 1.
        compression: Alerts per cluster.
    """

    f1: float
    b_cubed_precision: float
    b_cubed_recall: float
    hidden: int
    over_merged: float
    singletons: float
    compression: float

    @property
    def b_cubed(self) -> float:
        """B-cubed F1 (Bagga and Baldwin 1998), 0 to 1."""
        return _harmonic(self.b_cubed_precision, self.b_cubed_recall)

    @property
    def score(self) -> float:
        """Mean of pairwise and B-cubed F1: the figure that settings are compared by, 0 to 1."""
        return (self.f1 + self.b_cubed) / 2


def _harmonic(precision: float, recall: float) -> float:
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def _pairs(count: int) -> int:
    return count * (count - 1) // 2


def agreement(truth: Sequence[Hashable], found: Sequence[Hashable]) -> Agreement:
    """Compare the grouping *found* with the *truth*; position i of both is alert i.

    Raises:
        ValueError: They differ in length, or are empty.
    """
    if len(truth) != len(found) or not truth:
        raise ValueError(f"{len(truth)} true and {len(found)} found groups cannot be compared")
    groups, clusters = Counter(truth), Counter(found)
    cells = Counter(zip(truth, found, strict=True))
    together = sum(_pairs(n) for n in cells.values())
    in_clusters = sum(_pairs(n) for n in clusters.values())
    in_groups = sum(_pairs(n) for n in groups.values())
    precision = together / in_clusters if in_clusters else 1.0
    recall = together / in_groups if in_groups else 1.0
    holds: Counter[Hashable] = Counter(cluster for _, cluster in cells)
    majority = {g for (g, cluster), n in cells.items() if 2 * n > clusters[cluster]}
    return Agreement(
        f1=_harmonic(precision, recall),
        b_cubed_precision=sum(n * n / clusters[c] for (_, c), n in cells.items()) / len(truth),
        b_cubed_recall=sum(n * n / groups[g] for (g, _), n in cells.items()) / len(truth),
        hidden=len(groups.keys() - majority),
        over_merged=sum(1 for n in holds.values() if n > 1) / len(clusters),
        singletons=sum(1 for n in clusters.values() if n == 1) / len(clusters),
        compression=len(truth) / len(clusters),
    )
