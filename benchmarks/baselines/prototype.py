"""The prototype to beat: text, labels weighted by rarity, and decay, in one sum with one threshold.

    (0.5 · max cosine to recent members + 0.5 · idf label overlap) · exp(-dt / 300 s) > 0.2

Labels that tell who watches or is called are dropped by name. No learned co-occurrence, no flapping or
noise, no merge, no split, no second look.
"""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from benchmarks.baselines.method import Arrived, Method
from receiver.core.model import Vector

DECAY_SECONDS = 300.0
THRESHOLD = 0.2
RECENT_MEMBERS = 20
DROPPED = frozenset(
    {"alertname", "severity", "prometheus", "prometheus_replica", "job"}
    | {"tier", "support_group", "app", "direction", "network"}
)

_REACH = DECAY_SECONDS * math.log(1.0 / THRESHOLD)
"""Seconds after which nothing can reach the threshold any more."""


@dataclass(slots=True)
class _Cluster:
    id: int
    moved_at: float
    vectors: deque[Vector] = field(default_factory=lambda: deque(maxlen=RECENT_MEMBERS))
    labels: set[tuple[str, str]] = field(default_factory=set)


def group(alerts: Sequence[Arrived]) -> Iterator[int]:
    """Yield the cluster of each of *alerts*."""
    warm: list[_Cluster] = []
    counts: Counter[tuple[str, str]] = Counter()
    opened = 0
    for seen, alert in enumerate(alerts):
        labels = {(k, v) for k, v in sorted(alert.labels.items()) if k not in DROPPED}
        weights = {label: 1.0 + math.log((1.0 + seen) / (1.0 + counts[label])) for label in labels}
        warm = [cluster for cluster in warm if alert.at - cluster.moved_at <= _REACH]
        best, score = None, THRESHOLD
        for cluster in warm:
            found = _score(alert, weights, cluster)
            if found > score:
                best, score = cluster, found
        if best is None:
            opened += 1
            best = _Cluster(opened, alert.at)
            warm.append(best)
        best.moved_at = alert.at
        best.vectors.append(alert.vector)
        best.labels |= labels
        counts.update(labels)
        yield best.id


def _score(alert: Arrived, weights: dict[tuple[str, str], float], cluster: _Cluster) -> float:
    cosine = max(0.0, *(float(vector @ alert.vector) for vector in cluster.vectors))
    shared = math.fsum(weight for label, weight in weights.items() if label in cluster.labels)
    overlap = shared / math.fsum(weights.values()) if weights else 0.0
    decay = math.exp(-(alert.at - cluster.moved_at) / DECAY_SECONDS)
    return (0.5 * cosine + 0.5 * overlap) * decay


METHOD = Method("prototype", group)
