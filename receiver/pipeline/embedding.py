"""Embedding with its faults kept apart: a backend that is down, and a text that nothing can be made of.

A model may raise anything, hang, or give what is no vector; nothing of that may cost an alert or stop the
worker for good. So it is called on a thread that can be left behind, and what it gives is looked at.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any

import numpy as np
from numpy.typing import NDArray

from receiver.core.embedder import Embedder
from receiver.core.errors import EmbeddingError
from receiver.core.model import Vector

log = logging.getLogger(__name__)

OpenEmbedder = Callable[[], Embedder]
_PROBE = "disk space on a node is running out"
"""A text that any working backend can embed."""

DEFAULT_DIMS = 384
"""Components where nothing has been embedded yet: those of the default model."""

_PATIENCE_SECONDS = 60.0
"""A batch of 256 new texts takes a second or two, the slowest backend on a busy machine some twenty."""

_MOST_LEFT = 3
"""Threads left behind at once; each may hold a model, so with these no further one is opened."""

_TOLERANCE = 0.01
"""By which the length of a vector may differ from 1."""


class _Hand:
    """A thread that makes one call after the other, and is left behind when one does not return."""

    def __init__(self) -> None:
        self._calls: queue.SimpleQueue[tuple[Callable[[], Any], Future[Any]] | None] = (
            queue.SimpleQueue()
        )
        # A daemon: whoever ends the process does not wait for it.
        self._thread = threading.Thread(target=self._run, name="model", daemon=True)
        self._thread.start()

    @property
    def busy(self) -> bool:
        """Whether it has not come back from all that it was given."""
        return self._thread.is_alive()

    def call(self, function: Callable[[], Any], seconds: float) -> Any:
        """Return what *function* returns, or raise TimeoutError after so many *seconds*."""
        future: Future[Any] = Future()
        self._calls.put((function, future))
        return future.result(seconds)

    def end(self) -> None:
        """Let it end after the call in hand."""
        self._calls.put(None)

    def _run(self) -> None:
        while (given := self._calls.get()) is not None:
            function, future = given
            try:
                future.set_result(function())
            except BaseException as error:
                future.set_exception(error)


class Embedding:
    """An embedder that is opened late, and anew when it hangs."""

    def __init__(self, open_embedder: OpenEmbedder) -> None:
        """Get the embedder from *open_embedder* when `open` is called."""
        self._open = open_embedder
        self._embedder: Embedder | None = None
        self._was_open = False
        self._hand = _Hand()
        self._left: list[_Hand] = []

    @property
    def ready(self) -> bool:
        """Whether it is open."""
        return self._embedder is not None

    @property
    def dims(self) -> int:
        """Components of a vector."""
        return self._embedder.dims if self._embedder else DEFAULT_DIMS

    @property
    def identity(self) -> str:
        """What makes the vectors."""
        return self._embedder.identity if self._embedder else ""

    def open(self) -> None:
        """Open it, if it is not open.

        Raises:
            EmbeddingError: It cannot be had now.
        """
        if self._embedder is None:
            self._embedder = self._open()
            self._was_open = True

    def close(self) -> None:
        """Close it."""
        if self._embedder is not None:
            self._embedder.close()
            self._embedder = None
        self._hand.end()

    def embed(self, texts: Sequence[str]) -> list[Vector | None]:
        """Return a vector for each of *texts*; None for one that nothing can be made of.

        Raises:
            EmbeddingError: The backend does not work at all.
        """
        if self._embedder is None:
            self._open_again()
        try:
            return list(self._call(texts))
        except _HungError:
            raise
        except EmbeddingError as error:
            log.warning("embedding failed, trying text by text", extra={"err": str(error)})
        # If even this fails the fault is not in the texts, and they must wait.
        self._call([_PROBE])
        return [self._embed_alone(text) for text in texts]

    def _embed_alone(self, text: str) -> Vector | None:
        try:
            vector: Vector = self._call([text])[0]
        except _HungError:
            raise
        except EmbeddingError as error:
            log.warning(
                "a text cannot be embedded, labels and time must do",
                extra={"err": str(error), "text": text[:200]},
            )
            return None
        return vector

    def _call(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return a unit vector for each of *texts*, shape (len(texts), dims), or raise EmbeddingError."""
        embedder = self._embedder
        if embedder is None:
            raise EmbeddingError("the model is not open")
        try:
            vectors = self._hand.call(lambda: embedder.embed(texts), _PATIENCE_SECONDS)
        except TimeoutError:
            self._leave_behind()
            raise _HungError(f"the model has not answered for {_PATIENCE_SECONDS:g} s") from None
        except EmbeddingError:
            raise
        except Exception as error:
            raise EmbeddingError(f"the model failed: {type(error).__name__}: {error}") from error
        return _checked(vectors, (len(texts), embedder.dims))

    def _leave_behind(self) -> None:
        self._hand.end()
        self._left.append(self._hand)
        self._hand, self._embedder = _Hand(), None

    def _open_again(self) -> None:
        """Open another in place of one that hangs."""
        if not self._was_open:
            raise EmbeddingError("the model is not open")
        self._left = [hand for hand in self._left if hand.busy]
        if len(self._left) >= _MOST_LEFT:
            raise EmbeddingError(f"{len(self._left)} calls of the model have not come back")
        self.open()


class _HungError(EmbeddingError):
    pass


def _checked(given: Any, shape: tuple[int, int]) -> NDArray[np.float32]:
    """Return what a model has *given*, if that is unit vectors of this *shape*."""
    vectors: NDArray[np.float32] = np.asarray(given, dtype=np.float32)
    if vectors.shape != shape:
        raise EmbeddingError(f"the model gave the shape {vectors.shape}, expected {shape}")
    lengths = np.linalg.norm(vectors, axis=1)
    # Written so that NaN, for which every comparison is false, is refused too.
    if not np.all(np.abs(lengths - 1.0) <= _TOLERANCE):
        raise EmbeddingError("the model gave what is no unit vector")
    return vectors
