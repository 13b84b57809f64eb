from __future__ import annotations

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from numpy.typing import NDArray

from receiver.core.cells import Cells, cells_for, sample_of
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


def test_one_that_is_halved_gives_vectors_back_nearly_and_what_it_gave_exactly() -> None:
    index, again = VectorIndex(DIMS), VectorIndex(DIMS)
    for each in (index, again):
        each.halve()
    given = unit_vectors(500, 3)
    index.add(range(500), given)
    held = np.stack([index.vector(key) for key in range(500)])
    again.add(range(500), held)

    assert np.allclose(held, given, atol=1e-3)
    assert np.allclose(np.linalg.norm(held, axis=1), 1.0, atol=1e-6)
    assert all(np.array_equal(again.vector(key), held[key]) for key in range(500))
    ((nearest, similarity),) = index.search(given[7], 1)
    assert nearest == 7
    assert similarity == pytest.approx(1.0, abs=1e-3)


# -- cells ---------------------------------------------------------------------------------------


def clustered(count: int, seed: int = 0) -> NDArray[np.float32]:
    """Return unit vectors around some directions, as those of texts are."""
    rng = np.random.default_rng(seed)
    around = unit_vectors(40, 99)[rng.integers(0, 40, count)]
    moved = around + 0.2 * rng.normal(size=(count, DIMS)).astype(np.float32)
    lengths: NDArray[np.float32] = np.linalg.norm(moved, axis=1, keepdims=True)
    return (moved / lengths).astype(np.float32)


def halved() -> VectorIndex:
    index = VectorIndex(DIMS)
    index.halve()
    return index


def in_cells(index: VectorIndex, wanted: int) -> Cells:
    """Return cells for all that is in *index*, trained and filled as the trainer does."""
    _, sample = index.vectors(sample_of(index.keys(), wanted))
    cells = Cells(sample, wanted)
    cells.expect(index.vectors(index.keys())[1])
    cells.reserve()
    cells.add(*index.vectors(index.keys()))
    cells.tune(sample[:50])
    return cells


def test_cells_are_wanted_from_a_size_on_and_again_when_most_is_new() -> None:
    index = halved()
    index.add(range(400), clustered(400))

    assert index.wants_cells(401) == 0
    wanted = index.wants_cells(400)
    assert wanted == cells_for(400) == 40

    index.adopt(in_cells(index, wanted))

    assert index.wants_cells(400) == 0
    index.add(range(400, 799), clustered(399, 1))
    assert index.wants_cells(400) == 0
    index.add([799], clustered(1, 2))
    assert index.wants_cells(400) == cells_for(800)


def test_in_cells_nearly_all_is_found_and_vectors_are_the_same() -> None:
    flat, index = halved(), halved()
    for each in (flat, index):
        each.add(range(2000), clustered(2000))
    index.adopt(in_cells(index, 90))
    queries = clustered(100, 5)

    found = sum(
        len({key for key, _ in index.search(q, 10)} & {key for key, _ in flat.search(q, 10)})
        for q in queries
    )

    assert index.cells == 90
    assert 1 <= index.probes < 90
    assert found >= 0.95 * 1000
    assert index.recall >= 0.98
    assert all(np.array_equal(index.vector(key), flat.vector(key)) for key in range(0, 2000, 100))


def test_what_changed_while_cells_were_made_is_made_up_for() -> None:
    index = halved()
    index.add(range(1000), clustered(1000))
    cells = in_cells(index, 60)
    index.remove(range(0, 100))
    index.add(range(1000, 1050), clustered(50, 3))
    index.adopt(cells)

    assert len(index) == 950
    assert index.keys() == [*range(100, 1050)]
    (nearest, similarity), *_ = index.search(clustered(50, 3)[7], 1)
    assert nearest == 1007
    assert similarity == pytest.approx(1.0, abs=2e-3)
    everything = index.search(index.vector(500), 2000)
    assert {key for key, _ in everything} <= set(range(100, 1050))


def test_in_cells_can_be_added_and_removed() -> None:
    index = halved()
    index.add(range(500), clustered(500))
    index.adopt(in_cells(index, 40))
    index.remove([3, 4, 9999])
    index.add([3], clustered(1, 8))

    assert 4 not in index
    assert index.search(index.vector(3), 1)[0][0] == 3
    with pytest.raises(KeyError):
        index.vector(4)
    assert index.vectors([3, 4])[0] == [3]


def test_where_too_little_is_found_more_cells_are_looked_into() -> None:
    index = halved()
    index.add(range(2000), clustered(2000))
    cells = in_cells(index, 90)
    cells.probes, cells.tuned = 1, 1.0
    index.adopt(cells)
    for query in unit_vectors(400, 6):
        index.search(query, 24)

    assert index.probes > 1
    assert index.recall >= 0.9


def test_cells_that_find_all_only_together_are_all_looked_into() -> None:
    index = halved()
    index.add(range(30), unit_vectors(30, 1))
    cells = in_cells(index, 3)
    cells.tune(unit_vectors(20, 2))

    assert cells.probes == 3
    assert cells.tuned == 1.0
