from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from receiver.core.index import VectorIndex
from receiver.core.texts import DAY, Texts

DIMS = 8


def vector(seed: int) -> NDArray[np.float32]:
    drawn = np.random.default_rng(seed).normal(size=DIMS).astype(np.float32)
    length: np.float32 = np.linalg.norm(drawn)
    return drawn / length


def texts(limit: int, in_use: Callable[[int], bool] = lambda text_id: False) -> Texts:
    return Texts(VectorIndex(DIMS), limit, 30, in_use)


def learn(held: Texts, *words: str, day: int = 100) -> list[int]:
    """Have *words* learned on *day*, the length of each being its id."""
    return [held.learn(word, vector(len(word)), partial(len, word), day * DAY)[0] for word in words]


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


def test_what_is_old_goes_once_there_is_much_but_not_what_is_in_use() -> None:
    used: set[int] = set()
    held = texts(400, used.__contains__)
    learn(held, *("x" * length for length in range(1, 11)), day=100)
    learn(held, *("x" * length for length in range(11, 320)), day=129)
    used |= {1, 2}

    learn(held, "x" * 320, day=131)
    assert len(held.index) == 320, "less than four fifths were held"
    learn(held, "x" * 321, day=130)
    assert len(held.index) == 321, "none is unused for more than thirty days"

    learn(held, "x" * 322, day=131)
    assert held.changes()[2] == [3, 4], "one in a hundred is looked at"
    again = texts(400, used.__contains__)
    again.restore([(t, held._digests[t], held._days[t] * DAY) for t in held._digests], None)
    assert (again._digests, again._days) == (held._digests, held._days)

    used.clear()
    learn(held, "x" * 323, day=131)
    assert held.changes()[2] == [1, 2, 5, 6]
    learn(held, *("x" * length for length in range(324, 330)), day=131)
    assert held.changes()[2] == [7, 8, 9, 10]


def test_a_text_is_stored_with_the_very_vector_that_is_held() -> None:
    held = texts(10)
    text_id, found = held.learn("a text", vector(1), lambda: 7, 0)
    (new,), _, _ = held.changes()

    assert text_id == 7
    assert found is not None
    assert np.array_equal(new.vector, found)
    assert np.allclose(found, vector(1), atol=1e-3)

    again = texts(10)
    again.restore([(new.id, new.digest, 0)], new.vector.reshape(1, -1))
    restored = again.vector(7)

    assert restored is not None
    assert np.array_equal(restored, found)


def test_a_text_without_a_vector_is_not_held() -> None:
    held = texts(10)

    assert held.learn("a text", None, lambda: 7, 0) == (0, None)
    assert (held.id_of("a text"), held.id_of(""), held.vector(7)) == (0, 0, None)
