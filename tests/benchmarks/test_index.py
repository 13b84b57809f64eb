from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from benchmarks import index, load
from benchmarks.index import Tried


def _tried(form: str, size: int, recall: float, p50: float) -> Tried:
    return Tried(form, size, "", recall, p50, p50, 0.0, 0.0, 0.0)


def test_the_best_is_the_fastest_that_holds_the_recall() -> None:
    results = [
        _tried("IVF", 10, 0.9, 1.0),
        _tried("IVF", 10, 0.99, 2.0),
        _tried("IVF", 10, 1.0, 3.0),
    ]

    assert index.best(results) == [results[1]]


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ((2.0, 1.0, 1.0), 20),
        ((1.0, 1.0, 4.0), None),
        ((1.0, 1.0, 1.0), 10),
        ((3.0, 3.0, 3.0), None),
    ],
)
def test_the_lines_cross_where_flat_is_slower_from_then_on(
    times: tuple[float, ...], expected: int | None
) -> None:
    results = [_tried("flat", size, 1.0, 2.0) for size in (10, 20, 40)]
    results += [
        _tried("IVF", size, 1.0, p50) for size, p50 in zip((10, 20, 40), times, strict=True)
    ]

    assert index.crossing(results, "IVF") == expected


def test_a_form_is_not_blamed_for_sizes_at_which_it_was_not_tried() -> None:
    results = [
        _tried("flat", 10, 1.0, 2.0),
        _tried("flat", 20, 1.0, 2.0),
        _tried("HNSW32", 10, 1.0, 1.0),
    ]

    assert index.crossing(results, "HNSW32") == 10


def test_vectors_beyond_the_real_ones_are_turned_copies() -> None:
    real = np.eye(4, 8, dtype=np.float32)

    every = index.filled_up(real, 6)

    assert (every[:4] == real).all()
    assert np.linalg.norm(every, axis=1) == pytest.approx(np.ones(6))
    assert index.filled_up(real, 2).shape == (2, 8)


def test_a_quantile_lies_in_the_bucket_that_first_holds_so_many_of_what_came_between() -> None:
    before = {0.1: 10.0, 1.0: 10.0, float("inf"): 10.0}
    after = {0.1: 15.0, 1.0: 19.0, float("inf"): 20.0}

    assert [load.bound_of(before, after, share) for share in (0.5, 0.9, 0.99)] == [
        0.1,
        1.0,
        float("inf"),
    ]


def test_codes_are_told_in_order() -> None:
    assert load._shown(Counter({"503": 1, "200": 2})) == "200:2 503:1"
