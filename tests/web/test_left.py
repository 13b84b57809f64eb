"""A client that leaves before it is answered is no fault of ours: nothing is counted or told of it."""

from __future__ import annotations

import asyncio
import logging
import socket
import struct

import pytest

from tests.web.conftest import Client

_UPGRADE = (
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
)


def close(sock: socket.socket) -> None:
    sock.close()


def reset(sock: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def half_close(sock: socket.socket) -> None:
    sock.shutdown(socket.SHUT_WR)


@pytest.mark.parametrize("leave", [close, reset, half_close])
@pytest.mark.parametrize(
    ("path", "fields"),
    [("stream.ndjson", ""), ("stream", _UPGRADE), ("clusters", ""), ("alerts?limit=1000", "")],
)
async def test_who_leaves_at_once_is_no_fault(
    client: Client, caplog: pytest.LogCaptureFixture, leave: object, path: str, fields: str
) -> None:
    assert callable(leave)
    caplog.set_level(logging.INFO)
    host, port = client.url.removeprefix("http://").split(":")
    request = f"GET /api/v1/{path} HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n".encode()
    for _ in range(10):
        # Blocking on purpose: both have come before the server looks for the first time.
        with socket.create_connection((host, int(port))) as sock:
            sock.sendall(request)
            leave(sock)
            await asyncio.sleep(0.01)
    await client.until(lambda: not len(client.app._connections))

    failures = client.app.metrics.registry.get_sample_value("stormcell_request_failures_total")
    assert failures == 0
    assert [r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING] == []
