"""The textbook's algorithm: the nearest five alerts ever seen, by text alone, without a clock.

Similarity is 1 / (1 + L2²). An alert joins, of the clusters of its neighbours, the one whose neighbours
are the most similar on average, if that average is above 0.75 and the most similar above 0.85.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np

from benchmarks.baselines.method import Arrived, Method

NEIGHBOURS = 5
MEAN_ABOVE, BEST_ABOVE = 0.75, 0.85


def group(alerts: Sequence[Arrived]) -> Iterator[int]:
    """Yield the cluster of each of *alerts*."""
    if not alerts:
        return
    seen = np.empty((len(alerts), len(alerts[0].vector)), dtype=np.float32)
    clusters: list[int] = []
    opened = 0
    for i, alert in enumerate(alerts):
        # Of unit vectors L2² is 2 - 2 cos.
        squared = np.maximum(2.0 - 2.0 * (seen[:i] @ alert.vector), 0.0)
        nearest = np.arange(i)
        if i > NEIGHBOURS:
            nearest = np.argpartition(squared, NEIGHBOURS - 1)[:NEIGHBOURS]
        similar: defaultdict[int, list[float]] = defaultdict(list)
        for neighbour in nearest:
            similar[clusters[neighbour]].append(1.0 / (1.0 + float(squared[neighbour])))
        means = {c: sum(found) / len(found) for c, found in similar.items()}
        fit = [c for c in means if means[c] > MEAN_ABOVE and max(similar[c]) > BEST_ABOVE]
        if fit:
            chosen = max(fit, key=lambda c: (means[c], -c))
        else:
            opened += 1
            chosen = opened
        seen[i] = alert.vector
        clusters.append(chosen)
        yield chosen


METHOD = Method("textbook", group, slow=True)
