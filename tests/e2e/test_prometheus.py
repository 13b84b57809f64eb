"""A real Prometheus that has Stormcell beside its Alertmanager: the way past it, and both ways together."""

from __future__ import annotations

import pytest

from tests.e2e.conftest import MakeAlertmanager, MakePrometheus, MakeReceiver
from tests.support.processes import ReceiverProcess
from tests.support.stubs import Site, site_rules
from tests.support.waiting import wait_until

pytestmark = pytest.mark.e2e

RULES = {"site.yml": site_rules({"DiskFull": "no space is left on the volume"})}
BROKEN = [
    {"what": "DiskFull", "severity": "critical", "pod": f"fs-{number}"} for number in range(5)
]


@pytest.mark.parametrize("both", [False, True], ids=["directly", "both ways"])
def test_what_fires_and_ends_is_one_episode_each(
    both: bool,
    receiver: ReceiverProcess,
    start_alertmanager: MakeAlertmanager,
    start_prometheus: MakePrometheus,
    site: Site,
) -> None:
    ports = [receiver.port]
    if both:
        ports.append(start_alertmanager(receiver, group_by=["alertname"]).port)
    start_prometheus(targets={"site": site.port}, alertmanagers=ports, rules=RULES)
    told = len(BROKEN) * len(ports)
    site.breaks(BROKEN)
    wait_until("all to be told", lambda: receiver.received(status="firing") >= told)
    (cluster,) = receiver.clusters()
    assert (cluster["size"], cluster["firing"]) == (5, 5)
    site.mends()
    wait_until("all ends to be told", lambda: receiver.received(status="resolved") >= told)
    receiver.settle()

    kept = receiver.alerts()
    assert sorted(alert["labels"]["pod"] for alert in kept) == [f"fs-{n}" for n in range(5)]
    assert {alert["state"] for alert in kept} == {"resolved"}
    assert all(alert["endsAt"] > alert["startsAt"] for alert in kept)
    assert receiver.received(outcome="new") == 5
    assert receiver.received(outcome="reopened") == receiver.received(outcome="superseded") == 0
    assert receiver.received(outcome="dead_letter") == 0


@pytest.fixture
def hasty(make_receiver: MakeReceiver) -> ReceiverProcess:
    """A receiver for which what is quiet for five seconds is over."""
    receiver = make_receiver(settings={"clustering.resolve_after": "5s"})
    receiver.start()
    return receiver


def break_down(site: Site, receiver: ReceiverProcess) -> None:
    """Let all disks of *site* be full, and return when *receiver* knows."""
    site.breaks(BROKEN)
    wait_until("all to fire", lambda: len(receiver.alerts(state="firing")) == len(BROKEN))


def told(receiver: ReceiverProcess, kind: str) -> list[str]:
    """Return the reasons of the events of the type *kind*."""
    return [e.get("reason", "") for e in receiver.events() if e["type"] == kind]


@pytest.mark.parametrize("way", ["directly", "through Alertmanager", "both ways"])
def test_a_prometheus_that_dies_is_no_recovery(
    way: str,
    hasty: ReceiverProcess,
    start_alertmanager: MakeAlertmanager,
    start_prometheus: MakePrometheus,
    site: Site,
) -> None:
    """It vouches for its alerts for four of its re-sends, then nobody does."""
    receiver = hasty
    ports = [] if way == "through Alertmanager" else [receiver.port]
    if way != "directly":
        ports.append(start_alertmanager(receiver, group_by=["alertname"]).port)
    prometheus = start_prometheus(
        targets={"site": site.port}, alertmanagers=ports, rules=RULES, resend_delay="2s"
    )
    break_down(site, receiver)
    wait_until("each way to tell of them", lambda: receiver.received() >= 6 * len(ports))
    prometheus.kill()
    wait_until("nothing to fire", lambda: not receiver.alerts(state="firing"))
    wait_until("the cluster to be over", lambda: told(receiver, "cluster_resolved"))

    (reason,) = told(receiver, "cluster_resolved")
    assert "its source had gone quiet by" in reason
    (cluster,) = receiver.clusters(state="all")
    assert cluster["source_quiet_at"] is not None
    assert (cluster["firing"], cluster["size"]) == (0, 5)
    assert (cluster["stale"] > 0) == (way == "directly")
    endings = {alert["ending"] for alert in receiver.alerts()}
    assert endings == {"directly": {None}, "both ways": {"lapsed"}}.get(way, {"told"})
    assert receiver.metric("stormcell_source_quiet_timestamp_seconds") > 0
    assert receiver.read("stats")["source_quiet_at"] is not None


STORM = [
    {"what": "DiskFull", "severity": "critical", "pod": f"fs-{number}"} for number in range(45)
]
"""More than the least that a storm is (`storms.min_alerts`)."""


@pytest.mark.parametrize("way", ["directly", "through Alertmanager"])
def test_a_prometheus_that_dies_in_mid_storm_does_not_end_it_as_a_recovery(
    way: str,
    make_receiver: MakeReceiver,
    start_alertmanager: MakeAlertmanager,
    start_prometheus: MakePrometheus,
    site: Site,
) -> None:
    # Storms over as soon as nothing of them fires, and clusters over in seconds, so that it need not wait long.
    receiver = make_receiver(settings={"clustering.resolve_after": "5s", "storms.min_alerts": "30"})
    receiver.start()
    direct = way == "directly"
    port = receiver.port
    if not direct:
        port = start_alertmanager(receiver, group_by=["alertname"]).port
    prometheus = start_prometheus(
        targets={"site": site.port}, alertmanagers=[port], rules=RULES, resend_delay="2s"
    )
    site.breaks(STORM)
    wait_until("all to fire", lambda: len(receiver.alerts(state="firing")) == len(STORM))
    wait_until("the storm", lambda: receiver.metric("stormcell_storm_active") == 1)
    assert receiver.received(outcome="new") == len(STORM)
    prometheus.kill()
    assert receiver.metric("stormcell_storm_active") == 1
    wait_until("nothing to fire", lambda: not receiver.alerts(state="firing"))
    wait_until("the storm to be over", lambda: told(receiver, "storm_ended"))

    (reason,) = told(receiver, "storm_ended")
    assert "its source had gone quiet by" in reason
    resolved = told(receiver, "alert_resolved")
    assert all("its source had gone quiet by" in text for text in resolved)
    assert receiver.metric("stormcell_source_quiet_timestamp_seconds") > 0
    assert receiver.read("stats")["source_quiet_at"] is not None


def test_a_recovery_is_one_when_its_prometheus_lives(
    hasty: ReceiverProcess,
    start_alertmanager: MakeAlertmanager,
    start_prometheus: MakePrometheus,
    site: Site,
) -> None:
    receiver = hasty
    alertmanager = start_alertmanager(receiver, group_by=["alertname"])
    start_prometheus(
        targets={"site": site.port},
        alertmanagers=[receiver.port, alertmanager.port],
        rules=RULES,
        resend_delay="2s",
    )
    break_down(site, receiver)
    site.mends()
    wait_until("the cluster to be over", lambda: told(receiver, "cluster_resolved"))

    assert told(receiver, "cluster_resolved") == [""]
    assert {alert["ending"] for alert in receiver.alerts()} == {"told"}
    assert receiver.read("stats")["source_quiet_at"] is None
