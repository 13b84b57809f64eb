"""HDBSCAN (Campello et al. 2013) over the texts of a whole stream in hindsight, without a clock.

An alert that it calls noise is a cluster of its own: somebody has to look at it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from benchmarks.baselines.method import Arrived, Method

SMALLEST = 2
"""Alerts that make a cluster: the least there can be, as most true groups are small."""


def group(alerts: Sequence[Arrived]) -> Iterator[int]:
    """Yield the cluster of each of *alerts*."""
    from sklearn.cluster import HDBSCAN

    # Brute force: trees are of no use in 384 dimensions.
    found = HDBSCAN(min_cluster_size=SMALLEST, algorithm="brute", copy=True).fit_predict(
        np.stack([alert.vector for alert in alerts])
    )
    for i, label in enumerate(found.tolist()):
        yield label if label >= 0 else -i - 1


METHOD = Method("HDBSCAN in hindsight", group, slow=True, hindsight=True, needs="sklearn")
