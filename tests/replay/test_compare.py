"""What becomes of clusters from one grouping to another."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from receiver.replay.compare import Change, Fate, compare_groups


def changes(
    *cells: tuple[int, int, int],
) -> list[tuple[str, tuple[int, ...], tuple[int, ...], int]]:
    """Return the changes where (before, after, how many) alerts are."""
    pairs = [(before, after) for before, after, count in cells for _ in range(count)]
    return [(c.fate.value, c.before, c.after, c.alerts) for c in compare_groups(pairs).changes]


def test_the_same_alerts_under_another_id_are_the_same_cluster() -> None:
    assert changes((1, 7, 3), (2, 1, 2)) == [("same", (1,), (7,), 3), ("same", (2,), (1,), 2)]


def test_several_become_one() -> None:
    assert changes((1, 1, 4), (2, 1, 2)) == [("merged", (1, 2), (1,), 6)]


def test_one_becomes_several() -> None:
    assert changes((1, 1, 4), (1, 2, 2)) == [("split", (1,), (1, 2), 6)]


def test_an_alert_that_goes_elsewhere_changes_sizes() -> None:
    assert changes((1, 1, 3), (1, 2, 1), (2, 2, 3)) == [
        ("resized", (1,), (1,), 4),
        ("resized", (2,), (2,), 4),
    ]


def test_what_is_scattered_vanishes_and_what_is_gathered_appears() -> None:
    assert changes((1, 1, 3), (2, 2, 3), (3, 1, 1), (3, 2, 1)) == [
        ("resized", (1,), (1,), 4),
        ("resized", (2,), (2,), 4),
        ("vanished", (3,), (1, 2), 2),
    ]
    assert ("appeared", (1, 2), (3,), 2) in changes((1, 1, 3), (2, 2, 3), (1, 3, 1), (2, 3, 1))


def test_a_small_part_that_goes_its_own_way_is_a_split_though_most_joins_another() -> None:
    assert changes((1, 1, 90), (2, 1, 7), (2, 2, 3)) == [
        ("merged", (1, 2), (1,), 97),
        ("split", (2,), (1, 2), 10),
    ]


def test_company_and_pairs() -> None:
    found = compare_groups([(1, 1)] * 3 + [(1, 2)] + [(2, 3)] * 2)

    # The fourth alert lost all three others; for these three the company is 3 of 4.
    assert (found.alerts, found.same_company, found.changed_company) == (6, 2, 1)
    assert found.pairs == (7, 4, 4)
    assert found.agreement is not None
    assert found.agreement.b_cubed_precision == 1.0


def test_nothing_is_compared_with_nothing() -> None:
    found = compare_groups([])

    assert (found.alerts, found.agreement, found.changes) == (0, None, ())


GROUPINGS = st.lists(st.tuples(st.integers(1, 5), st.integers(1, 5)), min_size=1, max_size=40)


@given(GROUPINGS)
def test_every_cluster_has_a_fate_and_turned_round_it_is_the_opposite(
    pairs: list[tuple[int, int]],
) -> None:
    there = compare_groups(pairs)
    back = compare_groups([(after, before) for before, after in pairs])

    fated = [c for c in there.changes if c.fate is not Fate.APPEARED]
    assert {number for change in fated for number in change.before} == set(there.before)
    fated = [c for c in there.changes if c.fate is not Fate.VANISHED]
    assert {number for change in fated for number in change.after} == set(there.after)
    assert sorted(map(_turned, there.changes)) == sorted(map(_as_tuple, back.changes))


_OPPOSITE = {
    Fate.APPEARED: Fate.VANISHED,
    Fate.VANISHED: Fate.APPEARED,
    Fate.MERGED: Fate.SPLIT,
    Fate.SPLIT: Fate.MERGED,
}


def _turned(change: Change) -> tuple[str, tuple[int, ...], tuple[int, ...]]:
    return _OPPOSITE.get(change.fate, change.fate).value, change.after, change.before


def _as_tuple(change: Change) -> tuple[str, tuple[int, ...], tuple[int, ...]]:
    return change.fate.value, change.before, change.after
