"""A thread that has the texts put into cells once they are many, and anew when most of them are others.

It trains and fills cells on the side, with vectors asked for a few at a time, so that the worker stops for
a millisecond each; at the end they take the place of what was searched before. What is found in them is for
people to see and decides nothing, so none of this is an input of the fold.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from receiver.core.cells import Cells, sample_of
from receiver.core.errors import TryLater
from receiver.core.index import VectorIndex

log = logging.getLogger(__name__)

Ask = Callable[[Callable[[Any, Any], Any]], Future[Any]]
"""Has a question asked of the engine between two batches, as `Worker.ask` does."""

_LOOK_SECONDS = 5.0
_AT_ONCE = 256
"""Vectors asked for at once: a millisecond."""

_QUERIES = 200
"""Texts by which it is found out how many cells must be looked into."""

_NICE = 10
"""Before any of this come the alerts."""


class Training:
    """Keeps the index of texts in cells.

    Attributes:
        rounds: How often cells were made.
    """

    def __init__(
        self, ask: Ask, least: Callable[[], int], done: Callable[[], None] = lambda: None
    ) -> None:
        """Prepare the thread; `start` starts it.

        Args:
            ask: Reaches the engine.
            least: Returns from how many texts on there are cells.
            done: Called after cells have taken their place.
        """
        self._ask = ask
        self._least = least
        self._done = done
        self.rounds = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="training", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self, timeout_seconds: float) -> None:
        """Let the thread end; one that trains is not waited for any longer than that."""
        self._ended.set()
        if self._thread.ident is not None:
            self._thread.join(timeout_seconds)

    def look(self) -> bool:
        """Put the texts into cells, if it is time to; return whether it was.

        Raises:
            TryLater: The engine cannot be asked now. Nothing has changed.
        """
        least = self._least()
        wanted = self._index(lambda index: index.wants_cells(least))
        if not wanted:
            return False
        keys: list[int] = self._index(VectorIndex.keys)
        sample = np.concatenate([found for _, found in self._vectors(sample_of(keys, wanted))])
        cells = Cells(sample, wanted)
        queries = sample[:: max(1, len(sample) // _QUERIES)].copy()
        del sample
        for _, found in self._vectors(keys):
            cells.expect(found)
        cells.reserve()
        for there, found in self._vectors(keys):
            cells.add(there, found)
        cells.tune(queries)
        self._index(lambda index: index.adopt(cells))
        told = {"texts": len(keys), "cells": wanted, "probes": cells.probes}
        log.info("texts are in cells", extra=told | {"recall": round(cells.tuned, 4)})
        self._done()
        self.rounds += 1
        return True

    def _vectors(self, keys: Sequence[int]) -> Iterable[tuple[list[int], NDArray[np.float32]]]:
        for at in range(0, len(keys), _AT_ONCE):
            some = keys[at : at + _AT_ONCE]
            yield self._index(partial(_vectors, some))

    def _index(self, question: Callable[[VectorIndex], Any]) -> Any:
        if self._ended.is_set():
            raise TryLater("shutting down")
        return self._ask(lambda engine, embed: question(engine.texts.index)).result()

    def _run(self) -> None:
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
        while not self._ended.wait(_LOOK_SECONDS):
            try:
                self.look()
            except TryLater:
                continue
            except Exception:
                log.exception("texts could not be put into cells, they are searched as before")


def _vectors(keys: Sequence[int], index: VectorIndex) -> tuple[list[int], NDArray[np.float32]]:
    return index.vectors(keys)
