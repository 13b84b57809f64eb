"""What the demo asks the receiver, by its public API, as anybody could."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp

from receiver.demo.errors import DemoError

_PAGE = 1000


@dataclass(frozen=True)
class Ledger:
    """What became of what was received.

    Attributes:
        notifications: Webhooks taken.
        alerts: Alerts in them, repeats included.
        firings: Episodes they told of.
        clusters: Alert clusters these were put in.
        storms: Times in which they came far above the usual.
    """

    notifications: int = 0
    alerts: int = 0
    firings: int = 0
    clusters: int = 0
    storms: int = 0


class View:
    """Reads the API at one address."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        """Ask the receiver at *url*."""
        self._session = session
        self._url = url

    async def _get(self, path: str, **query: str | int) -> Any:
        """Return the answer's JSON; None where there is nothing yet."""
        try:
            async with self._session.get(f"{self._url}{path}", params=query) as response:
                if response.status == 404:
                    return None
                if response.status != 200:
                    text = (await response.text())[:300]
                    raise DemoError(f"{path} was answered {response.status}: {text}")
                return await response.json()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise DemoError(f"the receiver does not answer at {path}: {error}") from error

    async def _all(self, path: str, **query: str | int) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while True:
            page = await self._get(path, limit=_PAGE, **query)
            found += page["items"]
            if page["next"] is None:
                return found
            query["cursor"] = page["next"]

    async def clusters(self) -> list[dict[str, Any]]:
        """Return all clusters there ever were."""
        return await self._all("/api/v1/clusters", state="all")

    async def episodes(self) -> list[dict[str, Any]]:
        """Return all alerts ever kept, one item a firing."""
        return await self._all("/api/v1/alerts")

    async def ledger(self) -> Ledger:
        """Return how many notifications became how many clusters."""
        stats = await self._get("/api/v1/stats")
        if stats is None:
            return Ledger()
        told = stats["ledger"]
        names = ("notifications", "alerts", "episodes", "clusters", "storms")
        return Ledger(*(told[name] for name in names))

    async def storms(self) -> list[dict[str, Any]]:
        """Return all storms there were, the first one first."""
        return (await self._all("/api/v1/storms"))[::-1]

    async def has_page(self) -> bool:
        """Return whether the receiver has a page for browsers."""
        async with self._session.get(f"{self._url}/") as response:
            return response.status == 200


@contextlib.asynccontextmanager
async def view(url: str) -> AsyncIterator[View]:
    """Ask the receiver at *url* while the context lasts."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=15)) as session:
        yield View(session, url)
