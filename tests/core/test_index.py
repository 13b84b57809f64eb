from __future__ import annotations

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from numpy.typing import NDArray

from receiver.core.index import VectorIndex

DIMS = 8


def unit_vectors(count: int, seed: int) -> NDArray[np.float32]:
    vectors = np.random.default_rng(seed).normal(size=(count, DIMS)).astype(np.float32)
    lengths: NDArray[np.float32] = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / lengths


class IndexMachine(RuleBasedStateMachine):
    """The index against a plain dict and a matrix product, through any sequence of calls."""

    @initialize()
    def start(self) -> None:
        self.index = VectorIndex(DIMS)
        self.model: dict[int, NDArray[np.float32]] = {}
        self.next = 1

    @rule(count=st.integers(0, 6), seed=st.integers(0, 1000))
    def add(self, count: int, seed: int) -> None:
        keys = list(range(self.next, self.next + count))
        vectors = unit_vectors(count, seed)
        self.next += count
        self.index.add(keys, vectors)
        self.model.update(zip(keys, vectors, strict=True))

    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        keys = data.draw(st.lists(st.integers(1, max(1, self.next))))
        self.index.remove(keys)
        for key in keys:
            self.model.pop(key, None)

    @rule()
    def save_and_restore(self) -> None:
        self.index = VectorIndex.from_bytes(self.index.to_bytes())

    @rule(seed=st.integers(0, 1000), count=st.integers(1, 10))
    def search(self, seed: int, count: int) -> None:
        (query,) = unit_vectors(1, seed)
        found = self.index.search(query, count)
        exact = sorted(((-float(v @ query), k) for k, v in self.model.items()))[:count]

        assert [similarity for _, similarity in found] == pytest.approx(
            [-negative for negative, _ in exact], abs=1e-5
        )
        for key, similarity in found:
            assert similarity == pytest.approx(float(self.model[key] @ query), abs=1e-5)

    @invariant()
    def same_content(self) -> None:
        assert len(self.index) == len(self.model)
        for key, vector in self.model.items():
            assert key in self.index
            assert np.array_equal(self.index.vector(key), vector)


TestIndexMachine = IndexMachine.TestCase
TestIndexMachine.settings = settings(max_examples=40, stateful_step_count=20, deadline=None)


def test_a_key_is_never_held_twice() -> None:
    index = VectorIndex(DIMS)
    index.add([1], unit_vectors(1, 0))

    with pytest.raises(ValueError, match=r"\[1\] would be held twice"):
        index.add([1, 2], unit_vectors(2, 1))
    with pytest.raises(ValueError, match="would be held twice"):
        index.add([3, 3], unit_vectors(2, 1))

    assert len(index) == 1


def test_a_wrong_shape_is_refused() -> None:
    with pytest.raises(ValueError, match="shape"):
        VectorIndex(DIMS).add([1, 2], unit_vectors(1, 0))


def test_a_missing_key_has_no_vector() -> None:
    with pytest.raises(KeyError):
        VectorIndex(DIMS).vector(1)


def test_bytes_that_are_no_index_are_refused() -> None:
    with pytest.raises(ValueError, match="not a serialized index"):
        VectorIndex.from_bytes(b"nonsense that is long enough to have a header")


def test_equal_vectors_come_in_the_order_of_keys() -> None:
    index = VectorIndex(DIMS)
    (vector,) = unit_vectors(1, 0)
    index.add([5, 3, 9], np.stack([vector] * 3))

    assert [key for key, _ in index.search(vector, 3)] == [3, 5, 9]


@pytest.mark.parametrize("alike", [1, 5, 40])
@pytest.mark.parametrize("count", [1, 3, 6, 50])
def test_what_is_found_does_not_depend_on_the_order_in_which_it_was_added(
    alike: int, count: int
) -> None:
    """Of *alike* vectors that are just as near the first by key are found."""
    query, *others = np.eye(DIMS, dtype=np.float32)
    vectors = {1: query} | {2 + n: others[n % len(others)] for n in range(alike)}
    found = []
    for keys in (sorted(vectors), sorted(vectors, reverse=True), [*range(3, 2 + alike), 1, 2]):
        index = VectorIndex(DIMS)
        for key in keys:
            index.add([key], vectors[key].reshape(1, -1))
        found.append(index.search(query, count))

    expected = sorted(vectors)[:count]
    assert [[key for key, _ in each] for each in found] == [expected] * 3
