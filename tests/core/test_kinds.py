from __future__ import annotations

import pytest

from receiver.core.kinds import Kinds, Novelty
from receiver.core.timestamps import SECOND

DAY = 86_400 * SECOND
WEEK = 7 * DAY


def kinds(limit: int = 100) -> Kinds:
    return Kinds(limit, WEEK)


def test_before_it_reaches_back_far_enough_what_is_unseen_is_unknown() -> None:
    held = kinds()
    assert held.novelty("A", DAY) == Novelty(1, 0, 1, DAY)

    held.see("Other", DAY)

    assert held.novelty("A", DAY + WEEK - 1) == Novelty(1, 0, 1, DAY + WEEK - 1)
    assert held.novelty("A", DAY + WEEK) == Novelty(1, 1, 0, DAY + WEEK)


def test_what_was_seen_lately_is_known_however_young_the_memory() -> None:
    held = kinds()
    held.see("A", DAY)

    assert held.novelty("A", 2 * DAY) == Novelty(1, 0, 0, DAY)


def test_after_long_silence_it_is_new_again_and_still_first_seen_long_ago() -> None:
    held = kinds()
    held.see("A", DAY)

    assert held.novelty("A", DAY + WEEK - 1).new == 0
    assert held.novelty("A", DAY + WEEK) == Novelty(1, 1, 0, DAY)


def test_what_is_repeated_all_along_is_not_silent() -> None:
    held = kinds()
    for hour in range(24 * 20):
        held.see("A", DAY + hour * 3600 * SECOND)

    assert held.novelty("A", 22 * DAY).new == 0


@pytest.mark.parametrize(("first_at", "new"), [(DAY, 0), (2 * WEEK, 1)])
def test_what_has_just_come_up_is_as_new_to_the_next_cluster(first_at: int, new: int) -> None:
    held = kinds()
    held.see("Other", DAY)
    held.see("A", first_at)

    assert held.novelty("A", first_at + 60 * SECOND) == Novelty(1, new, 1 - new, first_at)
    assert held.novelty("A", first_at + 3600 * SECOND) == Novelty(1, 0, 0, first_at)


def test_what_came_back_after_silence_is_as_new_to_the_next_cluster() -> None:
    held = kinds()
    held.see("A", DAY)
    held.see("A", DAY + 2 * WEEK)

    assert held.novelty("A", DAY + 2 * WEEK + 60 * SECOND) == Novelty(1, 1, 0, DAY)


def test_past_its_limit_it_knows_from_when_on_it_knows_all() -> None:
    held = kinds(limit=10)
    for n in range(11):
        held.see(f"N{n}", n * DAY)

    assert len(list(held.rows())) == 11
    assert held.novelty("N10", 11 * DAY) == Novelty(1, 0, 0, 10 * DAY)
    # N0 is forgotten, and with it who else was seen when it was.
    assert held.novelty("N0", WEEK) == Novelty(1, 0, 1, WEEK)
    assert held.novelty("N0", WEEK + 1).new == 1


def test_changes_are_what_it_takes_to_have_the_same() -> None:
    held, rows = kinds(limit=10), dict[str, tuple[str, int, int, int]]()
    for n in range(25):
        held.see(f"N{n % 13}", n * DAY)
        changed, dropped = held.changes()
        for key in dropped:
            del rows[key]
        rows.update((row[0], row) for row in changed)
    again = kinds(limit=10)

    again.restore(rows.values())

    assert list(again.rows()) == list(held.rows())
    assert sorted(rows.values()) == sorted(held.rows())
    assert held.changes() == ([], [])
    assert list(kinds().rows()) == []


@pytest.mark.parametrize(
    ("novelty", "novel"),
    [
        (Novelty(), None),
        (Novelty(1, 1), True),
        (Novelty(2, 1), True),
        (Novelty(3, 1), False),
        (Novelty(3, 1, 1), None),
        (Novelty(1, 0, 0), False),
    ],
)
def test_half_of_its_kinds_make_a_cluster_novel(novelty: Novelty, novel: bool | None) -> None:
    assert novelty.novel is novel


def test_two_are_put_together() -> None:
    assert Novelty(1, 1, 0, 9) + Novelty(2, 0, 1, 5) == Novelty(3, 1, 1, 5)
    assert Novelty() + Novelty(1, 0, 0, 3) == Novelty(1, 0, 0, 3)
