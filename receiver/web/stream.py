"""GET /api/v1/stream and stream.ndjson: how a client of the feed gets its frames.

Bytes go straight to the transport: a frame from a server is not masked (RFC 6455, 5.1), so the same
bytes suit every client, and what a client has not read waits in its transport and nowhere else.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import struct
from collections.abc import Callable, Coroutine
from typing import Any

from aiohttp import WSCloseCode, WSMsgType, web

from receiver.core.errors import SenderError, TryLater
from receiver.core.frames import Frame, Reason
from receiver.web import parameters
from receiver.web.credentials import CREDENTIAL
from receiver.web.parts import Feed
from receiver.web.sessions import Sessions

log = logging.getLogger(__name__)

_CLOSE_SECONDS = 1.0
_REFUSED_CODE = 4001
_SLOW_CODE = 4008
_BUSY_CODE = 4013
_CUT = {
    Reason.SLOW: (_SLOW_CODE, "too slow"),
    Reason.CLOSING: (WSCloseCode.GOING_AWAY, "the receiver stops"),
    Reason.REFUSED: (_REFUSED_CODE, "access was taken back"),
}
"""Code and words with which a socket is closed."""

_MAX_MESSAGE = 1024
_MAX_RESUMES = 100
"""A client that resumes without end asks the same of the store again and again."""


_Close = Callable[[int, str], None]
"""Begins to let go of a client, with a code and words."""


class Stream:
    """Serves the feed to sockets and to readers of lines."""

    def __init__(self, feed: Feed, sessions: Sessions) -> None:
        """Serve *feed*; each client is one of *sessions*."""
        self._feed = feed
        self._sessions = sessions
        self._closing: set[asyncio.Task[None]] = set()

    async def websocket(self, request: web.Request) -> web.StreamResponse:
        """GET /api/v1/stream."""
        after, epoch = _position(request)
        if request.headers.get("Upgrade", "").lower() != "websocket":
            raise SenderError("Upgrade: expected websocket; /api/v1/stream.ndjson needs none")
        self._feed.check_room()
        socket = web.WebSocketResponse(
            compress=False, max_msg_size=_MAX_MESSAGE, timeout=_CLOSE_SECONDS
        )
        await socket.prepare(request)
        sink = _Sink(request, _text_frame, self._closer(socket, request))
        try:
            with self._session(request, sink):
                await self._feed.subscribe(sink, after, epoch)
                await self._listen(socket, sink)
        except TryLater:
            await socket.close(code=_BUSY_CODE)
        finally:
            self._feed.unsubscribe(sink)
        return socket

    async def _listen(self, socket: web.WebSocketResponse, sink: _Sink) -> None:
        """Let the client resume, and nothing else."""
        resumes = 0
        async for message in socket:
            wanted = _resume(message.data) if message.type is WSMsgType.TEXT else None
            resumes += 1
            if wanted is None or resumes > _MAX_RESUMES:
                await socket.close(
                    code=WSCloseCode.POLICY_VIOLATION, message=b"this stream is read-only"
                )
                return
            await self._feed.subscribe(sink, *wanted)

    def _session(
        self, request: web.Request, sink: _Sink
    ) -> contextlib.AbstractContextManager[None]:
        """Return the time while *sink* is told things, which ends when its client may not read any more."""

        def end() -> None:
            self._feed.unsubscribe(sink)
            sink.cut(Reason.REFUSED)

        return self._sessions.open(request[CREDENTIAL], end)

    def _closer(self, socket: web.WebSocketResponse, request: web.Request) -> _Close:
        async def close(code: int, words: str) -> None:
            with contextlib.suppress(TimeoutError, OSError):
                async with asyncio.timeout(_CLOSE_SECONDS):
                    await socket.close(code=code, message=words.encode())
            if request.transport is not None:
                request.transport.abort()

        return lambda code, words: self._begin(close(code, words))

    def _begin(self, closing: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(closing)
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def lines(self, request: web.Request) -> web.StreamResponse:
        """GET /api/v1/stream.ndjson: the same frames, a line each."""
        if request.method == "HEAD":
            # An answer without a body that goes on for ever is none.
            raise web.HTTPMethodNotAllowed("HEAD", ["GET"])
        after, epoch = _position(request)
        self._feed.check_room()
        response = web.StreamResponse(
            headers={
                "Content-Type": "application/x-ndjson",
                "Cache-Control": "no-store",
                # Else nginx holds lines back until its buffer is full.
                "X-Accel-Buffering": "no",
            }
        )
        chunked = request.version >= (1, 1)
        if chunked:
            response.enable_chunked_encoding()
        await response.prepare(request)
        ended = asyncio.Event()

        def close(code: int, words: str) -> None:
            # Cut short and not ended well: whoever reads must see that there was more.
            if request.transport is not None:
                request.transport.abort()
            ended.set()

        sink = _Sink(request, _chunk if chunked else _line, close)
        try:
            with self._session(request, sink):
                await self._feed.subscribe(sink, after, epoch)
                await ended.wait()
        except TryLater:
            close(_BUSY_CODE, "")
        finally:
            self._feed.unsubscribe(sink)
        return response


class _Sink:
    """A client's transport."""

    def __init__(
        self,
        request: web.Request,
        encode: Callable[[bytes], bytes],
        close: _Close,
    ) -> None:
        self._transport = request.transport
        self._encode = encode
        self._close = close

    def send(self, frame: Frame) -> None:
        transport = self._transport
        if transport is not None and not transport.is_closing():
            transport.write(frame.form(self._encode))

    def waiting(self) -> int:
        transport = self._transport
        if transport is None or transport.is_closing():
            return 0
        return transport.get_write_buffer_size()

    def cut(self, reason: Reason) -> None:
        # Nothing may follow what closes a socket, also if its past is still being read.
        self._transport = None
        self._close(*_CUT[reason])


def _position(request: web.Request) -> tuple[int | None, str]:
    query = request.query
    parameters.only(query, "after", "epoch", "ticket")
    after = parameters.integer(query, "after", 0) if "after" in query else None
    return after, query.get("epoch", "")


def _resume(text: str) -> tuple[int, str] | None:
    """Return seq and epoch of a `resume`; None if *text* is anything else."""
    try:
        wanted = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(wanted, dict) or wanted.get("type") != "resume":
        return None
    after, epoch = wanted.get("after"), wanted.get("epoch", "")
    if isinstance(after, bool) or not isinstance(after, int) or not 0 <= after < 2**63:
        return None
    return (after, epoch) if isinstance(epoch, str) else None


def _text_frame(text: bytes) -> bytes:
    """Return *text* as one unmasked, final text frame (RFC 6455, 5.2)."""
    size = len(text)
    if size < 126:
        return struct.pack("!BB", 0x81, size) + text
    if size < 1 << 16:
        return struct.pack("!BBH", 0x81, 126, size) + text
    return struct.pack("!BBQ", 0x81, 127, size) + text


def _line(text: bytes) -> bytes:
    return text + b"\n"


def _chunk(text: bytes) -> bytes:
    """Return *text* as a line in a chunk of its own (RFC 9112, 7.1)."""
    return b"%x\r\n%b\n\r\n" % (len(text) + 1, text)
