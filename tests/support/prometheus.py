"""A real Prometheus."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tests.support.processes import HOST, ServerProcess, free_port


class Prometheus(ServerProcess):
    """A real Prometheus that scrapes and evaluates each second unless it is told otherwise.

    Leaves out: service discovery, external labels, relabelling, authentication, remote storage.
    """

    def __init__(
        self,
        binary: str,
        directory: Path,
        *,
        targets: Mapping[str, int],
        alertmanagers: Sequence[int],
        rules: Mapping[str, str],
        alertmanager_timeout: str = "10s",
        interval: str = "1s",
        resend_delay: str = "1m",
    ) -> None:
        """Describe it.

        Args:
            binary: Path of the executable.
            directory: Holds its configuration, rules, data and log; made if missing.
            targets: Ports that it scrapes, by the name of their job.
            alertmanagers: Ports that it posts alerts to.
            rules: Texts of rule files, by their names.
            alertmanager_timeout: As in its configuration.
            interval: From one scrape to the next, and of rules that do not say.
            resend_delay: It tells what fires so often, and vouches for it four times as long.
        """
        directory.mkdir(parents=True, exist_ok=True)
        for name, text in rules.items():
            (directory / name).write_text(text, encoding="utf-8")
        configuration = {
            "global": {"scrape_interval": interval, "evaluation_interval": interval},
            "rule_files": [str(directory / name) for name in rules],
            "alerting": {
                "alertmanagers": [
                    {"static_configs": _at(alertmanagers), "timeout": alertmanager_timeout}
                ]
            },
            "scrape_configs": [
                {"job_name": job, "static_configs": _at([port])} for job, port in targets.items()
            ],
        }
        file = directory / "prometheus.yml"
        file.write_text(json.dumps(configuration), encoding="utf-8")  # JSON is YAML
        port = free_port()
        command = [
            binary,
            f"--config.file={file}",
            f"--storage.tsdb.path={directory / 'data'}",
            f"--web.listen-address={HOST}:{port}",
            f"--rules.alert.resend-delay={resend_delay}",
        ]
        super().__init__("prometheus", command, port=port, log=directory / "prometheus.log")

    def query(self, expr: str) -> list[dict[str, Any]]:
        """Return the series that *expr* gives now."""
        answer = self.get(f"/api/v1/query?{urlencode({'query': expr})}")
        assert answer.status == 200, f"{expr}: {answer.body!r}"
        series: list[dict[str, Any]] = answer.json()["data"]["result"]
        return series


def _at(ports: Sequence[int]) -> list[dict[str, Any]]:
    return [{"targets": [f"{HOST}:{port}" for port in ports]}]
