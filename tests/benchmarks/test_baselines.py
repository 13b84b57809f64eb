from __future__ import annotations

import math

import numpy as np
import pytest

from benchmarks import baselines
from benchmarks.baselines import group_by, prototype, textbook
from benchmarks.baselines.method import Arrived, Method, text_of
from benchmarks.quality import BEST_EACH, best_group_by


def alert(at: float, angle: float = 0.0, text: str = "text", **labels: str) -> Arrived:
    """An alert whose text points *angle* degrees away from that of others."""
    vector = np.zeros(4, dtype=np.float32)
    vector[:2] = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    return Arrived(at, labels, text, vector)


def test_group_by_opens_anew_after_the_gap_and_counts_it_from_the_latest() -> None:
    alerts = [
        alert(0, namespace="a"),
        alert(300, namespace="a"),
        alert(301, namespace="b"),
        alert(600, namespace="a"),
        alert(901, namespace="a"),
        alert(902),
    ]

    assert list(group_by.group(["namespace"], 300, alerts)) == [1, 1, 2, 1, 3, 4]


def test_without_labels_the_gap_alone_decides() -> None:
    alerts = [alert(0, namespace="a"), alert(60, namespace="b"), alert(121)]

    assert list(group_by.group([], 60, alerts)) == [1, 1, 2]
    assert group_by.method([], 60).name == "time gap only, 60 s"
    assert group_by.method(["namespace", "app"], 60).name == "group_by namespace+app, 60 s"


def test_the_textbook_knows_no_clock_and_joins_what_is_near_enough() -> None:
    # 1 / (1 + 2 - 2 cos): 0.89 at 20 degrees, 0.79 at 30 (above the mean asked, below the best asked).
    alerts = [alert(0), alert(1e9, 20), alert(0, 90), alert(0, 120)]

    assert list(textbook.group(alerts)) == [1, 1, 2, 3]


def test_the_textbook_looks_at_five_neighbours_only() -> None:
    alerts = [alert(0, 40), *(alert(0) for _ in range(5)), alert(0, 19)]

    # The one at 40 degrees is the sixth nearest of the last, and has no say.
    assert list(textbook.group(alerts)) == [1, 2, 2, 2, 2, 2, 2]


def test_the_prototype_forgets_with_time() -> None:
    # The same text without labels: 0.5 · exp(-dt / 300) is 0.2 at 274.9 s.
    assert list(prototype.group([alert(0), alert(274)])) == [1, 1]
    assert list(prototype.group([alert(0), alert(276)])) == [1, 2]


def test_the_prototype_weighs_shared_labels() -> None:
    # Texts at right angles. Of two labels, node is new (weight 1 + ln 2), and zone was seen on the one
    # alert before (weight 1): shared zone alone is 0.5 / (2 + ln 2) = 0.186, too little.
    first = alert(0, node="n1", zone="z")

    assert list(prototype.group([first, alert(0, 90, node="n2", zone="z")])) == [1, 2]
    assert list(prototype.group([first, alert(0, 90, node="n1", severity="x")])) == [1, 1]


@pytest.mark.parametrize(
    "method", [m for m in baselines.METHODS if m.installed], ids=lambda m: m.name
)
def test_every_method_gives_each_alert_one_cluster_and_a_time(method: Method) -> None:
    alerts = [alert(30.0 * i, 90.0 * (i % 2), f"word{i % 2} again", node="n") for i in range(8)]

    found = method.run(alerts)

    assert len(found.assigned) == len(found.seconds) == 8
    assert found.assigned == found.final
    assert len(set(found.assigned)) < 8


def test_a_method_whose_package_is_not_there_says_so() -> None:
    assert not Method("x", lambda alerts: [], needs="no_such_package").installed
    assert Method("x", lambda alerts: []).installed


def test_a_baseline_reads_name_summary_and_description() -> None:
    row = {"labels": {"alertname": "A"}, "annotations": {"description": "d 1", "runbook": "r"}}

    assert text_of(row) == "A. d 1"
    assert text_of({"labels": {}, "annotations": {}}) == "alert"


def test_the_best_group_by_is_one_for_all_and_one_for_each() -> None:
    results = [
        {"stream": stream, "method": method, "score": score}
        for stream, method, score in (
            ("s", "group_by a, 60 s", 0.9),
            ("t", "group_by a, 60 s", 0.2),
            ("s", "group_by b, 60 s", 0.5),
            ("t", "group_by b, 60 s", 0.7),
        )
    ]

    found = [(r["method"], r["stream"], r["score"]) for r in best_group_by(results)]

    assert found == [
        ("group_by, best of all (b, 60 s)", "s", 0.5),
        ("group_by, best of all (b, 60 s)", "t", 0.7),
        (BEST_EACH, "s", 0.9),
        (BEST_EACH, "t", 0.7),
    ]
