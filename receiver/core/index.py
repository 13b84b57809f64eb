"""Nearest neighbours over unit vectors; knows ids and vectors, nothing of texts or clusters.

Similarity is cosine, which for unit vectors is the inner product: 1 is the same direction. The flat
index searches exactly, and costs what it holds; another form can take its place behind the same
calls.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from receiver.core.model import Vector
from receiver.core.settings import setting


@dataclass(frozen=True)
class IndexSettings:
    """How neighbours are searched."""

    neighbors: int = setting(
        # Wide enough to reach every cluster that holds a near text: on no labelled stream did 16 or
        # 48 change anything; past some dozens the similarity is that of unrelated alerts.
        24,
        "How many nearest texts are looked at for candidates.",
        unit="texts",
        low=1,
        high=1000,
    )


class VectorIndex:
    """Exact search over vectors under ids of the caller's choosing."""

    def __init__(self, dims: int) -> None:
        """Make an empty index for vectors of *dims* components."""
        self.dims = dims
        self._ids: set[int] = set()
        # IDMap2 and not IDMap: only it can give a vector back by its id.
        self._index: Any = faiss.IndexIDMap2(faiss.IndexFlatIP(dims))

    def __len__(self) -> int:
        return len(self._ids)

    def __contains__(self, key: int) -> bool:
        return key in self._ids

    def add(self, keys: Sequence[int], vectors: NDArray[np.float32]) -> None:
        """Add *vectors*, shape (len(keys), dims), under *keys*.

        Raises:
            ValueError: A key is there already (faiss would silently hold it twice), stands twice in
                *keys*, or the shape is wrong. The index is as it was.
        """
        if vectors.shape != (len(keys), self.dims):
            raise ValueError(f"vectors: shape {vectors.shape}, expected {(len(keys), self.dims)}")
        fresh = set(keys)
        if len(fresh) != len(keys) or fresh & self._ids:
            raise ValueError(f"keys: {sorted(fresh & self._ids) or list(keys)} would be held twice")
        if keys:
            self._index.add_with_ids(
                np.ascontiguousarray(vectors, dtype=np.float32), np.asarray(keys, dtype=np.int64)
            )
            self._ids |= fresh

    def remove(self, keys: Sequence[int]) -> None:
        """Remove those of *keys* that are there."""
        gone = self._ids.intersection(keys)
        if gone:
            self._index.remove_ids(np.fromiter(gone, dtype=np.int64, count=len(gone)))
            self._ids -= gone

    def vector(self, key: int) -> Vector:
        """Return the vector under *key*.

        Raises:
            KeyError: There is none.
        """
        if key not in self._ids:
            raise KeyError(key)
        found: Vector = self._index.reconstruct(key)
        return found

    def search(self, vector: Vector, count: int) -> list[tuple[int, float]]:
        """Return up to *count* (key, similarity) nearest to *vector*, nearest first, ties by key.

        What is found does not depend on the order in which vectors were added, which is another after
        a restart: of those that are just as near as the last, the ones with the least keys are taken.
        """
        count = min(count, len(self._ids))
        if not count:
            return []
        # More threads cost more than they bring to one search: waiting for each other they take a hundred
        # times as long where other work has the processors. It holds only for the thread that says so.
        faiss.omp_set_num_threads(1)
        query, wanted = vector.reshape(1, -1), count
        while True:
            # One more than was asked for tells whether the last has its like beyond.
            wanted = min(wanted + 1, len(self._ids))
            similarities, keys = self._index.search(query, wanted)
            if wanted == len(self._ids) or similarities[0, -1] < similarities[0, count - 1]:
                break
            wanted *= 2
        found = sorted(zip((-similarities[0]).tolist(), keys[0].tolist(), strict=True))
        return [(key, -negative) for negative, key in found[:count]]

    def to_bytes(self) -> bytes:
        """Return all that `from_bytes` needs to build this index again."""
        return bytes(faiss.serialize_index(self._index))

    @classmethod
    def from_bytes(cls, data: bytes) -> VectorIndex:
        """Build the index that *data* was made of.

        Raises:
            ValueError: *data* is not of an index.
        """
        try:
            inner: Any = faiss.deserialize_index(np.frombuffer(data, dtype=np.uint8))
        except RuntimeError as error:
            raise ValueError("not a serialized index") from error
        index = cls(inner.d)
        index._index = inner
        index._ids = set(faiss.vector_to_array(inner.id_map).tolist())
        return index
