"""The listening socket: takes connections while there is room for them; others wait in the kernel.

Asyncio's own server takes all that come, also those for which no descriptor is left, and an
encrypted one only exists for it once it has shaken hands.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import itertools
import socket
import ssl
from collections.abc import Callable
from typing import Any

from receiver.web.connections import Connection, Connections

_BACKLOG = 1024
"""Connections the kernel holds for us."""

_AT_ONCE = 64
"""Taken in a row before those that are open have their turn."""

_HANDSHAKE_SECONDS = 10.0
_PAUSE_SECONDS = 1.0
_USED_UP = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


class Listener:
    """Listens on an address."""

    def __init__(
        self,
        connections: Connections,
        make: Callable[[], Connection],
        context: ssl.SSLContext | None,
    ) -> None:
        """Listen on nothing yet.

        Args:
            connections: All there are.
            make: Makes a further one.
            context: Encrypts; None: nothing is.
        """
        self._connections = connections
        self._make = make
        self._context = context
        self._sockets: list[socket.socket] = []
        self._work: list[asyncio.Task[None]] = []
        self._beginning: set[asyncio.Task[None]] = set()

    async def start(self, host: str | None, port: int) -> tuple[str, int]:
        """Listen on all addresses of *host* (None: all of this machine); return the first.

        Raises:
            OSError: An address is in use, or is not this machine's.
        """
        found = await asyncio.get_running_loop().getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        for family, kind, protocol, _, address in dict.fromkeys(found):
            self._sockets += _listening(family, kind, protocol, address)
        loop = asyncio.get_running_loop()
        self._work = [loop.create_task(self._accept(each)) for each in self._sockets]
        self._work.append(loop.create_task(self._connections.watch()))
        bound = self._sockets[0].getsockname()
        return bound[0], bound[1]

    async def close(self) -> None:
        """Listen no more; connections that are there stay."""
        for task in self._work:
            task.cancel()
        await asyncio.gather(*self._work, return_exceptions=True)
        for each in self._sockets:
            each.close()
        self._sockets.clear()

    async def _accept(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        for number in itertools.count(1):
            await self._connections.room()
            try:
                accepted, _ = await loop.sock_accept(listening)
            except OSError as error:
                await self._refused(error)
                continue
            task = loop.create_task(self._receive(accepted, self._make()))
            self._beginning.add(task)
            task.add_done_callback(self._beginning.discard)
            if number % _AT_ONCE == 0:
                await asyncio.sleep(0)

    async def _refused(self, error: OSError) -> None:
        """Wait if *error* says that something is used up; else a client went before it was taken."""
        if error.errno in _USED_UP:
            # The words of asyncio's own server.
            told = {"message": "socket.accept() out of system resource", "exception": error}
            asyncio.get_running_loop().call_exception_handler(told)
            await asyncio.sleep(_PAUSE_SECONDS)

    async def _receive(self, accepted: socket.socket, connection: Connection) -> None:
        loop = asyncio.get_running_loop()
        seconds = None if self._context is None else _HANDSHAKE_SECONDS
        with contextlib.suppress(OSError):
            await loop.connect_accepted_socket(
                lambda: connection, accepted, ssl=self._context, ssl_handshake_timeout=seconds
            )
            return
        # It hung up, spoke no TLS, or took too long to.
        self._connections.forget(connection)


def _listening(family: int, kind: int, protocol: int, address: Any) -> list[socket.socket]:
    """Return a socket that listens on *address*, if this machine has addresses of that *family*."""
    try:
        made = socket.socket(family, kind, protocol)
    except OSError:
        return []
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            # So that the same port of IPv4 is free for a socket of its own.
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.setblocking(False)
        made.bind(address)
        made.listen(_BACKLOG)
    except OSError:
        made.close()
        raise
    return [made]
