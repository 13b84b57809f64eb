"""Waiting for a state instead of for a time: no test asserts how fast anything is."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

PATIENCE_SECONDS = 60.0
"""Far beyond what anything takes on a loaded machine; only a failing test waits so long."""


def wait_until(
    what: str,
    look: Callable[[], T],
    *,
    patience_seconds: float = PATIENCE_SECONDS,
    pause_seconds: float = 0.05,
) -> T:
    """Return what *look* returns as soon as that is true.

    Args:
        what: What is waited for, for the message.
        look: Asked again and again.
        patience_seconds: How long.
        pause_seconds: Between two looks.

    Raises:
        TimeoutError: It never became true; the last thing seen is in the text.
    """
    deadline = time.monotonic() + patience_seconds
    while True:
        seen = look()
        if seen:
            return seen
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {patience_seconds:.0f} s for {what}; last seen: {seen!r}")
        time.sleep(pause_seconds)


async def until(
    holds: Callable[[], object],
    what: str = "it",
    *,
    patience_seconds: float = PATIENCE_SECONDS,
) -> None:
    """Return as soon as *holds* does, letting others run meanwhile; for what nobody is told of.

    Args:
        holds: Asked again and again.
        what: What is waited for, for the message.
        patience_seconds: How long.

    Raises:
        TimeoutError: It never did; the last thing seen is in the text.
    """
    deadline = time.monotonic() + patience_seconds
    while not (seen := holds()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {patience_seconds:.0f} s for {what}; last seen: {seen!r}")
        await asyncio.sleep(0.01)
