"""No more memory to be had: senders are told to repeat, and it goes on by itself when there is some."""

from __future__ import annotations

import contextlib
import http.client
import resource
import socket
from pathlib import Path

import pytest

from tests.e2e.conftest import MakeReceiver
from tests.support.processes import HOST, ReceiverProcess
from tests.support.waiting import wait_until
from tests.support.webhook import alert, body

pytestmark = pytest.mark.e2e

STARTS_AT = "2026-03-01T10:00:00Z"
MIB = 2**20
EACH = 100


def notification(number: int, alerts: int = 1, summary: str = "") -> bytes:
    """Return a body with alerts that no other *number* has."""
    return body(
        [
            alert(
                {"alertname": "DiskFull", "instance": f"{number}-{each}"},
                starts_at=STARTS_AT,
                summary=summary,
            )
            for each in range(alerts)
        ]
    )


def check_kept(receiver: ReceiverProcess, expected: set[str]) -> None:
    """Assert that each alert is there once, in a cluster, and that no event is missing."""
    receiver.settle()
    kept = receiver.alerts()
    assert sorted(entry["labels"]["instance"] for entry in kept) == sorted(expected)
    assert all(entry["cluster_id"] for entry in kept)
    assert receiver.read("stats")["ledger"]["dead_letters"] == 0
    seqs = [event["seq"] for event in receiver.events()]
    assert seqs == list(range(1, len(seqs) + 1))


def test_the_bound_on_bodies_in_memory_is_kept(make_receiver: MakeReceiver) -> None:
    receiver = make_receiver(
        settings={"intake.max_inflight_bytes": "2MiB", "intake.max_wait": "0.5"}
    )
    receiver.start()
    large = notification(0, alerts=1000, summary="x" * 900)
    head = (
        f"POST /api/v1/webhook HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(large)}\r\n\r\n"
    ).encode()
    with contextlib.ExitStack() as open_ones:
        senders = [
            open_ones.enter_context(socket.create_connection((HOST, receiver.port), timeout=60))
            for _ in range(2)
        ]
        for sender in senders:
            # All but the end: it is waited for, and held.
            sender.sendall(head + large[: MIB - 50_000])
        wait_until(
            "both to be held",
            lambda: receiver.metric("stormcell_intake_bytes") > 1.7 * MIB,
        )
        refused = receiver.post(large)
        assert refused.status == 503
        assert "too much is being received at once" in refused.json()["error"]["message"]
        assert receiver.metric("stormcell_webhook_requests_total", code="503") == 1
        assert 'msg="a webhook was refused"' in receiver.log_text()
        assert receiver.metric("stormcell_intake_bytes") <= 2 * MIB
    wait_until("a 200", lambda: receiver.post(large).status == 200)

    check_kept(receiver, {f"0-{each}" for each in range(1000)})
    assert receiver.metric("stormcell_intake_bytes") == 0


def test_no_memory_is_left(receiver: ReceiverProcess) -> None:
    """The address space may not grow: what asks for memory is refused it, anywhere in the process."""
    assert receiver.post(notification(0)).status == 200
    receiver.settle()
    answers: dict[int, int] = {}
    _, most = resource.prlimit(receiver.pid, resource.RLIMIT_AS)
    pages = int(Path(f"/proc/{receiver.pid}/statm").read_text().split()[0])
    room = pages * resource.getpagesize() + 4 * MIB
    resource.prlimit(receiver.pid, resource.RLIMIT_AS, (room, most))
    for number in range(1, 9):
        try:
            # Far more in all than there is room for, and each more than Python has at hand.
            answers[number] = receiver.post(notification(number, EACH, "y" * 20_000)).status
        except (OSError, http.client.HTTPException):
            answers[number] = 0
    resource.prlimit(receiver.pid, resource.RLIMIT_AS, (most, most))
    assert set(answers.values()) <= {0, 200, 500, 503}, "a sender would not repeat it"
    assert 503 in answers.values(), "there was room enough"
    assert receiver.running
    assert receiver.metric("stormcell_webhook_requests_total", code="503") > 0
    assert "out of memory" in receiver.log_text()
    for number, status in answers.items():
        if status != 200:
            assert receiver.post(notification(number, EACH, "y" * 20_000)).status == 200
    check_kept(
        receiver, {"0-0"} | {f"{number}-{each}" for number in answers for each in range(EACH)}
    )
    assert receiver.stop() == 0
