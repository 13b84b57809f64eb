"""Routes, and the listening socket."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST

from receiver.config import Config, split_address
from receiver.web import errors, page
from receiver.web.access import Access, Role
from receiver.web.api import Api
from receiver.web.openapi import Description
from receiver.web.parts import Feed, Intake, Metrics, Queries, Room, Worker
from receiver.web.routes import Call, routes
from receiver.web.stream import Stream
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
        feed: Feed,
        access: Access,
        clock: Callable[[], int],
        status: Callable[[], Mapping[str, Any]],
    ) -> None:
        """Put the parts behind their paths; `start` listens."""
        self._settings = config.web
        self._address = split_address(config.web.listen_address)
        self._worker = worker
        self._metrics = metrics
        self._closing = False
        self._access = access
        self.webhook = Webhook(
            config.intake,
            config.identity,
            intake=intake,
            room=room,
            metrics=metrics,
            clock=clock,
        )
        self._api = Api(
            config,
            queries=queries,
            worker=worker,
            clock=clock,
            seconds=time.perf_counter,
            status=status,
            issue_ticket=self._access.issue_ticket,
            external_url=lambda: self.external_url,
        )
        self._stream = Stream(feed)
        self._description = Description(lambda: self.external_url)
        self._runner = web.AppRunner(
            self._application(), access_log=None, handler_cancellation=True, shutdown_timeout=2
        )
        self.url = ""

    def calls(self) -> list[Call]:
        """Return every call of the API, and the page's files."""
        api, webhook, stream = self._api, self.webhook, self._stream
        return [
            Call("POST", "/api/v1/webhook", Role.WEBHOOK, webhook.post),
            Call("*", "/api/v1/webhook", None, webhook.refuse),
            Call("POST", "/api/v2/alerts", Role.WEBHOOK, webhook.post_alerts),
            Call("GET", "/api/v1/clusters", Role.READ, api.clusters),
            Call("GET", "/api/v1/clusters/{id}", Role.READ, api.cluster),
            Call("PATCH", "/api/v1/clusters/{id}", Role.OPERATOR, api.update_cluster),
            Call("POST", "/api/v1/clusters/{id}/merge", Role.OPERATOR, api.merge_cluster),
            Call("POST", "/api/v1/clusters/{id}/split", Role.OPERATOR, api.split_cluster),
            Call("POST", "/api/v1/undo/{seq}", Role.OPERATOR, api.undo),
            Call("GET", "/api/v1/alerts", Role.READ, api.alerts),
            Call("GET", "/api/v1/alerts/{fingerprint}", Role.READ, api.alert),
            Call("GET", "/api/v1/similar", Role.READ, api.similar),
            Call("GET", "/api/v1/events", Role.READ, api.events),
            Call("GET", "/api/v1/storms", Role.READ, api.storms),
            Call("GET", "/api/v1/timeline", Role.READ, api.timeline),
            Call("GET", "/api/v1/stats", Role.READ, api.stats),
            Call("POST", "/api/v1/classify", Role.READ, api.classify),
            Call("POST", "/api/v1/tickets", Role.READ, api.ticket),
            Call("GET", "/api/v1/stream", Role.READ, stream.websocket, ticket=True),
            Call("GET", "/api/v1/stream.ndjson", Role.READ, stream.lines, ticket=True),
            Call("GET", "/api/v1/openapi.json", None, self._description.show),
            Call("GET", "/metrics", Role.READ, self._show_metrics),
            Call("GET", "/-/healthy", None, self._healthy),
            Call("GET", "/-/ready", None, self._ready),
            *(Call("GET", path, None, handler) for path, handler in page.handlers()),
        ]

    def _application(self) -> web.Application:
        app = web.Application(middlewares=[errors.middleware], client_max_size=2**20)
        prefix = self._settings.prefix
        app.add_routes(routes(self.calls(), prefix, self._access))
        if prefix:
            elsewhere = page.redirect(f"{prefix}/")
            app.add_routes([web.get("/", elsewhere), web.get(prefix, elsewhere)])
        app.on_response_prepare.append(_harden)
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
        self.url = f"http://{shown}:{bound[1]}{self._settings.prefix}"

    @property
    def external_url(self) -> str:
        """Under which address browsers reach the page, without a slash at its end."""
        return (self._settings.external_url or self.url).rstrip("/")

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


async def _harden(request: web.Request, response: web.StreamResponse) -> None:
    """Keep browsers from guessing that an answer is something else, and from keeping it."""
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers.setdefault("Cache-Control", "no-store")
