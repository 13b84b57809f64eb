from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from receiver.core.index import VectorIndex
from receiver.core.texts import Texts

DIMS = 8


def vector(seed: int) -> NDArray[np.float32]:
    drawn = np.random.default_rng(seed).normal(size=DIMS).astype(np.float32)
    length: np.float32 = np.linalg.norm(drawn)
    return drawn / length


def texts(limit: int, in_use: Callable[[int], bool] = lambda text_id: False) -> Texts:
    return Texts(VectorIndex(DIMS), limit, in_use)


def learn(held: Texts, *words: str) -> list[int]:
    """Have *words* learned, the length of each being its id."""
    return [held.learn(word, vector(len(word)), partial(len, word))[0] for word in words]


def test_the_longest_unused_goes_first_but_what_is_in_use_stays() -> None:
    used: set[int] = set()
    held = texts(4, used.__contains__)
    a, b, c, d = learn(held, "a", "bb", "ccc", "dddd")
    used.add(b)
    learn(held, "a")
    (e,) = learn(held, "eeeee")

    assert sorted(held.index.keys()) == sorted([a, b, d, e])
    assert held.id_of("ccc") == 0
    assert held.changes()[2] == [c]

    used |= {a, d, e}
    learn(held, "ffffff")

    assert len(held.index) == 5, "all are in use, and stay beyond the limit"


def test_a_text_is_stored_with_the_very_vector_that_is_held() -> None:
    held = texts(10)
    text_id, found = held.learn("a text", vector(1), lambda: 7)
    (new,), _, _ = held.changes()

    assert text_id == 7
    assert found is not None
    assert np.array_equal(new.vector, found)
    assert np.allclose(found, vector(1), atol=1e-3)

    again = texts(10)
    again.restore([(new.id, new.digest)], new.vector.reshape(1, -1))
    restored = again.vector(7)

    assert restored is not None
    assert np.array_equal(restored, found)


def test_a_text_without_a_vector_is_not_held() -> None:
    held = texts(10)

    assert held.learn("a text", None, lambda: 7) == (0, None)
    assert (held.id_of("a text"), held.id_of(""), held.vector(7)) == (0, 0, None)
