"""The feed, driven by an engine and a real database, with clients that keep what they are sent."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from receiver import feed as feed_module
from receiver.config import FeedSettings
from receiver.core import wire
from receiver.core.errors import TryLater
from receiver.core.frames import Reason
from receiver.core.model import Alert
from receiver.core.publication import Publication
from receiver.core.settings import Bytes, Seconds
from receiver.core.severity import SeveritySettings
from receiver.feed import Feed
from receiver.store import Database, Queries
from tests.builders import Site, alert
from tests.fakes import Clock, MemorySink
from tests.support.waiting import until

QUICK = FeedSettings(interval=Seconds(0.01), heartbeat=Seconds(10.0), max_clients=5)


class Rig:
    """A feed, and what it is told: each step is committed, then published."""

    def __init__(self, directory: Path, settings: FeedSettings) -> None:
        self.site = Site()
        self.database = Database(directory)
        self.queries = Queries(self.database.path, SeveritySettings())
        self.status: dict[str, Any] = {"pending_alerts": 0, "model_ready": True}
        self.feed = Feed(
            settings,
            self.queries,
            epoch="abc",
            status=lambda: self.status,
            clock=Clock(0),
            preamble={"severity_order": ["info"]},
        )

    def restored(self) -> None:
        """Publish as the worker does at its start."""
        self.publish([], whole=True)

    def receive(self, seconds: float, *alerts: Alert) -> None:
        events = self.site.receive(seconds, *alerts)
        changes = self.site.engine.drain()
        self.database.commit([], events, changes, text_id=self.site.engine.text_id)
        self.publish(events, clusters=[wire.cluster_json(c) for c in changes.clusters])

    def publish(self, events: Any, clusters: Any = (), **told: Any) -> None:
        counters = self.site.engine.counters
        self.feed.published(Publication(counters.clock, counters.seq, events, clusters, **told))

    async def flushed(self) -> None:
        """Return when all that was published is in frames."""
        await until(lambda: self.feed.seq == self.seq)

    @property
    def seq(self) -> int:
        return self.site.engine.counters.seq

    async def join(self, after: int | None = None, epoch: str = "") -> MemorySink:
        sink = MemorySink()
        await self.feed.subscribe(sink, after, epoch)
        return sink


Make = Callable[..., Rig]


@pytest.fixture
async def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Make]:
    """Makes a rig whose feed runs, with settings changed."""
    monkeypatch.setattr(feed_module, "_LOOK_SECONDS", 0.05)
    rigs: list[Rig] = []

    def started(*, restored: bool = True, **changed: Any) -> Rig:
        rig = Rig(tmp_path, dataclasses.replace(QUICK, **changed))
        rigs.append(rig)
        rig.feed.start()
        if restored:
            rig.restored()
        return rig

    yield started
    for rig in rigs:
        await rig.feed.close()
        rig.queries.close()
        rig.database.close()


@pytest.fixture
async def rig(make: Make) -> Rig:
    return make()


async def test_a_client_gets_a_snapshot_and_then_every_event_once(rig: Rig) -> None:
    rig.receive(0, alert("A"))
    await rig.flushed()
    sink = await rig.join()
    for number in range(50):
        rig.receive(1 + number, alert("A", node=f"n{number}"))
        if number % 10 == 9:
            # Only here can a frame be made.
            await rig.flushed()
    await until(lambda: bool(sink.seqs()) and sink.seqs()[-1] == rig.seq)

    snapshot = sink.frames[0]
    assert (snapshot["type"], snapshot["epoch"], "reset" in snapshot) == ("snapshot", "abc", False)
    assert snapshot["severity_order"] == ["info"]
    assert sink.seqs() == list(range(snapshot["seq"] + 1, rig.seq + 1))
    with_events = [frame for frame in sink.frames if frame.get("events")]
    assert len(with_events) == 5, "what happens together is one frame"


async def test_each_frame_goes_on_where_the_last_one_ended(rig: Rig) -> None:
    sink = await rig.join()
    for number in range(30):
        rig.receive(number, alert("A", node=f"n{number}"))
        await asyncio.sleep(0.003)
    await until(lambda: bool(sink.seqs()) and sink.seqs()[-1] == rig.seq)

    last = sink.frames[0]["seq"]
    for frame in sink.frames[1:]:
        assert frame["first"] == last + 1
        last = frame["last"]


async def test_clusters_come_whole_and_as_of_the_last_event(rig: Rig) -> None:
    sink = await rig.join()
    rig.receive(0, alert("A", node="n1"), alert("A", node="n2"))
    rig.receive(0, alert("A", node="n3"))
    await until(lambda: sink.seqs()[-1:] == [rig.seq])

    clusters = {c["id"]: c for f in sink.frames for c in f["clusters"]}

    assert clusters == {c.id: wire.cluster_json(c) for c in rig.site.engine.live.by_id.values()}


async def test_a_frame_is_encoded_once_for_all_clients(rig: Rig) -> None:
    calls: list[bytes] = []

    def encode(text: bytes) -> bytes:
        calls.append(text)
        return text

    sinks = [await rig.join() for _ in range(3)]
    rig.receive(0, alert())
    await until(lambda: all(s.seqs() for s in sinks))
    for sink in sinks:
        sink.sent[-1].form(encode)

    assert len(calls) == 1
    assert sinks[0].sent[0] is sinks[1].sent[0]


async def test_who_resumes_misses_nothing_and_gets_nothing_twice(rig: Rig) -> None:
    rig.receive(0, alert("A"))
    first = await rig.join()
    rig.receive(1, alert("B"))
    await until(lambda: first.seqs()[-1:] == [rig.seq])
    rig.feed.unsubscribe(first)
    rig.receive(2, alert("C"), alert("D"))
    rig.receive(3, alert("A", ends=2))

    again = await rig.join(after=first.seqs()[-1], epoch="abc")
    rig.receive(4, alert("E"))
    await until(lambda: again.seqs()[-1:] == [rig.seq])

    known = first.frames[0]["seq"]
    assert [*first.seqs(), *again.seqs()] == list(range(known + 1, rig.seq + 1))
    assert again.frames[0]["type"] == "events"


async def test_who_resumes_from_before_the_first_event_kept_begins_anew(rig: Rig) -> None:
    rig.receive(0, alert("A"))
    rig.receive(1, alert("B"))
    await until(lambda: rig.feed.seq == rig.seq)
    rig.database._db.execute("DELETE FROM events WHERE seq < 3")
    gone = await rig.join(after=1, epoch="abc")
    kept = await rig.join(after=2, epoch="abc")

    assert gone.frames[0]["type"] == "snapshot"
    assert gone.frames[0]["reset"] is True
    assert gone.frames[0]["seq"] == rig.seq
    assert kept.seqs() == list(range(3, rig.seq + 1))


async def test_resuming_amid_a_storm_misses_nothing(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Clients come back at any moment, far behind, while events go on."""
    monkeypatch.setattr(feed_module, "_PAGE", 7)
    sinks = []
    for number in range(120):
        rig.receive(number, alert("A", node=f"n{number % 7}", starts=number))
        if number % 30 == 20:
            joining = asyncio.create_task(rig.join(after=number // 2, epoch="abc"))
            sinks.append((number // 2, joining))
        await asyncio.sleep(0.001)
    joined = [(after, await joining) for after, joining in sinks]
    await until(lambda: all(s.seqs()[-1:] == [rig.seq] for _, s in joined))

    for after, sink in joined:
        assert sink.seqs() == list(range(after + 1, rig.seq + 1))


async def test_who_resumes_is_told_of_clusters_that_ended_meanwhile(rig: Rig) -> None:
    rig.receive(0, alert("A"))
    known = rig.seq
    rig.receive(1, alert("A", ends=1))
    rig.receive(5000, alert("B"))
    await rig.flushed()
    sink = await rig.join(after=known)

    states = {c["id"]: c["state"] for f in sink.frames for c in f["clusters"]}

    assert states == {1: "resolved", 2: "forming"}


async def test_who_knows_it_all_is_told_so(rig: Rig) -> None:
    rig.receive(0, alert("A"))
    await rig.flushed()
    sink = await rig.join(after=rig.seq, epoch="abc")

    (frame,) = sink.frames

    assert (frame["first"], frame["last"], frame["events"]) == (rig.seq + 1, rig.seq, [])


@pytest.mark.parametrize(("after", "epoch"), [(1, "other"), (10**9, "abc")])
async def test_who_comes_from_another_history_starts_anew(rig: Rig, after: int, epoch: str) -> None:
    rig.receive(0, alert("A"))
    await rig.flushed()
    sink = await rig.join(after=after, epoch=epoch)

    assert (sink.frames[0]["type"], sink.frames[0]["reset"]) == ("snapshot", True)


async def test_who_missed_too_much_gets_a_snapshot(make: Make) -> None:
    rig = make(max_resume_events=2)
    rig.receive(0, alert("A"), alert("B"), alert("C"))
    await rig.flushed()
    sink = await rig.join(after=1)

    assert sink.frames[0]["reset"] is True


async def test_who_does_not_read_is_cut_and_nobody_else_waits(rig: Rig) -> None:
    slow, good = await rig.join(), await rig.join()
    slow.bytes_waiting = 10**8
    rig.receive(0, alert("A"))
    await until(lambda: bool(slow.cuts))
    rig.receive(1, alert("B"))
    await until(lambda: good.seqs()[-1:] == [rig.seq])

    assert slow.cuts == [Reason.SLOW]
    assert (rig.feed.clients, rig.feed.dropped) == (1, 1)
    assert slow.seqs()[-1] < rig.seq


async def test_what_waits_for_all_together_is_bounded_too(make: Make) -> None:
    rig = make(total_buffer_bytes=Bytes(2**20))
    sinks = [await rig.join() for _ in range(4)]
    for sink in sinks[:3]:
        sink.bytes_waiting = 500_000
    rig.receive(0, alert("A"))
    await until(lambda: bool(sinks[3].seqs()))

    assert [sink.cuts for sink in sinks] == [[], [], [Reason.SLOW], []]


async def test_a_first_frame_of_any_size_is_not_held_against_a_client(
    make: Make,
) -> None:
    rig = make(client_buffer_bytes=Bytes(65536))
    sink = MemorySink()
    sink.bytes_waiting = 10**7
    await rig.feed.subscribe(sink)
    rig.receive(0, alert("A"))
    await until(lambda: bool(sink.seqs()))

    assert Reason.SLOW not in sink.cuts


async def test_who_has_stalled_is_cut_though_little_waits(make: Make) -> None:
    rig = make(stall_timeout=Seconds(0.15))
    stalled, moving = await rig.join(), await rig.join()
    stalled.bytes_waiting = moving.bytes_waiting = 1000
    async with asyncio.timeout(20):
        while not stalled.cuts:
            moving.bytes_waiting -= 1
            await asyncio.sleep(0.02)

    assert stalled.cuts == [Reason.SLOW]
    assert Reason.SLOW not in moving.cuts


async def test_who_stalls_while_catching_up_is_cut(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_module, "_PAGE", 1)
    rig = make(stall_timeout=Seconds(0.1))
    rig.receive(0, alert("A"), alert("B"))
    sink = MemorySink()
    sink.bytes_waiting = 10**8
    await rig.flushed()
    with pytest.raises(TryLater, match="does not read"):
        await rig.feed.subscribe(sink, 0)

    assert (sink.cuts, rig.feed.clients) == ([Reason.SLOW], 0)


async def test_too_many_are_told_to_come_later(rig: Rig) -> None:
    for _ in range(5):
        await rig.join()

    with pytest.raises(TryLater, match=r"feed\.max_clients"):
        await rig.join()


async def test_silence_is_broken_by_a_heartbeat(make: Make) -> None:
    rig = make(heartbeat=Seconds(0.1))
    sink = await rig.join()
    await until(lambda: len([f for f in sink.frames if f["type"] == "heartbeat"]) > 2)

    assert sink.frames[-1]["seq"] == rig.seq
    assert sink.frames[-1]["stats"]["model_ready"] is True


async def test_news_of_the_receiver_itself_are_told_without_an_event(rig: Rig) -> None:
    sink = await rig.join()
    await until(lambda: len(sink.frames) >= 1)
    rig.status = {"pending_alerts": 7, "model_ready": False}
    await until(lambda: sink.frames[-1]["stats"]["pending_alerts"] == 7)

    assert sink.frames[-1]["events"] == []


async def test_nothing_is_told_before_the_state_is_restored(make: Make) -> None:
    rig = make(restored=False)
    joining = asyncio.create_task(rig.join())
    await asyncio.sleep(0.2)
    waited = not joining.done()
    rig.restored()
    sink = await joining

    assert waited
    assert sink.frames[0]["type"] == "snapshot"


async def test_a_restored_state_takes_the_place_of_what_was_known(rig: Rig) -> None:
    rig.receive(0, alert("A"), alert("B"))
    await rig.join()
    rig.publish([], clusters=[], whole=True)
    await until(lambda: not rig.feed._live)
    sink = await rig.join()

    assert sink.frames[0]["clusters"] == []


async def test_more_events_than_fit_go_into_several_frames(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_module, "_FRAME_EVENTS", 3)
    sink = await rig.join()
    rig.receive(0, *(alert("A", node=f"n{n}") for n in range(10)))
    await until(lambda: sink.seqs()[-1:] == [rig.seq])

    frames = [f for f in sink.frames if f["type"] == "events" and f["events"]]
    assert [len(f["events"]) for f in frames[:3]] == [3, 3, 3]
    assert [bool(f["clusters"]) for f in frames] == [False] * (len(frames) - 1) + [True]


async def test_closing_lets_everybody_go_and_takes_nobody(rig: Rig) -> None:
    sink = await rig.join()
    await rig.feed.close()

    assert sink.cuts == [Reason.CLOSING]
    with pytest.raises(TryLater, match="shutting down"):
        await rig.join()


async def test_a_frame_that_cannot_be_made_costs_nobody_an_event(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    sink = await rig.join()
    known = sink.frames[0]["seq"]
    rig.status = {"model_ready": object()}
    rig.receive(0, alert("A"))
    await until(lambda: "could not be made" in caplog.text)
    rig.status = {"model_ready": True}
    again = await rig.join(after=known)
    rig.receive(1, alert("B"))
    await until(lambda: again.seqs()[-1:] == [rig.seq])

    assert (sink.cuts, sink.seqs()) == ([Reason.SLOW], [])
    assert again.seqs() == list(range(known + 1, rig.seq + 1))


async def test_who_has_stalled_is_cut_though_there_is_always_something_to_tell(make: Make) -> None:
    rig = make(stall_timeout=Seconds(0.15))
    stalled = await rig.join()
    stalled.bytes_waiting = 1000
    number = 0
    async with asyncio.timeout(20):
        while not stalled.cuts:
            number += 1
            rig.receive(number, alert("A", node=f"n{number}"))
            await asyncio.sleep(0.01)

    assert stalled.cuts == [Reason.SLOW]
