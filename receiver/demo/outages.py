"""The two outages of the scenario: a database failure that cascades, and the loss of a node."""

from __future__ import annotations

from receiver.demo.draft import Draft
from receiver.demo.site import NODES, Pod

DATABASE = "payments database fails"
NODE = "node worker-c2 is lost"

_FAILED_AT = 240.0
_PROMOTED_AT = 700.0
"""When a replica has become the new primary; services recover after it, in the order they fell."""

_LOST_AT = 780.0
_LOST = "worker-c2"


def _pod_labels(pod: Pod) -> dict[str, str]:
    service = pod.service
    return {
        "namespace": service.namespace,
        "service": service.name,
        "team": service.team,
        "pod": pod.name,
        "instance": pod.instance,
        "node": pod.node,
    }


def _per_pod(
    draft: Draft, incident: str, name: str, service: str, fell: tuple[float, float], up: float,
    **labels: str,
) -> None:  # fmt: skip
    """Let *name* fire for each pod of *service* within *fell*, and resolve from *up* on."""
    pods = draft.site.pods[service]
    for pod, at in zip(pods, draft.spread(*fell, len(pods)), strict=True):
        until = up + draft.rng.uniform(0, 40)
        draft.fire(incident, name, at, until, **_pod_labels(pod), **labels)


def _of_service(draft: Draft, incident: str, service: str, at: float, up: float) -> None:
    """Let the alerts on the whole of *service* fire: errors, then latency, then the SLO."""
    known = draft.site.services[service]
    labels = {"namespace": known.namespace, "service": service, "team": known.team}
    draft.fire(incident, "HighErrorRate", at, up + 20, **labels)
    draft.fire(incident, "HighLatency", at + 10, up + 40, **labels)
    draft.fire(incident, "ErrorBudgetBurn", at + 50, up + 60, **labels)


def database_failure(draft: Draft) -> None:
    """The primary of the payments database fails, and what needs it follows, service by service."""
    t, up = _FAILED_AT, _PROMOTED_AT
    _database(draft, t, up)
    _per_pod(
        draft, DATABASE, "DatabaseConnectionErrors", "payments", (t + 20, t + 60), up + 15,
        database="payments-db",
    )  # fmt: skip
    _of_service(draft, DATABASE, "payments", t + 45, up + 30)
    for pod, at in zip(draft.site.pods["payments"], draft.spread(t + 80, t + 130, 12), strict=True):
        labels = {**_pod_labels(pod), "container": "payments", "instance": ""}
        draft.fire(DATABASE, "KubePodCrashLooping", at, up + 50, **labels)
    _fallen_callers(draft, t, up)
    _seen_outside(draft, t, up)


def _database(draft: Draft, t: float, up: float) -> None:
    labels = {"namespace": "data", "service": "payments-db", "team": "payments"}
    for number, (name, node) in enumerate(
        [
            ("PostgresDown", "worker-a1"),
            ("PostgresReplicationBroken", "worker-a2"),
            ("PostgresReplicationBroken", "worker-b1"),
        ]
    ):
        pod = f"payments-db-{number}"
        here = {**labels, "pod": pod, "instance": f"{pod}:9187", "node": node}
        draft.fire(DATABASE, name, t + 8 * number, up + 5 * number, **here)
    draft.fire(DATABASE, "PostgresNoPrimary", t + 20, up, **labels)
    for number, at in enumerate(draft.spread(t + 15, t + 40, 3)):
        pod = f"payments-db-pgbouncer-{number}"
        draft.fire(DATABASE, "PgBouncerPoolExhausted", at, up + 10, **labels, pod=pod)


