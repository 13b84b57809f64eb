"""A database that cannot be used for a while: 503 to senders, a metric, a line, and then it goes on."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from receiver.store import Database
from tests.builders import body, entry
from tests.web.conftest import Client, Start


def metric(client: Client, name: str) -> float:
    value = client.app.metrics.registry.get_sample_value(f"stormcell_{name}")
    assert value is not None
    return value


def database_of(client: Client) -> Database:
    store = client.app.writer.store
    assert isinstance(store, Database)
    return store


def writing(client: Client, function: Callable[[sqlite3.Connection], Any]) -> Any:
    """Do something with the connection that writes, on its thread."""
    return client.app.writer.call(function, database_of(client)._db)


@contextlib.asynccontextmanager
async def second_opener(client: Client) -> AsyncIterator[None]:
    """Somebody else holds the lock for writing: a backup by hand, a shell, another program."""
    writing(client, lambda db: db.execute("PRAGMA busy_timeout = 20"))
    other = sqlite3.connect(database_of(client).path)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.rollback()
        other.close()


@contextlib.asynccontextmanager
async def read_only(client: Client) -> AsyncIterator[None]:
    """SQLite answers as on a file system that was mounted read-only after an error."""
    writing(client, lambda db: db.execute("PRAGMA query_only = ON"))
    yield
    writing(client, lambda db: db.execute("PRAGMA query_only = OFF"))


@pytest.mark.parametrize(
    ("fault", "words"), [(second_opener, "database is locked"), (read_only, "readonly database")]
)
async def test_the_sender_is_told_to_retry_and_it_goes_on(
    start: Start, fault: Any, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with start() as client:
        assert (await client.post(body(entry("A"))))[0] == 200
        await client.settled()
        async with fault(client):
            status, answer = await client.post(body(entry("B", labels={"alertname": "B"})))
            # What is read and what is said of health does not suffer.
            healthy, _ = await client.get("/-/healthy")
            items = await client.items("/api/v1/alerts")

            assert (status, answer["error"]["code"]) == (503, "try_later")
            assert words in answer["error"]["message"]
            assert (healthy, len(items)) == (200, 1)
            assert metric(client, "storage_errors_total") >= 1
        assert (await client.post(body(entry("B", labels={"alertname": "B"}))))[0] == 200
        await client.settled()

        assert len(await client.items("/api/v1/alerts")) == 2
    said = [r for r in caplog.records if r.message.startswith("inbox commit failed")]
    assert words in vars(said[0])["err"]


@pytest.mark.parametrize("fault", [second_opener, read_only])
async def test_a_batch_waits_and_is_applied_afterwards(
    start: Start, fault: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("receiver.pipeline.worker._RETRY_SECONDS", (0.02,))
    async with start() as client:
        worker, waiting = client.app.worker, client.app.worker._apply
        monkeypatch.setattr(worker, "_next_batch", lambda: None)
        assert (await client.post(body(entry("A"), entry("B", labels={"alertname": "B"}))))[
            0
        ] == 200
        async with fault(client):
            monkeypatch.undo()
            before = metric(client, "storage_errors_total")
            worker.nudge()
            await client.until(lambda: metric(client, "storage_errors_total") > before + 1)
            assert metric(client, "pending_alerts") == 2
        await client.settled()

        assert waiting == worker._apply
        assert metric(client, "worker_restarts_total") == 0
        assert len(await client.items("/api/v1/alerts")) == 2
        events = await client.items("/api/v1/events")
        assert [event["seq"] for event in events] == list(range(1, len(events) + 1))


async def test_a_corrupt_page_is_an_error_and_no_crash(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    """What lies on it cannot be read; alerts are taken, or the sender is told to retry."""
    async with start() as client:
        for number in range(30):
            labels = {"alertname": f"A{number}", "filler": "x" * 3000}
            assert (await client.post(body(entry(labels=labels))))[0] == 200
        await client.settled()
        writing(client, lambda db: db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall())
        path = client.app.queries._path
        root = writing(
            client,
            lambda db: db.execute(
                "SELECT pageno FROM dbstat WHERE name = 'alerts' AND pagetype = 'leaf' LIMIT 1"
            ).fetchone(),
        )
        with path.open("r+b") as file:
            file.seek((root[0] - 1) * 4096)
            file.write(os.urandom(4096))
        for connection in client.app.queries._open:
            connection.execute("PRAGMA shrink_memory")
        writing(client, lambda db: db.execute("PRAGMA shrink_memory"))
        read, answer = await client.get("/api/v1/alerts?limit=1000")
        posted, _ = await client.post(body(entry("B", labels={"alertname": "B"})))
        healthy, _ = await client.get("/-/healthy")

        assert (read, healthy) == (500, 200)
        assert answer["error"]["code"] == "internal"
        assert metric(client, "request_failures_total") >= 1
        assert posted in (200, 503)
        assert "malformed" in caplog.text


async def test_a_clock_that_is_set_moves_nothing_that_was(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An hour back, a day forward, and back again: events stay in order, and clusters still close."""
    told = ("clustering.resolve_after=1s", "clustering.close_after=1s")
    async with start(*told) as client:
        wall = client.app.clock._wall
        for number, step in enumerate((0, -3600, 86400, -86400)):
            monkeypatch.setattr(client.app.clock, "_wall", lambda step=step: wall() + step * 10**9)
            labels = {"alertname": f"A{number}", "place": f"p{number}"}
            assert (await client.post(body(entry(labels=labels))))[0] == 200
            over = entry(labels=labels, status="resolved", endsAt="2026-01-01T00:05:00Z")
            assert (await client.post(body(over)))[0] == 200
            await client.settled()
        await client.until(lambda: client.app.queries.live_clusters() == [])
        events = await client.items("/api/v1/events?limit=1000")
        times = [event["time"] for event in events]

        assert times == sorted(times)
        assert sum(event["type"] == "cluster_resolved" for event in events) == 4
        assert metric(client, "clock_ahead_seconds") > 80_000
