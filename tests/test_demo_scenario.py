"""The demo's scenario, and the verdict over what became of it."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from receiver.core.identity import IdentitySettings
from receiver.core.labels import NOT_TOPOLOGY
from receiver.core.payload import read_one
from receiver.demo.outages import DATABASE, NODE
from receiver.demo.scenario import DURATION, WATCHDOG, Firing, Scenario, Status, build_scenario
from receiver.demo.verdict import expected, judge

SCENARIO = build_scenario()
DROPPED = IdentitySettings().drop_labels


def key_of(firing: Firing) -> tuple[tuple[str, str], ...]:
    return tuple(firing.labels.items())


def test_the_scenario_is_always_the_same() -> None:
    assert build_scenario() == SCENARIO


def test_it_is_a_few_hundred_alerts_in_some_twenty_minutes() -> None:
    alerts = {key_of(firing) for firing in SCENARIO.firings}

    assert 250 <= len(alerts) <= 450
    assert 900 <= DURATION <= 1500
    assert all(0 <= step.at < DURATION for step in SCENARIO.steps)


def test_every_alert_is_one_that_the_receiver_takes() -> None:
    for firing in SCENARIO.firings:
        assert all(re.fullmatch(r"[a-zA-Z_]\w*", name) for name in firing.labels)
        assert all(firing.labels.values())
        assert {"alertname", "severity", "job"} <= firing.labels.keys()
        assert {"summary", "description", "runbook_url"} == firing.annotations.keys()
        assert not re.search(r"[{}]", "".join(firing.annotations.values()))

        entry = {
            "status": "firing",
            "labels": firing.labels,
            "annotations": firing.annotations,
            "startsAt": "2026-01-01T00:00:00Z",
        }
        assert read_one(entry, IdentitySettings()).labels == firing.labels


def test_the_steps_of_an_alert_take_turns_and_begin_with_a_firing() -> None:
    fires: dict[tuple[tuple[str, str], ...], bool] = {}
    for step in SCENARIO.steps:
        key = key_of(step.firing)

        assert fires.get(key, False) is (step.status is Status.RESOLVED)

        fires[key] = step.status is Status.FIRING


def test_firings_last_long_enough_to_be_told_of() -> None:
    """Alertmanager never tells of an alert that is over before its group is next due: 40 s,
    counted by a clock that goes in steps of up to 30."""
    lengths = [f.until - f.at for f in SCENARIO.firings if f.until is not None]

    assert min(lengths) > 130


def test_an_alert_belongs_to_one_incident() -> None:
    incidents: dict[tuple[tuple[str, str], ...], set[str]] = {}
    for firing in SCENARIO.firings:
        incidents.setdefault(key_of(firing), set()).add(firing.incident)

    assert all(len(names) == 1 for names in incidents.values())


def test_the_phases_are_there() -> None:
    sizes = Counter(firing.incident for firing in SCENARIO.firings)
    flapped = Counter(key_of(firing) for firing in SCENARIO.firings).most_common(1)[0][1]
    services = {f.labels.get("service") for f in SCENARIO.firings if f.incident == DATABASE}

    assert sizes[DATABASE] > 100
    assert sizes[NODE] > 40
    assert len(SCENARIO.incidents) > 10
    assert sizes[WATCHDOG] == 1
    assert WATCHDOG not in SCENARIO.incidents
    assert flapped >= 5
    assert {"payments-db", "payments", "checkout", "cart", "web", "shipping"} <= services
    assert any(f.until is None for f in SCENARIO.firings if f.incident == NODE)
    assert "prometheus_replica" in NOT_TOPOLOGY


def kept(scenario: Scenario) -> list[dict[str, Any]]:
    """What the API gives when each incident became a cluster and nothing was lost."""
    sent = expected(scenario, DROPPED)
    return [
        {
            "fingerprint": key,
            "state": "firing" if alert.firing else "resolved",
            "cluster_id": scenario.incidents.index(alert.incident) + 1,
        }
        for key, alert in sent.items()
    ]


def clusters(scenario: Scenario) -> list[dict[str, Any]]:
    return [{"id": i + 1, "merged_into": None} for i in range(len(scenario.incidents))]


def test_a_receiver_that_kept_all_passes_the_check() -> None:
    verdict = judge(expected(SCENARIO, DROPPED), kept(SCENARIO), clusters(SCENARIO))

    assert verdict.complete
    assert verdict.agreement is not None
    assert verdict.agreement.score == 1.0
    assert verdict.agreement.hidden == 0


def test_a_lost_alert_fails_the_check() -> None:
    episodes = kept(SCENARIO)
    gone = episodes.pop()["fingerprint"]
    verdict = judge(expected(SCENARIO, DROPPED), episodes, clusters(SCENARIO))

    assert verdict.lost == (gone,)
    assert not verdict.complete


def test_a_lost_resolve_fails_the_check() -> None:
    episodes = kept(SCENARIO)
    resolved = next(episode for episode in episodes if episode["state"] == "resolved")
    resolved["state"] = "firing"
    verdict = judge(expected(SCENARIO, DROPPED), episodes, clusters(SCENARIO))

    assert verdict.wrong == (resolved["fingerprint"],)
    assert not verdict.complete


def test_members_of_a_merged_cluster_count_to_the_survivor() -> None:
    found = clusters(SCENARIO)
    found[0]["merged_into"], found[1]["merged_into"] = 2, 3
    verdict = judge(expected(SCENARIO, DROPPED), kept(SCENARIO), found)

    assert set(verdict.contents) == set(range(3, len(found) + 1))
    assert set(verdict.contents[3]) == set(SCENARIO.incidents[:3])


def test_a_receiver_that_kept_nothing_has_no_agreement() -> None:
    verdict = judge(expected(SCENARIO, DROPPED), [], [])

    assert len(verdict.lost) == verdict.sent
    assert verdict.agreement is None
