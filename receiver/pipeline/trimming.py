"""Keeps the database under its cap: when to delete, and when to leave it be.

A step is a transaction of some 25 ms on the writer's thread, and what is received goes before the next one.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import ParamSpec, Protocol, TypeVar

from receiver.core.engine import Engine
from receiver.core.room import Trimmed
from receiver.core.timestamps import nanoseconds
from receiver.pipeline.parts import Store

log = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")

_MOST_STEPS = 8
"""At once, while more is in use than may be: a batch of 256 new alerts adds some 2,000 rows. For so long no
alert is clustered."""

_LOOK_AGAIN_SECONDS = 60.0
"""After all that may go is gone: what goes on ends by and by."""


class Writing(Protocol):
    """What deletes: `Writer`, but for what is not asked of it here."""

    @property
    def store(self) -> Store:
        """Where."""
        ...

    def call(self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Return what *function* returns, called where the store may be written to."""
        ...


class Trimming:
    """Whether the database is being made smaller.

    Attributes:
        exhausted: Whether what may not be deleted alone takes more than the cap.
    """

    def __init__(
        self, writer: Writing, clock: Callable[[], int], on_trimmed: Callable[[Trimmed], None]
    ) -> None:
        """Have *writer* delete; *on_trimmed* is told of each step."""
        self._writer = writer
        self._clock = clock
        self._on_trimmed = on_trimmed
        self._going = False
        self._rest_until = 0
        self.exhausted = False

    def step(self, engine: Engine, limit_bytes: int, assignments: int) -> bool:
        """Make some room if it is needed; return whether any was made.

        Args:
            engine: All that it did is committed.
            limit_bytes: Of the database; 0 for any size.
            assignments: As `Store.trim` wants it.
        """
        store = self._writer.store
        if not limit_bytes or not (self._going or store.size.file > limit_bytes):
            self.exhausted = False
            return False
        now = self._clock()
        if now < self._rest_until:
            return False
        # What it remembers of alerts that are over it must ask for again, as after a restart.
        engine.forget()
        for _ in range(_MOST_STEPS):
            done = self._writer.call(store.trim, limit_bytes, engine.past.by_id, assignments)
            self._tell(done, limit_bytes)
            self._going = bool(done)
            if not done:
                self._rest_until = now + nanoseconds(_LOOK_AGAIN_SECONDS)
            if not done or store.size.used <= limit_bytes:
                break
        return self._going

    def _tell(self, done: Trimmed, limit_bytes: int) -> None:
        self._on_trimmed(done)
        if done:
            # Whether it was enough is known when nothing more is done.
            return
        if done.exhausted and not self.exhausted:
            told = {"used_bytes": self._writer.store.size.used, "limit_bytes": limit_bytes}
            log.warning(
                "what goes on and what is remembered takes more than storage.max_bytes; no more can be"
                " deleted",
                extra=told,
            )
        self.exhausted = done.exhausted
