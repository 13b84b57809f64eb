"""Thousands who connect and say nothing, and hundreds who only listen: alerts are taken all the same."""

from __future__ import annotations

import asyncio
import contextlib
import resource
import socket
import subprocess
import sys
from pathlib import Path

import aiohttp
import pytest

from tests.e2e.conftest import MakeReceiver
from tests.support.absent import absent
from tests.support.processes import HOST, ReceiverProcess
from tests.support.waiting import wait_until
from tests.support.webhook import alert, body

pytestmark = pytest.mark.e2e

IDLE, LISTENING, MOST = 2000, 500, 1200


def notification(name: str) -> bytes:
    return body([alert({"alertname": name}, starts_at="2026-03-01T10:00:00Z")])


@pytest.fixture
def descriptors() -> None:
    """Enough for the sockets of this side."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most < IDLE + LISTENING + 200:
        absent(f"{IDLE + LISTENING + 200} descriptors, but {most}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def memory_mib(receiver: ReceiverProcess) -> float:
    pages = int(Path(f"/proc/{receiver.pid}/statm").read_text().split()[1])
    return pages * 4096 / 2**20


async def listen_and_post(receiver: ReceiverProcess) -> tuple[list[int], int]:
    """Open LISTENING streams, then post; return the codes, and how many heard of the last alert."""
    url = f"{receiver.url}/api/v1/stream"
    connector = aiohttp.TCPConnector(limit=0)
    async with (
        aiohttp.ClientSession(connector=connector) as session,
        contextlib.AsyncExitStack() as stack,
    ):
        streams = [
            await stack.enter_async_context(session.ws_connect(url)) for _ in range(LISTENING)
        ]
        codes = []
        for n in range(20):
            posted = await asyncio.to_thread(receiver.post, notification(f"B{n}"))
            codes.append(posted.status)

        async def heard(stream: aiohttp.ClientWebSocketResponse) -> bool:
            async with asyncio.timeout(60):
                async for message in stream:
                    if "B19" in message.data:
                        return True
            return False

        return codes, sum(await asyncio.gather(*map(heard, streams)))


@pytest.mark.usefixtures("descriptors")
def test_alerts_are_taken_between_thousands_who_say_nothing(make_receiver: MakeReceiver) -> None:
    receiver = make_receiver(settings={"web.max_connections": str(MOST)})
    receiver.start()
    before = memory_mib(receiver)
    with contextlib.ExitStack() as stack:
        for _ in range(IDLE):
            stack.enter_context(socket.create_connection((HOST, receiver.port), timeout=60))
        codes = [receiver.post(notification(f"A{n}")).status for n in range(20)]
        more, heard = asyncio.run(listen_and_post(receiver))
        full = memory_mib(receiver)

        assert codes == more == [200] * 20
        assert heard == LISTENING
        assert receiver.metric("stormcell_connections") <= MOST
        assert receiver.metric("stormcell_connections_cut_total") >= IDLE + LISTENING - MOST
    receiver.settle()

    assert len(receiver.alerts()) == 40
    # Some twenty kilobytes each; fifty times as much would be a leak of what they say.
    assert full - before < 300
    wait_until("all to be gone", lambda: receiver.metric("stormcell_connections") <= 2)
    assert receiver.metric("stormcell_event_loop_faults_total") == 0
    assert receiver.stop() == 0


@pytest.mark.usefixtures("descriptors")
def test_with_few_descriptors_there_are_fewer_connections(make_receiver: MakeReceiver) -> None:
    """They are not used up: the database can still be opened, and nobody is told of a fault."""
    receiver = make_receiver()
    few = 300
    run = (
        f"import resource; resource.setrlimit(resource.RLIMIT_NOFILE, ({few}, {few}));"
        " import runpy, sys; sys.argv[0] = 'stormcell';"
        " runpy.run_module('receiver', run_name='__main__')"
    )
    receiver.command[:3] = [sys.executable, "-c", run]
    receiver.start()
    with contextlib.ExitStack() as stack:
        for _ in range(few * 2):
            stack.enter_context(socket.create_connection((HOST, receiver.port), timeout=60))
        for n in range(5):
            assert receiver.post(notification(f"A{n}")).status == 200
        receiver.settle()
        assert len(receiver.alerts()) == 5

    assert receiver.metric("stormcell_connections_limit") == few - 128
    assert receiver.metric("stormcell_event_loop_faults_total") == 0
    assert receiver.stop() == 0


PEAK = """
import sys
from receiver.core import payload
from receiver.core.errors import SenderError
from receiver.core.identity import IdentitySettings
try:
    payload.parse(eval(sys.argv[1]), IdentitySettings())
except SenderError as error:
    print(error.status)
# Not ru_maxrss, which begins with that of the process that started this one.
with open("/proc/self/status") as status:
    print(int(next(line for line in status if line.startswith("VmHWM")).split()[1]) // 1024)
"""

BODIES = {
    "lists": """b'{"a":[' + b'[],' * (16 * 2**20 // 3) + b'1]}'""",
    "objects": """b'{"a":[' + b'{},' * (16 * 2**20 // 3) + b'1]}'""",
    "short texts": """b'{"a":[' + b'"ab",' * (2**23 // 5) + b'1]}'""",
    "one long text": """b'{"a":"' + b'x' * 2**24 + b'"}'""",
    "labels": """b'{"version":"4","alerts":[{"status":"firing","labels":{'"""
    """ + b','.join(b'"l%x":"%x"' % (n, n) for n in range(2**19)) + b'}}]}'""",
}


@pytest.mark.parametrize("content", BODIES.values(), ids=BODIES)
def test_a_body_takes_a_bounded_multiple_of_its_size(content: str) -> None:
    """Eight or sixteen MiB of whatever it is; sixteen of empty lists were once five hundred."""
    told = subprocess.run(
        [sys.executable, "-c", PEAK, content], check=True, capture_output=True, text=True
    )
    *code, peak = told.stdout.split()

    assert code in ([], ["400"], ["413"])
    assert int(peak) < 300
