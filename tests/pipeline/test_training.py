"""Cells for many texts, with an engine that is asked as the worker lets it be."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from receiver.core.errors import TryLater
from receiver.core.index import VectorIndex
from receiver.pipeline import Training

DIMS = 8
LEAST = 300


class Held:
    """An index, asked at once in this thread; a worker would do so between two batches."""

    def __init__(self, count: int) -> None:
        self.index = VectorIndex(DIMS)
        self.index.halve()
        self.grow(count)
        self.meanwhile: Callable[[], None] = lambda: None

    def grow(self, count: int) -> None:
        first = len(self.index)
        drawn = np.random.default_rng(first).normal(size=(count, DIMS)).astype(np.float32)
        drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
        self.index.add(range(first, first + count), drawn)

    def ask(self, question: Callable[[Any, Any], Any]) -> Future[Any]:
        answer: Future[Any] = Future()
        answer.set_result(question(SimpleNamespace(texts=self), None))
        meanwhile, self.meanwhile = self.meanwhile, lambda: None
        meanwhile()
        return answer


def training(held: Held) -> Training:
    return Training(held.ask, lambda: LEAST)


def test_few_texts_are_searched_exactly() -> None:
    held = Held(LEAST - 1)

    assert not training(held).look()
    assert held.index.cells == 1


def test_many_are_put_into_cells_once_and_anew_when_as_many_are_new() -> None:
    held = Held(LEAST)

    assert training(held).look()
    cells = held.index.cells
    assert cells > 1
    assert held.index.recall >= 0.99
    assert not training(held).look()

    held.grow(LEAST)

    assert training(held).look()
    assert held.index.cells > cells


def test_what_comes_and_goes_meanwhile_is_found_and_is_gone() -> None:
    held = Held(LEAST)

    def change() -> None:
        held.grow(10)
        held.index.remove([0, 1])

    held.meanwhile = change
    training(held).look()

    assert len(held.index) == LEAST + 8
    assert held.index.search(held.index.vector(LEAST + 5), 1)[0][0] == LEAST + 5
    assert 0 not in {key for key, _ in held.index.search(held.index.vector(5), LEAST + 8)}


def test_one_that_was_stopped_asks_nothing_more() -> None:
    held = Held(LEAST)
    made = training(held)
    made.stop(1)

    with pytest.raises(TryLater):
        made.look()
    assert held.index.cells == 1
