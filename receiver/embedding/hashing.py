"""An embedder for tests: hashes words and their pieces, knows no meaning, needs no model.

Texts that share words are similar, and the same text has the same vector in every process and on
every machine (Python's own hash() is salted and would not do).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

_WORD = re.compile(r"\w+")
_PIECE_LENGTH = 3
# A word's pieces together weigh about as much as the word: `HighLatency` is near `HighLatencyP99`
# without every pair of words that share an ending becoming alike.
_PIECES_WEIGHT = 0.8


class HashingEmbedder:
    """Signed feature hashing of words and character trigrams (Weinberger et al., 2009)."""

    def __init__(self, dims: int = 384) -> None:
        self._dims = dims

    @property
    def identity(self) -> str:
        """Scheme and width."""
        return f"hashing-{self._dims}/f32"

    @property
    def dims(self) -> int:
        """Components of a vector."""
        return self._dims

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one unit vector a text, shape (len(texts), dims); see `Embedder`."""
        vectors = np.zeros((len(texts), self._dims), dtype=np.float32)
        for row, text in enumerate(texts):
            vectors[row] = self._vector(text)
        return vectors

    def close(self) -> None:
        """Do nothing: there is nothing to give back."""

    def _vector(self, text: str) -> NDArray[np.float64]:
        # Summed in float64 and in the text's order: the same on every machine.
        vector = np.zeros(self._dims)
        for word in _WORD.findall(text.lower()):
            for feature, weight in _features(word):
                vector[(feature >> 1) % self._dims] += weight if feature & 1 else -weight
        norm = float(np.linalg.norm(vector))
        if norm == 0.0:  # no words, or their signs cancelled
            vector[0] = 1.0
            return vector
        return vector / norm


@lru_cache(maxsize=65536)
def _features(word: str) -> tuple[tuple[int, float], ...]:
    """Return (hash, weight) of *word* and of each of its trigrams, its edges marked."""
    marked = f"<{word}>"
    pieces = [
        marked[start : start + _PIECE_LENGTH] for start in range(len(marked) - _PIECE_LENGTH + 1)
    ]
    # sqrt: the squared weights of n pieces sum to _PIECES_WEIGHT², however long the word.
    weight = _PIECES_WEIGHT / len(pieces) ** 0.5
    return ((_hash(marked), 1.0), *((_hash("piece " + piece), weight) for piece in pieces))


def _hash(feature: str) -> int:
    # surrogatepass: a lone surrogate is hashed like any other character.
    data = feature.encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "little")
