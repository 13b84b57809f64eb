"""Two real Alertmanagers that gossip, one of which is killed in a storm, beside a single one that lives."""

from __future__ import annotations

from collections import Counter, defaultdict
from functools import partial
from typing import Any

import pytest

from tests.e2e.conftest import MakeAlertmanager, MakePrometheus, MakeReceiver
from tests.support.alertmanager import Alertmanager
from tests.support.processes import ReceiverProcess, free_port
from tests.support.shipped import shipped_routes
from tests.support.stubs import Pager, Site, site_rules
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

SPEED = 20
SUMMARIES = {
    "DatabaseDown": "the primary does not accept connections",
    "PodNotReady": "a container does not pass its probe",
    "CertificateExpired": "TLS handshakes are refused, not valid any more",
}
PODS = 20
WAVES = 3
STORM = len(SUMMARIES) * PODS * WAVES


def wave(number: int) -> list[dict[str, str]]:
    """Return what breaks in this wave: pods of three services, each with a trouble of its own."""
    return [
        {"what": what, "severity": "critical", "namespace": what.lower(), "pod": f"{number}-{pod}"}
        for what in SUMMARIES
        for pod in range(PODS)
    ]


def is_ready(alertmanager: Alertmanager) -> bool:
    """Return whether it has found its peer and the gossip has settled: before, it notifies of nothing."""
    cluster = alertmanager.get("/api/v2/status").json()["cluster"]
    return cluster["status"] == "ready" and len(cluster["peers"]) == 2


def has_received(receiver: ReceiverProcess, count: int, *, outcome: str) -> bool:
    return receiver.received(outcome=outcome) >= count


def clusters_of(receiver: ReceiverProcess) -> list[tuple[int, int, list[str]]]:
    """Return of each cluster its size, how many fire, and who is in it."""
    members = defaultdict(list)
    for alert in receiver.alerts():
        members[alert["cluster_id"]].append(f"{alert['fingerprint']} {alert['state']}")
    return sorted(
        (cluster["size"], cluster["firing"], sorted(members[cluster["id"]]))
        for cluster in receiver.clusters()
    )


def counts_of(receiver: ReceiverProcess) -> Counter[str]:
    """Return how many events of each type were told."""
    return Counter(event["type"] for event in receiver.events() if "alert" in event["type"])


def test_one_of_a_pair_killed_in_the_storm_leaves_the_clusters_and_counts_of_a_single_one(
    make_receiver: MakeReceiver,
    start_alertmanager: MakeAlertmanager,
    start_prometheus: MakePrometheus,
    pager: Pager,
    site: Site,
) -> None:
    fed_by_one, fed_by_pair = make_receiver("one"), make_receiver("pair")
    for receiver in (fed_by_one, fed_by_pair):
        receiver.start()

    def start(to: ReceiverProcess, file: str, **gossip: Any) -> Alertmanager:
        routes = shipped_routes(file, stormcell=to.url, pager=pager.url, speed=SPEED)
        name = f"{file}-{gossip.get('gossip_port')}"
        return start_alertmanager(to, name=name, configuration=routes, **gossip)

    single = start(fed_by_one, "alertmanager.yml")
    ports = free_port(), free_port()
    pair = [
        start(fed_by_pair, "ha-pair.yml", gossip_port=own, peer_port=other)
        for own, other in (ports, ports[::-1])
    ]
    wait_until("the pair to gossip", lambda: all(is_ready(one) for one in pair))
    prometheus = start_prometheus(
        targets={"site": site.port},
        alertmanagers=[one.port for one in (single, *pair)],
        rules={"site.yml": site_rules(SUMMARIES)},
    )

    def await_received(count: int, outcome: str) -> None:
        for to in (fed_by_one, fed_by_pair):
            wait_until(
                f"{count} alerts {outcome}", partial(has_received, to, count, outcome=outcome)
            )

    per_wave = STORM // WAVES
    site.breaks(wave(0))
    await_received(per_wave, "new")
    site.breaks(wave(1))
    firing = f'count(ALERTS{{alertstate="firing", alertname!="Watchdog"}}) > {per_wave}'
    wait_until("the second wave to fire", lambda: prometheus.query(firing))
    # It has been told of the second wave and, a group_interval after the first, told nobody of all of it.
    pair[0].kill()
    site.breaks(wave(2))
    await_received(STORM, "new")
    mended = wave(0) + wave(2)[:PODS]
    site.set({("broken", tuple(labels.items())): 0 for labels in mended})
    await_received(len(mended), "resolved")
    for receiver in (fed_by_one, fed_by_pair):
        receiver.settle()

    assert sum(size for size, _, _ in clusters_of(fed_by_pair)) == STORM
    assert clusters_of(fed_by_pair) == clusters_of(fed_by_one)
    assert counts_of(fed_by_pair) == counts_of(fed_by_one)
    assert fed_by_pair.received(outcome="new") == fed_by_one.received(outcome="new")
    for outcome in ("reopened", "superseded", "dead_letter"):
        assert fed_by_pair.received(outcome=outcome) == 0, outcome
    assert pair[1].notifications() > 0
    # For the pager too all three are one: the groups are the same, and it folds by them.
    assert len(pager.pages) == len(SUMMARIES)
