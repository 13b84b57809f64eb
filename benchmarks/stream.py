"""Many clients on the live stream: how long from a webhook to each of them, at a steady rate.

    python -m benchmarks.stream [--clients 1000] [--rate 100] [--seconds 60] [--short] [--model onnx]

Runs twice, without and with one client that never reads, on one receiver of the default settings.
The lag of one alert at one client is from the start of its POST to the arrival of the first frame that
holds it. Clients live in a process of their own and read no more of a frame than its header; one more
client reads it all and tells which event was which alert.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import multiprocessing
import re
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import aiohttp

from benchmarks import findings
from benchmarks.alertmanager import storm
from benchmarks.findings import Findings
from benchmarks.machine import allow_open_files
from tests.support.processes import HOST, ReceiverProcess
from tests.support.waiting import until, wait_until

_LAST = re.compile(rb'"last":(\d+)')
_NEW_TEXTS = 0.05
_DEAF_BUFFER = 4096


@dataclass(frozen=True)
class Result:
    """Lag over all alerts and clients, milliseconds.

    Attributes:
        deaf: Whether one more client never read.
        samples: Alerts times clients.
        dropped: Clients that were cut.
        missed: Events that a client was not sent.
    """

    deaf: bool
    clients: int
    rate: float
    samples: int
    p50_ms: float
    p90_ms: float
    p99_ms: float
    max_ms: float
    dropped: int
    missed: int


class _Reader(asyncio.Protocol):
    """Reads frames off a socket: when each came, and the last event in it."""

    def __init__(self, head: bytes) -> None:
        self._head = head
        self._rest = b""
        self._upgraded = False
        self.arrivals: list[tuple[float, int]] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.write(self._head)

    def data_received(self, data: bytes) -> None:
        now = time.time()
        rest = self._rest + data
        if not self._upgraded:
            _, end, rest = rest.partition(b"\r\n\r\n")
            self._upgraded = bool(end)
        place = 0
        while len(rest) - place >= 2:
            size, start = rest[place + 1], place + 2
            if size >= 126:
                width = 2 if size == 126 else 8
                size = int.from_bytes(rest[start : start + width], "big")
                start += width
            if len(rest) < start + size:
                break
            found = _LAST.search(rest, start, start + 100)
            if found:
                self.arrivals.append((now, int(found[1])))
            place = start + size
        self._rest = rest[place:]


def _listen(port: int, clients: int, pipe: Connection) -> None:
    """Be *clients* clients until told to stop; then send what came when. A process of its own."""
    head = (
        f"GET /api/v1/stream HTTP/1.1\r\nHost: {HOST}:{port}\r\nUpgrade: websocket\r\n"
        "Connection: upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n"
    ).encode()

    async def run() -> None:
        loop = asyncio.get_running_loop()
        readers = []
        for _ in range(clients):
            _, reader = await loop.create_connection(lambda: _Reader(head), HOST, port)
            readers.append(reader)
        pipe.send("ready")
        await until(pipe.poll, "the end", patience_seconds=math.inf)
        pipe.send([reader.arrivals for reader in readers])

    asyncio.run(run())


def _deaf(port: int) -> socket.socket:
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _DEAF_BUFFER)
    made.connect((HOST, port))
    made.sendall(f"GET /api/v1/stream.ndjson HTTP/1.1\r\nHost: {HOST}:{port}\r\n\r\n".encode())
    return made


async def _post(
    receiver: ReceiverProcess, alerts: Sequence[dict[str, Any]], rate: float
) -> dict[str, float]:
    """Post *alerts*, one a webhook, *rate* a second; return when each was, by its pod."""
    posted: dict[str, float] = {}
    async with aiohttp.ClientSession() as session:

        async def one(alert: dict[str, Any]) -> None:
            body = {
                "version": "4",
                "status": "firing",
                "receiver": "x",
                "groupKey": "{}",
                "alerts": [alert],
            }
            posted[alert["labels"]["pod"]] = time.time()
            async with session.post(receiver.webhook_url, json=body) as answer:
                assert answer.status == 200, await answer.text()

        started, tasks = time.monotonic(), []
        for number, alert in enumerate(alerts):
            await asyncio.sleep(max(0.0, started + number / rate - time.monotonic()))
            tasks.append(asyncio.create_task(one(alert)))
        await asyncio.gather(*tasks)
    return posted


def _alerts(count: int, salt: str) -> list[dict[str, Any]]:
    """Return *count* alerts whose texts are mostly known, as in an outage."""
    made = storm(count)
    now = datetime.now(UTC).isoformat()
    for number, alert in enumerate(made):
        alert["labels"]["pod"] += salt
        alert |= {"status": "firing", "startsAt": now, "endsAt": "0001-01-01T00:00:00Z"}
        alert["fingerprint"] = "0" * 16
        if number % round(1 / _NEW_TEXTS):
            alert["annotations"] = {"summary": alert["labels"]["alertname"]}
    return made


def measure(
    receiver: ReceiverProcess, *, clients: int, rate: float, seconds: float, deaf: bool
) -> Result:
    """Let alerts pass for *seconds* and return what the lag was."""
    before = receiver.read("events", after=0, limit=1)["items"]
    context = multiprocessing.get_context("spawn")
    pipe, theirs = context.Pipe()
    process = context.Process(target=_listen, args=(receiver.port, clients, theirs))
    process.start()
    assert pipe.recv() == "ready"
    silent = _deaf(receiver.port) if deaf else None
    wait_until("all clients", lambda: receiver.metric("stormcell_feed_clients") >= clients)
    dropped = receiver.metric("stormcell_feed_clients_dropped_total")
    known = receiver.events()[-1]["seq"] if before else 0
    posted = asyncio.run(_post(receiver, _alerts(round(rate * seconds), f"-{deaf:d}"), rate))
    receiver.settle()
    time.sleep(1)
    pipe.send("stop")
    arrivals: list[list[tuple[float, int]]] = pipe.recv()
    process.join()
    if silent:
        silent.close()
    events = receiver.events(after=known)
    sent_at = {
        e["seq"]: posted[e["alert"]["labels"]["pod"]]
        for e in events
        if e["type"] == "alert_assigned"
    }
    lags, missed = [], 0
    for arrived in arrivals:
        place = 0
        for seq, at in sent_at.items():
            while place < len(arrived) and arrived[place][1] < seq:
                place += 1
            if place == len(arrived):
                missed += 1
            else:
                lags.append((arrived[place][0] - at) * 1000)
    cuts = statistics.quantiles(lags, n=100)
    now_dropped = receiver.metric("stormcell_feed_clients_dropped_total")
    return Result(
        deaf=deaf,
        clients=clients,
        rate=rate,
        samples=len(lags),
        p50_ms=round(cuts[49], 1),
        p90_ms=round(cuts[89], 1),
        p99_ms=round(cuts[98], 1),
        max_ms=round(max(lags), 1),
        dropped=round(now_dropped - dropped),
        missed=missed,
    )


def _run(options: argparse.Namespace) -> Findings:
    seconds = options.seconds or (10.0 if options.short else 60.0)
    results = []
    with tempfile.TemporaryDirectory() as folder:
        receiver = ReceiverProcess(Path(folder), settings={"embedding.backend": options.model})
        receiver.start()
        try:
            wait_until("the model", lambda: receiver.metric("stormcell_embedder_ready") == 1)
            for deaf in (False, True):
                results.append(
                    measure(
                        receiver,
                        clients=options.clients,
                        rate=options.rate,
                        seconds=seconds,
                        deaf=deaf,
                    )
                )
                wait_until("clients to go", lambda: receiver.metric("stormcell_feed_clients") == 0)
        finally:
            receiver.stop()
    told = Findings()
    head = ["deaf client", "clients", "alerts/s", "samples", "p50 ms", "p90", "p99", "max", "cut"]
    rows = [[*head, "missed"]]
    for r in results:
        lags = (r.p50_ms, r.p90_ms, r.p99_ms, r.max_ms)
        counts = (str(r.dropped), str(r.missed))
        deafness = "one" if r.deaf else "none"
        figures = (str(r.clients), f"{r.rate:.0f}", str(r.samples), *(f"{lag:.1f}" for lag in lags))
        rows.append([deafness, *figures, *counts])
    told.tables = [("From a webhook to each client", rows)]
    told.figures = {
        "p50_ms": max(r.p50_ms for r in results),
        "p99_ms": max(r.p99_ms for r in results),
        "missed": sum(r.missed for r in results),
    }
    told.notes = ["Clients and receiver share the machine."]
    return told


def main(arguments: Sequence[str]) -> int:
    """Run both forms and tell."""
    parser = findings.parser(__doc__, "stream")
    parser.add_argument("--clients", type=int, default=1000)
    parser.add_argument("--rate", type=float, default=100.0, help="alerts a second")
    parser.add_argument("--seconds", type=float, help="default 60, 10 in the short form")
    parser.add_argument("--model", default="onnx", help="embedding backend")
    options = parser.parse_args(arguments)
    allow_open_files()
    findings.record("stream", options, lambda: _run(options))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
