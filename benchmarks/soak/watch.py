"""What the receiver's process takes, and what its metrics say, all along."""

from __future__ import annotations

import asyncio
import contextlib
import os
import statistics
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks import machine
from benchmarks.soak.stage import Stage

_SCRAPE_SECONDS = 0.5


@dataclass(frozen=True)
class Sample:
    """What the process takes at a moment.

    Attributes:
        at: Seconds since the soak began.
        age: Seconds since the process was seen first.
        calm: Whether no fault was on.
    """

    at: float
    age: float
    calm: bool
    rss_mb: float
    descriptors: int
    threads: int


class Watch:
    """Looks every so often.

    Attributes:
        samples: All that was seen.
        calm: Whether no fault is on; whoever strikes says so.
    """

    def __init__(self, stage: Stage, every_seconds: float) -> None:
        """Look at the process of *stage* every *every_seconds*."""
        self._stage = stage
        self._every = every_seconds
        self._began = time.monotonic()
        self._pid, self._born = 0, 0.0
        self.samples: list[Sample] = []
        self.calm = True

    async def sample(self) -> None:
        """Look for ever."""
        while True:
            # It may end between two looks.
            with contextlib.suppress(OSError, AssertionError, LookupError):
                self.samples.append(self._sample())
            await asyncio.sleep(self._every)

    def _sample(self) -> Sample:
        pid, now = self._stage.receiver.pid, time.monotonic()
        if pid != self._pid:
            self._pid, self._born = pid, now
        return Sample(
            at=round(now - self._began, 1),
            age=round(now - self._born, 1),
            calm=self.calm,
            rss_mb=machine.memory_mb(pid, "VmRSS"),
            descriptors=len(os.listdir(f"/proc/{pid}/fd")),
            threads=len(os.listdir(f"/proc/{pid}/task")),
        )

    async def scrape(self) -> None:
        """Read the metrics for ever."""
        while True:
            await self._stage.scrape()
            await asyncio.sleep(_SCRAPE_SECONDS)


def quarters(samples: Sequence[Sample]) -> dict[str, Any]:
    """Return the medians of the first and the last quarter of *samples* in calm, and the most."""
    calm = [sample for sample in samples if sample.calm]
    quarter = max(1, len(calm) // 4)
    told: dict[str, Any] = {"samples": len(calm)}
    for key in ("rss_mb", "descriptors", "threads"):
        values = [asdict(sample)[key] for sample in calm]
        if values:
            told[key] = {
                "first": statistics.median(values[:quarter]),
                "last": statistics.median(values[-quarter:]),
                "most": max(values),
            }
    return told
