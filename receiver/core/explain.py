"""Why an alert is where it is, in the words and figures that people are shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from receiver.core.clusters import ClusteringSettings
from receiver.core.evidence import Score, evidence_for
from receiver.core.labels import label_of

TERMS = ("text", "labels", "time", "together", "habit")
"""The terms of a score, each `evidence_` and its name there; their sum decides."""

_TERMS_OF = attrgetter(*(f"evidence_{name}" for name in TERMS))

_MET = 1.0
"""Log-odds of company from which on it is said in words: e times as often as by chance."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Where an alert would go, and why.

    Attributes:
        cluster_id: None if it would open a cluster.
        confidence: That this is right, 0 to 1.
        scores: Of the candidates, best first; at least of the best two, if there are two.
        shared: Label values that the alert shares with the best, and what each speaks for it, as log-odds.
        constraint: What an operator said that made a difference; None if nothing did.
        left_out: Candidates that could not be among the best two and have no score.
    """

    cluster_id: int | None
    confidence: float
    scores: Sequence[Score]
    shared: Sequence[tuple[str, float]]
    constraint: Mapping[str, Any] | None = None
    left_out: int = 0


def explain(placement: Placement, settings: ClusteringSettings) -> dict[str, Any]:
    """Return the terms of *placement* as the API shows them."""
    best, runner_up = _best_two(placement)
    needed = evidence_for(settings.threshold)
    return {
        "reason": sentence(placement),
        "threshold": settings.threshold,
        "evidence_needed": None if needed is None else round(needed, 4),
        "decides_at": _decides_at(placement),
        "text_weight": settings.text_weight,
        "time_scale_seconds": settings.time_scale,
        "candidates": len(placement.scores) + placement.left_out,
        "best": _score_json(best),
        "runner_up": _score_json(runner_up),
        "margin": _margin(best, runner_up),
        "shared_labels": [
            {"label": name, "value": value, "weight": round(weight, 3)}
            for (name, value), weight in (
                (label_of(token), weight) for token, weight in placement.shared[:16]
            )
        ],
        "constraint": None if placement.constraint is None else dict(placement.constraint),
    }


def _best_two(placement: Placement) -> tuple[Score | None, Score | None]:
    first, second = (*placement.scores[:2], None, None)[:2]
    return first, second


def _terms(score: Score) -> dict[str, float]:
    return dict(zip(TERMS, _TERMS_OF(score), strict=True))


def _decides_at(placement: Placement) -> dict[str, Any] | None:
    """Return at which threshold the alert would have gone elsewhere; None if at none.

    One that joined would open a cluster of its own at any threshold above it, one that opened a cluster
    would join that of `cluster_id` at this threshold or less.
    """
    best, _ = _best_two(placement)
    if best is None or _must(placement):
        return None
    joins = placement.cluster_id is None
    return {
        "threshold": round(best.confidence, 4),
        "then": "joins" if joins else "opens",
        "cluster_id": best.cluster_id if joins else None,
    }


def _margin(best: Score | None, runner_up: Score | None) -> dict[str, Any] | None:
    """Return by how much the best is ahead of the runner-up, and which terms alone make that.

    Were both alike in one of `decided_by`, the runner-up would win or be as good. Where an operator wanted
    the best, it may be behind.
    """
    if best is None or runner_up is None:
        return None
    ahead, behind = _terms(best), _terms(runner_up)
    by = {name: ahead[name] - behind[name] for name in TERMS}
    total = best.evidence - runner_up.evidence
    return {
        "confidence": round(best.confidence - runner_up.confidence, 4),
        "evidence": round(total, 4),
        "terms": {name: round(value, 4) for name, value in by.items()},
        "decided_by": [name for name in TERMS if by[name] >= total > 0],
    }


def _must(placement: Placement) -> bool:
    return placement.constraint is not None and placement.constraint["kind"] == "must_link"


def _score_json(score: Score | None) -> dict[str, Any] | None:
    if score is None:
        return None
    return {
        "cluster_id": score.cluster_id,
        "confidence": round(score.confidence, 4),
        "likeness": round(score.likeness, 4),
        "evidence": {name: round(value, 4) for name, value in _terms(score).items()},
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
    best, runner_up = _best_two(placement)
    if best is None:
        return "opens a cluster: no other takes alerts just now"
    at = f"{best.confidence:.2f}"
    if placement.cluster_id is None:
        nearest = f"the nearest, cluster {best.cluster_id}, fits with {at} only"
        return f"opens a cluster: {nearest}, and would take it at a threshold of {at}"
    gap = (
        f"{best.gap_seconds:.0f} s after its latest"
        if best.gap_seconds
        else "while the cluster was growing"
    )
    follows = (
        f"; next is cluster {runner_up.cluster_id} with {runner_up.confidence:.2f}"
        if runner_up
        else ""
    )
    if best.at_home:
        told = f"it keeps coming back alone, now {gap}"
    else:
        met = ", such have begun together before" if best.evidence_together >= _MET else ""
        told = f"text {best.text:.2f}, labels {best.labels:.2f}{met}, {gap}"
    return f"{told}; alone at a threshold above {at}{follows}"
