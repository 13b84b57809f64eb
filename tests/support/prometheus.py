"""A real Prometheus."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.support.processes import HOST, ServerProcess, free_port


def find_binary() -> str | None:
    """Return the path of Prometheus; None where it is not installed."""
    return shutil.which("prometheus")


class Prometheus(ServerProcess):
    """A real Prometheus in a folder of its own. Leaves out everything that *configuration* does not say."""

    def __init__(self, binary: str, directory: Path, configuration: str) -> None:
        """Describe it.

        Args:
            binary: See `find_binary`.
            directory: Holds its configuration, data and log; made if missing.
            configuration: Its configuration file's text.
        """
        directory.mkdir(parents=True, exist_ok=True)
        file = directory / "prometheus.yml"
        file.write_text(configuration, encoding="utf-8")
        port = free_port()
        command = [
            binary,
            f"--config.file={file}",
            f"--storage.tsdb.path={directory / 'data'}",
            f"--web.listen-address={HOST}:{port}",
        ]
        super().__init__("prometheus", command, port=port, log=directory / "prometheus.log")
