from __future__ import annotations

import math

import pytest

from benchmarks.measures import (
    Grouping,
    churn,
    first_correct,
    likeness,
    measure,
    outvoted,
    percentile,
    same,
)


def test_the_most_frequent_group_of_a_cluster_is_seen_even_without_a_majority() -> None:
    truth = ["a", "a", "b", "c", "d"]
    found = [1, 1, 1, 1, 2]

    assert outvoted(truth, found) == 2


def test_of_equally_frequent_groups_the_first_to_come_is_seen() -> None:
    assert outvoted(["a", "b"], [1, 1]) == 1


def test_churn_is_the_share_that_is_elsewhere_at_the_end() -> None:
    assert churn([1, 1, 2, 2], [1, 1, 2, 1]) == 0.25


def test_a_group_is_seen_when_two_of_it_are_most_of_a_cluster() -> None:
    times = [0.0, 10.0, 20.0, 30.0, 40.0]
    truth = ["a", "b", "a", "a", "b"]
    assigned = [1, 1, 2, 2, 1]

    # "a" begins at 0 and has a cluster of its own with two at 30; of cluster 1, "b" is two thirds at 40.
    assert first_correct(times, truth, assigned) == [30.0, 30.0]


def test_a_group_in_the_minority_is_never_seen_and_one_of_a_single_alert_is_left_out() -> None:
    truth = ["a", "a", "a", "b", "b", "alone"]
    assigned = [1, 1, 1, 1, 1, 2]

    assert first_correct([0.0] * 6, truth, assigned) == [0.0, math.inf]


def test_half_of_a_cluster_is_not_most_of_it() -> None:
    assert first_correct([0, 1, 2, 3], ["a", "b", "b", "a"], [1, 1, 2, 1]) == [3, math.inf]


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [([3.0], 0.5, 3.0), ([4.0, 1.0, 3.0, 2.0], 0.5, 2.0), ([1.0, 2.0, math.inf], 0.9, math.inf)],
)
def test_a_percentile_is_one_of_the_values(
    values: list[float], share: float, expected: float
) -> None:
    assert percentile(values, share) == expected


def test_the_percentile_of_nothing_is_not_a_number() -> None:
    assert math.isnan(percentile([], 0.5))


def test_groupings_are_the_same_whatever_their_ids() -> None:
    assert same([1, 1, 2], ["x", "x", "y"])
    assert not same([1, 1, 2], ["x", "y", "y"])
    assert not same([1, 1, 2], ["x", "x", "x"])
    assert not same([1, 1, 1], ["x", "x", "y"])


def test_likeness_is_one_of_the_same_and_takes_no_side() -> None:
    one, other = [1, 1, 2, 2, 2], [1, 1, 1, 2, 2]

    assert likeness(one, one) == 1.0
    assert likeness(one, other) == pytest.approx(likeness(other, one))
    # Two of four pairs are put together by both: F1 = 1/2. B3 precision and recall are both
    # (1 + 1 + 1/3 + 2/3 + 2/3) · ... worked out by alert: 2/3, 2/3, 1/3, 1, 1 over 5 = 11/15.
    assert likeness(one, other) == pytest.approx((0.5 + 11 / 15) / 2)


def test_a_grouping_is_scored_as_it_ends_and_timed_as_it_began() -> None:
    found = measure(
        [0.0, 5.0, 9.0],
        ["a", "a", "b"],
        Grouping(assigned=[1, 2, 1], final=[1, 1, 2], seconds=[1e-6, 3e-6, 8e-6]),
    )

    assert found.agreement.score == 1.0
    assert found.churn == pytest.approx(2 / 3)
    assert found.never_correct == 1
    assert found.microseconds == pytest.approx(3.0)
