"""Parts that take a few lines each: matchers, severity, heartbeat, stability, memory, scores."""

from __future__ import annotations

from typing import Any

import pytest

from receiver.core import matchers, scores, severity
from receiver.core.heartbeat import HeartbeatSettings, is_heartbeat
from receiver.core.settings import ConfigError
from receiver.core.severity import SeveritySettings
from receiver.core.stability import Stability


@pytest.mark.parametrize(
    ("text", "labels", "matches"),
    [
        ('alertname="Watchdog"', {"alertname": "Watchdog"}, True),
        ("alertname=Watchdog", {"alertname": "Other"}, False),
        ('team!="a"', {}, True),
        ('team=~"a|b"', {"team": "b"}, True),
        ('team=~"a|b"', {"team": "bb"}, False),
        ('team!~"a.*"', {"team": "b"}, True),
        ('"odd name"="x"', {"odd name": "x"}, True),
        ('missing=""', {}, True),
    ],
)
def test_matchers_read_as_alertmanagers(text: str, labels: dict[str, str], matches: bool) -> None:
    assert matchers.parse(text, "k").matches(labels) is matches


@pytest.mark.parametrize(
    "text", ["", "alertname", '="x"', ' ="x"', 'a=~"("', 'a=~"x{99999999999}"']
)
def test_a_bad_matcher_is_refused_by_name(text: str) -> None:
    with pytest.raises(ConfigError, match=r"heartbeat.matchers"):
        HeartbeatSettings(matchers=(text,))


def test_all_matchers_of_the_heartbeat_must_match() -> None:
    wanted = HeartbeatSettings(matchers=('alertname="Watchdog"', 'cluster="lab"')).parsed()

    assert is_heartbeat({"alertname": "Watchdog", "cluster": "lab"}, wanted)
    assert not is_heartbeat({"alertname": "Watchdog"}, wanted)
    assert not is_heartbeat({"alertname": "Watchdog"}, ())


def test_an_unknown_severity_ranks_highest_and_none_lowest() -> None:
    order = SeveritySettings()

    ranked = sorted(["page", "critical", "", "info"], key=lambda s: severity.rank(s, order))

    assert ranked == ["", "info", "critical", "page"]
    assert severity.worse("info", "critical", order) == "critical"
    assert severity.worse("critical", "info", order) == "critical"
    assert severity.of({"severity": "info"}, order) == "info"


def test_stability_says_when_it_knows_too_little() -> None:
    stability = Stability(4)
    stability.restore([(1, True, 1.0), (2, False, 0.8)])
    stability.observe(5, False, 0.6)
    assert stability.ratio is None
    assert stability.report(2)["status"] == "insufficient_data"

    stability.observe(6, False, 0.6)

    assert stability.report(2) == {
        "status": "ok",
        "new_cluster_rate": 0.25,
        "avg_assignment_confidence": 0.75,
        "stability_score": 0.75,
        "total_clusters": 2,
        "window_size": 4,
        "assignments": 4,
    }


def test_the_latest_assignments_are_those_of_the_latest_episodes() -> None:
    stability = Stability(3)
    stability.restore([(2, True, 0.2), (3, False, 0.3), (5, False, 0.5)])
    stability.observe(4, True, 0.4)
    stability.observe(1, True, 0.1)

    assert [number for number, *_ in stability._latest] == [3, 4, 5]


def test_perfect_and_worst_agreement() -> None:
    same = scores.agreement([1, 1, 2, 2], ["a", "a", "b", "b"])
    lumped = scores.agreement([1, 1, 2, 2], [0, 0, 0, 0])
    apart = scores.agreement([1, 1, 2, 2], [0, 1, 2, 3])

    assert (same.score, same.hidden, same.over_merged, same.compression) == (1.0, 0, 0.0, 2.0)
    assert (lumped.hidden, lumped.over_merged, lumped.b_cubed_recall) == (2, 1.0, 1.0)
    assert (apart.f1, apart.singletons, apart.b_cubed_precision) == (0.0, 1.0, 1.0)
    assert scores.agreement([1], [1]).score == 1.0


@pytest.mark.parametrize(("truth", "found"), [([], []), ([1], [])])
def test_nothing_cannot_be_compared(truth: list[Any], found: list[Any]) -> None:
    with pytest.raises(ValueError, match=r"compared"):
        scores.agreement(truth, found)
