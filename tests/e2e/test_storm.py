"""Storms on a machine that cannot keep up, by the real Alertmanager: less is done, never nothing.

No test tells how fast anything is; counts are compared. What once never came to an end would run out of
patience here: an Alertmanager that repeats what a slow receiver did not answer in time, and a receiver that
then works for repeats alone.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from typing import Any

import pytest

from benchmarks import texts
from tests.e2e.conftest import MakeAlertmanager, MakeReceiver
from tests.support.alertmanager import Alertmanager, firing
from tests.support.patched import patch
from tests.support.processes import HOST, ReceiverProcess
from tests.support.waiting import wait_until
from tests.support.webhook import alert, body

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

SLOW_DISK = """
import time
from receiver.store import Database
add_to_inbox = Database.add_to_inbox
def slowly(self, received_at, bodies):
    time.sleep({each} * len(bodies))
    return add_to_inbox(self, received_at, bodies)
Database.add_to_inbox = slowly
"""
"""Each webhook takes so long to be written, however many are written together."""

SLOW_MODEL = """
import time
from receiver.embedding.hashing import HashingEmbedder
embed = HashingEmbedder.embed
def slowly(self, texts):
    time.sleep({each} * len(texts))
    return embed(self, texts)
HashingEmbedder.embed = slowly
"""

PATIENCE_SECONDS = 240.0
"""Beyond what any of it takes on a loaded machine."""


def storm(count: int) -> list[dict[str, Any]]:
    """Return *count* alerts, each with a text that no other has."""
    drawn = (texts.distinct(number).elsewhere(number) for number in range(count))
    return [firing(one.labels, one.annotations) for one in drawn]


def taken(receiver: ReceiverProcess) -> float:
    return receiver.metric("stormcell_webhook_requests_total", code="200")


def await_all_taken(receiver: ReceiverProcess, count: int) -> None:
    wait_until(
        f"{count} webhooks to be answered 200",
        lambda: taken(receiver) >= count,
        patience_seconds=PATIENCE_SECONDS,
        pause_seconds=0.5,
    )


def await_settled(receiver: ReceiverProcess) -> None:
    wait_until(
        "pending_alerts to be 0",
        lambda: receiver.pending() == 0,
        patience_seconds=PATIENCE_SECONDS,
        pause_seconds=0.5,
    )


def await_silence(alertmanager: Alertmanager) -> None:
    """Wait until it has nothing under way and nothing to repeat, over a whole group_interval."""
    seen = -1.0

    def silent() -> bool:
        nonlocal seen
        before, seen = seen, requests(alertmanager)
        return before == seen

    wait_until("silence", silent, patience_seconds=PATIENCE_SECONDS, pause_seconds=3.0)


def requests(alertmanager: Alertmanager) -> float:
    return alertmanager.metric("alertmanager_notification_requests_total", integration="webhook")


def failed_requests(alertmanager: Alertmanager) -> float:
    name = "alertmanager_notification_requests_failed_total"
    return alertmanager.metric(name, integration="webhook")


def check_kept_once(receiver: ReceiverProcess, alerts: list[dict[str, Any]]) -> None:
    kept = Counter(entry["labels"]["instance"] for entry in receiver.alerts())
    assert kept == Counter(entry["labels"]["instance"] for entry in alerts)
    assert receiver.received(outcome="new") == len(alerts)
    assert receiver.received(outcome="dead_letter") == 0


def send_until_taken(
    receiver: ReceiverProcess, start_alertmanager: MakeAlertmanager, alerts: list[dict[str, Any]]
) -> Alertmanager:
    """Start both, and return when *alerts* are taken."""
    receiver.start()
    alertmanager = start_alertmanager(receiver, group_interval="10s")
    alertmanager.post(alerts)
    await_all_taken(receiver, len(alerts))
    return alertmanager


def test_a_slow_disk_takes_what_it_can_until_all_is_taken(
    make_receiver: MakeReceiver, start_alertmanager: MakeAlertmanager
) -> None:
    # 16 seconds of writing, and Alertmanager gives a notification up after ten.
    alerts = storm(800)
    receiver = patch(make_receiver(), SLOW_DISK.format(each=0.02))
    alertmanager = send_until_taken(receiver, start_alertmanager, alerts)
    await_settled(receiver)

    check_kept_once(receiver, alerts)
    # Hardly anything is written again for a sender that has gone.
    assert taken(receiver) <= 1.25 * len(alerts)
    await_silence(alertmanager)
    assert taken(receiver) <= 1.25 * len(alerts)


def test_a_slow_model_holds_up_no_answer(
    make_receiver: MakeReceiver, start_alertmanager: MakeAlertmanager
) -> None:
    alerts = storm(600)
    receiver = patch(make_receiver(), SLOW_MODEL.format(each=0.02))
    alertmanager = send_until_taken(receiver, start_alertmanager, alerts)
    waiting = receiver.pending()
    await_settled(receiver)

    assert waiting > 0, "the model was not slow enough to prove anything"
    check_kept_once(receiver, alerts)
    assert all(entry["cluster_id"] for entry in receiver.alerts())
    # Each notification was sent once: none had to be repeated.
    assert (taken(receiver), requests(alertmanager)) == (len(alerts), len(alerts))
    assert failed_requests(alertmanager) == 0


def test_ten_thousand_webhooks_at_once_with_a_thousand_descriptors(
    make_receiver: MakeReceiver, start_alertmanager: MakeAlertmanager
) -> None:
    alerts = [
        # Else Alertmanager lets them go after four minutes, when nobody repeats them.
        {
            **firing({"alertname": "DiskFull", "instance": f"fs-{number}"}),
            "endsAt": "2099-01-01T00:00:00Z",
        }
        for number in range(10_000)
    ]
    receiver = make_receiver()
    receiver.command[:0] = ["prlimit", "--nofile=1024:1024"]
    receiver.start()
    assert "open_files=1024" in receiver.log_text()
    # Its deadline too, so that it repeats less where this machine has much else to do.
    alertmanager = start_alertmanager(receiver, group_interval="60s")
    alertmanager.post(alerts)
    # Asked of Alertmanager: at the receiver whoever asks stands in line with it.
    wait_until(
        "all to be taken",
        lambda: requests(alertmanager) - failed_requests(alertmanager) >= len(alerts),
        patience_seconds=3 * PATIENCE_SECONDS,
        pause_seconds=0.5,
    )
    # Alertmanager keeps its thousand connections for minutes; they make room.
    await_settled(receiver)

    check_kept_once(receiver, alerts)
    # Asyncio says it for each attempt, millions of times; here it is said and counted.
    assert receiver.log_text().count("\n") < 2000


def test_nothing_is_done_for_clients_that_have_gone(make_receiver: MakeReceiver) -> None:
    """A thousand leave before they are answered; those that stay are answered, and the rest is skipped."""
    receiver = patch(make_receiver(), SLOW_DISK.format(each=0.02))
    receiver.start()

    def told(kind: str, number: int) -> bytes:
        labels = {"alertname": kind, "instance": f"{kind}-{number}"}
        return body([alert(labels, starts_at="2026-03-01T10:00:00Z")])

    async def leave(number: int) -> None:
        text = told("Left", number)
        head = f"POST /api/v1/webhook HTTP/1.1\r\nHost: here\r\nContent-Length: {len(text)}\r\n\r\n"
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection(HOST, receiver.port)
            writer.write(head.encode() + text)
            await writer.drain()
            await asyncio.sleep(0.2)
            writer.close()

    async def leave_all() -> None:
        await asyncio.gather(*(leave(number) for number in range(1000)))

    asyncio.run(leave_all())
    stayed = [receiver.post(told("Stayed", number)).status for number in range(20)]
    receiver.settle()

    assert stayed == [200] * 20
    kept = Counter(entry["labels"]["alertname"] for entry in receiver.alerts())
    assert kept["Stayed"] == 20
    assert kept["Left"] < 500
    assert receiver.metric("stormcell_webhook_requests_total", code="499") > 500


def test_two_alertmanagers_tell_a_slow_disk_the_same(
    make_receiver: MakeReceiver, start_alertmanager: MakeAlertmanager
) -> None:
    # Without gossip, as in a partition: each tells all of it.
    alerts = storm(300)
    receiver = patch(make_receiver(), SLOW_DISK.format(each=0.02))
    receiver.start()
    pair = [
        start_alertmanager(receiver, name=name, group_interval="10s") for name in ("one", "two")
    ]
    for alertmanager in pair:
        alertmanager.post(alerts)
    await_all_taken(receiver, 2 * len(alerts))
    await_settled(receiver)

    check_kept_once(receiver, alerts)
    assert receiver.received(outcome="refresh") >= len(alerts)
    assert taken(receiver) <= 1.25 * 2 * len(alerts)
