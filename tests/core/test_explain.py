from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import pytest

from receiver.core.clusters import ClusteringSettings
from receiver.core.evidence import Score, confidence_of, evidence_for
from receiver.core.explain import TERMS, Placement, explain, sentence

SETTINGS = ClusteringSettings()


def score(cluster_id: int, text: float, labels: float, time: float, **changed: Any) -> Score:
    """Return how well an alert fits *cluster_id*, by its terms in log-odds."""
    made = Score(
        cluster_id=cluster_id,
        confidence=confidence_of(text + labels + time),
        text=0.8,
        usual=0.5,
        labels=0.25,
        gap_seconds=12.0,
        evidence_text=text,
        evidence_labels=labels,
        evidence_time=time,
    )
    return dataclasses.replace(made, **changed)


def why(cluster_id: int | None, scores: Sequence[Score], **changed: Any) -> dict[str, Any]:
    placement = Placement(cluster_id, 0.5, scores, (), **changed)
    return explain(placement, SETTINGS)


BEST, NEXT = score(5, 1.0, 2.0, 0.5), score(7, 1.2, -0.5, 0.5)


def test_what_joined_would_open_a_cluster_above_its_confidence() -> None:
    found = why(5, [BEST, NEXT])

    assert found["decides_at"] == {
        "threshold": round(BEST.confidence, 4),
        "then": "opens",
        "cluster_id": None,
    }
    assert found["reason"] == (
        "text 0.80, labels 0.25, 12 s after its latest; alone at a threshold above"
        f" {BEST.confidence:.2f}; next is cluster 7 with {NEXT.confidence:.2f}"
    )


def test_what_opened_a_cluster_would_join_the_nearest_at_its_confidence() -> None:
    low = score(5, -3.0, 0.0, 1.0)
    found = why(None, [low])

    assert found["decides_at"] == {
        "threshold": round(low.confidence, 4),
        "then": "joins",
        "cluster_id": 5,
    }
    at = f"{low.confidence:.2f}"
    assert found["reason"].endswith(
        f"fits with {at} only, and would take it at a threshold of {at}"
    )
    assert (found["runner_up"], found["margin"]) == (None, None)


def test_where_nothing_goes_on_no_threshold_changes_anything() -> None:
    found = why(None, [])

    assert (found["decides_at"], found["best"], found["margin"]) == (None, None, None)
    assert found["reason"] == "opens a cluster: no other takes alerts just now"


def test_an_operator_joins_at_any_threshold() -> None:
    said = {"kind": "must_link", "seq": 9, "cluster_ids": [7]}
    found = why(7, [NEXT, BEST], constraint=said)

    assert found["decides_at"] is None
    assert found["margin"]["evidence"] == pytest.approx(-2.3)
    assert found["margin"]["decided_by"] == []
    assert found["constraint"] == said
    apart = Placement(5, 0.8, [BEST], (), {**said, "kind": "cannot_link"})
    assert sentence(apart).endswith("; an operator keeps it out of 7 (event 9)")
    assert explain(apart, SETTINGS)["decides_at"]["then"] == "opens"


def test_the_margin_tells_which_terms_make_the_whole_difference() -> None:
    margin = why(5, [BEST, NEXT])["margin"]

    assert margin["evidence"] == pytest.approx(2.3)
    assert margin["confidence"] == pytest.approx(BEST.confidence - NEXT.confidence, abs=1e-4)
    assert margin["terms"] == {
        "text": -0.2,
        "labels": 2.5,
        "time": 0.0,
        "together": 0.0,
        "habit": 0.0,
    }
    assert margin["decided_by"] == ["labels"]
    even = why(5, [BEST, score(7, 0.0, 1.5, 0.0)])["margin"]
    assert even["decided_by"] == []


def test_every_term_of_a_score_is_told() -> None:
    told = {f.name.removeprefix("evidence_") for f in dataclasses.fields(Score)}
    named = [f.name for f in dataclasses.fields(Score) if f.name.startswith("evidence_")]

    assert [f"evidence_{name}" for name in TERMS] == named
    assert set(TERMS) <= told
    assert sum(why(5, [BEST])["best"]["evidence"].values()) == pytest.approx(BEST.evidence)


@pytest.mark.parametrize("confidence", [0.01, 0.5, 0.54, 0.999])
def test_the_evidence_needed_gives_the_threshold(confidence: float) -> None:
    needed = evidence_for(confidence)

    assert needed is not None
    assert confidence_of(needed) == pytest.approx(confidence)


def test_no_evidence_gives_certainty() -> None:
    assert evidence_for(0.0) is evidence_for(1.0) is None
    sure = explain(Placement(5, 1.0, [BEST], ()), dataclasses.replace(SETTINGS, threshold=0.0))
    assert sure["evidence_needed"] is None


def test_one_that_came_amid_the_others_has_no_gap() -> None:
    assert "while the cluster was growing" in sentence(
        Placement(5, 0.8, [score(5, 1, 1, 1, gap_seconds=0.0)], ())
    )
