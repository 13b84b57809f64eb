"""The dashboards' queries, put to a real Prometheus that scrapes a receiver in a storm."""

from __future__ import annotations

import contextlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from scripts import dashboards
from scripts.dashboards.parts import PROMETHEUS
from tests.e2e.conftest import MakePrometheus, MakeReceiver
from tests.support.prometheus import Prometheus
from tests.support.waiting import wait_until
from tests.support.webhook import alert, body

pytestmark = pytest.mark.e2e

STORM = 60
SHORTER = (("$__rate_interval", "1m"), ("$__range", "1h"), ("[1d:5m]", "[1m:1s]"))
"""What Grafana puts in, and the step of a day's look back, between two of which this storm may lie."""

UNKNOWN = ("stormcell_cluster_novel", "max(stormcell_source_quiet_timestamp_seconds > 0) * 1000")
"""What has no answer: nothing is known to be new in a fresh database, and no source went quiet."""


def ask(prometheus: Prometheus, expr: str) -> list[dict[str, Any]]:
    """Return the series that *expr* gives now."""
    for variable, value in SHORTER:
        expr = expr.replace(variable, value)
    return prometheus.query(expr)


def test_every_query_has_an_answer_in_a_storm(
    make_receiver: MakeReceiver, start_prometheus: MakePrometheus
) -> None:
    receiver = make_receiver(settings={"clustering.stability_window": "10"})
    receiver.start()
    prometheus = start_prometheus(targets={"stormcell": receiver.port}, alertmanagers=[], rules={})
    wait_until("the first scrape", lambda: ask(prometheus, "stormcell_ready == 1"))
    now = datetime.now(UTC)
    storm = [
        alert(
            {"alertname": "PodDown", "service": f"s{n % 4}", "pod": str(n), "severity": "critical"},
            starts_at=(now - timedelta(seconds=STORM - n)).isoformat(),
            summary="the pod does not answer",
        )
        for n in range(STORM)
    ]
    # Of another kind, long before: outside the storm.
    before = alert(
        {"alertname": "CertificateExpired", "namespace": "mail"},
        starts_at=(now - timedelta(days=1)).isoformat(),
        summary="TLS handshakes are refused",
    )
    heartbeat = alert({"alertname": "Watchdog"}, starts_at=now.isoformat())
    assert receiver.post(body([*storm, before, heartbeat])).status == 200
    receiver.settle()
    queries = {
        (panel["title"], query["expr"])
        for text in dashboards.texts().values()
        for panel in json.loads(text)["panels"]
        for query in panel.get("targets", [])
        if query["datasource"] == PROMETHEUS
    }
    unknown = sorted(title for title, expr in queries if any(name in expr for name in UNKNOWN))

    def silent() -> list[str]:
        return sorted(title for title, expr in queries if not ask(prometheus, expr))

    assert len(queries) > 40
    # Until it was scraped twice in the storm there are no rates.
    with contextlib.suppress(TimeoutError):
        wait_until("all others to answer", lambda: silent() == unknown)
    assert silent() == unknown

    (outside,) = ask(prometheus, next(e for t, e in queries if t == "Outside the storm"))
    assert outside["value"][1] == "1"
    assert outside["metric"]["title"]
