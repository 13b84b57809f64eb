"""The way to 200, with a writer whose commits the test holds back."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from receiver.core.errors import TryLater
from receiver.pipeline import Intake, Room
from receiver.pipeline.writer import Body


class HeldWriter:
    """Commits when told to; leaves out the database, so nothing is kept."""

    def __init__(self) -> None:
        self.executor = ThreadPoolExecutor(max_workers=1)
        self.go = threading.Event()
        self.go.set()
        self.commits: list[list[bytes]] = []
        self.error: Exception | None = None

    def receive(self, bodies: Sequence[Body]) -> int:
        self.go.wait(30)
        if self.error is not None:
            raise self.error
        self.commits.append([body for body, _, _ in bodies])
        return 42


@pytest.fixture
def writer() -> Iterator[HeldWriter]:
    made = HeldWriter()
    yield made
    made.go.set()
    made.executor.shutdown()


def intake(writer: Any, wait: float = 10) -> Intake:
    return Intake(writer, wait, lambda: None)


def here() -> bool:
    return False


async def until(condition: Any) -> None:
    for _ in range(3000):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("waited in vain")


async def test_requests_that_wait_share_one_commit(writer: HeldWriter) -> None:
    writer.go.clear()
    made = intake(writer)
    first = asyncio.create_task(made.commit(b"first", 1, here))
    await asyncio.sleep(0.05)
    rest = [asyncio.create_task(made.commit(str(n).encode(), 1, here)) for n in range(100)]
    await asyncio.sleep(0.05)
    assert not first.done()

    writer.go.set()
    await asyncio.gather(first, *rest)

    assert [len(bodies) for bodies in writer.commits] == [1, 64, 36]
    assert made.received_at == 42


async def test_fewer_share_a_commit_that_takes_long_and_more_one_that_does_not(
    writer: HeldWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = intake(writer)

    async def sizes(count: int) -> list[int]:
        del writer.commits[:]
        await asyncio.gather(*(made.commit(b"x", 1, here) for _ in range(count)))
        return [len(bodies) for bodies in writer.commits]

    quick = await sizes(500)
    monkeypatch.setattr("receiver.pipeline.intake._COMMIT_SECONDS", -1.0)
    slow = await sizes(1000)

    assert quick == [64, 128, 256, 52]
    assert slow == [512, 256, 128, 64, 32, 8]


async def test_a_client_that_has_gone_is_not_worked_for(writer: HeldWriter) -> None:
    writer.go.clear()
    made = intake(writer)
    first = asyncio.create_task(made.commit(b"first", 1, here))
    await asyncio.sleep(0.05)
    gone = asyncio.create_task(made.commit(b"gone", 1, lambda: True))
    cancelled = asyncio.create_task(made.commit(b"cancelled", 1, here))
    stays = asyncio.create_task(made.commit(b"stays", 1, here))
    await asyncio.sleep(0.05)
    cancelled.cancel()
    await asyncio.sleep(0)

    writer.go.set()
    await asyncio.gather(first, stays)

    assert writer.commits == [[b"first"], [b"stays"]]
    with pytest.raises(asyncio.CancelledError):
        await gone


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (sqlite3.OperationalError("database or disk is full"), "disk is full"),
        (MemoryError(), "cannot be written: out of memory"),
        (ZeroDivisionError(), "internal error: ZeroDivisionError"),
    ],
)
async def test_a_failed_commit_asks_to_try_again(
    writer: HeldWriter, error: Exception, message: str
) -> None:
    made = intake(writer)
    writer.error = error
    with pytest.raises(TryLater, match=message):
        await made.commit(b"x", 1, here)

    writer.error = None
    await made.commit(b"y", 1, here)

    assert writer.commits == [[b"y"]]


async def test_a_slow_commit_is_not_waited_for_for_ever(writer: HeldWriter) -> None:
    writer.go.clear()
    made = intake(writer, wait=0.05)

    with pytest.raises(TryLater, match="took too long"):
        await made.commit(b"x", 1, here)


async def test_closing_finishes_what_waits_and_refuses_what_comes(writer: HeldWriter) -> None:
    writer.go.clear()
    made = intake(writer)
    waiting = asyncio.create_task(made.commit(b"x", 1, here))
    await asyncio.sleep(0.05)
    closing = asyncio.create_task(made.close())
    await asyncio.sleep(0)
    with pytest.raises(TryLater, match="shutting down"):
        await made.commit(b"y", 1, here)

    writer.go.set()
    await closing
    await waiting

    assert writer.commits == [[b"x"]]


class TestRoom:
    async def test_bodies_wait_their_turn(self) -> None:
        room = Room(10, 5)
        await room.take(8)
        large = asyncio.create_task(room.take(9))
        small = asyncio.create_task(room.take(2))
        await asyncio.sleep(0.02)
        # The small one would fit, but then a large one might wait for ever.
        assert not large.done()
        assert not small.done()

        room.give_back(8)
        await large
        await asyncio.sleep(0.02)
        assert not small.done()
        room.give_back(9)
        await small

        assert room.used == 2

    async def test_no_room_in_time_asks_to_try_again(self) -> None:
        room = Room(10, 0.02)
        await room.take(10)
        with pytest.raises(TryLater, match="too much"):
            await room.take(1)
        with pytest.raises(TryLater, match="does not fit"):
            await room.take(11)
        room.give_back(10)
        await room.take(10)

        assert room.used == 10

    async def test_who_gives_up_gives_back(self) -> None:
        room = Room(10, 5)
        await room.take(10)
        first = asyncio.create_task(room.take(5))
        second = asyncio.create_task(room.take(5))
        await asyncio.sleep(0.01)
        room.give_back(10)
        first.cancel()
        second.cancel()
        await asyncio.gather(first, second, return_exceptions=True)

        assert room.used == 0

    async def test_a_turn_that_comes_as_it_is_given_up_is_given_back(self) -> None:
        room = Room(10, 0.05)
        await room.take(10)
        late = asyncio.create_task(room.take(5))
        await asyncio.sleep(0)
        # The timeout has run out, and before it is seen there is room.
        blocker = asyncio.get_running_loop().time() + 0.06
        while asyncio.get_running_loop().time() < blocker:
            pass
        room.give_back(10)
        await asyncio.gather(late, return_exceptions=True)
        if late.exception() is None:
            room.give_back(5)

        assert room.used == 0


async def test_what_we_asked_for_ourselves_is_no_webhook(writer: HeldWriter) -> None:
    made = intake(writer)
    await made.commit(b"found", 0, here, told=False)

    assert writer.commits == [[b"found"]]
    assert made.received_at == 0
