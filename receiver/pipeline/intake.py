"""The way to 200: room for the body, then a commit that all waiting requests share.

Nothing is worked on for a client that has gone: under a storm the sender cancels and repeats, and a
receiver that serves the cancelled never catches up. Waiting a while is better than an instant 503,
which the sender answers with another request.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from receiver.core.errors import TryLater
from receiver.core.payload import Notification
from receiver.pipeline.writer import STORE_ERRORS, Body, Writer

log = logging.getLogger(__name__)

_COMMIT_SECONDS = 1.0
"""After a commit that took longer fewer bodies are committed together: a sender that has given up when
its body is written at last sends it again, and on a slow disk nothing else would ever be written."""

_FIRST, _MOST = 64, 8192
"""Bodies committed together, at the start and at most."""


@dataclass(slots=True)
class _Waiting:
    body: Body
    gone: Callable[[], bool]
    done: asyncio.Future[None]
    told: bool


class Room:
    """Bytes of bodies that may be in memory at once."""

    def __init__(self, limit_bytes: int, wait_seconds: float) -> None:
        """Hold at most *limit_bytes*; wait for room for at most *wait_seconds*."""
        self.configure(limit_bytes, wait_seconds)
        self._queue: deque[tuple[int, asyncio.Future[None]]] = deque()
        self.used = 0

    def configure(self, limit_bytes: int, wait_seconds: float) -> None:
        """Hold and wait at most so much from now on."""
        self._limit = limit_bytes
        self._wait = wait_seconds

    async def take(self, size: int) -> None:
        """Take *size* bytes, in turn.

        Raises:
            TryLater: There was no room in time, or there never can be.
        """
        if not self._queue and self.used + size <= self._limit:
            self.used += size
            return
        if size > self._limit:
            raise TryLater(f"body of {size} bytes does not fit in intake.max_inflight_bytes")
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append((size, turn))
        try:
            async with asyncio.timeout(self._wait):
                await turn
        except (TimeoutError, asyncio.CancelledError) as error:
            # The turn may have come in the very moment in which it was given up.
            if turn.done() and not turn.cancelled():
                self.give_back(size)
            if isinstance(error, TimeoutError):
                raise TryLater("too much is being received at once") from None
            raise

    def give_back(self, size: int) -> None:
        """Give back *size* bytes and let in who waited."""
        self.used -= size
        while self._queue:
            wanted, turn = self._queue[0]
            if turn.done():
                self._queue.popleft()
            elif self.used + wanted <= self._limit:
                self._queue.popleft()
                self.used += wanted
                turn.set_result(None)
            else:
                return


class Intake:
    """Commits bodies to the inbox, many at a time."""

    def __init__(self, writer: Writer, wait_seconds: float, on_commit: Callable[[], None]) -> None:
        """Commit through *writer*; a body waits at most *wait_seconds*.

        Args:
            writer: Has the database.
            wait_seconds: Past this a request is answered 503.
            on_commit: Called after each commit, on the event loop.
        """
        self._writer = writer
        self.wait_seconds = wait_seconds
        self._on_commit = on_commit
        self._waiting: deque[_Waiting] = deque()
        self._together = _FIRST
        self._flushing: asyncio.Task[None] | None = None
        self._closed = False
        self.received_at = 0

    async def commit(
        self,
        body: bytes,
        alerts: int,
        gone: Callable[[], bool],
        *,
        told: bool = True,
        said: Notification | None = None,
    ) -> None:
        """Return when *body*, which holds *alerts* alerts, is committed.

        Args:
            body: As received.
            alerts: Valid alerts in it.
            gone: Tells whether its client has gone; then it need not be committed any more.
            told: A sender told it; False for what we asked for ourselves.
            said: What *body* says, if it says that at any time: it is not parsed again then.

        Raises:
            TryLater: It could not be committed, or not in time; the sender should repeat it.
        """
        if self._closed:
            raise TryLater("shutting down")
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting((body, alerts, said), gone, done, told))
        if self._flushing is None:
            self._flushing = asyncio.create_task(self._flush())
        try:
            async with asyncio.timeout(self.wait_seconds):
                await done
        except TimeoutError:
            raise TryLater("the commit took too long") from None

    async def _flush(self) -> None:
        """Commit what waits, much of it in one transaction, until nothing does."""
        try:
            while self._waiting:
                batch = self._next_batch()
                if batch:
                    await self._commit(batch)
        finally:
            self._flushing = None

    def _next_batch(self) -> list[_Waiting]:
        """Take the first in line whose clients are there, as many as are committed together."""
        batch: list[_Waiting] = []
        while self._waiting and len(batch) < self._together:
            waiting = self._waiting.popleft()
            if waiting.done.done():
                continue
            if waiting.gone():
                waiting.done.cancel()
            else:
                batch.append(waiting)
        return batch

    def _learn(self, bodies: int, took_seconds: float) -> None:
        """Commit more or fewer together from now on: so many *bodies* took so long."""
        if took_seconds > _COMMIT_SECONDS:
            self._together = max(1, bodies // 2)
        elif bodies >= self._together:
            self._together = min(2 * self._together, _MOST)

    async def _commit(self, batch: list[_Waiting]) -> None:
        loop = asyncio.get_running_loop()
        error: TryLater | None = None
        began = loop.time()
        try:
            received_at = await loop.run_in_executor(
                self._writer.executor, self._writer.receive, [w.body for w in batch]
            )
            self._learn(len(batch), loop.time() - began)
            if any(w.told for w in batch):
                self.received_at = received_at
        except STORE_ERRORS as failed:
            reason = str(failed) or "out of memory"
            log.error(  # noqa: TRY400 - a full disk needs no stack trace
                "inbox commit failed, senders are told to retry", extra={"err": reason}
            )
            error = TryLater(f"the database cannot be written: {reason}")
        except Exception as failed:
            # A bug must not leave requests waiting: they are told to come again.
            log.exception("inbox commit failed")
            error = TryLater(f"internal error: {type(failed).__name__}")
        for waiting in batch:
            if not waiting.done.done():
                if error is None:
                    waiting.done.set_result(None)
                else:
                    waiting.done.set_exception(error)
        if error is None:
            self._on_commit()

    async def close(self) -> None:
        """Refuse what comes, finish what waits."""
        self._closed = True
        if self._flushing is not None:
            await self._flushing
