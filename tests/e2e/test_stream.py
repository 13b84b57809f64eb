"""A client of the stream, through kills of the receiver: it resumes, and has every event once."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
from typing import Any

import aiohttp
import pytest

from tests.e2e.test_kill import Sender
from tests.support.processes import ReceiverProcess
from tests.support.waiting import until

pytestmark = pytest.mark.e2e

_KILLS = 4
_LOAD_SECONDS = 0.7
_PATIENCE = 60.0


class Listener:
    """Resumes by epoch and seq whenever its connection ends; by socket or by lines.

    It leaves out waiting between attempts, and all but the numbers of events.
    """

    def __init__(self, *, lines: bool) -> None:
        self._lines = lines
        self.epoch = ""
        self.started_at: int | None = None
        self.seqs: list[int] = []
        self.snapshots = 0

    @property
    def last(self) -> int | None:
        return self.seqs[-1] if self.seqs else self.started_at

    def take(self, text: str) -> None:
        frame = json.loads(text)
        if frame["type"] == "snapshot":
            self.snapshots += 1
            self.epoch, self.started_at = frame["epoch"], frame["seq"]
        for event in frame.get("events", []):
            self.seqs.append(event["seq"])

    async def run(self, receiver: ReceiverProcess) -> None:
        """Listen until cancelled."""
        url = f"{receiver.url}/api/v1/stream"
        async with aiohttp.ClientSession() as session:
            while True:
                query: dict[str, Any] = {}
                if self.last is not None:
                    query = {"after": self.last, "epoch": self.epoch}
                with contextlib.suppress(aiohttp.ClientError, OSError):
                    await self._listen(session, url, query)
                await asyncio.sleep(0.02)

    async def _listen(
        self, session: aiohttp.ClientSession, url: str, query: dict[str, Any]
    ) -> None:
        if self._lines:
            async with session.get(f"{url}.ndjson", params=query) as answer:
                async for line in answer.content:
                    if line.endswith(b"\n"):
                        self.take(line.decode())
            return
        async with session.ws_connect(url, params=query, max_msg_size=0) as socket:
            async for message in socket:
                self.take(message.data)


@pytest.mark.parametrize("lines", [False, True], ids=["socket", "lines"])
async def test_who_resumes_loses_nothing_when_the_receiver_is_killed(
    receiver: ReceiverProcess, lines: bool
) -> None:
    sender, listener = Sender(seed=11), Listener(lines=lines)
    draw = random.Random(11)
    listening = asyncio.create_task(listener.run(receiver))
    for _ in range(_KILLS):
        load = asyncio.create_task(sender.load(receiver, new=True))
        await asyncio.sleep(draw.uniform(0.2, _LOAD_SECONDS))
        receiver.kill()
        await load
        await asyncio.to_thread(receiver.start)
    await sender.load(receiver, new=False)
    await asyncio.to_thread(receiver.settle)
    kept = [event["seq"] for event in await asyncio.to_thread(receiver.events)]
    # Clusters that grow older are told of meanwhile: there may be more by then.
    await until(
        lambda: (listener.last or 0) >= kept[-1], "all to be told", patience_seconds=_PATIENCE
    )
    listening.cancel()

    started_at = listener.started_at
    assert started_at is not None
    assert listener.snapshots == 1
    assert listener.seqs == list(range(started_at + 1, listener.seqs[-1] + 1))
    assert kept == list(range(1, kept[-1] + 1))
    assert len(kept) > 100
