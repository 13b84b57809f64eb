"""An embedder for several runs over the same alerts: a text is embedded once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from receiver.core.embedder import Embedder
from receiver.core.model import Vector

MAX_TEXTS = 100_000
"""Texts remembered: 150 MB of vectors of 384 components. Those beyond are embedded in each run."""


_AT_ONCE = 64
"""A model's memory grows with how many texts it is given at once."""


class Remembering:
    """Asks another embedder for what it does not know."""

    def __init__(self, inner: Embedder) -> None:
        """Ask *inner*, which stays the caller's to close."""
        self._inner = inner
        self._known: dict[str, Vector] = {}
        self.identity = inner.identity
        self.dims = inner.dims

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed *texts* as the inner one does, shape (len(texts), dims)."""
        unknown = [text for text in dict.fromkeys(texts) if text not in self._known]
        fresh: dict[str, Vector] = {}
        for start in range(0, len(unknown), _AT_ONCE):
            some = unknown[start : start + _AT_ONCE]
            fresh.update(zip(some, self._inner.embed(some), strict=True))
        vectors = [self._known[text] if text in self._known else fresh[text] for text in texts]
        room = MAX_TEXTS - len(self._known)
        self._known.update(list(fresh.items())[:room])
        return np.stack(vectors)

    def close(self) -> None:
        """Forget all."""
        self._known.clear()
