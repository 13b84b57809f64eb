"""What every embedder promises; nothing about how.

A vector has `dims` components, float32, unit length, and no component is NaN. A text's vector does
not depend on the texts it is embedded with, to 1e-5. `identity` names model and form: vectors of
different identities are never compared. An embedder may be called from any thread, one call at a
time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Embedder(Protocol):
    """Turns texts into vectors."""

    @property
    def identity(self) -> str:
        """Model and form, as in `all-MiniLM-L6-v2/int8`."""
        ...

    @property
    def dims(self) -> int:
        """Components of a vector."""
        ...

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one vector a text, shape (len(texts), dims).

        Raises:
            EmbeddingError: No vector can be had; nothing of the call is kept.
        """
        ...

    def close(self) -> None:
        """Give back threads and memory; the embedder is of no use afterwards."""
        ...
