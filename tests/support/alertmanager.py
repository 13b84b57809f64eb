"""A real Alertmanager, and alerts posted to it as Prometheus posts them."""

from __future__ import annotations

import http.client
import json
import shutil
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.support.processes import HOST, ServerProcess, free_port
from tests.support.waiting import PATIENCE_SECONDS

BINARIES = ("prometheus-alertmanager", "alertmanager")
"""Debian's name first: where it is installed, another `alertmanager` may be anything."""

BATCH = 64
"""Alerts in one POST of Prometheus."""

_LASTS = timedelta(minutes=4)
"""Prometheus gives a firing alert an endsAt four re-sends ahead, and re-sends each minute."""


def find_binary() -> str | None:
    """Return the path of Alertmanager; None where it is not installed."""
    return next((path for path in map(shutil.which, BINARIES) if path), None)


class Alertmanager(ServerProcess):
    """A real Alertmanager with one route and one webhook, or a configuration of the test's own.

    Leaves out: gossip, unless it is given a port for it (else two of these are two that do not know of
    each other), and, with the one route, silences, inhibition, nested routes, authentication.
    """

    def __init__(
        self,
        binary: str,
        directory: Path,
        webhook_url: str,
        *,
        group_by: Sequence[str] = ("...",),
        group_wait: str = "0s",
        group_interval: str = "1s",
        repeat_interval: str = "1h",
        configuration: str | None = None,
        gossip_port: int | None = None,
        peer_port: int | None = None,
    ) -> None:
        """Describe it.

        Args:
            binary: See `find_binary`.
            directory: Holds its configuration, state and log; made if missing.
            webhook_url: Where it notifies.
            group_by: Labels that make a group; `...` is one group an alert.
            group_wait: As in its configuration.
            group_interval: As in its configuration.
            repeat_interval: As in its configuration.
            configuration: Its configuration file's text, in place of all that is asked for above.
            gossip_port: Where it listens for a peer; None is no gossip.
            peer_port: Where a peer listens.
        """
        directory.mkdir(parents=True, exist_ok=True)
        one_route = {
            "route": {
                "receiver": "stormcell",
                "group_by": list(group_by),
                "group_wait": group_wait,
                "group_interval": group_interval,
                "repeat_interval": repeat_interval,
            },
            "receivers": [{"name": "stormcell", "webhook_configs": [{"url": webhook_url}]}],
        }
        file = directory / "alertmanager.yml"
        # JSON is YAML.
        file.write_text(configuration or json.dumps(one_route), encoding="utf-8")
        port = free_port()
        command = [
            binary,
            f"--config.file={file}",
            f"--storage.path={directory / 'state'}",
            f"--web.listen-address={HOST}:{port}",
            f"--web.external-url=http://{HOST}:{port}",
            f"--cluster.listen-address={'' if gossip_port is None else f'{HOST}:{gossip_port}'}",
        ]
        if gossip_port is not None:
            # Where all addresses are loopback none is found to advertise.
            command.append(f"--cluster.advertise-address={HOST}:{gossip_port}")
        if peer_port is not None:
            command.append(f"--cluster.peer={HOST}:{peer_port}")
        super().__init__("alertmanager", command, port=port, log=directory / "alertmanager.log")

    def post(self, alerts: Sequence[Mapping[str, Any]]) -> None:
        """Post *alerts* in batches over one connection, as Prometheus does.

        Raises:
            OSError: It did not take them.
        """
        connection = http.client.HTTPConnection(HOST, self.port, timeout=PATIENCE_SECONDS)
        try:
            for start in range(0, len(alerts), BATCH):
                body = json.dumps(alerts[start : start + BATCH]).encode()
                headers = {"Content-Type": "application/json"}
                connection.request("POST", "/api/v2/alerts", body, headers)
                response = connection.getresponse()
                said = response.read()
                if response.status != 200:
                    raise ConnectionError(f"alertmanager answered {response.status}: {said!r}")
        finally:
            connection.close()

    def failures(self) -> float:
        """Return how many notifications it gave up; those repeated with success do not count."""
        return self.metric("alertmanager_notifications_failed_total", integration="webhook")

    def notifications(self) -> float:
        """Return how many notifications it sent or tried to send."""
        return self.metric("alertmanager_notifications_total", integration="webhook")


def firing(
    labels: Mapping[str, str],
    annotations: Mapping[str, str] | None = None,
    *,
    since: datetime | None = None,
) -> dict[str, Any]:
    """Return an alert that fires, as Prometheus posts it; *since* when, default now."""
    now = datetime.now(UTC)
    return {
        "labels": dict(labels),
        "annotations": dict(annotations or {}),
        "startsAt": (since or now).isoformat(),
        "endsAt": (now + _LASTS).isoformat(),
        "generatorURL": "http://prometheus.example:9090/graph?g0.expr=up+%3D%3D+0&g0.tab=1",
    }


def resolved(alert: Mapping[str, Any]) -> dict[str, Any]:
    """Return *alert*, posted as firing before, as one that has ended now."""
    return {**alert, "endsAt": datetime.now(UTC).isoformat()}
