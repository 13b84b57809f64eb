"""POST /-/reload: the configuration is read again, what can be applied is, the rest is named."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web

from receiver.config import Reloaded
from receiver.core.errors import Forbidden
from receiver.core.settings import ConfigError

Reload = Callable[[], Reloaded]


class Reloading:
    """Answers as Prometheus does."""

    def __init__(self, enabled: bool, reload: Reload) -> None:
        """Call *reload*, which raises ConfigError, if that is *enabled*."""
        self._enabled = enabled
        self._reload = reload

    async def post(self, request: web.Request) -> web.Response:
        """POST /-/reload."""
        if not self._enabled:
            raise Forbidden("the lifecycle API is not enabled (web.enable_lifecycle)")
        try:
            reloaded = self._reload()
        except ConfigError as error:
            return web.Response(status=500, text=f"failed to reload config: {error}\n")
        return web.Response(text=reloaded.told())
