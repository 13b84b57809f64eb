"""What goes on at any site: a heartbeat, small unrelated troubles, an alert that flaps."""

from __future__ import annotations

from receiver.demo.draft import DURATION, WATCHDOG, Draft
from receiver.demo.site import NODES

FLAPPER = "carrier API flaps"
CERTIFICATES = "certificates are not renewed"
BACKUPS = "database backups fail"


def heartbeat(draft: Draft) -> None:
    """The alert that always fires."""
    draft.fire(WATCHDOG, WATCHDOG, 0, None)


def flapper(draft: Draft) -> None:
    """One alert that comes and goes through it all."""
    at = 30.0
    while at + 150 < DURATION:
        draft.fire(
            FLAPPER, "PartnerApiSlow", at, at + 150,
            service="shipping", team="orders", partner="parcelwing",
            instance="https://labels.parcelwing.example/v2/ping",
        )  # fmt: skip
        at += 250.0


def calm(draft: Draft) -> None:
    """Small troubles, each a problem of its own, before the storm and amid it."""
    fire = draft.fire
    for number in range(2):
        fire(
            "grafana is throttled", "CPUThrottlingHigh", 15 + 40 * number, 420,
            namespace="monitoring", container="grafana", pod=f"grafana-{number}", team="platform",
        )  # fmt: skip
    fire(
        "report job fails", "KubeJobFailed", 60, 600,
        namespace="reporting", job_name="sales-report-29418", team="finance",
    )  # fmt: skip
    fire(
        "disk fills", "NodeDiskWillFill", 105, None, **_machine("worker-b1"),
        mountpoint="/var/lib/containers", device="/dev/nvme0n1p3",
    )  # fmt: skip
    fire(
        "ERP exporter is down", "TargetDown", 145, 380, job="erp-exporter",
        namespace="erp", instance="erp-gateway.internal:9400", team="finance",
    )  # fmt: skip
    for name, at in (("KubeHpaMaxedOut", 180), ("HighLatency", 200)):
        fire(
            "recommendations are overloaded", name, at, 460, namespace="search",
            service="recommend", deployment="recommend", team="discovery",
        )  # fmt: skip
    fire("clock drifts", "NodeClockSkew", 215, 520, **_machine("worker-b2"))
    for number in range(2):
        fire(
            "catalog queries are slow", "PostgresSlowQueries", 130 + 15 * number, 330,
            namespace="data", service="catalog-db", team="discovery", pod=f"catalog-db-{number}",
            instance=f"catalog-db-{number}:9187",
        )  # fmt: skip
    _amid_the_storm(draft)


def _amid_the_storm(draft: Draft) -> None:
    fire = draft.fire
    fire(
        "newsletter bounces", "MailBounceRateHigh", 410, 900,
        namespace="marketing", service="mailer", campaign="winter-sale", team="marketing",
    )  # fmt: skip
    fire(
        "volume fills", "KubePersistentVolumeFillingUp", 530, None, namespace="monitoring",
        persistentvolumeclaim="prometheus-db-prometheus-b-0", team="platform",
    )  # fmt: skip
    for number, pool in enumerate(("linux-small", "linux-large", "arm64")):
        fire("builds wait", "BuildQueueLong", 640 + 15 * number, 860, pool=pool, team="developer")
    for number in range(2):
        fire(
            "office link loses packets", "PacketLossHigh", 930 + 10 * number, 1180,
            location="office-graz", instance=f"10.90.0.{number + 1}", team="corporate-it",
        )  # fmt: skip
    for number in range(3):
        fire(
            "staging image is missing", "KubeImagePullFailing", 1010 + 8 * number, None,
            namespace="staging", container="checkout", pod=f"checkout-canary-{number}",
            team="orders",
        )  # fmt: skip


def certificates(draft: Draft) -> None:
    """Renewal has failed for weeks; now the first certificates come near their end."""
    zone = {"namespace": "ingress", "team": "platform"}
    for number, name in enumerate(("www", "api", "images", "pay", "status", "partners")):
        host = f"{name}.shop.example"
        draft.fire(
            CERTIFICATES, "CertificateExpiringSoon", 1060 + 6 * number, None, **zone, host=host
        )
        if number < 3:
            draft.fire(
                CERTIFICATES, "CertificateRenewalFailed", 1085 + 6 * number, None, **zone,
                name=f"{name}-tls",
            )  # fmt: skip


def backups(draft: Draft) -> None:
    """The bucket is full, so all nightly backups fail."""
    for number, database in enumerate(("payments-db", "catalog-db")):
        labels = {"namespace": "backup", "database": database, "team": "data"}
        draft.fire(BACKUPS, "PostgresBackupFailed", 1180 + 20 * number, None, **labels)
        draft.fire(BACKUPS, "PostgresBackupTooOld", 1230 + 20 * number, None, **labels)
        draft.fire(
            BACKUPS, "KubeJobFailed", 1185 + 20 * number, None, namespace="backup",
            job_name=f"{database}-backup-29418", team="data",
        )  # fmt: skip


def _machine(node: str) -> dict[str, str]:
    return {
        "node": node,
        "zone": NODES[node],
        "instance": f"{node}:9100",
        "team": "platform",
    }
