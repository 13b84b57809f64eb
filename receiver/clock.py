"""Time that never goes back and never stands still, whatever is done to the machine's clock.

Alerts are in order of receipt, so time must not fall. If that were all, a clock that was an hour ahead and
is set right would stop it for an hour: no storm would end and no cluster close. So after a step back time
goes on at half speed until the clock has caught up; after a step forward it follows at once.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from receiver.core.timestamps import SECOND, seconds

log = logging.getLogger(__name__)

_SAID_FROM = 5 * SECOND
"""A step back by less is what keeping time does, and is not worth a line."""


class Clock:
    """Tells the time; may be asked from any thread."""

    def __init__(self, wall: Callable[[], int], steady: Callable[[], int]) -> None:
        """Follow *wall*, nanoseconds since 1970; *steady* grows by itself, nanoseconds since anything."""
        self._wall = wall
        self._steady = steady
        self._lock = threading.Lock()
        self._last = 0
        self._asked_at = steady()
        self._said = False

    def __call__(self) -> int:
        """Return the time, nanoseconds since 1970."""
        with self._lock:
            steady = self._steady()
            passed, self._asked_at = steady - self._asked_at, steady
            wall = self._wall()
            self._last = max(wall, self._last + passed // 2)
            ahead = self._last - wall
            begun, over = ahead > _SAID_FROM and not self._said, self._said and not ahead
            self._said = (self._said or begun) and not over
            told = self._last
        if begun:
            log.warning(
                "the clock was set back, time goes on at half speed until it has caught up",
                extra={"ahead_seconds": round(seconds(ahead), 3)},
            )
        elif over:
            log.info("the clock has caught up")
        return told

    def reach(self, moment: int) -> None:
        """Never tell a time before *moment*."""
        with self._lock:
            self._last = max(self._last, moment)

    def ahead_seconds(self) -> float:
        """Return by how much the time told is ahead of the machine's clock."""
        return seconds(self() - self._wall())
