"""What the machine allows at best, beside what we take: `python -m benchmarks.limits [--short]`.

Three things bound an alert with a new text: the model's multiplications, the memory that an exact search
reads, and the disk that a commit waits for. Each limit is measured here: a product of large matrices with
32-bit floats, for what one processor multiplies; a sum over an array far larger than its
caches, for what it reads; writes of one page with fsync, into the temporary folder, for the disk.

Operations of the model are counted, not measured: of each token a multiplication and an addition for each
weight of the layers, and attention over the tokens there are. The shipped form multiplies 8-bit integers,
of which a processor does up to four in the time of a 32-bit float: it may go below the limit shown.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import faiss
import numpy as np

from benchmarks import findings, texts
from benchmarks.filled import FIRST_NEW, real_config
from benchmarks.findings import Findings
from receiver.core.index import VectorIndex
from receiver.embedding import cache, open_embedder
from receiver.store.database import Database

_LAYERS, _WIDTH, _INNER, _DIMS = 6, 384, 1536, 384
"""Of all-MiniLM-L6-v2."""

_MATRIX = 1024
_READ_BYTES = 2**28
_PAGE = 4096
_VECTORS, _NEIGHBORS = 50_000, 24
_FIRST_TEXT = FIRST_NEW + 60_000


def operations(tokens: int) -> float:
    """Return the floating-point operations of the model for a text of *tokens* tokens."""
    weights = _LAYERS * (4 * _WIDTH * _WIDTH + 2 * _WIDTH * _INNER)
    # Each token with each: once for how much it counts, once for what it adds.
    attention = _LAYERS * 2 * tokens * _WIDTH
    return 2.0 * tokens * (weights + attention)


def multiplied() -> float:
    """Return the floating-point operations in a second of one processor, however many share the work."""
    one = np.random.default_rng(0).standard_normal((_MATRIX, _MATRIX), np.float32)
    took = min(_times(lambda: one @ one, 20, time.process_time))
    return 2.0 * _MATRIX**3 / took


def read() -> float:
    """Return the bytes a second that one thread reads from memory."""
    array = np.ones(_READ_BYTES // 8, np.float64)
    return _READ_BYTES / min(_times(array.sum, 10))


def synced(count: int) -> list[float]:
    """Return the seconds that each of *count* writes of a page with fsync took."""
    with tempfile.NamedTemporaryFile() as file:
        page = bytes(_PAGE)

        def write() -> None:
            file.write(page)
            file.flush()
            os.fdatasync(file.fileno())

        return _times(write, count)


def committed(count: int) -> list[float]:
    """Return the seconds that each of *count* commits of one webhook to the inbox took."""
    body = texts.webhook([texts.distinct(0).told(time.time_ns())])
    with tempfile.TemporaryDirectory() as folder:
        store = Database(Path(folder))
        try:
            return _times(lambda: store.add_to_inbox(1, [(body, 1)]), count)
        finally:
            store.close()


def embedded(count: int) -> tuple[list[float], float]:
    """Return the seconds each of *count* texts took to embed, and how many tokens they have, on average."""
    from tokenizers import Tokenizer

    settings = real_config().embedding
    said = [texts.distinct(_FIRST_TEXT + number).text for number in range(count)]
    tokenizer = Tokenizer.from_file(str(cache.place_of(settings) / cache.TOKENIZER))
    tokenizer.no_padding()
    tokens = statistics.fmean(len(tokenizer.encode(text).ids) for text in said)
    embedder, coming = open_embedder(settings), iter(said)
    try:
        embedder.embed([texts.distinct(_FIRST_TEXT - 1).text])
        return _times(lambda: embedder.embed([next(coming)]), count), tokens
    finally:
        embedder.close()


def searched(count: int) -> list[float]:
    """Return the seconds that each of *count* exact searches took."""
    drawn = np.random.default_rng(1).standard_normal((_VECTORS, _DIMS), np.float32)
    drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
    index = VectorIndex(_DIMS)
    index.add(range(_VECTORS), drawn)
    return _times(lambda: index.search(drawn[0], _NEIGHBORS), count)


def _times(
    work: Callable[[], object], count: int, clock: Callable[[], float] = time.perf_counter
) -> list[float]:
    took = []
    for _ in range(count):
        began = clock()
        work()
        took.append(clock() - began)
    return took


def measure(*, short: bool) -> Findings:
    """Return the limits and what we take."""
    faiss.omp_set_num_threads(1)
    count = 100 if short else 1000
    flops, bandwidth = multiplied(), read()
    sync, commit, search = synced(count), committed(count), searched(count)
    embed, tokens = embedded(count)
    bounds = {
        "embed": operations(round(tokens)) / flops,
        "search": _VECTORS * _DIMS * 4 / bandwidth,
        "commit": statistics.median(sync),
    }
    took = {"embed": embed, "search": search, "commit": commit}
    told = Findings()
    told.figures = {
        "gflops": flops / 1e9,
        "gigabytes_per_second": bandwidth / 1e9,
        **{f"{name}_limit_ms": bound * 1e3 for name, bound in bounds.items()},
        **{f"{name}_p50_ms": statistics.median(times) * 1e3 for name, times in took.items()},
        **{f"fsync_{key}_ms": value * 1e3 for key, value in findings.spread(sync).items()},
    }
    words = {
        "embed": (
            f"a text of {tokens:.0f} tokens embedded",
            f"{operations(round(tokens)) / 1e9:.2f} GFLOP at {flops / 1e9:.0f} GFLOP/s, 32 bits",
        ),
        "search": (
            f"an exact search in {_VECTORS:,} vectors",
            f"{_VECTORS * _DIMS * 4 / 1e6:.0f} MB at {bandwidth / 1e9:.0f} GB/s",
        ),
        "commit": ("a webhook committed to the inbox", "one page written, and fdatasync"),
    }
    rows = [["what", "limit", "limit, ms", "ours p50, ms", "p99", "times the limit"]]
    for name, (what, limit) in words.items():
        values = findings.spread(took[name])
        rows.append(
            [
                what, limit, f"{bounds[name] * 1e3:.2f}", f"{values['p50'] * 1e3:.2f}",
                f"{values['p99'] * 1e3:.2f}", f"{values['p50'] / bounds[name]:.1f}",
            ]
        )  # fmt: skip
    told.tables = [("What the machine allows, and what we take", rows)]
    told.notes = [
        f"fdatasync of one page: p50 {told.figures['fsync_p50_ms']:.2f} ms, p99"
        f" {told.figures['fsync_p99_ms']:.2f} ms. The shipped model multiplies 8-bit integers."
    ]
    return told


def main(arguments: Sequence[str]) -> int:
    """Measure and tell."""
    options = findings.parser(__doc__, "limits").parse_args(arguments)
    findings.record("limits", options, lambda: measure(short=options.short))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
