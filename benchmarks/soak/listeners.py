"""Clients of the stream: each must be told of every event, once and in order, whatever happens."""

from __future__ import annotations

import asyncio
import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from typing import Any

import aiohttp

from benchmarks.soak.stage import Stage

_PAUSE_SECONDS = 0.3


def digest(event: Any) -> str:
    """Return what tells one event from another."""
    return hashlib.blake2b(json.dumps(event, sort_keys=True).encode(), digest_size=8).hexdigest()


class Listener(ABC):
    """A client that resumes where it was.

    Attributes:
        seen: The digests of all events, in order: that of seq 1 first.
        connections: How often it connected.
    """

    path: str

    def __init__(self, stage: Stage, name: str) -> None:
        """Listen to the receiver of *stage*."""
        self._stage = stage
        self._name = name
        self._epoch = ""
        self.seen: list[str] = []
        self.connections = 0

    async def listen(self) -> None:
        """Listen for ever."""
        while True:
            try:
                async for frame in self._frames():
                    self._take(frame)
            except (aiohttp.ClientError, OSError, TimeoutError, ValueError):
                # Cut off, or in the middle of a frame: it has all up to the last whole one.
                pass
            await asyncio.sleep(_PAUSE_SECONDS)

    @abstractmethod
    def _frames(self) -> AsyncIterator[dict[str, Any]]:
        """Yield the frames of one connection, until it ends."""

    def _url(self) -> str:
        return f"{self._stage.receiver.url}{self.path}?after={len(self.seen)}&epoch={self._epoch}"

    def _take(self, frame: dict[str, Any]) -> None:
        if frame["type"] == "snapshot":
            self._stage.wrong.append(f"{self._name}: a snapshot in place of missed events")
        for event in frame.get("events", ()):
            if event["seq"] != len(self.seen) + 1:
                self._stage.wrong.append(
                    f"{self._name}: event {event['seq']} after {len(self.seen)}"
                )
                continue
            self.seen.append(digest(event))
            if event["type"] == "operator_command":
                self._stage.last_command = event["seq"]


class Socket(Listener):
    """By WebSocket."""

    path = "/api/v1/stream"

    async def _frames(self) -> AsyncIterator[dict[str, Any]]:
        async with self._stage.session.ws_connect(self._url(), max_msg_size=0) as socket:
            self.connections += 1
            async for message in socket:
                if message.type is aiohttp.WSMsgType.TEXT:
                    yield json.loads(message.data)


class Lines(Listener):
    """By lines of JSON."""

    path = "/api/v1/stream.ndjson"

    async def _frames(self) -> AsyncIterator[dict[str, Any]]:
        timeout = aiohttp.ClientTimeout(total=None, sock_read=30.0)
        async with self._stage.session.get(self._url(), timeout=timeout) as answer:
            if answer.status != 200:
                return
            self.connections += 1
            rest = b""
            async for chunk in answer.content.iter_any():
                *whole, rest = (rest + chunk).split(b"\n")
                for line in whole:
                    yield json.loads(line)
