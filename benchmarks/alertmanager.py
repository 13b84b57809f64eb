"""A storm through a real Alertmanager into a real receiver, and what became of each alert.

    python -m benchmarks.alertmanager [--alerts 10000] [--group-by ... | alertname] [--model onnx]

Without --group-by both forms run: one notification an alert, the hardest on the receiver's front,
and one a name, which gives few and large ones. Acknowledged is told by the receiver's own stamp of
each commit, clustered by polling its metrics.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from benchmarks.machine import allow_open_files, machine, memory_mb
from tests.support.alertmanager import Alertmanager, find_binary, firing
from tests.support.processes import REPOSITORY, ReceiverProcess
from tests.support.waiting import wait_until

GROUPINGS = ("...", "alertname")
GROUP_WAIT, GROUP_INTERVAL = "1s", "30s"
SEED = 7
POLL_SECONDS = 0.05
REST_SECONDS = 10.0
PATIENCE_SECONDS = 900.0

SERVICES = (
    *("checkout", "cart", "catalog", "search", "login", "accounts", "billing", "invoices"),
    *("payments", "shipping", "stock", "prices", "mail", "push", "images", "video", "reviews"),
    *("ads", "feed", "ledger", "fraud", "gateway", "sessions", "exports", "reports"),
)
ZONES = ("eu-1a", "eu-1b", "us-1a", "us-1b", "ap-1a")
RULES = {
    "PodCrashLooping": "Pod {pod} restarts again and again ({value} times in 10 minutes)",
    "PodNotReady": "Pod {pod} has not been ready for {value} minutes",
    "PodOomKilled": "A container of {pod} was killed, its memory limit reached",
    "ReplicasMismatch": "Deployment {service} has not had its replicas for {value} minutes",
    "RolloutStuck": "The rollout of {service} makes no progress",
    "HpaMaxedOut": "The autoscaler of {service} has been at its maximum for {value} minutes",
    "CpuThrottling": "{value} % of the CPU periods of {pod} are throttled",
    "MemoryNearLimit": "{pod} uses {value} % of its memory limit",
    "HighErrorRate": "{value} % of the requests to {service} fail with 5xx",
    "HighLatencyP99": "Requests to {service} take {value} s at the 99th percentile",
    "LowTraffic": "{service} gets hardly any requests, {value} a minute",
    "SlowDependency": "Calls from {service} to its database take {value} s",
    "CircuitOpen": "{service} has opened its circuit breaker, calls are refused",
    "QueueGrows": "The queue of {service} holds {value} messages and grows",
    "ConsumerLag": "Consumer group {service} lags {value} messages behind",
    "DeadLetters": "{value} messages of {service} went to the dead letter queue",
    "JobFailed": "Job {service}-nightly has failed",
    "CronMissed": "The scheduled run of {service} did not start",
    "DbConnectionsHigh": "{value} % of the database connections of {service} are in use",
    "DbReplicationLag": "The replica of {service} is {value} s behind its primary",
    "DbDeadlocks": "{value} deadlocks in the database of {service} within five minutes",
    "SlowQueries": "The database of {service} runs {value} slow queries a second",
    "CacheHitLow": "Only {value} % of the reads of {service} hit the cache",
    "CacheEvictions": "The cache of {service} evicts {value} keys a second",
    "DiskFillsUp": "The volume of {pod} will be full within {value} hours",
    "DiskFull": "The volume of {pod} has {value} % left",
    "InodesLow": "The volume of {pod} has {value} % of its inodes left",
    "DiskSlow": "Writes to the volume of {pod} take {value} ms",
    "FilesystemReadOnly": "The volume of {pod} was remounted read-only",
    "NodeNotReady": "The node of {pod} is not ready",
    "NodeClockSkew": "The clock of the node of {pod} is off by {value} s",
    "NetworkErrors": "{pod} sees {value} receive errors a second",
    "PacketLoss": "{value} % of the packets between {pod} and its gateway are lost",
    "DnsFailures": "{pod} cannot resolve {value} % of its names",
    "ConnTrackFull": "The connection table on the node of {pod} is {value} % full",
    "CertExpiresSoon": "The certificate of {service} expires in {value} days",
    "TlsHandshakeErrors": "{value} TLS handshakes a second with {service} fail",
    "AuthFailures": "{value} logins a second at {service} are refused",
    "TargetDown": "{pod} cannot be scraped",
    "ScrapeSlow": "A scrape of {pod} takes {value} s",
}
SEVERITIES = ("critical", "warning", "warning", "info")


def storm(count: int) -> list[dict[str, Any]]:
    """Return *count* alerts, all different, as Prometheus posts them."""
    draw = random.Random(SEED)
    alerts = []
    for number in range(count):
        name, service = draw.choice(list(RULES)), draw.choice(SERVICES)
        pod = f"{service}-{draw.getrandbits(36):09x}-{number:05d}"
        labels = {
            "alertname": name,
            "severity": SEVERITIES[len(name) % len(SEVERITIES)],
            "service": service,
            "namespace": f"team-{SERVICES.index(service) % 6}",
            "zone": draw.choice(ZONES),
            "pod": pod,
            "instance": f"10.{draw.randrange(8)}.{draw.randrange(256)}.{draw.randrange(256)}:8080",
            "job": "kubernetes-pods",
        }
        text = RULES[name].format(pod=pod, service=service, value=draw.randrange(2, 99))
        annotations = {"summary": text, "runbook_url": f"https://runbooks.example.com/{name}"}
        alerts.append(firing(labels, annotations))
    return alerts


@dataclass(frozen=True)
class Result:
    """What became of one storm; seconds count from the first POST to Alertmanager.

    `first_seconds` is when the first webhook was committed, `acknowledged_seconds` the last.
    """

    group_by: str
    model: str
    alerts: int
    webhooks: int
    requests_by_code: Mapping[str, int]
    kept: int
    lost: int
    doubled: int
    texts_embedded: int
    clusters: int
    posted_seconds: float
    first_seconds: float
    acknowledged_seconds: float
    clustered_seconds: float
    notifications_failed: int
    rss_before_mb: float
    rss_peak_mb: float
    rss_rest_mb: float


def run(
    alerts: Sequence[Mapping[str, Any]],
    group_by: str,
    model: str,
    model_cache: Path,
    binary: str,
    rest_seconds: float = REST_SECONDS,
) -> Result:
    """Send *alerts*, each of a pod of its own, through, in a fresh folder; return what became of them."""
    settings = {"embedding.backend": model, "embedding.cache_dir": str(model_cache)}
    with tempfile.TemporaryDirectory(prefix="stormcell-benchmark-") as folder:
        receiver = ReceiverProcess(Path(folder) / "stormcell", settings=settings)
        alertmanager = Alertmanager(
            binary,
            Path(folder) / "alertmanager",
            receiver.webhook_url,
            group_by=[group_by],
            group_wait=GROUP_WAIT,
            group_interval=GROUP_INTERVAL,
        )
        try:
            receiver.start()
            wait_until("the model", lambda: receiver.metric("stormcell_embedder_ready") == 1)
            alertmanager.start()
            return _measure(receiver, alertmanager, alerts, group_by, model, rest_seconds)
        except BaseException:
            print(receiver.log_text()[-5000:], file=sys.stderr)
            raise
        finally:
            for process in (alertmanager, receiver):
                if process.running:
                    process.stop()


def _measure(
    receiver: ReceiverProcess,
    alertmanager: Alertmanager,
    alerts: Sequence[Mapping[str, Any]],
    group_by: str,
    model: str,
    rest_seconds: float,
) -> Result:
    before, count = memory_mb(receiver.pid, "VmRSS"), len(alerts)
    began_at, began = datetime.now(UTC), time.monotonic()
    alertmanager.post(alerts)
    posted = time.monotonic() - began
    wait_until(
        f"{count} alerts to be clustered",
        lambda: receiver.received(outcome="new") >= count and receiver.pending() == 0,
        patience_seconds=PATIENCE_SECONDS,
        pause_seconds=POLL_SECONDS,
    )
    clustered = time.monotonic() - began
    time.sleep(rest_seconds)
    # Before anything is read back, which takes memory of its own.
    peak, rest = memory_mb(receiver.pid, "VmHWM"), memory_mb(receiver.pid, "VmRSS")
    kept = receiver.alerts()
    pods = Counter(entry["labels"]["pod"] for entry in kept if entry["cluster_id"])
    received = [datetime.fromisoformat(entry["received_at"]) for entry in kept]
    codes = _requests_by_code(receiver)
    return Result(
        group_by=group_by,
        model=model,
        alerts=count,
        webhooks=sum(codes.values()),
        requests_by_code=codes,
        kept=len(pods),
        lost=len({alert["labels"]["pod"] for alert in alerts} - pods.keys()),
        doubled=pods.total() - len(pods),
        texts_embedded=int(receiver.metric("stormcell_embedding_cache_misses_total")),
        clusters=len(receiver.clusters(state="all")),
        posted_seconds=round(posted, 2),
        first_seconds=round((min(received) - began_at).total_seconds(), 2),
        acknowledged_seconds=round((max(received) - began_at).total_seconds(), 2),
        clustered_seconds=round(clustered, 2),
        notifications_failed=int(alertmanager.failures()),
        rss_before_mb=before,
        rss_peak_mb=peak,
        rss_rest_mb=rest,
    )


def _requests_by_code(receiver: ReceiverProcess) -> dict[str, int]:
    text = receiver.get("/metrics").body.decode()
    return {
        sample.labels["code"]: int(sample.value)
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == "stormcell_webhook_requests_total" and sample.value
    }


def table(results: Sequence[Result]) -> str:
    """Return *results* side by side, a figure a line."""
    rows = [asdict(result) for result in results]
    lines = []
    for name in rows[0]:
        cells = [_shown(row[name]).rjust(24) for row in rows]
        lines.append(f"{name.replace('_', ' '):24}" + "".join(cells))
    return "\n".join(lines)


def _shown(value: object) -> str:
    if isinstance(value, Mapping):
        return " ".join(f"{key}:{count}" for key, count in sorted(value.items()))
    return f"{value:,}" if isinstance(value, int | float) else str(value)


def main() -> int:
    """Run the benchmark; 1 if an alert was lost or doubled."""
    options = _options()
    binary = find_binary()
    if binary is None:
        print("Alertmanager is not installed", file=sys.stderr)
        return 2
    allow_open_files()  # a storm opens thousands of connections
    where = machine(datetime.now(UTC))
    print(", ".join(f"{key} {value}" for key, value in where.items()))
    print(f"group_wait {GROUP_WAIT}, group_interval {GROUP_INTERVAL}, batches of 64\n")
    groupings = [options.group_by] if options.group_by else list(GROUPINGS)
    results = [
        run(storm(options.alerts), group_by, options.model, options.model_cache, binary)
        for group_by in groupings
    ]
    print(table(results))
    options.json.parent.mkdir(parents=True, exist_ok=True)
    document = {"machine": where, "results": [asdict(result) for result in results]}
    options.json.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    return int(any(result.lost or result.doubled for result in results))


def _options() -> argparse.Namespace:
    cache = os.environ.get("STORMCELL_TEST_MODEL_CACHE") or REPOSITORY / ".cache" / "stormcell"
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--alerts", type=int, default=10_000)
    parser.add_argument("--group-by", choices=GROUPINGS, help="default: both, one after the other")
    parser.add_argument("--model", choices=("hashing", "onnx"), default="onnx")
    parser.add_argument("--model-cache", type=Path, default=Path(cache))
    parser.add_argument("--json", type=Path, default=Path("build/benchmarks/alertmanager.json"))
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
