"""Runs a real Alertmanager for the demo, with a folder, a port and a configuration of its own."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp

from receiver.demo.errors import DemoError
from receiver.demo.prometheus import PostedAlert

_NAMES = ("prometheus-alertmanager", "alertmanager")
"""What the binary is called: in Debian's package, and everywhere else."""

_START_SECONDS = 20.0
_STOP_SECONDS = 5.0
_CONFIG = """\
route:
  receiver: stormcell
  group_by: [alertname, namespace]
  group_wait: {wait_ms}ms
  group_interval: {interval_ms}ms
receivers:
  - name: stormcell
    webhook_configs:
      - url: {url}
        send_resolved: true
        max_alerts: 0
"""


def find_binary() -> str | None:
    """Return the path of an Alertmanager on this machine; None if there is none."""
    return next((found for name in _NAMES if (found := shutil.which(name))), None)


class Alertmanager:
    """A running Alertmanager."""

    def __init__(self, url: str, version: str, session: aiohttp.ClientSession) -> None:
        """Speak to the one at *url*."""
        self.url = url
        self.version = version
        self._session = session

    async def post(self, alerts: list[PostedAlert]) -> None:
        """Hand over *alerts*, as Prometheus does."""
        if not alerts:
            return
        try:
            async with self._session.post(f"{self.url}/api/v2/alerts", json=alerts) as response:
                if response.status != 200:
                    text = (await response.text())[:300]
                    raise DemoError(f"Alertmanager refused alerts ({response.status}): {text}")
        except (aiohttp.ClientError, TimeoutError) as error:
            raise DemoError(f"Alertmanager at {self.url} does not answer: {error}") from error


@contextlib.asynccontextmanager
async def alertmanager(
    binary: str, folder: Path, webhook_url: str, *, wait: float, interval: float
) -> AsyncIterator[Alertmanager]:
    """Run *binary* while the context lasts.

    Args:
        binary: Path of the executable.
        folder: For its configuration, data and log; must exist.
        webhook_url: Where it posts notifications.
        wait: Its group_wait, seconds.
        interval: Its group_interval, seconds.

    Raises:
        DemoError: It does not start.
    """
    config, logfile = folder / "alertmanager.yml", folder / "alertmanager.log"
    config.write_text(
        _CONFIG.format(
            wait_ms=max(1, round(wait * 1000)),
            interval_ms=max(1, round(interval * 1000)),
            url=json.dumps(webhook_url),
        )
    )
    url = f"http://127.0.0.1:{_free_port()}"
    with logfile.open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            binary,
            f"--config.file={config}",
            f"--storage.path={folder / 'alertmanager'}",
            f"--web.listen-address={url.removeprefix('http://')}",
            "--cluster.listen-address=",
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            # Ctrl-C in a terminal reaches a whole process group; we stop it ourselves, in order.
            start_new_session=True,
        )
    try:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session:
            version = await _started(process, session, url, logfile)
            yield Alertmanager(url, version, session)
    finally:
        await _stop(process)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def _started(
    process: asyncio.subprocess.Process, session: aiohttp.ClientSession, url: str, logfile: Path
) -> str:
    """Wait until *process* answers; return its version."""
    deadline = asyncio.get_running_loop().time() + _START_SECONDS
    while process.returncode is None and asyncio.get_running_loop().time() < deadline:
        with contextlib.suppress(aiohttp.ClientError, TimeoutError):
            async with session.get(f"{url}/api/v2/status") as response:
                if response.status == 200:
                    status = await response.json()
                    return str(status["versionInfo"]["version"])
        await asyncio.sleep(0.05)
    said = await asyncio.to_thread(logfile.read_text, errors="replace")
    lines = said.strip().splitlines()
    raise DemoError(f"Alertmanager did not start: {lines[-1] if lines else 'it said nothing'}")


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), _STOP_SECONDS)
    except (TimeoutError, asyncio.CancelledError):
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
