"""Everything at once: senders, readers, operators. Each goes on until it is told to stop."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

from benchmarks import texts
from benchmarks.soak.stage import Stage
from benchmarks.soak.story import Story

_BEHIND_SECONDS = 5.0
"""A sender that was held up does not make good for more than this."""

_PAIR = 0.1
"""Share of notifications that both of a pair of Alertmanagers send, at the same moment."""

_PATHS = (
    *("/api/v1/clusters", "/api/v1/clusters?state=all&limit=50", "/api/v1/alerts?limit=100"),
    *("/api/v1/events?after=0&limit=200", "/api/v1/stats", "/api/v1/storms", "/api/v1/timeline"),
    *("/api/v1/similar?q=disk+is+full", "/api/v1/alerts?q=checkout&limit=20", "/", "/-/ready"),
)

Call = tuple[float, float, str, int]
"""When it began and ended, what, and the status."""


class Load:
    """All that goes on, but for faults and the stream.

    Attributes:
        calls: Calls of the API that were answered neither 200 nor 404.
        answered: How many by status.
    """

    def __init__(self, stage: Stage, stories: list[Story], *, rate: float, seed: int) -> None:
        """Tell *stories*, together so many alerts a second."""
        self._stage = stage
        self._stories = stories
        self._rate = rate / len(stories)
        self._random = random.Random(f"load-{seed}")
        self.sending = self.asking = True
        self.calls: list[Call] = []
        self.answered: Counter[int] = Counter()

    async def send(self, *, seconds: float | None = None) -> None:
        """Have every story told until `sending` ends, or for *seconds*; all of it is taken then."""
        until = None if seconds is None else time.monotonic() + seconds
        await asyncio.gather(*(self._tell(story, until) for story in self._stories))

    async def _tell(self, story: Story, until: float | None) -> None:
        due = time.monotonic() + self._random.random()
        while self.sending if until is None else time.monotonic() < until:
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            alerts = story.notification(time.time_ns())
            body = texts.webhook(alerts)
            await asyncio.gather(
                *(
                    self._stage.deliver(one, len(alerts), self._random)
                    for one in _copies(body, self._random)
                )
            )
            due = max(due + len(alerts) / self._rate, time.monotonic() - _BEHIND_SECONDS)

    async def read(self) -> None:
        """Read the API, each path in turn, twice a second."""
        while self.asking:
            for path in _PATHS:
                await self._noted("GET", path)
                await asyncio.sleep(0.5)

    async def operate(self) -> None:
        """Do what operators do: a word of some cluster each few seconds."""
        steps: list[Callable[[list[int]], Awaitable[None]]] = [self._note, self._merge, self._split]
        while self.asking:
            _, found = await self._stage.call("GET", "/api/v1/clusters?limit=200")
            ids = [cluster["id"] for cluster in (found or {}).get("items", [])]
            if len(ids) > 1:
                await self._random.choice(steps)(self._random.sample(ids, k=2))
            await asyncio.sleep(5.0)

    async def _note(self, ids: list[int]) -> None:
        word = {"note": "seen by the soak", "pinned": self._random.random() < 0.5}
        await self._noted("PATCH", f"/api/v1/clusters/{ids[0]}", word)

    async def _merge(self, ids: list[int]) -> None:
        await self._noted("POST", f"/api/v1/clusters/{ids[0]}/merge", {"into": ids[1]})
        if self._random.random() < 0.5:
            # By then the stream has told of it.
            await asyncio.sleep(1.0)
            await self._noted("POST", f"/api/v1/undo/{self._stage.last_command}")

    async def _split(self, ids: list[int]) -> None:
        found = await self._noted("GET", f"/api/v1/alerts?cluster_id={ids[0]}&limit=100")
        members = sorted({alert["fingerprint"] for alert in (found or {}).get("items", [])})
        if len(members) > 1:
            word = {"fingerprints": members[: len(members) // 2]}
            await self._noted("POST", f"/api/v1/clusters/{ids[0]}/split", word)

    async def _noted(
        self, method: str, path: str, document: object = None
    ) -> dict[str, Any] | None:
        began = time.monotonic()
        status, answer = await self._stage.call(method, path, document)
        self.answered[status] += 1
        if status not in (200, 404):
            self.calls.append((began, time.monotonic(), f"{method} {path}", status))
        return answer if status == 200 and isinstance(answer, dict) else None


def _copies(body: bytes, chance: random.Random) -> list[bytes]:
    """Return *body*, sometimes as both Alertmanagers of a pair tell it."""
    if chance.random() >= _PAIR:
        return [body]
    return [body, body.replace(b"alertmanager.example", b"alertmanager-2.example")]
