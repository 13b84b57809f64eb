"""Which index, when: `python -m benchmarks.index [--short]`.

Flat, IVF (as 32-bit and as 16-bit floats) and HNSW of faiss, one thread, one query at a time, from 2,000
vectors up to 50,000 in the short form and 500,000 in the long one. The queries are texts that are not in
it, embedded by the real model. What is searched is texts embedded too (2,000 of them, 20,000 in the long
form), and beyond these, copies turned by some 20 degrees, as `benchmarks.filled` makes them.

Recall is the share of the 24 nearest that were found, by similarity. Of each form the cheapest setting with
a recall of .99 stands in the first table; all that were tried in the others. HNSW cannot let go of a
vector, and is there to compare.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from benchmarks import cost, findings, texts
from benchmarks.filled import FIRST_NEW, real_config
from benchmarks.findings import Findings
from receiver.embedding import open_embedder

_NEIGHBORS = 24
_RECALL = 0.99
_SHORT, _LONG = (2_000, 5_000, 10_000, 20_000, 50_000), (100_000, 200_000, 500_000)
_QUERIES = 200
_FIRST_QUERY = FIRST_NEW + 50_000
_CELLS = (1, 4)
"""Cells of an IVF for each square root of what is in it."""

_PROBES = (1, 2, 4, 8, 16, 32, 64)
_BREADTHS = (16, 32, 64, 128, 256)
_LARGEST_HNSW = 20_000
"""In the short form: 50,000 take half a minute to put in."""

_HASHTABLE = 2
"""`faiss::DirectMap::Hashtable`: without it nothing can be removed."""

Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class Tried:
    """One setting of one form at one size; milliseconds a search, seconds to train and to add."""

    form: str
    size: int
    setting: str
    recall: float
    p50: float
    p99: float
    train_seconds: float
    add_seconds: float
    megabytes: float


def embedded(first: int, count: int) -> Vectors:
    """Return the vectors of *count* of our own texts from *first* on."""
    embedder = open_embedder(real_config().embedding)
    try:
        drawn = map(texts.distinct, range(first, first + count))
        parts = []
        while part := [one.text for one in islice(drawn, 256)]:
            parts.append(embedder.embed(part))
    finally:
        embedder.close()
    return np.concatenate(parts)


def filled_up(real: Vectors, size: int) -> Vectors:
    """Return *size* vectors: *real* ones, and copies of them turned."""
    if size <= len(real):
        return real[:size]
    bases = [cost.Rule("", "", "", "", vector) for vector in real]
    made = cost.Texts(bases)
    starts = range(len(real), size, 10_000)
    blocks = (made.vectors(range(first, min(size, first + 10_000))) for first in starts)
    return np.concatenate([real, *blocks])


def searched(
    index: Any, queries: Vectors, exact: NDArray[np.float32]
) -> tuple[float, float, float]:
    """Return recall of *index* for *queries* against *exact* (the least similarity), p50 and p99 in ms."""
    took, found = [], 0
    for query, least in zip(queries, exact, strict=True):
        began = time.perf_counter()
        similarities, _ = index.search(query.reshape(1, -1), _NEIGHBORS)
        took.append((time.perf_counter() - began) * 1e3)
        found += int((similarities[0] >= least - 1e-3).sum())
    values = findings.spread(took)
    return found / (len(queries) * _NEIGHBORS), values["p50"], values["p99"]


def tried(vectors: Vectors, queries: Vectors, *, hnsw: bool) -> Iterator[Tried]:
    """Yield what each form does with *vectors*."""
    size, dims = vectors.shape
    flat = faiss.IndexIDMap2(faiss.IndexFlatIP(dims))
    add = _seconds(lambda: flat.add_with_ids(vectors, np.arange(size)))
    exact = flat.search(queries, _NEIGHBORS)[0][:, -1]
    yield Tried("flat", size, "", *searched(flat, queries, exact), 0.0, add, _megabytes(flat))
    for kind in ("IVF", "IVF, 16 bits"):
        for factor in _CELLS:
            cells = round(factor * math.sqrt(size))
            yield from _ivf(kind, cells, vectors, queries, exact)
    if hnsw:
        graph = faiss.IndexHNSWFlat(dims, 32, faiss.METRIC_INNER_PRODUCT)
        add = _seconds(lambda: graph.add(vectors))
        for breadth in _BREADTHS:
            graph.hnsw.efSearch = breadth
            measured = searched(graph, queries, exact)
            yield Tried("HNSW32", size, f"ef {breadth}", *measured, 0.0, add, _megabytes(graph))


def _ivf(
    kind: str, cells: int, vectors: Vectors, queries: Vectors, exact: NDArray[np.float32]
) -> Iterator[Tried]:
    size, dims = vectors.shape
    coarse = faiss.IndexFlatIP(dims)
    index: Any
    if kind == "IVF":
        index = faiss.IndexIVFFlat(coarse, dims, cells, faiss.METRIC_INNER_PRODUCT)
    else:
        half = faiss.ScalarQuantizer.QT_fp16
        index = faiss.IndexIVFScalarQuantizer(
            coarse, dims, cells, half, faiss.METRIC_INNER_PRODUCT, False
        )
    # Fewer points for a cell make training warn, more than 64 only slow it down.
    index.cp.min_points_per_centroid, index.cp.max_points_per_centroid = 1, 64
    train = _seconds(lambda: index.train(vectors))
    index.set_direct_map_type(_HASHTABLE)
    add = _seconds(lambda: index.add_with_ids(vectors, np.arange(size)))
    for probes in _PROBES:
        if probes > cells:
            return
        index.nprobe = probes
        recall, p50, p99 = searched(index, queries, exact)
        setting = f"{cells} cells, {probes} probed"
        yield Tried(kind, size, setting, recall, p50, p99, train, add, _megabytes(index))
        if recall > 0.999:
            return


def _seconds(work: Any) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _megabytes(index: Any) -> float:
    return len(faiss.serialize_index(index)) / 1e6


def best(results: Sequence[Tried]) -> list[Tried]:
    """Return of each form and size the fastest of *results* that holds the recall."""
    found: dict[tuple[int, str], Tried] = {}
    for one in results:
        key = (one.size, one.form)
        if one.recall >= _RECALL and (key not in found or one.p50 < found[key].p50):
            found[key] = one
    return [found[key] for key in sorted(found)]


def crossing(results: Sequence[Tried], form: str) -> int | None:
    """Return the least size from which on *form*, at its best, is faster than flat; None for none.

    Of the sizes at which it was tried; where it did not hold the recall, it is not.
    """
    by_size = {(one.size, one.form): one.p50 for one in best(results)}
    sizes = sorted({one.size for one in results if one.form == form}, reverse=True)
    least = None
    for size in sizes:
        if by_size.get((size, form), math.inf) >= by_size[size, "flat"]:
            break
        least = size
    return least


def measure(*, short: bool) -> Findings:
    """Return what each form does at each size."""
    # In this thread, and for the whole process: one query has nothing to share out.
    faiss.omp_set_num_threads(1)
    real = embedded(0, 2_000 if short else 20_000)
    queries = embedded(_FIRST_QUERY, _QUERIES)
    sizes = _SHORT if short else _SHORT + _LONG
    every = filled_up(real, sizes[-1])
    results: list[Tried] = []
    for size in sizes:
        graph = not short or size <= _LARGEST_HNSW
        results += tried(every[:size], queries, hnsw=graph and size <= _SHORT[-1])
    told = Findings()
    told.tables = [("The fastest of each form with a recall of .99", _rows(best(results)))]
    told.tables += [
        (f"{size:,} vectors", _rows([one for one in results if one.size == size])) for size in sizes
    ]
    for form in ("IVF", "IVF, 16 bits", "HNSW32"):
        from_size = crossing(results, form)
        where = f"from {from_size:,} vectors on" if from_size else "at no size tried"
        told.notes.append(f"{form} with that recall is faster than flat {where}.")
    largest = [one for one in best(results) if one.size == 50_000]
    for one in largest:
        name = {"flat": "flat", "IVF": "ivf", "IVF, 16 bits": "ivf16"}.get(one.form)
        if name:
            told.figures |= {f"{name}_p99_ms_50k": one.p99, f"{name}_recall_50k": one.recall}
            told.figures[f"{name}_train_s_50k"] = one.train_seconds
    return told


def _rows(results: Sequence[Tried]) -> list[list[str]]:
    head = ["vectors", "form", "setting", "recall", "p50 ms", "p99 ms", "train s", "add s", "MB"]
    return [
        head,
        *(
            [
                f"{one.size:,}", one.form, one.setting, f"{one.recall:.4f}", f"{one.p50:.3f}",
                f"{one.p99:.3f}", f"{one.train_seconds:.2f}", f"{one.add_seconds:.2f}",
                f"{one.megabytes:.0f}",
            ]
            for one in results
        ),
    ]  # fmt: skip


def main(arguments: Sequence[str]) -> int:
    """Measure and tell."""
    options = findings.parser(__doc__, "index").parse_args(arguments)
    findings.record("index", options, lambda: measure(short=options.short))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
