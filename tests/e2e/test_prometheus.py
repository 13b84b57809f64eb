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
STORM = [{**BROKEN[0], "pod": f"fs-{number}"} for number in range(45)]
"""Half as many again as make a storm (`storms.min_episodes`)."""


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
    """A receiver for which what is quiet for five seconds is over, and a storm that is calm for so long.

    A storm goes on for half a minute: it has to see Prometheus die, not to be over by its rate before.
    """
    settings = {
        "clustering.resolve_after": "5s",
        "storms.window": "20s",
        "storms.min_duration": "30s",
        "storms.calm_for": "5s",
    }
    receiver = make_receiver(settings=settings)
    receiver.start()
    return receiver


def break_down(site: Site, receiver: ReceiverProcess, disks: list[dict[str, str]]) -> None:
    """Let *disks* of *site* be full, and return when *receiver* knows."""
    site.breaks(disks)
    wait_until("all to fire", lambda: len(receiver.alerts(state="firing")) == len(disks))


def told(receiver: ReceiverProcess, kind: str) -> list[str]:
    """Return the reasons of the events of the type *kind*."""
    return [e.get("reason", "") for e in receiver.events() if e["type"] == kind]


@pytest.mark.parametrize("way", ["directly", "through Alertmanager", "both ways"])
def test_a_prometheus_that_dies_in_mid_storm_is_no_recovery(
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
    break_down(site, receiver, STORM)
    told_of = len(ports) * (len(STORM) + 1)
    wait_until("each way to tell of them", lambda: receiver.received() >= told_of)
    wait_until("the storm", lambda: receiver.metric("stormcell_storm_active") == 1)
    assert receiver.received(outcome="new") == len(STORM)
    prometheus.kill()
    assert receiver.metric("stormcell_storm_active") == 1
    wait_until("nothing to fire", lambda: not receiver.alerts(state="firing"))
    wait_until("the cluster to be over", lambda: told(receiver, "cluster_resolved"))
    wait_until("the storm to be over", lambda: told(receiver, "storm_ended"))

    for kind in ("cluster_resolved", "storm_ended"):
        (reason,) = told(receiver, kind)
        assert "its source had gone quiet by" in reason
    (cluster,) = receiver.clusters(state="all")
    assert cluster["source_quiet_at"] is not None
    assert (cluster["firing"], cluster["size"]) == (0, len(STORM))
    assert (cluster["stale"] > 0) == (way == "directly")
    endings = {alert["ending"] for alert in receiver.alerts()}
    assert endings == {"directly": {None}, "both ways": {"lapsed"}}.get(way, {"told"})
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
    break_down(site, receiver, BROKEN)
    site.mends()
    wait_until("the cluster to be over", lambda: told(receiver, "cluster_resolved"))

    assert told(receiver, "cluster_resolved") == [""]
    assert {alert["ending"] for alert in receiver.alerts()} == {"told"}
    assert receiver.read("stats")["source_quiet_at"] is None
