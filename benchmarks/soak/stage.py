"""The receiver under test, and the ways to act on it from outside."""

from __future__ import annotations

import asyncio
import json
import os
import random
import re
import signal
from pathlib import Path
from typing import Any

import aiohttp

from benchmarks.soak import inside
from benchmarks.soak.ledger import NO_ANSWER, TAKEN, Attempt, Ledger
from receiver.config import EmbeddingSettings
from receiver.embedding import cache
from tests.support.processes import ReceiverProcess
from tests.support.waiting import until

CONFIGURATION = "intake: {{max_body_bytes: {size}}}\n"

TIMEOUT_SECONDS = 10.0
"""Alertmanager's least deadline for a notification."""

_AGAIN_SECONDS, _MOST_SECONDS = 0.5, 5.0
"""First and longest pause before a notification is repeated."""

START_SECONDS = 180.0
"""For a start, on a machine that may have much else to do."""


class Stage:
    """A receiver in a folder of its own, asked and told by HTTP, signals and its files.

    Attributes:
        ledger: What was posted to it.
        scraped: The samples of its latest exposition; empty while it does not answer.
        wrong: What was seen that must not be, in words.
        last_command: Seq of the latest operator's word that the stream told of.
        session: Connections to it; set before anything is sent.
    """

    session: aiohttp.ClientSession

    def __init__(self, folder: Path, *, real_model: bool) -> None:
        """Prepare *folder*, with the real model or with the hashing embedder."""
        folder.mkdir(parents=True, exist_ok=True)
        self._control = folder / "control.json"
        self.config = folder / "stormcell.yml"
        self.model = folder / "model" if real_model else None
        self.ledger = Ledger()
        self.scraped: dict[str, float] = {}
        self.wrong: list[str] = []
        self.last_command = 1
        self.fail()
        self.configure("64MiB")
        self.settings = {"embedding.backend": "hashing"}
        if self.model is not None:
            _link(cache.place_of(EmbeddingSettings()), self.model)
            self.settings = {"embedding.backend": "onnx", "embedding.model": str(self.model)}
        environment = {inside.VARIABLE: str(self._control)}
        self.receiver = ReceiverProcess(folder, settings=self.settings, environment=environment)
        assert self.receiver.command[2] == "receiver"
        self.receiver.command[2] = "benchmarks.soak.inside"
        self.receiver.command.append(f"--config.file={self.config}")

    # -- its life --------------------------------------------------------------------------------

    def launch(self) -> None:
        """Begin another life."""
        self.ledger.life += 1
        self.scraped = {}
        self.receiver.launch()

    async def ready(self) -> None:
        """Wait until it is ready; raise if it ended instead."""
        await until(self._is_ready, "the receiver to be ready", patience_seconds=START_SECONDS)

    def _is_ready(self) -> bool:
        if not self.receiver.running:
            raise RuntimeError(f"it ended by itself:\n{self.log_since(0)[-3000:]}")
        return self.scraped.get("stormcell_ready") == 1

    async def stop(self) -> None:
        """End it by SIGTERM, which it must follow with code 0."""
        code = await asyncio.to_thread(self.receiver.stop)
        if code != 0:
            self.wrong.append(f"SIGTERM: it ended with code {code}")

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        os.kill(self.receiver.pid, number)

    def log_size(self) -> int:
        """Return the bytes that it has logged."""
        return self.receiver.log.stat().st_size

    def log_since(self, place: int) -> str:
        """Return what it has logged from byte *place* on."""
        with self.receiver.log.open("rb") as log:
            log.seek(place)
            return log.read().decode(errors="replace")

    # -- its files -------------------------------------------------------------------------------

    def fail(self, **how: object) -> None:
        """Have clock and model fail as told (see `inside`), and else not."""
        fresh = self._control.with_suffix(".new")
        fresh.write_text(json.dumps(how), encoding="utf-8")
        fresh.rename(self._control)

    def configure(self, max_body_bytes: str) -> None:
        """Write its configuration file, which it reads at a start and when told to."""
        self.config.write_text(CONFIGURATION.format(size=max_body_bytes), encoding="utf-8")

    # -- its API ---------------------------------------------------------------------------------

    async def post(self, body: bytes, alerts: int) -> int:
        """Post *body*, which holds so many *alerts*; return the status, 0 for no answer."""
        attempt: Attempt = self.ledger.begin(alerts)
        status = NO_ANSWER
        try:
            headers = {"Content-Type": "application/json"}
            url = self.receiver.webhook_url
            async with self.session.post(url, data=body, headers=headers) as answer:
                await answer.read()
                status = answer.status
        except (aiohttp.ClientError, OSError, TimeoutError):
            pass
        finally:
            self.ledger.end(attempt, status)
        return status

    async def deliver(self, body: bytes, alerts: int, chance: random.Random) -> None:
        """Post *body* until it is taken, as Alertmanager does."""
        pause = _AGAIN_SECONDS
        while await self.post(body, alerts) != TAKEN:
            await asyncio.sleep(pause * chance.uniform(0.5, 1.5))
            pause = min(pause * 1.5, _MOST_SECONDS)

    async def call(self, method: str, path: str, document: Any = None) -> tuple[int, Any]:
        """Call the API; return the status, 0 for no answer, and the JSON."""
        try:
            url = f"{self.receiver.url}{path}"
            async with self.session.request(method, url, json=document) as answer:
                text = await answer.text()
                told = json.loads(text) if answer.content_type == "application/json" else text
                return answer.status, told
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError):
            return NO_ANSWER, None

    async def scrape(self) -> None:
        """Read its metrics, and hold its count of webhooks against ours."""
        ledger = self.ledger
        life, least = ledger.life, ledger.taken()
        try:
            async with self.session.get(f"{self.receiver.url}/metrics") as answer:
                text = await answer.text() if answer.status == 200 else ""
        except (aiohttp.ClientError, OSError, TimeoutError):
            text = ""
        if life != ledger.life:
            return
        self.scraped = samples(text)
        if not text:
            return
        counted, most = self.scraped[TAKEN_SERIES], ledger.taken() + ledger.unclear()
        if not least <= counted <= most:
            self.wrong.append(f"counted {counted:.0f} webhooks taken, there were {least} to {most}")


TAKEN_SERIES = 'stormcell_webhook_requests_total{code="200"}'

_SAMPLE = re.compile(r"^(stormcell_[^ ]*(?:\{.*\})?) ([^ ]+)$", re.MULTILINE)


def samples(exposition: str) -> dict[str, float]:
    """Return the samples of *exposition*, by name and labels as written."""
    return {series: float(value) for series, value in _SAMPLE.findall(exposition)}


def _link(model: Path, place: Path) -> None:
    """Make *place* a folder of links to the files of *model*, one of which can be taken away."""
    place.mkdir(exist_ok=True)
    for file in model.iterdir():
        (place / file.name).symlink_to(file.resolve())
