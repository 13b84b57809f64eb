"""The alerting rules of the made-up shop: names, severities, and what the alerts say."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rule:
    """One alerting rule.

    Attributes:
        severity: critical, warning or info.
        job: Of the exporter whose metric it reads.
        bounds: Of the value that its description tells.
        summary: One line; names labels in braces.
        description: The longer text; also names `{value}`.
    """

    severity: str
    job: str
    bounds: tuple[float, float]
    summary: str
    description: str


_APP = "shop-pods"
_KSM = "kube-state-metrics"
_NODE = "node-exporter"
_PG = "postgres-exporter"

RULES = {
    "Watchdog": Rule(
        "none", "prometheus", (0, 0), "The alerting pipeline is alive.",
        "Always firing.",
    ),
    # Databases
    "PostgresDown": Rule(
        "critical", _PG, (30, 90), "PostgreSQL on {pod} is down",
        "The exporter could not connect to {instance} for {value:.0f} s: connection refused.",
    ),
    "PostgresNoPrimary": Rule(
        "critical", _PG, (20, 60), "{service} has no writable primary",
        "No member of {service} accepts writes; failover has been pending for {value:.0f} s.",
    ),
    "PostgresReplicationBroken": Rule(
        "critical", _PG, (40, 200), "Replication to {pod} has stopped",
        "{pod} has not received WAL for {value:.0f} s.",
    ),
    "PgBouncerPoolExhausted": Rule(
        "warning", "pgbouncer", (80, 400), "Connection pool of {service} is exhausted",
        "{value:.0f} clients wait for a server connection on {pod}.",
    ),
    "PostgresSlowQueries": Rule(
        "warning", _PG, (1.5, 4), "Slow queries on {service}",
        "Mean query time on {instance} is {value:.1f} s over 5 minutes.",
    ),
    "PostgresBackupFailed": Rule(
        "warning", "backup", (1, 3), "Backup of {database} failed",
        "Base backup of {database} ended with exit code {value:.0f}: no space left in the bucket.",
    ),
    "PostgresBackupTooOld": Rule(
        "warning", "backup", (27, 40), "Last good backup of {database} is too old",
        "The newest complete backup of {database} is {value:.0f} hours old.",
    ),
    # Applications
    "DatabaseConnectionErrors": Rule(
        "critical", _APP, (60, 100), "{service} cannot reach its database",
        "{pod} fails {value:.0f} % of its queries to {database}: connection timed out.",
    ),
    "HighErrorRate": Rule(
        "critical", _APP, (8, 70), "{service} answers with errors",
        "{value:.1f} % of the requests to {service} ended with a 5xx status.",
    ),
    "HighLatency": Rule(
        "warning", _APP, (1.2, 9), "{service} is slow",
        "99th percentile latency of {service} is {value:.1f} s, the objective is 0.5 s.",
    ),
    "UpstreamErrors": Rule(
        "warning", _APP, (20, 95), "{service} gets errors from {destination_service}",
        "{value:.0f} % of the calls from {pod} to {destination_service} fail.",
    ),
    "CircuitBreakerOpen": Rule(
        "warning", _APP, (2, 9), "Circuit breaker to {destination_service} is open in {service}",
        "{pod} has stopped calling {destination_service}; it opened {value:.0f} times.",
    ),
    "WorkerPoolSaturated": Rule(
        "warning", _APP, (50, 900), "Request workers of {service} are all busy",
        "{pod} has {value:.0f} requests queued for a free worker.",
    ),
    "KafkaConsumerLag": Rule(
        "warning", "kafka-exporter", (3_000, 60_000), "Consumer group {consumergroup} falls behind",
        "{value:.0f} messages behind on {topic}, partition {partition}.",
    ),
    "SyntheticCheckFailing": Rule(
        "critical", "blackbox", (10, 30), "Buying an article fails from {location}",
        "The synthetic order from {location} stopped at the payment step after {value:.1f} s.",
    ),
    "IngressErrorRate": Rule(
        "critical", "ingress-nginx", (5, 40), "Ingress answers with errors for {host}",
        "{value:.1f} % of the responses of {pod} for {host} are 502 or 504.",
    ),
    "ErrorBudgetBurn": Rule(
        "critical", "slo", (14, 60), "{service} burns its error budget",
        "The 30-day error budget of {service} is being spent {value:.1f} times too fast.",
    ),
    "OrdersPerMinuteLow": Rule(
        "critical", "business-metrics", (4, 20), "Far fewer orders than usual",
        "{value:.0f} orders a minute; at this time of the week 140 are usual.",
    ),
    "PartnerApiSlow": Rule(
        "warning", "blackbox", (2.1, 4), "Carrier {partner} answers slowly",
        "The label API of {partner} took {value:.1f} s, more than 2 s.",
    ),
    "SearchShardUnassigned": Rule(
        "warning", _APP, (90_000, 400_000), "Search index {index} has unassigned shards",
        "Shard {shard} of {index} has lost a copy; {value:.0f} documents have one copy left.",
    ),
    "MailBounceRateHigh": Rule(
        "info", "mailer", (6, 12), "Many newsletter mails bounce",
        "{value:.1f} % of the mails of campaign {campaign} were refused.",
    ),
    # Kubernetes and machines
    "KubePodCrashLooping": Rule(
        "warning", _KSM, (4, 9), "Pod {pod} is crash looping",
        "Container {container} of {namespace}/{pod} restarted {value:.0f} times in 10 minutes.",
    ),
    "KubePodNotReady": Rule(
        "warning", _KSM, (60, 300), "Pod {pod} is not ready",
        "{namespace}/{pod} on {node} has not been ready for {value:.0f} s.",
    ),
    "KubeDeploymentReplicasMismatch": Rule(
        "warning", _KSM, (1, 4), "Deployment {deployment} lacks replicas",
        "{value:.0f} replicas of {namespace}/{deployment} are unavailable.",
    ),
    "KubeHpaMaxedOut": Rule(
        "warning", _KSM, (15, 30), "Autoscaler of {deployment} is at its maximum",
        "{namespace}/{deployment} has run at its maximum for {value:.0f} minutes.",
    ),
    "KubeJobFailed": Rule(
        "warning", _KSM, (3, 6), "Job {job_name} failed",
        "{namespace}/{job_name} failed after {value:.0f} attempts.",
    ),
    "KubeImagePullFailing": Rule(
        "info", _KSM, (300, 900), "Image of {pod} cannot be pulled",
        "Container {container} of {namespace}/{pod} has waited {value:.0f} s for its image.",
    ),
    "KubePersistentVolumeFillingUp": Rule(
        "warning", "kubelet", (2, 9), "Volume {persistentvolumeclaim} fills up",
        "Only {value:.1f} % of {namespace}/{persistentvolumeclaim} is free.",
    ),
    "KubeNodeNotReady": Rule(
        "critical", _KSM, (40, 90), "Node {node} is not ready",
        "{node} in {zone} stopped posting its status {value:.0f} s ago.",
    ),
    "KubeletDown": Rule(
        "critical", "kubelet", (60, 120), "Kubelet on {node} has disappeared",
        "{instance} has not answered a scrape for {value:.0f} s.",
    ),
    "KubeDaemonSetNotScheduled": Rule(
        "warning", _KSM, (1, 1), "Daemon set {daemonset} misses a pod",
        "{value:.0f} pod of {namespace}/{daemonset} is not running on {node}.",
    ),
    "TargetDown": Rule(
        "warning", "", (60, 180), "Target {instance} is down",
        "Prometheus could not scrape {instance} of job {job} for {value:.0f} s.",
    ),
    "CPUThrottlingHigh": Rule(
        "info", "kubelet", (30, 80), "Container {container} is throttled",
        "{value:.0f} % of the CPU periods of {container} in {namespace}/{pod} were throttled.",
    ),
    "NodeDiskWillFill": Rule(
        "warning", _NODE, (6, 12), "Disk {mountpoint} on {node} will be full within 4 hours",
        "{value:.1f} % is free on {device} of {instance}, and it shrinks.",
    ),
    "NodeClockSkew": Rule(
        "warning", _NODE, (0.1, 0.6), "Clock of {node} is off",
        "The clock of {instance} is off by {value:.2f} s and is not being corrected.",
    ),
    "PacketLossHigh": Rule(
        "info", "blackbox", (3, 9), "Packet loss on the link to {location}",
        "{value:.1f} % of the pings to {instance} are lost.",
    ),
    "BuildQueueLong": Rule(
        "info", "ci", (12, 40), "Builds wait for a runner in pool {pool}",
        "The oldest build in pool {pool} has waited {value:.0f} minutes.",
    ),
    "CertificateExpiringSoon": Rule(
        "warning", "blackbox", (5.5, 6.9), "Certificate of {host} expires soon",
        "The certificate that {host} presents expires in {value:.1f} days.",
    ),
    "CertificateRenewalFailed": Rule(
        "warning", "cert-manager", (3, 8), "Certificate {name} could not be renewed",
        "The issuer refused {namespace}/{name} {value:.0f} times: DNS challenge failed.",
    ),
}  # fmt: skip
