"""Small HTTP servers in a thread of the test: a pager that notes what rings, and a site that breaks."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Iterable, Mapping
from typing import Any

from aiohttp import web

from tests.support.processes import HOST
from tests.support.waiting import PATIENCE_SECONDS

LARGEST_BODY = 64 * 2**20

Gauge = tuple[str, tuple[tuple[str, str], ...]]
"""A series: the name of its metric, its labels."""


class HttpStub:
    """An aiohttp server on a loopback port of its own, from `start` to `stop`."""

    def __init__(self) -> None:
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._app = web.Application(client_max_size=LARGEST_BODY)
        self._runner = web.AppRunner(self._app, access_log=None)

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://{HOST}:{self.port}"

    def start(self) -> None:
        """Listen."""
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(PATIENCE_SECONDS)

    def stop(self) -> None:
        """Listen no more."""
        asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result(
            PATIENCE_SECONDS
        )
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _listen(self) -> None:
        await self._runner.setup()
        await web.TCPSite(self._runner, HOST, 0).start()
        self.port = self._runner.addresses[0][1]


class Pager(HttpStub):
    """Stands in for a paging service: a page is a group's key that it has not seen before.

    `/page` rings, `/message` does not. Services like PagerDuty fold by the same key. It leaves out
    acknowledgement, escalation and repeats, and that a page that was resolved may ring again.
    """

    def __init__(self) -> None:
        """Have no pages yet."""
        super().__init__()
        self.pages: dict[str, dict[str, Any]] = {}
        """The first notification by its group's key, with the `time.monotonic` of its receipt as `at`."""
        self.alerts: dict[str, set[str]] = {}
        """Fingerprints ever seen to fire on a page, by its group's key."""
        self.notified = 0
        """Requests taken, of pages and messages."""
        self._app.router.add_post("/page", self._page)
        self._app.router.add_post("/message", self._message)

    def names(self) -> set[str]:
        """Return the alert names by which pages are grouped."""
        return {page["groupLabels"].get("alertname", "") for page in list(self.pages.values())}

    async def _page(self, request: web.Request) -> web.Response:
        self.notified += 1
        told = await request.json()
        firing = {a["fingerprint"] for a in told["alerts"] if a["status"] == "firing"}
        if firing:
            key = told["groupKey"]
            self.alerts.setdefault(key, set()).update(firing)
            self.pages.setdefault(key, {**told, "at": time.monotonic()})
        return web.Response()

    async def _message(self, request: web.Request) -> web.Response:
        self.notified += 1
        await request.read()
        return web.Response()


class Exporter(HttpStub):
    """Exports gauges whose values are set from outside."""

    def __init__(self) -> None:
        """Export nothing."""
        super().__init__()
        self._gauges: dict[Gauge, float] = {}
        self._app.router.add_get("/metrics", self._metrics)

    def set(self, gauges: Mapping[Gauge, float]) -> None:
        """Let *gauges* have these values from the next scrape on, those of before too."""
        # One assignment: the other thread sees all of them or none.
        self._gauges = {**self._gauges, **gauges}

    def clear(self) -> None:
        """Export nothing from the next scrape on."""
        self._gauges = {}

    async def _metrics(self, request: web.Request) -> web.Response:
        lines = []
        for (name, labels), value in self._gauges.items():
            pairs = ",".join(f'{label}="{text}"' for label, text in labels)
            lines.append(f"{name}{{{pairs}}} {value:g}")
        return web.Response(text="\n".join(lines) + "\n")


class Site(Exporter):
    """Stands in for all exporters of a site: what is broken is a series `broken` of value 1.

    It leaves out what is well, and every metric that says why.
    """

    def breaks(self, things: Iterable[Mapping[str, str]]) -> None:
        """Let *things* be broken from the next scrape on; each is the labels of its series."""
        self.set({("broken", tuple(thing.items())): 1 for thing in things})

    def mends(self) -> None:
        """Let nothing be broken from the next scrape on."""
        self.clear()


def site_rules(summaries: Mapping[str, str]) -> str:
    """Return rules for a `Site`: an alert for each name in *summaries*, and Watchdog."""
    rules: list[dict[str, Any]] = [
        {
            "alert": name,
            "expr": f'broken{{what="{name}"}} == 1',
            "annotations": {"summary": summary},
        }
        for name, summary in summaries.items()
    ]
    rules.append({"alert": "Watchdog", "expr": "vector(1)", "labels": {"severity": "none"}})
    return json.dumps({"groups": [{"name": "site", "interval": "1s", "rules": rules}]})
