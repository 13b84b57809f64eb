"""What is like a text or a cluster: clusters, over or live, and texts of alerts. Changes nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from receiver.core.clusters import Cluster, ClusterState
from receiver.core.engine import Engine
from receiver.core.model import Vector
from receiver.core.past import Likeness, PastCluster, Signature
from receiver.core.text import masked_text


@dataclass(frozen=True, slots=True)
class Similar:
    """What was found, nearest first.

    Attributes:
        clusters: As the public sees them.
        texts: (id of a text, cosine).
        vectors: How many were searched: texts, centres of past clusters, and of live ones.
    """

    clusters: list[dict[str, Any]]
    texts: list[tuple[int, float]]
    vectors: int


def text_of(query: str) -> str:
    """Return *query* in the form in which texts of alerts are embedded.

    A single word is taken for an alert's name, and split as names are.
    """
    if len(query.split()) == 1:
        return masked_text({"alertname": query.strip()}, {})
    return masked_text({}, {"summary": query})


def similar(engine: Engine, one: Signature, count: int, without: int = 0) -> Similar:
    """Return up to *count* clusters and texts that are most like *one*.

    Args:
        engine: Knows them.
        one: What they are compared with. Without items it is a text, and then the cosine counts alone.
        count: Of clusters, and of texts.
        without: Id of a cluster that is left out: the one asked for.
    """
    center = one.center
    if center is None:
        return Similar([], [], 0)
    live = [c for c in engine.live.by_id.values() if c.center is not None and c.id != without]
    found = [*_past(engine, one, center, count + 1), *_live(engine, one, center, live, count)]
    found.sort(key=lambda pair: (-pair[1].similarity, -pair[0].id))
    told = [_told(engine, *pair, by_text=not one.items) for pair in found if pair[0].id != without]
    searched = len(engine.texts.index) + len(engine.past) + len(live)
    return Similar(told[:count], engine.texts.index.search(center, count), searched)


def _past(
    engine: Engine, one: Signature, center: Vector, count: int
) -> Iterable[tuple[PastCluster, Likeness]]:
    if one.items:
        return engine.past.like(one, count)
    return [(past, _by_text(cosine)) for past, cosine in engine.past.nearest(center, count)]


def _live(
    engine: Engine, one: Signature, center: Vector, live: list[Cluster], count: int
) -> Iterable[tuple[PastCluster, Likeness]]:
    """Return the likest of *live*, looking closer at those with the nearest centres only."""
    if not live:
        return []
    cosines = np.stack([c.center for c in live if c.center is not None]) @ center
    nearest = np.argsort(-cosines, kind="stable")[: max(count, 64)]
    known = [(PastCluster.of(live[n]), float(cosines[n])) for n in nearest]
    if not one.items:
        return [(cluster, _by_text(cosine)) for cluster, cosine in known]
    return [(cluster, engine.past.likeness(one, cluster.signature)) for cluster, _ in known]


def _by_text(cosine: float) -> Likeness:
    cosine = min(1.0, max(0.0, cosine))
    return Likeness(round(cosine, 4), cosine)


def _told(
    engine: Engine, cluster: PastCluster, likeness: Likeness, *, by_text: bool
) -> dict[str, Any]:
    live = engine.live.by_id.get(cluster.id)
    told = {
        "cluster_id": cluster.id,
        "similarity": likeness.similarity,
        "reason": f"texts {likeness.text:.2f} alike" if by_text else likeness.sentence(),
        "state": (ClusterState.RESOLVED if live is None else live.state).value,
        "size": cluster.size,
        **cluster.told(),
    }
    # What goes on has not ended, whichever of its alerts ceased to fire last.
    return told if live is None else told | {"ended": None}
