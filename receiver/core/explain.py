"""Why an alert is where it is, in the words and figures that people are shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from receiver.core.clusters import ClusteringSettings
from receiver.core.evidence import Score
from receiver.core.labels import label_of


@dataclass(frozen=True, slots=True)
class Placement:
    """Where an alert would go, and why.

    Attributes:
        cluster_id: None if it would open a cluster.
        confidence: That this is right, 0 to 1.
        scores: Of the candidates, best first.
        shared: Label values that the alert shares with the best, and what each speaks for it, as log-odds.
        constraint: What an operator said that made a difference; None if nothing did.
    """

    cluster_id: int | None
    confidence: float
    scores: Sequence[Score]
    shared: Sequence[tuple[str, float]]
    constraint: Mapping[str, Any] | None = None


def explain(placement: Placement, settings: ClusteringSettings) -> dict[str, Any]:
    """Return the terms of *placement* as the API shows them."""
    best = placement.scores[0] if placement.scores else None
    runner_up = placement.scores[1] if len(placement.scores) > 1 else None
    return {
        "reason": sentence(placement),
        "threshold": settings.threshold,
        "text_weight": settings.text_weight,
        "time_scale_seconds": settings.time_scale,
        "candidates": len(placement.scores),
        "best": _score_json(best),
        "runner_up": _score_json(runner_up),
        "shared_labels": [
            {"label": name, "value": value, "weight": round(weight, 3)}
            for (name, value), weight in (
                (label_of(token), weight) for token, weight in placement.shared[:16]
            )
        ],
        "constraint": None if placement.constraint is None else dict(placement.constraint),
    }


def _score_json(score: Score | None) -> dict[str, Any] | None:
    if score is None:
        return None
    return {
        "cluster_id": score.cluster_id,
        "confidence": round(score.confidence, 4),
        "likeness": round(score.likeness, 4),
        "evidence": {
            "text": round(score.evidence_text, 4),
            "labels": round(score.evidence_labels, 4),
            "time": round(score.evidence_time, 4),
        },
        "text_similarity": round(score.text, 4),
        "usual_similarity": round(score.usual, 4),
        "label_overlap": round(score.labels, 4),
        "gap_seconds": round(score.gap_seconds, 3),
        "nearest": [
            {"fingerprint": fingerprint, "similarity": round(similarity, 4)}
            for fingerprint, similarity in score.nearest
        ],
    }


def sentence(placement: Placement) -> str:
    """Return why *placement* is so, in a few words."""
    said = placement.constraint
    if said is None:
        return _sentence(placement)
    if said["kind"] == "must_link":
        return f"an operator joined it with alerts of this cluster (event {said['seq']})"
    ids = ", ".join(map(str, said["cluster_ids"]))
    return f"{_sentence(placement)}; an operator keeps it out of {ids} (event {said['seq']})"


def _sentence(placement: Placement) -> str:
    if not placement.scores:
        return "opens a cluster: nothing else is going on"
    best = placement.scores[0]
    if placement.cluster_id is None:
        return (
            f"opens a cluster: the nearest, {best.cluster_id}, fits with {best.confidence:.2f} only"
        )
    return (
        f"text {best.text:.2f}, labels {best.labels:.2f}, {best.gap_seconds:.0f} s after its latest"
        if best.gap_seconds
        else f"text {best.text:.2f}, labels {best.labels:.2f}, while it was firing up"
    )
