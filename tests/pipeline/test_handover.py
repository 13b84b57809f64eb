from __future__ import annotations

from receiver.core.inbox import InboxRow
from receiver.core.payload import Notification
from receiver.pipeline.handover import Handed, Handover


def row(number: int, size: int = 10) -> Handed:
    said = Notification("", f"group {number}", "", 0, (), ())
    return InboxRow(number, 1, 1, 0, b"x" * size), said


def ids(handed: list[Handed] | None) -> list[int] | None:
    return None if handed is None else [one.id for one, _ in handed]


def test_what_is_given_is_taken_once_in_order() -> None:
    handover = Handover(0)
    handover.give([row(1), row(2)])
    handover.give([row(3)])

    assert handover.take(0) == [row(1), row(2), row(3)]
    assert handover.take(3) == []


def test_what_was_in_the_inbox_before_comes_first_and_from_there() -> None:
    handover = Handover(5)
    handover.give([row(6), row(7)])

    assert handover.take(4) is None
    assert ids(handover.take(5)) == [6, 7]


def test_a_row_that_was_read_from_the_inbox_meanwhile_is_not_handed_on_again() -> None:
    handover = Handover(5)
    handover.give([row(6), row(7)])

    assert ids(handover.take(6)) == [7]


def test_what_does_not_fit_is_left_to_the_inbox_and_what_comes_after_is_not_taken_before() -> None:
    handover = Handover(0, most_bytes=25)
    handover.give([row(1), row(2), row(3), row(4)])

    assert handover.take(0) is None
    assert handover.take(2) is None
    assert ids(handover.take(3)) == [4]


def test_who_begins_again_finds_in_the_inbox_what_was_taken() -> None:
    handover = Handover(0)
    handover.give([row(1), row(2)])
    handover.take(0)

    assert handover.take(0) is None
    assert handover.take(2) == []
