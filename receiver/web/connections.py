"""Who is connected: how many at once, how long each may say nothing, and who goes when there is no room.

A connection is in one of three states: a request's head is awaited, a request is in hand, or it is
idle between two. Who only holds a connection open is let go for who wants something; a connection
in whose request we work is never let go here, only one whose body does not come.

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

_GRACE_SECONDS = 1.0
"""So long nobody is let go: a request that was sent is read by then."""

_BODY_GRACE_SECONDS = 10.0
"""So long nobody is let go whose body is not whole: it may be that it waits for room in our memory."""

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

    def abort(self) -> None:
        """End it at once.

        Not closed, which would wait until it has read what we sent; that aiohttp has closed it, and
        knows of no transport any more, is no help then.
        """
        if isinstance(self._wire, asyncio.WriteTransport):
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
        self._in_hand: dict[Connection, tuple[float, web.Request]] = {}
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

    def _leave(self, one: Connection) -> None:
        for state in (self._heads, self._idle, self._in_hand):
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
                # Its client may have gone meanwhile.
                if one in self._all:
                    self._idle[one] = self._seconds()
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
        waiting = [
            (now - since - _GRACE_SECONDS, one)
            for state in (self._heads, self._idle)
            for one, since in itertools.islice(state.items(), 1)
        ]
        waiting += (
            (now - since - _BODY_GRACE_SECONDS, one)
            for since, one in itertools.islice(self._without_body(), 1)
        )
        beyond, one = max(waiting, key=lambda pair: pair[0], default=(-1.0, None))
        if one is not None and beyond >= 0:
            self._let_go(one)

    def _without_body(self) -> Iterator[tuple[float, Connection]]:
        """Yield those whose request has a body that has not come yet."""
        for one, (since, request) in self._in_hand.items():
            if not request.content.is_eof():
                yield since, one

    def _let_go(self, one: Connection) -> None:
        self._leave(one)
        self.cut += 1
        one.abort()

    async def watch(self) -> None:
        """Let go for ever who takes too long."""
        bounds = (self._settings.header_timeout, self._settings.idle_timeout)
        period = min(1.0, min(bounds) / 4)
        while True:
            await asyncio.sleep(period)
            for state, bound in zip((self._heads, self._idle), bounds, strict=True):
                self._let_go_older(state, self._seconds() - bound)

    def _let_go_older(self, state: dict[Connection, float], long_ago: float) -> None:
        late = itertools.takewhile(lambda pair: pair[1] < long_ago, state.items())
        for one, _ in list(late):
            self._let_go(one)
