"""Killed with SIGKILL again and again under load: what was answered 200 is there, once, in order.

STORMCELL_KILLS says how often to kill (default 4), in campaigns of at most 20 with a database of their
own, as all of it is read after most kills. STORMCELL_SEED repeats load and moments of a campaign that
failed: each prints its seed.
"""

from __future__ import annotations

import asyncio
import os
import random
import secrets
from collections import Counter, deque
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from receiver.core.core_settings import CoreSettings
from receiver.core.engine import Engine
from receiver.core.query import AlertQuery
from receiver.core.severity import SeveritySettings
from receiver.core.wire import cluster_json
from receiver.embedding.hashing import HashingEmbedder
from receiver.store import Database, Queries
from tests.support.forking import ForkedReceiver, Forker, forker
from tests.support.processes import ReceiverProcess, ServerProcess
from tests.support.webhook import alert, body

pytestmark = pytest.mark.e2e

CAMPAIGN = 20
SENDERS = 4
MOST_LOAD_SECONDS = 0.8
MOST_START_SECONDS = 0.3
EVERYTHING = 10**7

NAMES = ("DiskFull", "HighLatency", "PodCrashLooping", "TargetDown", "QueueGrows", "CertExpires")
SERVICES = ("checkout", "search", "billing", "login", "mail", "catalog", "ledger", "images")
BASE = datetime(2026, 3, 1, 10, tzinfo=UTC)
ENDED_AT = "2026-03-01T12:00:00Z"

Notification = list[dict[str, Any]]


class Sender:
    """Stands in for Alertmanager, with what it knows: what was answered 200, and what was not.

    What was not answered 200 it repeats, byte for byte. It leaves out groups and other repeats.
    """

    def __init__(self, seed: int) -> None:
        """Draw all alerts from *seed*."""
        self._random = random.Random(seed)
        self._made = 0
        self.unanswered: deque[Notification] = deque()
        self.taken: dict[str, dict[str, Any]] = {}

    def _alert(self) -> dict[str, Any]:
        self._made += 1
        name, service = self._random.choice(NAMES), self._random.choice(SERVICES)
        onset = BASE + timedelta(seconds=self._random.randrange(3600))
        labels = {"alertname": name, "service": service, "case": str(self._made)}
        return alert(
            labels, starts_at=onset.isoformat(), summary=f"{name} of {service} on {self._made % 40}"
        )

    def next(self) -> Notification:
        """Return what is to be sent: what must be repeated first, then something new."""
        if self.unanswered:
            return self.unanswered.popleft()
        drawn = self._random.random()
        if drawn < 0.15 and self.taken:
            some = self._random.sample(list(self.taken.values()), k=min(10, len(self.taken)))
            return [{**entry, "status": "resolved", "endsAt": ENDED_AT} for entry in some]
        return [self._alert() for _ in range(50 if drawn > 0.95 else 1)]

    def answered(self, notification: Notification, status: int) -> None:
        """Note what the receiver answered; 0 stands for no answer."""
        if status != 200:
            self.unanswered.append(notification)
            return
        for entry in notification:
            case = entry["labels"]["case"]
            if self.taken.get(case, entry)["status"] == "firing":
                self.taken[case] = entry

    async def send(self, session: aiohttp.ClientSession, url: str, *, new: bool) -> None:
        """Send until there is no connection, or until nothing is left to repeat if not *new*."""
        while new or self.unanswered:
            notification = self.next()
            status = 0
            try:
                async with session.post(url, data=body(notification)) as response:
                    status = response.status
            except (aiohttp.ClientError, OSError):
                return
            finally:
                self.answered(notification, status)

    async def load(self, receiver: ReceiverProcess, *, new: bool) -> None:
        """Send from several connections at once; see `send`."""
        async with aiohttp.ClientSession() as session:
            url = receiver.webhook_url
            await asyncio.gather(*(self.send(session, url, new=new) for _ in range(SENDERS)))


class Watcher:
    """Reads events as they appear, and checks that the journal only ever goes on."""

    def __init__(self) -> None:
        """Start at the beginning."""
        self.seen: list[dict[str, Any]] = []

    async def watch(self, receiver: ReceiverProcess) -> None:
        """Read until there is no connection."""
        url = f"{receiver.url}/api/v1/events"
        async with aiohttp.ClientSession() as session:
            while True:
                query = {"after": str(len(self.seen)), "limit": "1000"}
                try:
                    async with session.get(url, params=query) as response:
                        page = await response.json()
                except (aiohttp.ClientError, OSError):
                    return
                self.seen += page["items"]
                await asyncio.sleep(0.02)


