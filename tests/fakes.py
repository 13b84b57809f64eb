"""Hand-written stand-ins, each saying what it leaves out."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from receiver.core.errors import EmbeddingError
from receiver.embedding.hashing import HashingEmbedder


class FailingEmbedder(HashingEmbedder):
    """Hashes texts, and fails where *fails* says so; leaves out any meaning of texts."""

    def __init__(self, fails: Callable[[Sequence[str]], bool]) -> None:
        super().__init__()
        self.fails = fails
        self.calls: list[list[str]] = []

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.calls.append(list(texts))
        if self.fails(texts):
            raise EmbeddingError("made to fail")
        return super().embed(texts)


class Clock:
    """A clock that stands still until it is moved; leaves out that time passes by itself."""

    def __init__(self, now: int) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now
