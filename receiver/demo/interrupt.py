"""How the demo hears that somebody wants it to end, wherever it is."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Awaitable, Iterator
from typing import TypeVar

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

T = TypeVar("T")


class Interrupted(Exception):
    """A signal came."""


async def unless(stop: asyncio.Event, work: Awaitable[T]) -> T:
    """Return what *work* returns; cancel it and raise Interrupted when *stop* is set."""
    task = asyncio.ensure_future(work)
    stopped = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait((task, stopped), return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise Interrupted
        return task.result()
    finally:
        stopped.cancel()
        task.cancel()
        # What it opened is closed when this returns.
        await asyncio.wait((task,))


@contextlib.contextmanager
def signals() -> Iterator[asyncio.Event]:
    """Set the event given when somebody wants the demo to end."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in _SIGNALS:
        loop.add_signal_handler(number, stop.set)
    try:
        yield stop
    finally:
        for number in _SIGNALS:
            loop.remove_signal_handler(number)
