"""A real Prometheus."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.support.processes import HOST, ServerProcess, free_port


class Prometheus(ServerProcess):
    """A real Prometheus that scrapes and evaluates each second.

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
            resend_delay: It tells what fires so often, and vouches for it four times as long.
        """
        directory.mkdir(parents=True, exist_ok=True)
        for name, text in rules.items():
            (directory / name).write_text(text, encoding="utf-8")
        configuration = {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
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


def _at(ports: Sequence[int]) -> list[dict[str, Any]]:
    return [{"targets": [f"{HOST}:{port}" for port in ports]}]
