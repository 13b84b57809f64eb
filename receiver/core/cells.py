"""An index in cells: vectors by the nearest of some centroids, so that a search looks into a few of them.

What is built here on the side takes the place of a flat index, or of older cells, in `VectorIndex.adopt`.
A search costs O(√n) with √n cells, in the place of O(n), and finds nearly all: how much is measured.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

_CELLS = 2.0
"""Cells for each square root of what is held. Of 1, 2 and 4 the second is searched about as fast as the
third, and trained in a quarter of the time (benchmarks/index.py)."""

_POINTS = 20
"""Vectors a cell that training looks at, about: each takes four times the room of what is held."""

_HASHTABLE = 2
"""`faiss::DirectMap::Hashtable`: without it nothing can be removed, or read by its id."""

_ALIKE = 1e-6

RECALL = 0.99
"""Share of the true neighbours that is to be found; below it more cells are looked into."""

_TUNED = 0.995
"""Share that is aimed at first, with texts that are held."""

_LEAST_SHARE = 8
"""One of so many cells is looked into at least: the neighbours of a text unlike all that are held lie
scattered. Two of 447 cells find .999 for texts that are held, 16 to 64 of them .80 to .95 for new ones."""

_NEIGHBORS = 24
"""As many as are looked at, by default."""


def cells_for(count: int) -> int:
    """Return into how many cells *count* vectors go."""
    return max(1, round(_CELLS * math.sqrt(count)))


def sample_of(keys: Sequence[int], cells: int) -> Sequence[int]:
    """Return those of *keys* that *cells* cells are trained with: evenly spread, the same each time."""
    step = max(1, math.ceil(len(keys) / (_POINTS * cells)))
    return keys[::step]


class Cells:
    """Centroids, trained once, and the vectors nearest to each."""

    def __init__(self, sample: NDArray[np.float32], cells: int) -> None:
        """Train *cells* centroids with *sample*, shape (points, dims); takes seconds, in this thread."""
        faiss.omp_set_num_threads(1)
        dims = sample.shape[1]
        self.cells = cells
        self.probes = 1
        self.tuned = 1.0
        self.keys: set[int] = set()
        self._expected = np.zeros(cells, dtype=np.int64)
        # It holds the centroids, and goes with what refers to it.
        self._coarse = faiss.IndexFlatIP(dims)
        self.index: Any = faiss.IndexIVFScalarQuantizer(
            self._coarse,
            dims,
            cells,
            faiss.ScalarQuantizer.QT_fp16,
            faiss.METRIC_INNER_PRODUCT,
            False,
        )
        self.index.cp.min_points_per_centroid = 1
        self.index.train(sample)
        self.index.set_direct_map_type(_HASHTABLE)

    def expect(self, vectors: NDArray[np.float32]) -> None:
        """Count *vectors*, shape (any, dims), into the cells they will go to; before any is added."""
        _, places = self._coarse.search(np.ascontiguousarray(vectors), 1)
        self._expected += np.bincount(places[:, 0], minlength=self.cells)

    def reserve(self) -> None:
        """Make each cell as large as is expected: one that grows takes up to twice the room."""
        lists = self.index.invlists
        for cell, count in enumerate(self._expected.tolist()):
            # Smaller again it keeps its room.
            lists.resize(cell, count)
            lists.resize(cell, 0)

    def add(self, keys: Sequence[int], vectors: NDArray[np.float32]) -> None:
        """Add *vectors*, shape (len(keys), dims), under *keys*, none of which is there."""
        if keys:
            self.index.add_with_ids(vectors, np.asarray(keys, dtype=np.int64))
            self.keys.update(keys)

    def remove(self, keys: Sequence[int]) -> None:
        """Remove *keys*, which are there."""
        if keys:
            # No other selector finds its ids without looking at all there is.
            ids = np.asarray(keys, dtype=np.int64)
            self.index.remove_ids(faiss.IDSelectorArray(len(ids), faiss.swig_ptr(ids)))
            self.keys.difference_update(keys)

    def tune(self, queries: NDArray[np.float32]) -> None:
        """Look into as few cells as find nearly all that is near to *queries*, shape (any, dims)."""
        self.probes = max(1, self.cells // _LEAST_SHARE)
        # In all cells together all is found, so it ends.
        while (tuned := self._recall_of(queries)) < _TUNED:
            self.probes = min(self.cells, 1 << self.probes.bit_length())
        self.tuned = tuned

    def _recall_of(self, queries: NDArray[np.float32]) -> float:
        found = [self.recall(q, self.search(q, _NEIGHBORS, self.probes)) for q in queries[:, None]]
        return sum(found) / len(found)

    def recall(self, query: NDArray[np.float32], found: Sequence[tuple[int, float]]) -> float:
        """Return which share of the true neighbours of *query*, shape (1, dims), were *found*."""
        exact = self.search(query, max(1, len(found)), self.cells)
        # By similarity: of those that are as near as the last, any will do.
        hits = sum(similarity >= exact[-1][1] - _ALIKE for _, similarity in found)
        return min(1.0, hits / len(exact))

    def search(
        self, query: NDArray[np.float32], count: int, probes: int
    ) -> list[tuple[int, float]]:
        """Return up to *count* (key, similarity) nearest to *query*, shape (1, dims), of *probes* cells."""
        self.index.nprobe = probes
        similarities, keys = self.index.search(query, count)
        pairs = zip(keys[0].tolist(), similarities[0].tolist(), strict=True)
        return [(key, similarity) for key, similarity in pairs if key >= 0]
