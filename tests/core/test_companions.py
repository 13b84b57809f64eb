from __future__ import annotations

import math
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from receiver.core.companions import APART, MOST_COMPANIONS, WINDOW, Companions, Row
from receiver.core.timestamps import SECOND

HOUR = 3600 * SECOND
FORTNIGHT = 14 * 24 * HOUR


def seen(onsets: Iterable[tuple[int, int]], limit: int = 100) -> Companions:
    """Return companions that saw the *onsets*, (text, nanoseconds), in this order."""
    made = Companions(limit)
    for order, (text_id, onset) in enumerate(onsets, 1):
        made.observe(text_id, onset, order)
    return made


def faults(count: int, *together: int) -> list[tuple[int, int]]:
    """Return that many onsets of the texts *together*, and each hour of another text by itself."""
    onsets = []
    for n in range(count):
        onsets += [(text_id, n * HOUR) for text_id in together]
        onsets.append((1000 + n, n * HOUR + HOUR // 2))
    return onsets


def test_what_began_together_again_and_again_is_known_company_both_ways() -> None:
    company = seen(faults(5, 1, 2))

    said, whose = company.lift(1, [7, 2, 1])
    assert said > 1.0
    assert whose == 2
    assert company.lift(2, [1]) == (said, 1)


def test_the_more_often_the_more_it_says() -> None:
    lifts = [seen(faults(n, 1, 2)).lift(1, [2])[0] for n in (1, 3, 9)]

    assert lifts == sorted(lifts)
    assert lifts[0] < lifts[-1]


def test_company_by_chance_says_nothing() -> None:
    """Ten faults in turn, of two texts each, and always beside the one that is in all company."""
    company = seen([(text, n * HOUR) for n in range(40) for text in (1, 10 + n % 10, 20 + n % 10)])

    for text in range(10, 20):
        assert company.lift(text, [1])[0] < 0.5
        assert company.lift(text, [1, text + 10]) == company.lift(text, [text + 10])
        assert company.lift(text, [text + 10])[0] > 2.0


def test_of_those_never_met_or_not_known_nothing_is_said() -> None:
    company = seen([(1, 0), (2, 2 * WINDOW)])

    assert Companions(5).lift(1, [2]) == (0.0, 0)
    assert company.lift(1, [2]) == (0.0, 0)
    met = seen([(1, 0), (2, 0), (3, HOUR)])
    assert met.lift(9, [1]) == (0.0, 0)
    assert met.lift(3, [1, 3, 9]) == (0.0, 0)


def test_the_window_is_of_onsets_and_in_both_directions() -> None:
    assert seen([(1, 0), (2, WINDOW), (3, HOUR)]).lift(1, [2])[0] > 0.0
    assert seen([(1, WINDOW), (2, 0), (3, HOUR)]).lift(1, [2])[0] > 0.0
    assert seen([(1, 0), (2, WINDOW + 1), (3, 0)]).lift(1, [2])[0] == 0.0


def test_a_text_that_comes_again_shortly_is_counted_once() -> None:
    once = seen([(1, 0), (2, 1)])
    again = seen([(1, 0), (2, 1), (2, 2), (2, APART)])

    (_, one), (_, two) = (
        [(row[1], row[5]) for row in company.rows() if row[0] in (0, 2)]
        for company in (once, again)
    )
    assert one == two == (1.0, {1: 1.0})
    after = seen([(1, 0), (2, 1), (2, 1 + APART)])
    assert next(row[1] for row in after.rows() if row[0] == 2) == pytest.approx(2.0, abs=1e-3)


def test_what_was_long_ago_fades_by_half_in_a_fortnight() -> None:
    company = seen([(1, 0), (2, 0), (2, FORTNIGHT)])

    (row,) = (row for row in company.rows() if row[0] == 2)
    assert row[1] == pytest.approx(1.5)
    assert row[5] == {1: 0.5}


def test_a_company_that_is_not_heard_of_is_forgotten_in_months() -> None:
    company = seen(faults(5, 1, 2))

    lifts = [company.lift(1, [2], 5 * HOUR + n * FORTNIGHT)[0] for n in (0, 2, 6, 12)]

    assert lifts == sorted(lifts, reverse=True)
    assert lifts[0] > 1.0
    assert lifts[-1] < 0.1


def test_company_of_decades_ago_says_no_more_than_a_number() -> None:
    """A sender may tell any startsAt: what it counted then has faded to nothing since."""
    company = seen([(1, 0), (2, 0), (3, 56 * 365 * 24 * HOUR)])

    assert company._all.met == {0: 0.0}
    assert math.isfinite(company.lift(1, [2])[0])


def test_only_so_many_companions_of_a_text_are_remembered_and_those_met_most() -> None:
    onsets = [(text_id, 0) for text_id in range(2, 2 + MOST_COMPANIONS)] + [(1, 0)]
    onsets += [(50, HOUR), (5, HOUR), (1, HOUR)]
    company = seen(onsets)

    (met,) = (row[5] for row in company.rows() if row[0] == 1)
    assert len(met) == MOST_COMPANIONS
    assert max(met, key=lambda other: met[other]) == 5
    assert 50 in met
    assert 2 not in met


@given(st.lists(st.tuples(st.integers(1, 40), st.integers(0, 900)), max_size=120))
@settings(deadline=None, max_examples=60)
def test_who_met_whom_is_known_the_other_way_too(onsets: list[tuple[int, int]]) -> None:
    company = seen([(text_id, at * SECOND) for text_id, at in onsets], limit=30)

    met = {
        (text_id, other) for text_id, *_, theirs in company.rows() if text_id for other in theirs
    }
    assert {(one, other) for other, ones in company._met_by.items() for one in ones} == met
    assert all(company._met_by.values())


def test_a_new_text_is_counted_with_those_that_began_last_only() -> None:
    crowd = [(text_id, 0) for text_id in range(2, 200)]

    company = seen([(1, 0), *crowd, (300, 0), (400, HOUR)], limit=1000)

    assert company.lift(300, [199])[0] > 0.0
    assert company.lift(300, [1]) == (0.0, 0)


def test_the_text_that_has_not_come_for_longest_is_forgotten() -> None:
    company = Companions(2)
    company.observe(1, 0, 1)
    company.changes()
    for order, text_id in enumerate((2, 1, 3), 2):
        company.observe(text_id, order, order)

    assert len(company) == 2
    changed, dropped = company.changes()
    assert [row[0] for row in changed] == [0, 1, 3]
    assert dropped == [2]
    assert company.changes() == ([], [])


@given(
    st.lists(
        st.tuples(st.integers(1, 8), st.sampled_from([0, 1, 50, 130, 700, 90_000])), max_size=60
    ),
    st.integers(1, 9),
)
@settings(deadline=None, max_examples=60)
def test_rows_of_changes_give_it_back_whenever_they_are_asked_for(
    steps: list[tuple[int, int]], every: int
) -> None:
    company, now = Companions(5), 0
    kept: dict[int, Row] = {}
    for order, (text_id, seconds) in enumerate(steps, 1):
        now += seconds * SECOND
        company.observe(text_id, now, order)
        if order % every == 0 or order == len(steps):
            changed, dropped = company.changes()
            for gone in dropped:
                kept.pop(gone, None)
            kept |= {row[0]: row for row in changed}
    again = Companions(5)
    again.restore(reversed(list(kept.values())))

    assert list(again.rows()) == list(company.rows())
    assert list(again._by_text) == list(company._by_text)
    for text_id in range(1, 9):
        assert again.lift(text_id, range(1, 9)) == company.lift(text_id, range(1, 9))
        assert company.lift(text_id, range(1, 9))[0] >= 0.0
    assert len(company) <= 5


def test_a_lower_limit_holds_from_the_next_text_on() -> None:
    company = Companions(10)
    company.restore(seen([(n, n * HOUR) for n in range(1, 51)]).rows())

    company.observe(99, 60 * HOUR, 51)

    assert list(company._by_text) == [*range(42, 51), 99]
    assert company.changes()[1] == list(range(1, 42))