def _fallen_callers(draft: Draft, t: float, up: float) -> None:
    """Each service calls the one before it; what cannot be answered piles up in the caller."""
    for service, destination, delay, recovery in (
        ("checkout", "payments", 70, 60),
        ("cart", "checkout", 110, 90),
        ("web", "checkout", 140, 110),
        ("shipping", "checkout", 190, 140),
    ):
        fell = (t + delay, t + delay + 60)
        _per_pod(
            draft, DATABASE, "UpstreamErrors", service, fell, up + recovery,
            destination_service=destination,
        )  # fmt: skip
        _of_service(draft, DATABASE, service, t + delay + 25, up + recovery)
    fell = (t + 95, t + 150)
    _per_pod(
        draft, DATABASE, "CircuitBreakerOpen", "checkout", fell, up + 55,
        destination_service="payments",
    )  # fmt: skip
    _per_pod(
        draft, DATABASE, "CircuitBreakerOpen", "web", (t + 160, t + 230), up + 105,
        destination_service="checkout",
    )  # fmt: skip
    for service, first, recovery in (
        ("payments", 50, 35),
        ("checkout", 100, 65),
        ("cart", 150, 95),
    ):
        fell = (t + first, t + first + 70)
        _per_pod(draft, DATABASE, "WorkerPoolSaturated", service, fell, up + recovery)
    for partition in range(6):
        # Two partitions have so much to catch up on that they still lag at the end.
        until = None if partition in (1, 4) else up + 150 + 20 * partition
        draft.fire(
            DATABASE, "KafkaConsumerLag", t + 160 + 6 * partition, until,
            namespace="shop", service="checkout", team="orders", consumergroup="order-settlement",
            topic="payments.captured", partition=str(partition),
        )  # fmt: skip


def _seen_outside(draft: Draft, t: float, up: float) -> None:
    """What customers notice."""
    for number in range(3):
        draft.fire(
            DATABASE, "IngressErrorRate", t + 170 + 5 * number, up + 120, namespace="ingress",
            service="ingress", team="platform", pod=f"ingress-{number}", host="www.shop.example",
        )  # fmt: skip
    for number, location in enumerate(("frankfurt", "dublin", "stockholm", "milan")):
        draft.fire(
            DATABASE, "SyntheticCheckFailing", t + 175 + 9 * number, up + 130,
            service="web", team="storefront", location=location,
            instance="https://www.shop.example/order",
        )  # fmt: skip
    draft.fire(DATABASE, "OrdersPerMinuteLow", t + 240, up + 180, team="orders", service="checkout")


def node_loss(draft: Draft) -> None:
    """A node in another zone dies; its pods are lost and come back on others, it does not."""
    t, node, rng = _LOST_AT, _LOST, draft.rng
    zone = {"node": node, "zone": NODES[node], "team": "platform"}
    draft.fire(NODE, "KubeNodeNotReady", t, None, **zone)
    draft.fire(NODE, "KubeletDown", t + 12, None, **zone, instance=f"{node}:10250")
    for job, port in (("node-exporter", 9100), ("kubelet", 10250), ("cadvisor", 4194)):
        draft.fire(NODE, "TargetDown", t + 15, None, **zone, job=job, instance=f"{node}:{port}")
    for daemonset in ("kube-proxy", "cni", "log-shipper", "node-exporter"):
        draft.fire(
            NODE, "KubeDaemonSetNotScheduled", t + 50, None, **zone, daemonset=daemonset,
            namespace="kube-system",
        )  # fmt: skip
    lost = draft.site.on(node)
    for pod in lost:
        at, until = t + rng.uniform(25, 90), t + rng.uniform(240, 330)
        labels = _pod_labels(pod)
        draft.fire(NODE, "TargetDown", at, until, **labels, job="shop-pods")
        labels.pop("instance")
        draft.fire(NODE, "KubePodNotReady", at + 10, until, **labels)
    for service in {pod.service.name: pod.service for pod in lost}.values():
        draft.fire(
            NODE, "KubeDeploymentReplicasMismatch", t + rng.uniform(80, 130), t + 340,
            namespace=service.namespace, deployment=service.name, team=service.team,
        )  # fmt: skip
    for shard in range(14):
        draft.fire(
            NODE, "SearchShardUnassigned", t + rng.uniform(40, 120), t + 250 + 12 * shard,
            namespace="search", service="search", team="discovery", index="articles",
            shard=str(shard), node=node,
        )  # fmt: skip
    for service_name in ("search", "catalog"):
        _of_service(draft, NODE, service_name, t + 100, t + 330)
