"""The closed loop in processes of its own: what breaks comes back to people, through us and past us."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.support.alertmanager import Alertmanager
from tests.support.alertmanager import find_binary as find_alertmanager
from tests.support.processes import ReceiverProcess
from tests.support.prometheus import Prometheus
from tests.support.shipped import faster, shipped_routes, shipped_rules
from tests.support.stubs import Exporter, Pager

SCRAPES = "15s"
"""As docs/prometheus.md advises."""


@dataclass(frozen=True)
class ClosedLoop:
    """Exporter → Prometheus → Alertmanager → pager and Stormcell → Prometheus → Alertmanager → pager.

    Rules and routes are those we ship.
    """

    exporter: Exporter
    prometheus: Prometheus
    alertmanager: Alertmanager
    receiver: ReceiverProcess
    pager: Pager
    speed: float


def missing() -> list[str]:
    """Return the programs that a closed loop needs and this machine lacks."""
    found = {"prometheus": shutil.which("prometheus"), "alertmanager": find_alertmanager()}
    return [name for name, path in found.items() if path is None]


@contextlib.contextmanager
def closed_loop(
    folder: Path, *, rules: str, speed: float, settings: Mapping[str, str] | None = None
) -> Iterator[ClosedLoop]:
    """Run one while the context lasts; nothing must be `missing`.

    Args:
        folder: For the files and logs of all.
        rules: Text of the site's own rule file.
        speed: What all times of shipped rules and routes, and between scrapes, are divided by.
        settings: Of the receiver.
    """
    prometheus_binary, alertmanager_binary = shutil.which("prometheus"), find_alertmanager()
    assert prometheus_binary is not None
    assert alertmanager_binary is not None
    with contextlib.ExitStack() as stack:
        pager, exporter = Pager(), Exporter()
        for stub in (pager, exporter):
            stub.start()
            stack.callback(stub.stop)
        receiver = ReceiverProcess(folder / "stormcell", settings=settings)
        routes = shipped_routes(
            "alertmanager.yml", stormcell=receiver.url, pager=pager.url, speed=speed
        )
        alertmanager = Alertmanager(
            alertmanager_binary,
            folder / "alertmanager",
            receiver.webhook_url,
            configuration=routes,
        )
        prometheus = Prometheus(
            prometheus_binary,
            folder / "prometheus",
            targets={"stormcell": receiver.port, "site": exporter.port},
            alertmanagers=[alertmanager.port],
            rules={"stormcell.yml": shipped_rules(speed), "site.yml": rules},
            interval=faster(SCRAPES, speed),
        )
        for process in (receiver, alertmanager, prometheus):
            stack.callback(process.ensure_ended)
            process.start()
        yield ClosedLoop(exporter, prometheus, alertmanager, receiver, pager, speed)
