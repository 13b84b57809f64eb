"""The live stream over real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest
from aiohttp import WSMsgType

from tests.builders import body, entry
from tests.support.waiting import until
from tests.web.conftest import Client, Start

STREAM = "/api/v1/stream"


@contextlib.asynccontextmanager
async def listening(
    client: Client, query: str = "", **options: Any
) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    async with client.session.ws_connect(client.url + STREAM + query, **options) as stream:
        yield stream


async def frame(stream: aiohttp.ClientWebSocketResponse) -> dict[str, Any]:
    message = await stream.receive(timeout=20)
    assert message.type is WSMsgType.TEXT, message
    read: dict[str, Any] = json.loads(message.data)
    return read


async def events_up_to(stream: aiohttp.ClientWebSocketResponse, seq: int) -> list[int]:
    """Return the seqs that come, until *seq*."""
    seqs: list[int] = []
    while not seqs or seqs[-1] < seq:
        seqs += [event["seq"] for event in (await frame(stream)).get("events", [])]
    return seqs


async def last_seq(client: Client) -> int:
    await client.settled()
    events = await client.items("/api/v1/events?limit=1000")
    return int(events[-1]["seq"]) if events else 0


async def test_snapshot_then_events_then_resume(client: Client) -> None:
    await client.post(body(entry("A")))
    await client.settled()
    async with listening(client) as stream:
        snapshot = await frame(stream)
        await client.post(body(entry("B", labels={"alertname": "B"})))
        known = await last_seq(client)
        seqs = await events_up_to(stream, known)
    await client.post(body(entry("C", labels={"alertname": "C"})))
    latest = await last_seq(client)
    async with listening(client, f"?after={known}&epoch={snapshot['epoch']}") as stream:
        again = await events_up_to(stream, latest)

    assert [c["id"] for c in snapshot["clusters"]] == [1]
    assert seqs == list(range(snapshot["seq"] + 1, known + 1))
    assert again == list(range(known + 1, latest + 1))


async def test_a_client_may_ask_to_resume_and_nothing_else(client: Client) -> None:
    await client.post(body(entry("A")))
    await client.settled()
    async with listening(client) as stream:
        snapshot = await frame(stream)
        await stream.send_json({"type": "resume", "after": 0, "epoch": snapshot["epoch"]})
        missed = await frame(stream)
        await stream.send_str("what is your name?")
        closing = await stream.receive(timeout=20)

    assert (missed["first"], missed["last"]) == (1, snapshot["seq"])
    assert (closing.type, closing.data) == (WSMsgType.CLOSE, 1008)


@pytest.mark.parametrize(
    "text",
    ["[1]", "{", '{"type":"resume"}', '{"type":"resume","after":-1}',
     '{"type":"resume","after":1,"epoch":1}', '{"type":"resume","after":true}', "[" * 1000],
)  # fmt: skip
async def test_a_frame_that_is_no_resume_closes_the_socket(client: Client, text: str) -> None:
    async with listening(client) as stream:
        await frame(stream)
        await stream.send_str(text)

        assert (await stream.receive(timeout=20)).data == 1008


async def test_a_large_frame_closes_the_socket(client: Client) -> None:
    async with listening(client) as stream:
        await frame(stream)
        await stream.send_str("x" * 100_000)

        assert (await stream.receive(timeout=20)).data == 1009


async def test_lines_carry_the_same_frames(client: Client) -> None:
    await client.post(body(entry("A")))
    await client.settled()
    async with (
        listening(client) as stream,
        client.session.get(client.url + STREAM + ".ndjson") as lines,
    ):
        first = await frame(stream), json.loads(await lines.content.readline())
        await client.post(body(entry("B", labels={"alertname": "B"})))
        second = await frame(stream), json.loads(await lines.content.readline())
        kind = lines.content_type

    assert kind == "application/x-ndjson"
    assert first[0]["clusters"] == first[1]["clusters"]
    assert second[0] == second[1]


async def test_lines_go_to_clients_of_old_too(client: Client) -> None:
    """Proxies speak HTTP/1.0 to us unless told otherwise, and it knows no chunks."""
    host = urlsplit(client.url)
    reader, writer = await asyncio.open_connection(host.hostname, host.port)
    writer.write(f"GET {STREAM}.ndjson HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 20)
    line = await asyncio.wait_for(reader.readline(), 20)
    writer.close()

    assert b"chunked" not in head
    assert json.loads(line)["type"] == "snapshot"


async def test_a_client_that_never_reads_is_cut_and_others_get_everything(start: Start) -> None:
    """Its last bytes fill its own buffers; then it is let go, within a second, and counted."""
    async with start("feed.client_buffer_bytes=64KiB", "feed.stall_timeout=60") as client:
        host = urlsplit(client.url)
        deaf = socket.create_connection((host.hostname, host.port))
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.sendall(
            f"GET {STREAM} HTTP/1.1\r\nHost: {host.netloc}\r\nUpgrade: websocket\r\nConnection: upgrade\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n".encode()
        )
        async with listening(client) as stream:
            await frame(stream)
            number = 0
            async with asyncio.timeout(60):
                while client.app.feed.dropped == 0:
                    number += 1
                    labels = {"alertname": f"A{number}", "text": "x" * 20_000}
                    await client.post(body(entry(labels=labels)))
            latest = await last_seq(client)
            seqs = await events_up_to(stream, latest)
        status, metrics = await client.get("/metrics")
        deaf.close()

    assert seqs == list(range(1, latest + 1))
    assert status == 200
    assert "stormcell_feed_clients_dropped_total 1.0" in metrics


async def test_too_many_clients_are_told_to_come_later(start: Start) -> None:
    async with start("feed.max_clients=1") as client, listening(client) as stream:
        await frame(stream)
        status, answer = await client.get(STREAM + ".ndjson")
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await client.session.ws_connect(client.url + STREAM)

    assert (status, answer["error"]["code"]) == (503, "try_later")
    assert refused.value.status == 503


async def test_who_leaves_is_forgotten(client: Client) -> None:
    async with listening(client) as stream:
        await frame(stream)
        during = client.app.feed.clients
    await until(lambda: not client.app.feed.clients, "the server to learn of it")

    assert during == 1


async def test_stopping_says_goodbye(start: Start) -> None:
    async with start() as client:
        stream = await client.session.ws_connect(client.url + STREAM)
        await frame(stream)
        closing = asyncio.create_task(client.app.close())
        message = await stream.receive(timeout=20)
        await stream.close()
        await closing

    assert (message.type, message.data) == (WSMsgType.CLOSE, 1001)


async def test_without_an_upgrade_it_says_what_was_expected(client: Client) -> None:
    status, answer = await client.get(STREAM)

    assert status == 400
    assert "stream.ndjson" in answer["error"]["message"]


async def test_lines_have_no_head(client: Client) -> None:
    async with client.session.head(client.url + STREAM + ".ndjson") as answer:
        assert answer.status == 405


@pytest.mark.parametrize("query", ["?after=x", "?after=-1", "?since=1"])
async def test_bad_parameters_are_named(client: Client, query: str) -> None:
    status, answer = await client.get(STREAM + query)

    assert (status, answer["error"]["code"]) == (400, "bad_request")
    assert answer["error"]["field"] in ("after", "since")
