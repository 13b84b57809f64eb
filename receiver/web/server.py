"""Routes, and the listening socket."""

from __future__ import annotations

import time
from collections.abc import Callable

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST

from receiver.config import Config, split_address
from receiver.web import errors
from receiver.web.api import Api
from receiver.web.parts import Intake, Metrics, Queries, Room, Worker
from receiver.web.webhook import Webhook

_BACKLOG = 1024
"""Connections the kernel holds for us; with more, asyncio tries as often when it has no descriptor."""


class Server:
    """The HTTP server."""

    def __init__(
        self,
        config: Config,
        *,
        intake: Intake,
        room: Room,
        worker: Worker,
        queries: Queries,
        metrics: Metrics,
        clock: Callable[[], int],
    ) -> None:
        """Put the parts behind their paths; `start` listens."""
        self._address = split_address(config.web.listen_address)
        self._worker = worker
        self._metrics = metrics
        self._closing = False
        self.webhook = Webhook(
            config.intake, config.identity, intake=intake, room=room, metrics=metrics
        )
        self._api = Api(
            config, queries=queries, worker=worker, clock=clock, seconds=time.perf_counter
        )
        self._runner = web.AppRunner(
            self._application(), access_log=None, handler_cancellation=True, shutdown_timeout=2
        )
        self.url = ""

    def _application(self) -> web.Application:
        app = web.Application(middlewares=[errors.middleware], client_max_size=2**20)
        api = self._api
        app.add_routes(
            [
                web.post("/api/v1/webhook", self.webhook.post),
                web.route("*", "/api/v1/webhook", self.webhook.refuse),
                web.get("/api/v1/clusters", api.clusters),
                web.get("/api/v1/clusters/{id}", api.cluster),
                web.get("/api/v1/alerts", api.alerts),
                web.get("/api/v1/alerts/{fingerprint}", api.alert),
                web.get("/api/v1/events", api.events),
                web.get("/api/v1/stats", api.stats),
                web.post("/api/v1/classify", api.classify),
                web.get("/metrics", self._show_metrics),
                web.get("/-/healthy", self._healthy),
                web.get("/-/ready", self._ready),
            ]
        )
        return app

    async def start(self) -> None:
        """Listen.

        Raises:
            OSError: The address is in use, or is not this machine's.
        """
        await self._runner.setup()
        host, port = self._address
        await web.TCPSite(self._runner, host, port, backlog=_BACKLOG).start()
        bound = self._runner.addresses[0]
        shown = f"[{bound[0]}]" if ":" in bound[0] else bound[0]
        self.url = f"http://{shown}:{bound[1]}"

    async def close(self) -> None:
        """Stop listening and let go of every connection."""
        self._closing = True
        await self._runner.cleanup()
        self.webhook.close()
        self._api.close()

    async def _show_metrics(self, request: web.Request) -> web.Response:
        return web.Response(
            body=self._metrics.render(), headers={"Content-Type": CONTENT_TYPE_LATEST}
        )

    async def _healthy(self, request: web.Request) -> web.Response:
        return web.Response(text="Stormcell is healthy.\n")

    async def _ready(self, request: web.Request) -> web.Response:
        if self._closing or not self._worker.restored:
            return web.Response(status=503, text="Stormcell is not ready.\n")
        return web.Response(text="Stormcell is ready.\n")
