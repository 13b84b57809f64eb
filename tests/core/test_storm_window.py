from __future__ import annotations

import json

from receiver.core.storm_window import PIECES, Window
from receiver.core.timestamps import SECOND
from tests.builders import at

LENGTH = 120 * SECOND


def test_what_is_older_than_the_window_is_not_counted() -> None:
    window = Window(LENGTH)
    for second in range(0, 240, 5):
        window.add(1 + second % 2, at(second))
        assert window.total <= 24

    assert window.total == 24
    assert window.by_cluster() == {1: 12, 2: 12}
    window.move(at(300))
    assert window.total == 10
    window.move(at(10_000))
    assert window.total == 0
    assert not window.by_cluster()


def test_memory_is_bounded_however_many_come() -> None:
    window = Window(LENGTH)
    for number in range(20_000):
        window.add(number, at(number / 100))

    assert len(window._pieces) <= PIECES
    assert window.total > 5000
    assert len(window.by_cluster()) <= PIECES * 512


def test_a_boundary_is_where_a_piece_may_fall_out() -> None:
    window = Window(LENGTH)
    window.add(1, at(5))

    assert window.boundary_after(at(0)) == at(10)
    assert window.boundary_after(at(10)) == at(20)
    window.move(at(119.9))
    assert window.total == 1
    window.move(at(120))
    assert window.total == 0


def test_what_is_dumped_is_restored_unless_the_window_has_another_length() -> None:
    window = Window(LENGTH)
    for second in range(30):
        window.add(second % 3, at(second))
    told = json.loads(json.dumps(window.dump()))
    same, other = Window(LENGTH), Window(2 * LENGTH)
    same.restore(told)
    other.restore(told)

    assert same.dump() == window.dump()
    assert same.total == 30
    assert other.total == 0
