"""The scenario told to an Alertmanager that is there already."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from receiver.core.settings import ConfigError
from receiver.demo import load
from receiver.demo.errors import DemoError
from receiver.demo.scenario import build_scenario


class Told:
    """Takes alerts as an Alertmanager's API does, and keeps them; it sends nothing on."""

    def __init__(self, status: int = 200) -> None:
        self.alerts: list[dict[str, Any]] = []
        self._status = status

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/api/v2/alerts", self._post)
        return app

    async def _post(self, request: web.Request) -> web.Response:
        self.alerts += await request.json()
        return web.Response(status=self._status)


async def test_the_whole_scenario_is_told() -> None:
    told = Told()
    async with TestServer(told.app()) as server:
        code = await load(str(server.make_url("/")), seconds=3)
    labels = [alert["labels"] for alert in told.alerts]
    sent = {tuple(sorted({**x, "prometheus_replica": ""}.items())) for x in labels}
    meant = {
        tuple(sorted({**firing.labels, "prometheus_replica": ""}.items()))
        for firing in build_scenario().firings
    }

    assert code == 0
    assert sent == meant
    assert {x["prometheus_replica"] for x in labels} == {"a", "b"}


async def test_an_alertmanager_that_refuses_ends_it_with_what_it_said() -> None:
    async with TestServer(Told(status=400).app()) as server:
        with pytest.raises(DemoError, match="refused alerts"):
            await load(str(server.make_url("/")), seconds=3)


async def test_too_short_is_refused() -> None:
    with pytest.raises(ConfigError, match="--seconds"):
        await load("http://127.0.0.1:9", seconds=1)
