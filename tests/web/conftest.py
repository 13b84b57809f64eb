"""A whole receiver, with the hashing embedder, in this process; over HTTP."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from receiver.app import App, running
from receiver.config import load


class Client:
    """Asks a running app."""

    def __init__(self, app: App, session: aiohttp.ClientSession) -> None:
        self.app = app
        self.session = session

    @property
    def url(self) -> str:
        return self.app.server.url

    async def call(
        self, method: str, path: str, *, token: str = "", **options: Any
    ) -> tuple[int, Any]:
        """Return status and body of an answer; JSON is read."""
        headers = dict(options.pop("headers", {}))
        if token:
            headers["Authorization"] = f"Bearer {token}"
        url = self.url + path
        async with self.session.request(method, url, headers=headers, **options) as answer:
            text = await answer.text()
            is_json = answer.content_type == "application/json"
            return answer.status, json.loads(text) if is_json else text

    async def post(self, content: Any, path: str = "/api/v1/webhook") -> tuple[int, Any]:
        content = io.BytesIO(content) if isinstance(content, bytes) else content
        return await self.call("POST", path, data=content)

    async def get(self, path: str) -> tuple[int, Any]:
        return await self.call("GET", path)

    async def items(self, path: str) -> list[Any]:
        status, document = await self.get(path)
        assert status == 200, document
        items: list[Any] = document["items"]
        return items

    async def settled(self) -> None:
        """Return when all that was answered 200 is applied, and told to the stream."""
        await self.until(lambda: not self.app.writer._pending)
        seq = self.app.queries.last_seq()
        await self.until(lambda: self.app.feed.seq >= seq)

    async def until(self, true: Callable[[], bool]) -> None:
        """Return when *true* is."""
        for _ in range(3000):
            if true():
                return
            await asyncio.sleep(0.01)
        raise AssertionError("waited in vain")


Start = Callable[..., contextlib.AbstractAsyncContextManager[Client]]


@pytest.fixture
def start(tmp_path: Path) -> Start:
    """Runs a receiver with settings, as `--set` takes them, while the context lasts."""

    @contextlib.asynccontextmanager
    async def started(*overrides: str) -> AsyncIterator[Client]:
        config = load(
            None,
            [
                f"storage.path={json.dumps(str(tmp_path / 'data'))}",
                "web.listen_address='127.0.0.1:0'",
                "embedding.backend=hashing",
                "intake.max_body_bytes=1MiB",
                "intake.max_wait=2s",
                *overrides,
            ],
        )
        async with running(config) as app, aiohttp.ClientSession() as session:
            client = Client(app, session)
            await client.until(lambda: app.worker.restored and app.worker.embedder_ready)
            yield client

    return started


@pytest.fixture
async def client(start: Start) -> AsyncIterator[Client]:
    """Asks a receiver with small limits."""
    async with start() as made:
        yield made