def check_kept(receiver: ReceiverProcess, sender: Sender) -> None:
    """Assert that each alert that was answered 200 is one episode, in the state last told."""
    receiver.settle()
    kept = receiver.alerts()
    times = Counter(entry["labels"]["case"] for entry in kept)
    assert [case for case in sender.taken if times[case] == 0] == [], "answered 200 and lost"
    assert [case for case, count in times.items() if count > 1] == [], "kept twice"
    states = {entry["labels"]["case"]: entry["state"] for entry in kept}
    maybe = {entry["labels"]["case"] for told in sender.unanswered for entry in told}
    wrong = {
        case: (entry["status"], states[case])
        for case, entry in sender.taken.items()
        if case not in maybe and entry["status"] != states[case]
    }
    assert wrong == {}, "told, kept"


def check_events(receiver: ReceiverProcess, watcher: Watcher) -> None:
    """Assert that events have no gap and no repeat, and that those seen before are the same."""
    events = receiver.events()
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert events[: len(watcher.seen)] == watcher.seen


def check_replay(storage: Path) -> None:
    """Assert that the journal, run through a fresh engine, gives what is stored."""
    database = Database(storage)
    queries = Queries(database.path, SeveritySettings())
    try:
        engine = Engine(CoreSettings(), HashingEmbedder().dims)
        replayed = [event.to_json() for event in engine.step(database.inputs())]
        stored, _ = queries.events(after=0, start=None, end=None, limit=EVERYTHING)
        live = queries.live_clusters()
        episodes, _ = queries.alerts(AlertQuery(), limit=EVERYTHING, cursor="")
    finally:
        queries.close()
        database.close()
    assert replayed == [event.to_json() for event in stored]
    assert [cluster_json(c) for _, c in sorted(engine.live.by_id.items())] == live
    changes = engine.drain()
    assert {
        episode.id: (episode.fingerprint, episode.fires, episode.cluster_id)
        for episode in [*changes.episodes, *changes.ended]
    } == {
        entry["episode_id"]: (entry["fingerprint"], entry["state"] == "firing", entry["cluster_id"])
        for entry in episodes
    }
    assert len(live) > 1, "an empty run proves nothing"


def campaigns() -> list[int]:
    """Return how often to kill in each."""
    kills = int(os.environ.get("STORMCELL_KILLS", "4"))
    return [min(CAMPAIGN, kills - begun) for begun in range(0, kills, CAMPAIGN)]


@pytest.fixture(scope="module")
def forking() -> Iterator[Forker]:
    with forker() as made:
        yield made


@pytest.mark.parametrize("number", range(len(campaigns())))
async def test_what_was_answered_200_survives_any_number_of_kills(
    forking: Forker, tmp_path: Path, processes: list[ServerProcess], number: int
) -> None:
    kills = campaigns()[number]
    seed = int(os.environ.get("STORMCELL_SEED") or secrets.randbelow(2**32))
    print(f"repeat with STORMCELL_KILLS={kills} STORMCELL_SEED={seed}")
    receiver = ForkedReceiver(forking, tmp_path / "stormcell")
    processes.append(receiver)
    moments = random.Random(seed)
    sender, watcher = Sender(seed), Watcher()
    before_ready = 0

    for _ in range(kills):
        receiver.launch()
        if moments.random() < 0.25:
            # Before it is ready: while it opens the database or builds its state.
            await asyncio.sleep(moments.uniform(0.0, MOST_START_SECONDS))
            before_ready += receiver.running
            receiver.kill()
            receiver.launch()
        await asyncio.to_thread(receiver.await_ready)
        if moments.random() < 0.7:
            await asyncio.to_thread(check_kept, receiver, sender)
            await asyncio.to_thread(check_events, receiver, watcher)
        work = asyncio.gather(sender.load(receiver, new=True), watcher.watch(receiver))
        await asyncio.sleep(moments.uniform(0.0, MOST_LOAD_SECONDS))
        receiver.kill()
        await work

    print(
        f"{kills} kills under load and {before_ready} at the start:"
        f" {len(sender.taken)} alerts taken, {len(watcher.seen)} events seen"
    )
    await asyncio.to_thread(receiver.start)
    await sender.load(receiver, new=False)
    assert not sender.unanswered
    await asyncio.to_thread(check_kept, receiver, sender)
    await asyncio.to_thread(check_events, receiver, watcher)
    assert receiver.stop() == 0
    assert len(sender.taken) > 100, "hardly any load: it proves little"
    check_replay(receiver.storage)
