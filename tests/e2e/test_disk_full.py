"""A full disk: webhooks are answered 503, nothing is lost, and it goes on by itself afterwards."""

from __future__ import annotations

import contextlib
import resource
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import MakeReceiver
from tests.support.processes import ReceiverProcess
from tests.support.waiting import wait_until
from tests.support.webhook import alert, body

pytestmark = pytest.mark.e2e

STARTS_AT = "2026-03-01T10:00:00Z"
ALERTS = 100


def notification(number: int) -> bytes:
    """Return a body of some 50 kB, with alerts that no other *number* has."""
    return body(
        [
            alert(
                {"alertname": "DiskFull", "instance": f"{number}-{each}"},
                starts_at=STARTS_AT,
                summary="x" * 300,
            )
            for each in range(ALERTS)
        ]
    )


def check_full_and_after(receiver: ReceiverProcess, make_room: Callable[[], object]) -> None:
    """Post until it is refused, make room, and see that all is there.

    Args:
        receiver: Runs, and cannot write much more.
        make_room: Lets it write again.
    """
    answers: dict[int, int] = {}
    for number in range(400):
        answers[number] = receiver.post(notification(number)).status
        if answers[number] == 503:
            break
    refused = len(answers) - 1
    assert answers[refused] == 503, "it never got full"
    assert set(answers.values()) == {200, 503}
    assert receiver.metric("stormcell_webhook_requests_total", code="503") == 1
    assert receiver.get("/-/healthy").status == 200
    assert "inbox commit failed" in receiver.log_text()
    make_room()
    # As Alertmanager does: the same body again until it is taken.
    wait_until("a 200", lambda: receiver.post(notification(refused)).status == 200)
    receiver.settle()
    check_all_kept(receiver, len(answers))
    assert receiver.stop() == 0
    receiver.start()
    receiver.settle()
    check_all_kept(receiver, len(answers))


def check_all_kept(receiver: ReceiverProcess, notifications: int) -> None:
    """Assert that each alert is there once, in a cluster, and that no event is missing."""
    kept = receiver.alerts()
    expected = {f"{number}-{each}" for number in range(notifications) for each in range(ALERTS)}
    assert len(kept) == len(expected)
    assert {entry["labels"]["instance"] for entry in kept} == expected
    assert all(entry["cluster_id"] for entry in kept)
    seqs = [event["seq"] for event in receiver.events()]
    assert seqs == list(range(1, len(seqs) + 1))


def test_files_that_may_not_grow_are_survived(receiver: ReceiverProcess) -> None:
    # Needs no rights: stands in for the full disk where nothing may be mounted.
    _, most = resource.prlimit(receiver.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(receiver.pid, resource.RLIMIT_FSIZE, (2**20, most))

    check_full_and_after(
        receiver,
        lambda: resource.prlimit(receiver.pid, resource.RLIMIT_FSIZE, (most, most)),
    )


@contextlib.contextmanager
def small_disk(place: Path) -> Iterator[None]:
    """Mount a file system of 2 MB at *place*; skip where that is not allowed."""
    place.mkdir(parents=True)
    command = ["mount", "-t", "tmpfs", "-o", "size=2m", "stormcell-test", str(place)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("mounting is not permitted; the file size limit stands in for it")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def test_a_full_disk_is_survived(make_receiver: MakeReceiver) -> None:
    receiver = make_receiver()
    with small_disk(receiver.storage):
        receiver.start()
        grow = ["mount", "-o", "remount,size=64m", str(receiver.storage)]
        check_full_and_after(receiver, lambda: subprocess.run(grow, check=True))
        receiver.stop()
