"""A real Prometheus that has Stormcell beside its Alertmanager: the way past it, and both ways together."""

from __future__ import annotations

import pytest

from tests.e2e.conftest import MakeAlertmanager, MakePrometheus
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
