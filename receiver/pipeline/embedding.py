"""Embedding with its faults kept apart: a backend that is down, and a text that nothing can be made of."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

import numpy as np

from receiver.core.embedder import Embedder
from receiver.core.errors import EmbeddingError
from receiver.core.model import Vector

log = logging.getLogger(__name__)

OpenEmbedder = Callable[[], Embedder]
_PROBE = "disk space on a node is running out"
"""A text that any working backend can embed."""

DEFAULT_DIMS = 384
"""Components where nothing has been embedded yet: those of the default model."""


class Embedding:
    """An embedder that is opened late."""

    def __init__(self, open_embedder: OpenEmbedder) -> None:
        """Get the embedder from *open_embedder* when `open` is called."""
        self._open = open_embedder
        self._embedder: Embedder | None = None
        self.observe: Callable[[float], None] | None = None

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

    def close(self) -> None:
        """Close it."""
        if self._embedder is not None:
            self._embedder.close()
            self._embedder = None

    def embed(self, texts: Sequence[str]) -> list[Vector | None]:
        """Return a vector for each of *texts*; None for one that nothing can be made of.

        Raises:
            EmbeddingError: The backend does not work at all.
        """
        if self._embedder is None:
            raise EmbeddingError("the model is not open")
        try:
            return list(self._embedder.embed(texts))
        except EmbeddingError as error:
            log.warning("embedding failed, trying text by text", extra={"err": str(error)})
        # If even this fails the fault is not in the texts, and they must wait.
        self._embedder.embed([_PROBE])
        return [self._embed_alone(self._embedder, text) for text in texts]

    @staticmethod
    def _embed_alone(embedder: Embedder, text: str) -> Vector | None:
        try:
            vector: Vector = np.asarray(embedder.embed([text])[0])
        except EmbeddingError as error:
            log.warning(
                "a text cannot be embedded, labels and time must do",
                extra={"err": str(error), "text": text[:200]},
            )
            return None
        return vector
