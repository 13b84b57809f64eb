"""A made-up shop: what its exporter tells, all well or broken, and its alerting rules. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tests.support.stubs import Gauge

NAMESPACE = "shop"
"""Where the storm is."""

SERVICES = ("payments", "checkout", "cart", "catalog", "shipping")
"""In the order in which they fall."""

PODS = 26
"""Of each service."""


@dataclass(frozen=True, slots=True)
class Rule:
    """An alerting rule and the metric that it reads.

    Attributes:
        metric: Its name.
        well: Its value when nothing is wrong.
        broken: Its value when something is.
        condition: That the rule asks of it.
        severity: critical or warning.
        summary: What the alert says.
    """

    metric: str
    well: float
    broken: float
    condition: str
    severity: str
    summary: str


CAUSE = {
    "PgPrimaryDown": Rule(
        "pg_up",
        1,
        0,
        "== 0",
        "critical",
        "PostgreSQL on {{ $labels.pod }} does not accept connections",
    ),
}
OF_PODS = {
    "DatabaseConnectionErrors": Rule(
        "db_connection_errors_ratio", 0.001, 0.97, "> 0.5", "critical",
        "queries of {{ $labels.service }} to its database are refused",
    ),
    "HighErrorRate": Rule(
        "http_requests_failed_ratio", 0.002, 0.6, "> 0.05", "critical",
        "{{ $labels.service }} answers requests with errors",
    ),
    "HighLatency": Rule(
        "http_request_p99_seconds", 0.2, 8, "> 2", "warning",
        "requests to {{ $labels.service }} take several seconds",
    ),
    "PodNotReady": Rule(
        "pod_ready", 1, 0, "== 0", "warning",
        "a container of {{ $labels.service }} does not pass its readiness probe",
    ),
}  # fmt: skip
LONE = {
    "CertificateExpired": Rule(
        "tls_certificate_remaining_seconds", 4e6, -60, "< 0", "critical",
        "TLS handshakes are refused, the certificate is not valid any more",
    ),
    "BackupMissing": Rule(
        "backup_age_seconds", 3600, 99_999, "> 86400", "critical",
        "last night nothing was written to the vault of backups",
    ),
    "ClockWrong": Rule(
        "ntp_offset_seconds", 0.001, 75, "> 5", "critical",
        "tokens are refused, NTP has lost its peers",
    ),
    "DiskFull": Rule(
        "filesystem_free_ratio", 0.4, 0.001, "< 0.01", "critical",
        "no space is left on the volume of the mail archive",
    ),
    "QueueStuck": Rule(
        "queue_oldest_message_seconds", 2, 3600, "> 600", "critical",
        "no consumer has taken an invoice from the queue for an hour",
    ),
    "RaidDegraded": Rule(
        "raid_disks_failed", 0, 2, "> 1", "critical",
        "two drives of the array have failed, a rebuild is not possible",
    ),
    "SmsGatewayRefuses": Rule(
        "sms_refused_ratio", 0, 1, "> 0.9", "critical",
        "the carrier rejects our account, no passcode is delivered to customers",
    ),
    "LicenseExpired": Rule(
        "license_remaining_seconds", 9e6, -1, "< 0", "critical",
        "the warehouse scanner software has stopped: subscription ended",
    ),
    "StockImportFailed": Rule(
        "stock_import_success", 1, 0, "== 0", "critical",
        "the supplier's price list could not be parsed: unknown column",
    ),
}  # fmt: skip
RULES = CAUSE | OF_PODS | LONE

Placed = tuple[str, Mapping[str, str]]
"""The name of a rule, and the labels of the series that it reads."""


def waves(count: int) -> Iterator[list[Placed]]:
    """Give what breaks in *count* waves: the database, and what needs it, service by service."""
    for wave in range(count):
        services = SERVICES[len(SERVICES) * wave // count : len(SERVICES) * (wave + 1) // count]
        pods = [_labels(service, number) for service in services for number in range(PODS)]
        cause: list[Placed] = [("PgPrimaryDown", _labels("payments-db", 0))] if wave == 0 else []
        yield cause + [(name, labels) for name in OF_PODS for labels in pods]


def lone(name: str, namespace: str) -> Placed:
    """Return what breaks when *name* fires in *namespace*."""
    return name, {"namespace": namespace, "service": name.lower(), "pod": f"{name.lower()}-0"}


def gauges(placed: list[Placed], *, broken: bool) -> dict[Gauge, float]:
    """Return what the exporter tells of *placed*, well or *broken*."""
    told = {}
    for name, labels in placed:
        rule = RULES[name]
        told[(rule.metric, tuple(labels.items()))] = rule.broken if broken else rule.well
    return told


def rules(interval: str) -> str:
    """Return the shop's rule file, evaluated each *interval*; Watchdog, the heartbeat, is in it."""
    texts: list[dict[str, object]] = [
        {
            "alert": name,
            "expr": f"{rule.metric} {rule.condition}",
            "labels": {"severity": rule.severity},
            "annotations": {"summary": rule.summary},
        }
        for name, rule in RULES.items()
    ]
    texts.append({"alert": "Watchdog", "expr": "vector(1)", "labels": {"severity": "none"}})
    # JSON is YAML.
    return json.dumps({"groups": [{"name": "shop", "interval": interval, "rules": texts}]})


def _labels(service: str, number: int) -> dict[str, str]:
    return {"namespace": NAMESPACE, "service": service, "pod": f"{service}-{number}"}
