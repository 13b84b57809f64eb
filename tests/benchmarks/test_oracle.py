from __future__ import annotations

import numpy as np
import pytest

from benchmarks import oracle, quality, separability, shipped, streams
from benchmarks.confusions import Decision, Kind, judge
from receiver.config import load
from receiver.embedding.hashing import HashingEmbedder


def row(t: float, truth: str, name: str = "A", **labels: str) -> streams.Row:
    return {
        "t": t,
        "status": "firing",
        "labels": {"alertname": name, **labels},
        "annotations": {"summary": name},
        "startsAt": f"1970-01-01T00:{int(t) // 60:02}:{int(t) % 60:02}Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "truth": truth,
    }


def test_alerts_alike_in_all_that_is_told_are_counted_and_go_together() -> None:
    rows = [row(0, "x"), row(10, "x"), row(20, "y"), row(90, "y"), row(90, "z", node="n")]

    found = oracle.alike(rows, "severity")

    # The one at 20 with both before it; the one at 90 is too late for these, and the last has a label.
    assert (found.pairs, found.alerts) == (2, 3)
    # Put together: {0, 10, 20}, {90}, {90 with node}. In truth: {0, 10}, {20, 90}, {90 with node}.
    assert found.agreement.b_cubed_precision == pytest.approx((2 / 3 + 2 / 3 + 1 / 3 + 1 + 1) / 5)


def test_an_oracle_takes_the_right_candidate_and_opens_where_there_is_none() -> None:
    rows = [row(0, "x", "Alpha", node="a"), row(1, "y", "Alpha", node="a")]
    rows += [row(2, "x", "Beta", node="a"), row(3, "y", "Beta", node="b"), row(3000, "x", "C")]
    config, embedder = load(None, ["embedding.backend=hashing"]), HashingEmbedder()
    rows = [r | {"labels": r["labels"] | {"n": str(i)}} for i, r in enumerate(rows)]
    played = shipped.play(rows, config, embedder)

    found, chooser = oracle.chosen_by_truth(played, rows, config, embedder)

    assert (chooser.found, chooser.closed, chooser.missed) == (2, 1, 0)
    assert chooser.recall == 1.0
    assert found.b_cubed_precision == 1.0
    # The last comes after 50 minutes, when its cluster takes no more.
    assert found.b_cubed_recall == pytest.approx((2 / 3 + 2 / 3 + 1 / 3 + 1 + 1) / 5)


def test_errors_are_told_apart_by_kind_and_by_what_misled() -> None:
    def decided(
        truth: str, cluster: int, best: int | None = None, runner_up: int | None = None
    ) -> Decision:
        def told(cluster_id: int | None, evidence: dict[str, float]) -> dict[str, object] | None:
            if cluster_id is None:
                return None
            return {"cluster_id": cluster_id, "evidence": evidence, "gap_seconds": 7.0}

        return Decision(
            truth=truth,
            cluster=cluster,
            opened=cluster not in (best, runner_up),
            best=told(best, {"text": -2.0, "labels": 1.0, "time": 2.0}),
            runner_up=told(runner_up, {"text": -1.0, "labels": -3.0}),
            name="A",
            noise=False,
        )

    found = list(
        judge(
            [
                decided("x", 1),
                decided("x", 1, best=1),
                decided("y", 1, best=1),
                decided("y", 2, best=1),
                decided("x", 2, best=2),
                decided("y", 3, best=1),
                decided("x", 4, best=1),
                decided("x", 5, best=2, runner_up=1),
                decided("y", 6, best=1, runner_up=3),
            ]
        )
    )

    assert [(each.kind, each.term) for each in found] == [
        (Kind.RIGHT, ""),
        (Kind.RIGHT, ""),
        (Kind.JOINED_FIRST, "time"),
        (Kind.RIGHT, ""),
        (Kind.JOINED_OTHER, "time"),
        (Kind.RIGHT, ""),
        (Kind.OPENED_BELOW, "text"),
        (Kind.OPENED_OUTDONE, "labels"),
        (Kind.OPENED_OUTDONE, "labels"),
    ]
    assert [each.name_known for each in found[:2]] == [False, True]
    assert found[0].gap_seconds is None
    assert found[1].gap_seconds == 7.0


def test_the_nearest_in_time_window_counts_and_ties_count_in_part() -> None:
    vectors = np.array([[1, 0], [1, 0], [0, 1], [0, 1]], dtype=np.float32)
    by_text = separability.by_text(vectors)

    # The third is alone within reach of no one: 1,000 s after the others, with the fourth of another group.
    share = separability.nearest_share([0, 1, 1000, 1001], ["x", "x", "y", "z"], by_text)
    assert share == 1.0
    tied = separability.nearest_share([0, 1, 2], ["x", "x", "y"], separability.by_time([0, 0, 0]))
    assert tied == 0.5


def test_rare_labels_make_alerts_more_alike() -> None:
    tokens = [frozenset(t) for t in ({"rare", "all"}, {"rare"}, {"all"}, {"all"})]

    found = separability.by_labels(tokens)(0, np.array([1, 2, 3]))

    assert found[0] > found[1] == found[2]
    assert found[0] + found[1] == pytest.approx(1.0)


def test_what_is_shipped_is_measured_with_all_that_may_happen_on_the_way() -> None:
    rows = [row(t, "x" if t < 50 else "y", f"N{t}", node="a") for t in (0, 1, 2, 100, 101, 1500)]

    found = quality.ours(
        "made up", rows, load(None, ["embedding.backend=hashing"]), HashingEmbedder(), seeds=(1, 2)
    )

    assert found["repeat_same"] is True
    assert 0.0 < found["order"] <= 1.0
    assert found["microseconds"] > 0.0
    assert found["churn"] == 0.0
