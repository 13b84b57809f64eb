"""Time by stage: a stopwatch around functions, each counted without those called inside it."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

Stage = str | Callable[..., str]
"""A name, or what tells it by the arguments of a call."""

Place = tuple[Stage, Any, str]
"""A stage, who has the function, and its name there."""


class Stages:
    """Nanoseconds by stage; each thread has a stack of its own."""

    def __init__(self, clock: Callable[[], int] = time.process_time_ns) -> None:
        """Start at nothing, by *clock* in nanoseconds."""
        self.nanoseconds: dict[str, int] = defaultdict(int)
        self._clock = clock
        self._of_thread = threading.local()

    def around(self, stage: Stage, inner: Callable[..., Any]) -> Any:
        """Return *inner*, its time counted for *stage*, which its arguments may tell."""

        def timed(*args: Any, **kwargs: Any) -> Any:
            with self.counting(stage if isinstance(stage, str) else stage(*args)):
                return inner(*args, **kwargs)

        return timed

    @contextmanager
    def counting(self, stage: str) -> Iterator[None]:
        """Count what happens meanwhile in this thread for *stage*."""
        stack = self._lap()
        stack.append(stage)
        try:
            yield
        finally:
            self._lap()
            stack.pop()

    def take(self) -> dict[str, int]:
        """Return what was counted since the last call, the stage under way up to now too."""
        self._lap()
        found, self.nanoseconds = self.nanoseconds, defaultdict(int)
        return dict(found)

    def _lap(self) -> list[str]:
        """Count the time since the last change for the stage under way; return the stack."""
        mine, now = self._of_thread, self._clock()
        stack: list[str] = mine.__dict__.setdefault("stack", [])
        if stack:
            self.nanoseconds[stack[-1]] += now - mine.since
        mine.since = now
        return stack

    @contextmanager
    def watched(self, places: Sequence[Place]) -> Iterator[None]:
        """Put a stopwatch around each of *places* meanwhile."""
        with ExitStack() as stack:
            for stage, owner, name in places:
                timed = self.around(stage, getattr(owner, name))
                stack.enter_context(patch.object(owner, name, timed))
            yield
