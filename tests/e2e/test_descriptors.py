"""Out of descriptors: connections that are open go on, others wait, and all is well once there are some."""

from __future__ import annotations

import contextlib
import http.client
import resource
import socket
from pathlib import Path

import pytest

from tests.support.processes import HOST, ReceiverProcess
from tests.support.waiting import wait_until
from tests.support.webhook import alert, body

pytestmark = pytest.mark.e2e


def notification(name: str) -> bytes:
    return body([alert({"alertname": name}, starts_at="2026-03-01T10:00:00Z")])


def test_no_descriptor_is_left(receiver: ReceiverProcess) -> None:
    assert receiver.post(notification("A")).status == 200
    receiver.settle()
    assert len(receiver.alerts()) == 1
    keeping = http.client.HTTPConnection(HOST, receiver.port, timeout=60)
    keeping.request("GET", "/-/healthy")
    keeping.getresponse().read()
    used = len(list(Path(f"/proc/{receiver.pid}/fd").iterdir()))
    before, most = resource.prlimit(receiver.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(receiver.pid, resource.RLIMIT_NOFILE, (used + 10, most))
    with contextlib.ExitStack() as idle:
        for _ in range(50):
            idle.enter_context(socket.create_connection((HOST, receiver.port), timeout=60))
        wait_until("the fault", lambda: "out of system resource" in receiver.log_text())

        for name in ("B", "C"):
            keeping.request("POST", "/api/v1/webhook", notification(name))
            answer = keeping.getresponse()
            assert (answer.status, len(answer.read()) > 0) == (200, True)
    resource.prlimit(receiver.pid, resource.RLIMIT_NOFILE, (before, most))
    keeping.close()
    receiver.settle()

    assert {entry["labels"]["alertname"] for entry in receiver.alerts()} == {"A", "B", "C"}
    assert receiver.metric("stormcell_event_loop_faults_total") > 0
    # Asyncio says it for each failed attempt; here it is said a few times and counted.
    assert receiver.log_text().count("out of system resource") <= 100
    assert receiver.stop() == 0
