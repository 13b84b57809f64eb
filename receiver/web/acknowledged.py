"""How much of what we sent has reached its client: the kernel knows.

What waits in a transport does not tell. Over TLS it waits elsewhere, a file is sent past it, and a buffer
that is filled up again may be as full as before.
"""

from __future__ import annotations

import asyncio
import socket
import struct

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
