"""Routes, and the listening socket."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from prometheus_client import CONTENT_TYPE_LATEST

from receiver.config import Config, split_address
from receiver.web import errors, page
from receiver.web.access import Access, Role
from receiver.web.api import Api
from receiver.web.connections import Connection, Connections
from receiver.web.listener import Listener
from receiver.web.openapi import Description
from receiver.web.parts import Feed, Intake, Metrics, Queries, Room, Worker
from receiver.web.reload import Reload, Reloading
from receiver.web.routes import Call, routes
from receiver.web.sessions import Sessions
from receiver.web.stream import Stream
from receiver.web.tickets import Tickets
from receiver.web.webconfig import WebFile
from receiver.web.webhook import Webhook

log = logging.getLogger(__name__)

_SECURITY = {
    # An answer that is no page may do nothing, wherever it is shown.
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""On every answer that does not say otherwise."""


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
        connections: Connections,
        tickets: Tickets,
        file: WebFile,
        reload: Reload,
        clock: Callable[[], int],
        status: Callable[[], Mapping[str, Any]],
    ) -> None:
        """Put the parts behind their paths; `start` listens."""
        self._file = file
        self.closing = False
        self._settings = config.web
        self._address = split_address(config.web.listen_address)
        self._worker = worker
        self._metrics = metrics
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
            issue_ticket=tickets.issue,
            external_url=lambda: self.external_url,
            read_timeout=lambda: self.webhook.settings.read_timeout,
        )
        self._sessions = Sessions(
            lambda credential: self.access.admits(credential, Role.READ),
            lambda: self.access.look(),
        )
        self._stream = Stream(feed, self._sessions)
        self._reloading = Reloading(config.web.enable_lifecycle, reload)
        self._description = Description(lambda: self.external_url)
        self._connections = connections
        self._runner = web.AppRunner(
            self._application(), handler_cancellation=True, shutdown_timeout=2
        )
        self._listener = Listener(connections, self._connection, file.tls)
        self._reviewing: asyncio.Task[None] | None = None
        self.url = ""

    @property
    def access(self) -> Access:
        """What decides who may do what."""
        return self._access

    @access.setter
    def access(self, access: Access) -> None:
        """Have *access* decide from now on, also of those that were let in before."""
        self._access = access
        self._sessions.review()

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
            Call("POST", "/-/reload", Role.OPERATOR, self._reloading.post),
            Call("GET", "/-/healthy", None, self._healthy),
            Call("GET", "/-/ready", None, self._ready),
            *(Call("GET", path, None, handler) for path, handler in page.handlers()),
        ]

    def _application(self) -> web.Application:
        middlewares = [
            self._connections.middleware(),
            errors.middleware(self._metrics.failed),
        ]
        app = web.Application(middlewares=middlewares, client_max_size=2**20)
        prefix = self._settings.prefix
        app.add_routes(routes(self.calls(), prefix, lambda: self.access, self._metrics.refused))
        if prefix:
            elsewhere = page.redirect(f"{prefix}/")
            app.add_routes([web.get("/", elsewhere), web.get(prefix, elsewhere)])
        app.on_response_prepare.append(self._harden)
        return app

    async def start(self) -> None:
        """Listen.

        Raises:
            OSError: The address is in use, or is not this machine's.
        """
        await self._runner.setup()
        host, port = await self._listener.start(*self._address)
        self._reviewing = asyncio.create_task(self._sessions.watch())
        shown = f"[{host}]" if ":" in host else host
        scheme = "http" if self._file.tls is None else "https"
        self.url = f"{scheme}://{shown}:{port}{self._settings.prefix}"

    def _connection(self) -> Connection:
        server = self._runner.server
        assert server is not None
        logger = _unreadable(logging.getLogger(f"{__name__}.http"))
        return self._connections.make(server, access_log=None, logger=logger)

    @property
    def external_url(self) -> str:
        """Under which address browsers reach the page, without a slash at its end."""
        return (self._settings.external_url or self.url).rstrip("/")

    async def close(self) -> None:
        """Stop listening and let go of every connection."""
        self.closing = True
        await self._listener.close()
        if self._reviewing is not None:
            self._reviewing.cancel()
            await asyncio.gather(self._reviewing, return_exceptions=True)
        await self._runner.cleanup()
        self.webhook.close()
        self._api.close()

    async def _harden(self, request: web.Request, response: web.StreamResponse) -> None:
        """Keep browsers from guessing, keeping, framing and telling; say which credentials we take."""
        headers = response.headers
        for name, value in _SECURITY.items():
            headers.setdefault(name, value)
        headers.update(self._file.now.headers)
        # Which versions of what we run is nobody's concern.
        headers["Server"] = "stormcell"
        if response.status == 401:
            headers["WWW-Authenticate"] = self.access.challenge
        if not self.access.trusts(request):
            response.force_close()
            headers["Connection"] = "close"

    async def _show_metrics(self, request: web.Request) -> web.Response:
        return web.Response(
            body=self._metrics.render(), headers={"Content-Type": CONTENT_TYPE_LATEST}
        )

    async def _healthy(self, request: web.Request) -> web.Response:
        return web.Response(text="Stormcell is healthy.\n")

    async def _ready(self, request: web.Request) -> web.Response:
        if self.closing or not self._worker.restored:
            return web.Response(status=503, text="Stormcell is not ready.\n")
        return web.Response(text="Stormcell is ready.\n")


def _unreadable(logger: logging.Logger) -> logging.Logger:
    """Have *logger*, which aiohttp tells of requests it cannot read, not repeat what was in them.

    It logs the bytes at fault with a stack trace: a header with a control character in it, and so a
    token that was copied with its line break.
    """

    def without_content(record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, web.RequestPayloadError):
            # A body that is no gzip, say: it was answered, and this is the rest of it being read.
            return False
        if isinstance(error, HttpProcessingError):
            record.exc_info = None
            record.levelno, record.levelname = logging.WARNING, "WARNING"
            record.msg, record.args = "a request cannot be read", ()
            record.err = type(error).__name__
        return True

    logger.filters[:] = [without_content]
    return logger
