from __future__ import annotations

import sys
from dataclasses import dataclass

import numpy as np

from benchmarks.sizes import reached_bytes


@dataclass(slots=True)
class Holder:
    held: bytes


def test_what_is_reached_through_slots_is_counted_once() -> None:
    data = bytes(10_000)

    size = reached_bytes([Holder(data), Holder(data)], set())

    assert 10_000 < size < 11_000


def test_what_was_counted_before_is_left_out() -> None:
    data = bytes(10_000)
    seen: set[int] = set()
    reached_bytes(data, seen)

    assert reached_bytes([data], seen) == sys.getsizeof([data])


def test_a_view_reaches_what_it_looks_into() -> None:
    assert reached_bytes(np.zeros(10_000)[:1], set()) > 80_000
