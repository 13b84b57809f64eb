"""Server processes on loopback ports: started, asked, stopped, killed; their log is kept.

A process keeps its port and its files across restarts, as whoever talks to it has its address.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from prometheus_client.parser import text_string_to_metric_families

from tests.support.waiting import PATIENCE_SECONDS, wait_until

REPOSITORY = Path(__file__).resolve().parents[2]
HOST = "127.0.0.1"
_PAGE = 1000


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered."""

    status: int
    body: bytes

    def json(self) -> Any:
        """Return the body, read as JSON."""
        return json.loads(self.body)


class ServerProcess:
    """A server in a process of its own, with a port and a log file."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        port: int,
        log: Path,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Describe it; `start` starts it.

        Args:
            name: For messages.
            command: With its arguments.
            port: That it will listen on, on loopback.
            log: File that stdout and stderr are appended to.
            environment: Variables on top of those of this process.
        """
        self.name = name
        self.command = list(command)
        self.port = port
        self.log = log
        self._environment = {**os.environ, **(environment or {})}
        self._child: subprocess.Popen[bytes] | None = None

    # -- life ------------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://{HOST}:{self.port}"

    @property
    def pid(self) -> int:
        """Its process id; it must be running."""
        assert self._child is not None, f"{self.name} is not running"
        return self._child.pid

    @property
    def running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._child is not None and self._child.poll() is None

    def launch(self) -> None:
        """Start it, and wait for nothing."""
        assert not self.running, f"{self.name} runs already"
        with self.log.open("ab") as log:
            self._child = subprocess.Popen(
                self.command,
                cwd=REPOSITORY,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def start(self) -> None:
        """Start it and wait until it is ready.

        Raises:
            RuntimeError: It ended instead; its log is in the text.
        """
        self.launch()
        self.await_ready()

    def await_ready(self) -> None:
        """Wait until it is ready.

        Raises:
            RuntimeError: It ended instead; its log is in the text.
        """
        wait_until(f"{self.name} to be ready", self._is_ready)

    def _is_ready(self) -> bool:
        if not self.running:
            raise RuntimeError(f"{self.name} ended at its start:\n{self.log_text()}")
        try:
            return self.get("/-/ready").status == 200
        except OSError:
            return False

    def stop(self, patience_seconds: float = PATIENCE_SECONDS) -> int:
        """Ask it to end (SIGTERM), wait for that, and return its exit code."""
        return self._end(signal.SIGTERM, patience_seconds)

    def kill(self) -> None:
        """End it at once (SIGKILL): it gets to do nothing more."""
        self._end(signal.SIGKILL, PATIENCE_SECONDS)

    def ensure_ended(self) -> None:
        """Kill it if it runs."""
        if self.running:
            self.kill()

    def freeze(self) -> None:
        """Let it hang (SIGSTOP): connections are taken, and nothing answers."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on (SIGCONT)."""
        os.kill(self.pid, signal.SIGCONT)

    def _end(self, number: signal.Signals, patience_seconds: float) -> int:
        assert self._child is not None, f"{self.name} was never started"
        self._child.send_signal(number)
        code = self._child.wait(patience_seconds)
        self._child = None
        return code

    def log_text(self) -> str:
        """Return all that it wrote to stdout and stderr, over all its starts."""
        return self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""

    # -- requests --------------------------------------------------------------------------------

    def request(self, method: str, path: str, body: bytes | None = None) -> Answer:
        """Send one request and return the answer, whatever its code.

        Raises:
            OSError: There was no answer.
        """
        connection = http.client.HTTPConnection(HOST, self.port, timeout=PATIENCE_SECONDS)
        try:
            headers = {} if body is None else {"Content-Type": "application/json"}
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            return Answer(response.status, response.read())
        except http.client.HTTPException as error:
            raise ConnectionError(f"{self.name}: {error!r}") from error
        finally:
            connection.close()

    def get(self, path: str) -> Answer:
        """Send a GET."""
        return self.request("GET", path)

    def metric(self, name: str, **labels: str) -> float:
        """Return the sum of the samples called *name* that have *labels*; 0 if there is none."""
        text = self.get("/metrics").body.decode()
        return sum(
            sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )


class ReceiverProcess(ServerProcess):
    """A Stormcell that serves, with the hashing embedder unless *settings* say otherwise."""

    def __init__(
        self,
        directory: Path,
        *,
        settings: Mapping[str, str] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Describe it.

        Args:
            directory: Holds its storage and its log; made if missing.
            settings: For `--set`, by `section.key`.
            environment: Variables on top of those of this process.
        """
        directory.mkdir(parents=True, exist_ok=True)
        self.storage = directory / "storage"
        port = free_port()
        wanted = {"embedding.backend": "hashing", **(settings or {})}
        command = [
            *(sys.executable, "-m", "receiver", "serve"),
            f"--storage.path={self.storage}",
            f"--web.listen-address={HOST}:{port}",
            *(part for key, value in wanted.items() for part in ("--set", f"{key}={value}")),
        ]
        super().__init__(
            "stormcell",
            command,
            port=port,
            log=directory / "stormcell.log",
            environment=environment,
        )

    @property
    def webhook_url(self) -> str:
        """Where Alertmanager posts to."""
        return f"{self.url}/api/v1/webhook"

    def post(self, body: bytes) -> Answer:
        """Post *body* to the webhook."""
        return self.request("POST", "/api/v1/webhook", body)

    def settle(self) -> None:
        """Wait until all that was answered 200 is applied."""
        wait_until("pending_alerts to be 0", lambda: self.pending() == 0)

    def pending(self) -> float:
        """Return how many alerts are committed and not applied."""
        return self.metric("stormcell_pending_alerts")

    def received(self, **labels: str) -> float:
        """Return how many alerts were applied, by `status` and `outcome`."""
        return self.metric("stormcell_alerts_received_total", **labels)

    def read(self, path: str, **query: object) -> Any:
        """Return what the read API answers under /api/v1/."""
        answer = self.get(f"/api/v1/{path}?{urlencode(query)}")
        assert answer.status == 200, f"GET {path}: {answer.status} {answer.body!r}"
        return answer.json()

    def alerts(self, **query: object) -> list[dict[str, Any]]:
        """Return every episode that *query* wants, over all pages."""
        return self._pages("alerts", "cursor", query)

    def clusters(self, **query: object) -> list[dict[str, Any]]:
        """Return every cluster that *query* wants, over all pages; the live ones by default."""
        return self._pages("clusters", "cursor", query)

    def events(self, after: int = 0) -> list[dict[str, Any]]:
        """Return every event after the seq *after*, over all pages."""
        return self._pages("events", "after", {"after": after})

    def _pages(self, path: str, cursor: str, query: Mapping[str, object]) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = []
        more: dict[str, object] = {}
        while True:
            page = self.read(path, limit=_PAGE, **{**query, **more})
            items += page["items"]
            if page["next"] is None:
                return items
            more = {cursor: page["next"]}
