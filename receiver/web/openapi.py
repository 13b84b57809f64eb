"""GET /api/v1/openapi.json: what the API is, for programs.

The document beside this file is written by hand; here it only gets to know where and what this
server is. tests/web/test_openapi.py holds it against the server.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from aiohttp import web

from receiver import __version__

PATH = Path(__file__).with_name("openapi.json")


class Description:
    """Serves the document."""

    def __init__(self, external_url: Callable[[], str]) -> None:
        """Read it, once.

        Args:
            external_url: Under which address browsers reach the page, without a slash at its end.
        """
        self._document = json.loads(PATH.read_text(encoding="utf-8"))
        self._external_url = external_url

    async def show(self, request: web.Request) -> web.Response:
        """GET /api/v1/openapi.json."""
        info = {**self._document["info"], "version": __version__}
        (server,) = self._document["servers"]
        servers = [{**server, "url": self._external_url()}]
        return web.json_response({**self._document, "info": info, "servers": servers})
