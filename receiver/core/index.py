"""Nearest neighbours over unit vectors; knows ids and vectors, nothing of texts or clusters.

Similarity is cosine, which for unit vectors is the inner product: 1 is the same direction. A flat index
searches exactly, and costs what it holds. One that is only searched for people, and decides nothing, may
hold 16-bit floats, half the room with a cosine that is off by less than 0.001, and may be given cells (see
`Cells`), and then finds nearly all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from receiver.core.cells import RECALL, Cells, cells_for
from receiver.core.model import Vector
from receiver.core.settings import setting

_MEASURED_FIRST, _MEASURED_EACH = 64, 16
"""The first searches in new cells are all made exactly, too, and then one of so many."""

_MEMORY = 0.05
"""Weight of the latest measurement in the recall told: of the last twenty or so."""

_ROUNDS = 8
"""Of rounding and scaling in turn; two do, three where few components are not 0. More change nothing."""

_TURNED_OVER = 1.0
"""Vectors added since training for each there was then, from which on cells are trained anew."""


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
    cells_from: int = setting(
        # Below, an exact search takes about as long (benchmarks/index.py).
        4_000,
        "Texts held from which on similar ones are searched in cells, and not exactly.",
        unit="texts",
        low=100,
    )


def halved(vector: Vector) -> Vector:
    """Return *vector* as one that is halved gives it back, and gives back the same when given it again."""
    for _ in range(_ROUNDS):
        vector = _unit(vector.astype(np.float16).astype(np.float32))
    return vector


def _unit(vector: Vector) -> Vector:
    # Each component was rounded for itself.
    found: Vector = vector / np.linalg.norm(vector)
    return found


class VectorIndex:
    """Search over vectors under ids of the caller's choosing.

    Attributes:
        dims: Components of a vector.
        recall: Share of the true neighbours that searches find, as measured lately; 1 where it is exact.
    """

    def __init__(self, dims: int) -> None:
        """Make an empty index for vectors of *dims* components."""
        self.dims = dims
        self.recall = 1.0
        self._ids: set[int] = set()
        # IDMap2 and not IDMap: only it can give a vector back by its id.
        self._index: Any = faiss.IndexIDMap2(faiss.IndexFlatIP(dims))
        self._halved = False
        self._cells: Cells | None = None
        self._trained_with = self._added = self._searches = 0

    def __len__(self) -> int:
        return len(self._ids)

    def __contains__(self, key: int) -> bool:
        return key in self._ids

    def halve(self) -> None:
        """Hold 16-bit floats; for an empty index. `vector` then gives back what was given, but rounded."""
        assert not self._ids, "it is empty"
        self._halved = True
        self._index = faiss.IndexIDMap2(
            faiss.IndexScalarQuantizer(
                self.dims, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT
            )
        )

    @property
    def cells(self) -> int:
        """Into how many cells the vectors are put; 1 where it is flat."""
        return 1 if self._cells is None else self._cells.cells

    @property
    def probes(self) -> int:
        """Into how many cells a search looks."""
        return 1 if self._cells is None else self._cells.probes

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
        if not keys:
            return
        given = np.ascontiguousarray(vectors, dtype=np.float32)
        if self._cells is not None:
            self._cells.add(keys, given)
        else:
            self._index.add_with_ids(given, np.asarray(keys, dtype=np.int64))
        self._ids |= fresh
        self._added += len(keys)

    def remove(self, keys: Sequence[int]) -> None:
        """Remove those of *keys* that are there."""
        gone = self._ids.intersection(keys)
        if not gone:
            return
        if self._cells is not None:
            self._cells.remove(list(gone))
        else:
            self._index.remove_ids(np.fromiter(gone, dtype=np.int64, count=len(gone)))
        self._ids -= gone

    def vector(self, key: int) -> Vector:
        """Return the vector under *key*, of unit length.

        Raises:
            KeyError: There is none.
        """
        if key not in self._ids:
            raise KeyError(key)
        found: Vector = self._index.reconstruct(key)
        return _unit(found) if self._halved else found

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
        query = vector.reshape(1, -1)
        if self._cells is None:
            return self._search_all(query, count)
        found = self._search_cells(self._cells, query, count)
        return sorted(found, key=lambda hit: (-hit[1], hit[0]))

    def _search_all(self, query: NDArray[np.float32], count: int) -> list[tuple[int, float]]:
        wanted = count
        while True:
            # One more than was asked for tells whether the last has its like beyond.
            wanted = min(wanted + 1, len(self._ids))
            similarities, keys = self._index.search(query, wanted)
            if wanted == len(self._ids) or similarities[0, -1] < similarities[0, count - 1]:
                break
            wanted *= 2
        found = sorted(zip((-similarities[0]).tolist(), keys[0].tolist(), strict=True))
        return [(key, -negative) for negative, key in found[:count]]

    # -- cells -----------------------------------------------------------------------------------

    def wants_cells(self, least: int) -> int:
        """Return how many cells are to be trained now, for *least* vectors or more; 0 for none."""
        if len(self._ids) < least:
            return 0
        if self._cells is not None and self._added < _TURNED_OVER * self._trained_with:
            return 0
        return cells_for(len(self._ids))

    def keys(self) -> list[int]:
        """Return the keys of all that is held, ascending."""
        return sorted(self._ids)

    def vectors(self, keys: Sequence[int]) -> tuple[list[int], NDArray[np.float32]]:
        """Return those of *keys* that are there, and their vectors, shape (len, dims)."""
        there = [key for key in keys if key in self._ids]
        found = np.empty((len(there), self.dims), dtype=np.float32)
        for place, key in enumerate(there):
            found[place] = self._index.reconstruct(key)
        return there, found

    def adopt(self, cells: Cells) -> None:
        """Put *cells* in the place of what searched until now; what has changed since is made up for."""
        missing, found = self.vectors(sorted(self._ids - cells.keys))
        cells.add(missing, found)
        cells.remove(sorted(cells.keys - self._ids))
        self._cells, self._index = cells, cells.index
        self._trained_with, self._added, self._searches = len(self._ids), 0, 0
        self.recall = cells.tuned

    def _search_cells(
        self, cells: Cells, query: NDArray[np.float32], count: int
    ) -> list[tuple[int, float]]:
        found = cells.search(query, count, cells.probes)
        self._searches += 1
        if self._searches <= _MEASURED_FIRST or self._searches % _MEASURED_EACH == 0:
            self.recall += _MEMORY * (cells.recall(query, found) - self.recall)
            if self.recall < RECALL and cells.probes < cells.cells:
                cells.probes = min(cells.cells, 2 * cells.probes)
                # Not known of so many yet: taken for just enough until it is.
                self.recall = RECALL
        return found
