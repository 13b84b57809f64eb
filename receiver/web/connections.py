"""Who is connected: how many at once, how long each may say nothing, and who goes when there is no room.

A connection is in one of four states: a request's head is awaited, a request is in hand, its answer
is being written, or it is idle between two. Who only holds a connection open is let go for who wants
something; a connection in whose request we work is never let go here, only one whose body does not
come, or whose client does not read.

What aiohttp bounds by itself is not repeated here: the size of a head (128 fields of 8 KiB), requests
read ahead, and how long the rest of a body is read that nobody wanted (ten seconds).
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import Callable, Iterator
from typing import Any, cast

from aiohttp import web

from receiver.config import WebSettings
from receiver.web.acknowledged import acknowledged, forget_unread

_GRACE_SECONDS = 1.0
"""So long nobody is let go: a request that was sent is read by then."""

_BODY_GRACE_SECONDS = 10.0
"""So long nobody is let go whose body is not whole: it may be that it waits for room in our memory.

Nor who has taken nothing of an answer: the network may have lost something.
"""

Handler = Callable[[web.Request], Any]


class Connection(web.RequestHandler):
    """One connection; tells *connections* what happens to it."""

    __slots__ = ("_connections", "_wire")

    def __init__(self, connections: Connections, server: web.Server, **told: Any) -> None:
        """Serve requests with *server*."""
        super().__init__(server, **told)
        self._connections = connections
        self._wire: asyncio.BaseTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Tell of it; see asyncio.Protocol."""
        super().connection_made(transport)
        self._wire = transport
        self._connections.await_head(self)

    def data_received(self, data: bytes) -> None:
        """Tell of it; see asyncio.Protocol."""
        self._connections.heard(self)
        super().data_received(data)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Tell of it; see asyncio.Protocol."""
        self._wire = None
        self._connections.forget(self)
        super().connection_lost(exc)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what is no HTTP, with nothing of *message*, which repeats what was sent; see aiohttp."""
        return super().handle_error(
            request,
            status,
            exc,
            "the request cannot be read as HTTP, or its encoding is none of gzip and deflate\n",
        )

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Tell how long an answer is being written; see aiohttp."""
        self._connections.begin_answer(self)
        try:
            return await super().finish_response(request, resp, start_time)
        except Exception:
            if self._wire is not None:
                raise
            # It has gone meanwhile, of which asyncio makes an AttributeError where a file went over TLS.
            return resp, True
        finally:
            self._connections.rest(self)

    def taken(self) -> tuple[int, int]:
        """Return what was acknowledged, and less what waits; either grows when its client reads."""
        waiting = 0
        if isinstance(self._wire, asyncio.WriteTransport):
            waiting = self._wire.get_write_buffer_size()
        return acknowledged(self._wire), -waiting

    def abort(self) -> None:
        """End it at once.

        Not closed, which would wait until it has read what we sent; that aiohttp has closed it, and
        knows of no transport any more, is no help then.
        """
        if isinstance(self._wire, asyncio.WriteTransport):
            forget_unread(self._wire)
            self._wire.abort()


class Connections:
    """All connections, those first that have waited longest.

    Attributes:
        limit: How many there may be at once.
        cut: How many were let go.
    """

    def __init__(self, settings: WebSettings, limit: int, seconds: Callable[[], float]) -> None:
        """Hold at most *limit*; *seconds* is a clock for durations."""
        self.limit = limit
        self.cut = 0
        self._settings = settings
        self._seconds = seconds
        self._all: set[Connection] = set()
        # Each in order of the second, since when it is so.
        self._heads: dict[Connection, float] = {}
        self._idle: dict[Connection, float] = {}
        self._answering: dict[Connection, float] = {}
        self._in_hand: dict[Connection, tuple[float, web.Request]] = {}
        # Of those whose answers are being written, what was taken when somebody last looked.
        self._taken: dict[Connection, tuple[int, int]] = {}
        self._gone = asyncio.Event()

    def __len__(self) -> int:
        return len(self._all)

    def make(self, server: web.Server, **told: Any) -> Connection:
        """Return a further one, whose socket is connected; `forget` it if nothing comes of it."""
        made = Connection(self, server, loop=asyncio.get_running_loop(), **told)
        self._all.add(made)
        return made

    def await_head(self, one: Connection) -> None:
        """Note that *one* is about to send a request, or should be."""
        self._heads[one] = self._seconds()

    def heard(self, one: Connection) -> None:
        """Note that *one* has sent something."""
        if self._idle.pop(one, None) is not None:
            self.await_head(one)

    def forget(self, one: Connection) -> None:
        """Note that *one* is no more."""
        self._all.discard(one)
        self._leave(one)
        self._gone.set()

    def begin_answer(self, one: Connection) -> None:
        """Note that an answer to *one* is being written."""
        if one in self._all:
            self._leave(one)
            self._answering[one] = self._seconds()

    def rest(self, one: Connection) -> None:
        """Note that *one* may send a further request; its client may also have gone meanwhile."""
        if one in self._all:
            self._leave(one)
            self._idle[one] = self._seconds()

    def _leave(self, one: Connection) -> None:
        for state in (self._heads, self._idle, self._answering, self._in_hand, self._taken):
            state.pop(one, None)

    def middleware(self) -> Any:
        """Return what notes of each request when it is in hand, and when no more."""

        @web.middleware
        async def noted(request: web.Request, handler: Handler) -> web.StreamResponse:
            one = cast("Connection", request.protocol)
            self._leave(one)
            self._in_hand[one] = (self._seconds(), request)
            try:
                answer: web.StreamResponse = await handler(request)
            finally:
                self._leave(one)
                self.rest(one)
            return answer

        return noted

    async def room(self) -> None:
        """Return when there is room for one more, for which others are let go that only wait."""
        while len(self._all) >= self.limit:
            self._gone.clear()
            self._let_go_longest()
            # It is looked again when one leaves, or when one has waited long enough.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_GRACE_SECONDS / 4):
                    await self._gone.wait()

    def _let_go_longest(self) -> None:
        """Let go who has waited longest, if anybody has waited at all."""
        now = self._seconds()
        self._look_who_reads()
        waiting = [
            (now - since - _GRACE_SECONDS, one)
            for state in (self._heads, self._idle)
            for one, since in itertools.islice(state.items(), 1)
        ]
        waiting += (
            (now - since - _BODY_GRACE_SECONDS, one)
            for since, one in itertools.islice(self._without_body(), 1)
        )
        waiting += (
            (now - since - _BODY_GRACE_SECONDS, one)
            for one, since in itertools.islice(self._answering.items(), 1)
        )
        beyond, one = max(waiting, key=lambda pair: pair[0], default=(-1.0, None))
        if one is not None and beyond >= 0:
            self._let_go(one)

    def _without_body(self) -> Iterator[tuple[float, Connection]]:
        """Yield those whose request has a body that has not come yet."""
        for one, (since, request) in self._in_hand.items():
            if not request.content.is_eof():
                yield since, one

    def _look_who_reads(self) -> None:
        """Put those last that have taken something of their answer since this was last asked."""
        now = self._seconds()
        for one in list(self._answering):
            taken = one.taken()
            before = self._taken.get(one, taken)
            if taken[0] > before[0] or taken[1] > before[1]:
                del self._answering[one]
                self._answering[one] = now
            self._taken[one] = taken

    def _let_go(self, one: Connection) -> None:
        self._leave(one)
        self.cut += 1
        one.abort()

    async def watch(self) -> None:
        """Let go for ever who takes too long."""
        period = min(1.0, min(bound for _, bound in self._bounds()) / 4)
        while True:
            await asyncio.sleep(period)
            self.review()

    def review(self) -> None:
        """Let go who has taken too long by now."""
        self._look_who_reads()
        for state, bound in self._bounds():
            self._let_go_older(state, self._seconds() - bound)

    def _bounds(self) -> list[tuple[dict[Connection, float], float]]:
        settings = self._settings
        return [
            (self._heads, settings.header_timeout),
            (self._idle, settings.idle_timeout),
            (self._answering, settings.write_timeout),
        ]

    def _let_go_older(self, state: dict[Connection, float], long_ago: float) -> None:
        late = itertools.takewhile(lambda pair: pair[1] < long_ago, state.items())
        for one, _ in list(late):
            self._let_go(one)
