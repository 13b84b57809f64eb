"""How much of what we sent has reached its client, and what has not: the kernel knows.

What waits in a transport does not tell. Over TLS it waits elsewhere, a file is sent past it, and a buffer
that is filled up again may be as full as before.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import socket
import struct
import termios

_TCP_INFO = getattr(socket, "TCP_INFO", None)
"""Only Linux has it in this form."""

_SIZE = 128
_PLACE = 120
"""Of `tcpi_bytes_acked` in `struct tcp_info` (linux/tcp.h), 64 bits; there since Linux 4.1."""


def acknowledged(transport: asyncio.BaseTransport | None) -> int:
    """Return how many bytes the other side of *transport* has acknowledged; 0 if that cannot be known."""
    connected = None if transport is None else transport.get_extra_info("socket")
    if connected is None or _TCP_INFO is None:
        return 0
    try:
        told = connected.getsockopt(socket.IPPROTO_TCP, _TCP_INFO, _SIZE)
    except OSError:
        return 0
    if len(told) < _SIZE:
        return 0
    (count,) = struct.unpack_from("=Q", told, _PLACE)
    return int(count)


def forget_unread(transport: asyncio.BaseTransport | None) -> None:
    """Have the connection of *transport* reset once it ends, if its client has not taken all we sent.

    Else the kernel would keep megabytes for it, for as long as its client stays.
    """
    connected = None if transport is None else transport.get_extra_info("socket")
    if connected is None:
        return
    # A value that is none: it is closed already.
    with contextlib.suppress(OSError, ValueError):
        (unread,) = struct.unpack(
            "i", fcntl.ioctl(connected.fileno(), termios.TIOCOUTQ, struct.pack("i", 0))
        )
        if unread:
            connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
