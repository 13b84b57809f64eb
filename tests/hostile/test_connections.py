"""Who opens connections and says nothing, or says it slowly, keeps out nobody who has something to say."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import aiohttp
import pytest

from receiver import app
from receiver.config import WebSettings
from receiver.web import acknowledged, connections
from receiver.web.connections import Connection, Connections
from tests.builders import body, entry
from tests.web.conftest import Client, Start
from tests.web.test_tls import Folder

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]

HEAD = b"POST /api/v1/webhook HTTP/1.1\r\nHost: localhost\r\n"


def metric(client: Client, name: str) -> float:
    value = client.app.metrics.registry.get_sample_value(f"stormcell_{name}")
    assert value is not None
    return value


@contextlib.asynccontextmanager
async def opened(client: Client, count: int = 1) -> AsyncIterator[list[Streams]]:
    """Hold *count* connections open while the context lasts."""
    host, port = client.url.removeprefix("http://").split(":")
    made = [await asyncio.open_connection(host, int(port)) for _ in range(count)]
    try:
        yield made
    finally:
        for _, writer in made:
            writer.close()


async def ended(reader: asyncio.StreamReader) -> bytes:
    """Return what came until the other side was gone."""
    try:
        async with asyncio.timeout(20):
            return await reader.read()
    except ConnectionError:
        return b""


async def trickle(writer: asyncio.StreamWriter, content: bytes) -> None:
    """Send *content* a byte at a time, for ever."""
    with contextlib.suppress(ConnectionError):
        while True:
            for byte in content:
                writer.write(bytes([byte]))
                await writer.drain()
                await asyncio.sleep(0.05)


async def post(client: Client, name: str) -> int:
    """Post an alert on a connection of its own; return the code."""
    async with aiohttp.ClientSession() as session:
        told = body(entry(labels={"alertname": name}))
        async with session.post(f"{client.url}/api/v1/webhook", data=told) as answer:
            return answer.status


async def test_a_head_that_comes_a_byte_at_a_time_is_not_waited_for(start: Start) -> None:
    async with start("web.header_timeout=300ms") as client, opened(client, 2) as (one, silent):
        slow = asyncio.create_task(trickle(one[1], b"GET /-/healthy HTTP/1.1\r\nX-a: b\r\nX-c: d"))

        assert await ended(one[0]) == b""
        # So is one that never says anything.
        assert await ended(silent[0]) == b""
        assert metric(client, "connections_cut_total") == 2
        assert await post(client, "A") == 200
        slow.cancel()


async def test_between_two_requests_there_is_more_time_and_not_for_the_next_head(
    start: Start,
) -> None:
    bounds = ("web.header_timeout=300ms", "web.idle_timeout=1h")
    async with start(*bounds) as client, opened(client) as ((reader, writer),):
        for _ in range(2):
            writer.write(b"GET /-/healthy HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert (await reader.readline()).startswith(b"HTTP/1.1 200")
            await reader.readuntil(b"healthy.\n")
            await asyncio.sleep(0.8)
        writer.write(b"GET /-/hea")

        assert await ended(reader) == b""


async def test_who_is_idle_too_long_is_let_go(start: Start) -> None:
    async with start("web.idle_timeout=300ms") as client, opened(client) as ((reader, writer),):
        writer.write(b"GET /-/healthy HTTP/1.1\r\nHost: localhost\r\n\r\n")

        assert (await ended(reader)).endswith(b"healthy.\n")
        assert metric(client, "connections_cut_total") == 1


@pytest.mark.parametrize("path", ["webhook", "classify"])
async def test_a_body_that_comes_a_byte_at_a_time_is_not_waited_for(
    start: Start, path: str
) -> None:
    async with start("intake.read_timeout=300ms") as client, opened(client) as ((reader, writer),):
        head = HEAD.replace(b"webhook", path.encode())
        writer.write(head + b"Content-Length: 1000\r\n\r\n")
        slow = asyncio.create_task(trickle(writer, b'{"version":"4"'))

        assert b" 503 " in await reader.readline()
        assert await post(client, "A") == 200
        slow.cancel()


HUGE = {
    "a field of a megabyte": b"X-a: " + b"x" * 2**20 + b"\r\n\r\n",
    "a name of a megabyte": b"x" * 2**20 + b": a\r\n\r\n",
    "a thousand fields": b"".join(b"X-%d: a\r\n" % n for n in range(1000)) + b"\r\n",
    "a field that never ends": b"X-a: " + b"x" * 2**22,
    "a control character": b"X-a: \x00\r\n\r\n",
    "no field": b"\xff\xfe\r\n\r\n",
}


@pytest.mark.parametrize("fields", HUGE.values(), ids=HUGE)
async def test_a_huge_or_broken_head_is_refused(client: Client, fields: bytes) -> None:
    async with opened(client) as ((reader, writer),):
        with contextlib.suppress(ConnectionError):
            writer.write(HEAD + fields)
            await writer.drain()

        # With more on its way than was read, the answer is lost on its way back.
        answered = await ended(reader)
        assert answered == b"" or b" 400 " in answered.splitlines()[0]
    assert await post(client, "A") == 200


NO_REQUESTS = {
    "a path of a megabyte": b"GET /" + b"x" * 2**20 + b" HTTP/1.1\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "a word": b"GET\r\n\r\n",
    "nothing": b"\x00" * 100,
}


@pytest.mark.parametrize("line", NO_REQUESTS.values(), ids=NO_REQUESTS)
async def test_what_is_no_request_is_refused(start: Start, line: bytes) -> None:
    async with start("web.header_timeout=300ms") as client:
        async with opened(client) as ((reader, writer),):
            writer.write(line)
            answered = await ended(reader)
        assert await post(client, "A") == 200

    assert answered == b"" or b" 400 " in answered.splitlines()[0]


async def test_idle_connections_make_room(start: Start) -> None:
    """With all connections there may be taken, alerts and readers are answered all the same."""
    async with start("web.max_connections=20") as client, opened(client, 60) as held:
        codes = [await post(client, f"A{n}") for n in range(5)]
        gone = await asyncio.gather(*(ended(reader) for reader, _ in held[:30]))
        await client.settled()

        assert codes == [200] * 5
        assert gone == [b""] * 30
        assert metric(client, "connections") <= 20
        assert metric(client, "connections_limit") == 20
        assert metric(client, "connections_cut_total") >= 40
        assert len(await client.items("/api/v1/alerts")) == 5


async def test_who_sends_no_body_makes_room(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "_BODY_GRACE_SECONDS", 0.5)
    async with start("web.max_connections=10") as client, opened(client, 10) as held:
        for _, writer in held:
            writer.write(HEAD + b"Content-Length: 1000\r\n\r\n{")

        assert await post(client, "A") == 200
        assert metric(client, "connections_cut_total") >= 1


async def test_who_is_worked_for_does_not_make_room(start: Start) -> None:
    """A stream stays; a newcomer waits until there is room, and then is served."""
    async with start("web.max_connections=8") as client, contextlib.AsyncExitStack() as streams:
        session = await streams.enter_async_context(aiohttp.ClientSession())
        url = client.url + "/api/v1/stream"
        held = [await streams.enter_async_context(session.ws_connect(url)) for _ in range(4)]
        # Streams never take more than half.
        with pytest.raises(aiohttp.WSServerHandshakeError, match="503"):
            await session.ws_connect(url)
        assert [await post(client, f"A{n}") for n in range(3)] == [200] * 3
        async with opened(client, 8):
            assert await post(client, "B") == 200
        for socket in held:
            assert (await socket.receive_json(timeout=20))["type"] == "snapshot"
            assert not socket.closed


async def test_who_does_not_read_its_answers_makes_room(start: Start) -> None:
    """Also where aiohttp has closed the connection, which stays while anything is unsent."""
    bounds = ("web.idle_timeout=500ms", "web.write_timeout=500ms")
    async with start("web.max_connections=8", *bounds) as client:
        async with opened(client) as ((_, writer),):
            cast("asyncio.Transport", writer.transport).pause_reading()
            writer.write(b"GET /api/v1/openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n" * 500)

            await client.until(lambda: metric(client, "connections_cut_total") >= 1)
        assert await post(client, "A") == 200


@pytest.mark.parametrize("path", ["/metrics", "/evolution.js"])
@pytest.mark.parametrize("encrypted", [False, True])
async def test_who_takes_nothing_of_an_answer_is_let_go(
    start: Start,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    encrypted: bool,
    path: str,
) -> None:
    """Not after `web.idle_timeout`, which is for those that have had their answer."""
    folder = Folder(tmp_path)
    settings = [folder.write()] if encrypted else []
    async with start(*settings, "web.write_timeout=500ms") as client:
        monkeypatch.setattr(client.app.metrics, "render", lambda: b"x" * 2**24)
        port = int(client.url.rpartition(":")[2])
        one = socket.socket()
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        one.connect(("127.0.0.1", port))
        _, writer = await asyncio.open_connection(
            sock=one,
            ssl=folder.client() if encrypted else None,
            server_hostname="127.0.0.1" if encrypted else None,
        )
        cast("asyncio.Transport", writer.transport).pause_reading()
        # A file is smaller than what the kernel holds for its reader: it is asked for again and again.
        writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode() * 200)

        await client.until(lambda: metric(client, "connections_cut_total") == 1)
        await client.until(lambda: metric(client, "connections") == 0)
        # Reset: the kernel keeps nothing of the answer for a client that stays.
        told: list[int] = []

        def is_reset() -> bool:
            told.append(one.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))
            return errno.ECONNRESET in told

        await client.until(is_reset)
        writer.transport.abort()

    assert [record for record in caplog.records if record.exc_info] == []


class Reader:
    """A connection to which an answer is being written; *taken* is told."""

    def __init__(self) -> None:
        self.taken_so_far = (0, -100)
        self.aborted = False

    def taken(self) -> tuple[int, int]:
        return self.taken_so_far

    def abort(self) -> None:
        self.aborted = True


def test_who_reads_slowly_has_all_the_time_there_is() -> None:
    """Whether it is seen by what was acknowledged, or by what waits."""
    now = 0.0
    all_there_are = Connections(WebSettings(), 8, lambda: now)
    readers = [Reader() for _ in range(3)]
    for one in cast("list[Connection]", readers):
        all_there_are._all.add(one)
        all_there_are.begin_answer(one)
    for now in range(0, 100, 10):
        readers[0].taken_so_far = (now, -100)
        readers[1].taken_so_far = (0, now - 100)
        all_there_are.review()

    assert [each.aborted for each in readers] == [False, False, True]
    assert all_there_are.cut == 1
    now += 31
    all_there_are.review()
    assert all(each.aborted for each in readers)


def test_where_the_kernel_tells_nothing_nothing_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = socket.socketpair()
    with one, other:
        transport = asyncio.Transport({"socket": one})
        # No TCP.
        assert acknowledged.acknowledged(transport) == 0
    monkeypatch.setattr(acknowledged, "_TCP_INFO", None)
    assert acknowledged.acknowledged(transport) == 0
    assert acknowledged.acknowledged(None) == 0
    # Nor is there anything to be forgotten.
    acknowledged.forget_unread(transport)
    acknowledged.forget_unread(None)


async def test_large_frames_and_many_frames_close_the_socket(client: Client) -> None:
    for told in ("x" * 2**20, "{" * 1025, b"\x00" * 10):
        async with client.session.ws_connect(client.url + "/api/v1/stream") as socket:
            await socket.receive_json(timeout=20)
            with contextlib.suppress(ConnectionError, aiohttp.ClientError):
                if isinstance(told, bytes):
                    await socket.send_bytes(told)
                else:
                    await socket.send_str(told)
            assert await closed(socket) in (1006, 1008, 1009)
    assert await post(client, "A") == 200


async def closed(socket: Any) -> int | None:
    """Return the code with which the server closed *socket*."""
    async with asyncio.timeout(20):
        while not socket.closed:
            await socket.receive()
    code: int | None = socket.close_code
    return code


def test_there_are_fewer_connections_than_descriptors(monkeypatch: pytest.MonkeyPatch) -> None:
    def limited(soft: int) -> None:
        monkeypatch.setattr("resource.getrlimit", lambda _: (soft, soft))

    for soft, limit in ((1024, 896), (200, 72), (100, 8), (10**6, 8192), (-1, 8192)):
        limited(soft)
        assert app.connection_limit(8192) == limit
