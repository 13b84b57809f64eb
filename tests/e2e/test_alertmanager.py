"""Behind a real Alertmanager: what it sends becomes clusters, whatever happens in between."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from tests.e2e.conftest import MakeAlertmanager, MakeReceiver
from tests.support.alertmanager import Alertmanager, firing, resolved
from tests.support.processes import ReceiverProcess
from tests.support.waiting import wait_until
from tests.support.webhook import alert, body

pytestmark = pytest.mark.e2e


def disk_alerts(count: int) -> list[dict[str, Any]]:
    """Return *count* alerts of one fault, on as many instances."""
    return [
        firing(
            {"alertname": "DiskFull", "severity": "critical", "instance": f"fs-{number}:9100"},
            {"summary": f"disk is full on fs-{number}"},
        )
        for number in range(count)
    ]


def await_received(receiver: ReceiverProcess, count: int, **labels: str) -> None:
    """Wait until *count* alerts were applied, by `status` and `outcome`."""
    wait_until(f"{count} alerts {labels}", lambda: receiver.received(**labels) >= count)


def assert_delivered(alertmanager: Alertmanager) -> None:
    """Assert that Alertmanager itself counts no notification as failed."""
    assert alertmanager.notifications() > 0
    assert alertmanager.failures() == 0


def test_alerts_that_fire_become_one_cluster(
    receiver: ReceiverProcess, start_alertmanager: MakeAlertmanager
) -> None:
    alertmanager = start_alertmanager(receiver)
    alertmanager.post(disk_alerts(3))
    await_received(receiver, 3, outcome="new")

    (cluster,) = receiver.clusters()
    assert (cluster["size"], cluster["firing"], cluster["severity"]) == (3, 3, "critical")
    assert cluster["labels"] == {"alertname": "DiskFull", "severity": "critical"}
    assert {alert["cluster_id"] for alert in receiver.alerts()} == {cluster["id"]}
    assert_delivered(alertmanager)


def test_a_repeated_notification_changes_nothing(
    receiver: ReceiverProcess, start_alertmanager: MakeAlertmanager
) -> None:
    alertmanager = start_alertmanager(receiver, repeat_interval="1s")
    alertmanager.post(disk_alerts(2))
    await_received(receiver, 2, outcome="new")
    before = receiver.events()
    await_received(receiver, 6, outcome="refresh")

    assert receiver.events() == before
    assert [alert["state"] for alert in receiver.alerts()] == ["firing", "firing"]
    assert [cluster["size"] for cluster in receiver.clusters(state="all")] == [2]
    assert_delivered(alertmanager)


def test_alerts_that_resolve_leave_a_cluster_with_nothing_firing(
    receiver: ReceiverProcess, start_alertmanager: MakeAlertmanager
) -> None:
    alertmanager = start_alertmanager(receiver)
    alerts = disk_alerts(2)
    alertmanager.post(alerts)
    await_received(receiver, 2, outcome="new")
    alertmanager.post([resolved(alert) for alert in alerts])
    await_received(receiver, 2, status="resolved", outcome="resolved")

    (cluster,) = receiver.clusters()
    assert (cluster["size"], cluster["firing"], cluster["state"]) == (2, 0, "resolving")
    kept = receiver.alerts()
    assert [alert["state"] for alert in kept] == ["resolved", "resolved"]
    assert all(alert["endsAt"] > alert["startsAt"] for alert in kept)
    assert_delivered(alertmanager)


def test_a_cluster_is_resolved_when_nothing_of_it_fires_for_long_enough(
    make_receiver: MakeReceiver, start_alertmanager: MakeAlertmanager
) -> None:
    receiver = make_receiver(settings={"clustering.resolve_after": "1s"})
    receiver.start()
    alertmanager = start_alertmanager(receiver)
    alerts = disk_alerts(2)
    alertmanager.post(alerts)
    await_received(receiver, 2, outcome="new")
    alertmanager.post([resolved(alert) for alert in alerts])
    wait_until("no live cluster", lambda: not receiver.clusters())

    (cluster,) = receiver.clusters(state="all")
    assert (cluster["state"], cluster["accepting"]) == ("resolved", False)
    assert receiver.events()[-1]["type"] == "cluster_resolved"


def test_one_notification_may_hold_alerts_that_fire_and_alerts_that_resolved(
    receiver: ReceiverProcess, start_alertmanager: MakeAlertmanager
) -> None:
    alertmanager = start_alertmanager(receiver, group_by=["alertname"])
    alerts = disk_alerts(4)
    alertmanager.post(alerts)
    await_received(receiver, 4, outcome="new")
    refreshed = receiver.received(outcome="refresh")
    alertmanager.post([resolved(alert) for alert in alerts[:2]])
    await_received(receiver, 2, status="resolved", outcome="resolved")
    # repeat_interval is an hour: only a mixed notification repeats those that still fire.
    assert receiver.received(status="firing", outcome="refresh") >= refreshed + 2

    (cluster,) = receiver.clusters()
    assert (cluster["size"], cluster["firing"]) == (4, 2)
    states = {a["labels"]["instance"]: a["state"] for a in receiver.alerts()}
    assert states == {
        "fs-0:9100": "resolved",
        "fs-1:9100": "resolved",
        "fs-2:9100": "firing",
        "fs-3:9100": "firing",
    }
    assert_delivered(alertmanager)


def test_what_happens_while_the_receiver_is_down_is_delivered_when_it_is_back(
    receiver: ReceiverProcess, start_alertmanager: MakeAlertmanager
) -> None:
    # Retried within a flush for 10 s, or for a group_interval if that is longer.
    alertmanager = start_alertmanager(receiver, group_interval="30s")
    alerts = disk_alerts(4)
    alertmanager.post(alerts[:2])
    await_received(receiver, 2, outcome="new")
    before = receiver.events()
    assert receiver.stop() == 0
    alertmanager.post(alerts[2:])
    wait_until(
        "alertmanager to try in vain",
        lambda: alertmanager.metric("alertmanager_notification_requests_failed_total") > 0,
    )
    receiver.start()
    await_received(receiver, 2, outcome="new")

    (cluster,) = receiver.clusters()
    assert (cluster["size"], cluster["firing"]) == (4, 4)
    after = receiver.events()
    assert after[: len(before)] == before
    assert [event["seq"] for event in after] == list(range(1, len(after) + 1))
    assert_delivered(alertmanager)


def test_two_alertmanagers_that_tell_the_same_are_counted_once(
    receiver: ReceiverProcess, start_alertmanager: MakeAlertmanager
) -> None:
    # Without gossip, as in a partition: with it the second one mostly stays silent.
    pair = [start_alertmanager(receiver, name=name) for name in ("first", "second")]
    alerts = disk_alerts(5)
    for alertmanager in pair:
        alertmanager.post(alerts)
    await_received(receiver, 10, status="firing")
    ends = [resolved(alert) for alert in alerts[:2]]
    for alertmanager in pair:
        alertmanager.post(ends)
    await_received(receiver, 4, status="resolved")

    (cluster,) = receiver.clusters()
    assert (cluster["size"], cluster["firing"]) == (5, 3)
    assert Counter(alert["state"] for alert in receiver.alerts()) == {"firing": 3, "resolved": 2}
    told = Counter(event["type"] for event in receiver.events())
    assert (told["alert_assigned"], told["alert_resolved"]) == (5, 2)
    assert told["alert_reopened"] == 0
    for alertmanager in pair:
        assert_delivered(alertmanager)


def test_replicas_of_prometheus_fold_into_one_alert(
    receiver: ReceiverProcess, start_alertmanager: MakeAlertmanager
) -> None:
    alertmanager = start_alertmanager(receiver)
    alerts = disk_alerts(1)
    replicas = [
        {**alerts[0], "labels": {**alerts[0]["labels"], "prometheus_replica": name}}
        for name in ("a", "b")
    ]
    alertmanager.post(replicas)
    await_received(receiver, 2, status="firing")

    (alert,) = receiver.alerts()
    assert "prometheus_replica" not in alert["labels"]
    assert [cluster["size"] for cluster in receiver.clusters()] == [1]


STRANGE = {
    "emoji": "🔥 fire",
    "right_to_left": "\u202eevil\u202c שלום",
    "nul": "before\x00after",
    "terminal": "\x1b[31mred\x1b[0m",
    "lines": "one\ntwo\r\nthree\u2028four",
    "html": "<script>alert(1)</script>&amp;",
    "sql": "'; DROP TABLE alerts; --",
    "composed": "e\u0301 \u00e9",
    "bom": "\ufeffstart",
    "long": "x" * 5000,
}


def test_labels_with_any_characters_are_taken_and_kept_as_they_are(
    receiver: ReceiverProcess, start_alertmanager: MakeAlertmanager
) -> None:
    alertmanager = start_alertmanager(receiver)
    labels = {"alertname": "Strange", **STRANGE}
    alertmanager.post([firing(labels, {"summary": "\x00\x1b[2J" + STRANGE["right_to_left"]})])
    await_received(receiver, 1, outcome="new")

    (alert,) = receiver.alerts()
    assert alert["labels"] == labels
    (cluster,) = receiver.clusters()
    assert cluster["title"].isprintable()
    assert len(cluster["title"].encode()) <= 120
    assert receiver.received(outcome="dead_letter") == 0
    assert "\x1b" not in receiver.log_text()
    assert_delivered(alertmanager)


def test_an_alert_is_found_by_a_label_with_any_characters(receiver: ReceiverProcess) -> None:
    entry = alert({"alertname": "Strange", **STRANGE}, starts_at="2026-03-01T10:00:00Z")
    assert receiver.post(body([entry])).status == 200
    receiver.settle()
    found = {name: len(receiver.alerts(label=f"{name}={value}")) for name, value in STRANGE.items()}
    found_by_less = [
        name for name, value in STRANGE.items() if receiver.alerts(label=f"{name}={value[:-1]}")
    ]

    assert found == dict.fromkeys(STRANGE, 1)
    assert found_by_less == []


def test_a_large_group_arrives_whole(
    receiver: ReceiverProcess, start_alertmanager: MakeAlertmanager
) -> None:
    # Over 1 MiB: what aiohttp refuses unless it is told otherwise.
    alertmanager = start_alertmanager(receiver, group_by=["alertname"], group_wait="1s")
    alerts = disk_alerts(500)
    for entry in alerts:
        entry["annotations"]["description"] = "x" * 3000
    alertmanager.post(alerts)
    await_received(receiver, len(alerts), outcome="new")
    receiver.settle()

    kept = Counter(entry["labels"]["instance"] for entry in receiver.alerts())
    assert kept == Counter(entry["labels"]["instance"] for entry in alerts)
    assert_delivered(alertmanager)


def test_a_storm_of_single_notifications_arrives_whole(
    receiver: ReceiverProcess, start_alertmanager: MakeAlertmanager
) -> None:
    alertmanager = start_alertmanager(receiver, group_interval="10s")
    alerts = disk_alerts(1000)
    alertmanager.post(alerts)
    await_received(receiver, 1000, outcome="new")
    receiver.settle()

    kept = Counter(alert["labels"]["instance"] for alert in receiver.alerts())
    assert kept == Counter(alert["labels"]["instance"] for alert in alerts)
    assert_delivered(alertmanager)
