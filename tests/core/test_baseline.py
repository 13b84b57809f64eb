from __future__ import annotations

import json

import pytest

from receiver.core.baseline import SPAN, Baseline
from receiver.core.timestamps import SECOND, seconds
from tests.builders import START

DAY, WEEK = 144, 7 * 144
WINDOW = 120 * SECOND
PER_SPAN = SPAN // WINDOW


def span(number: int) -> int:
    """Return the beginning of a span; number 0 is at midnight."""
    return START + number * SPAN


def new() -> Baseline:
    return Baseline(WINDOW)


def live(baseline: Baseline, first: int, *counts: int, burst: bool = False) -> Baseline:
    """Let one span after the other bring so many new episodes, evenly or at once; close the last."""
    for number, count in enumerate(counts, start=first):
        baseline.hear(span(number))
        for nth in range(count):
            lately = nth + 1 if burst else min(nth + 1, count // PER_SPAN)
            baseline.count(span(number) + SECOND, lately)
    baseline.hear(span(first + len(counts)))
    return baseline


def storm(baseline: Baseline, first: int, *counts: int, adopt: bool = False) -> Baseline:
    """Let a storm bring so many new episodes; close its last span."""
    baseline.hear(span(first))
    baseline.pause()
    live(baseline, first, *counts)
    baseline.resume(adopt=adopt)
    return baseline


def usual(baseline: Baseline, number: int) -> float | None:
    """Return the usual count of a span."""
    rate = baseline.per_second(span(number))
    return None if rate is None else round(rate * seconds(SPAN), 6)


# -- the last hour -------------------------------------------------------------------------------------


def test_nothing_is_usual_before_three_spans_were_seen() -> None:
    assert usual(live(new(), 0, 4, 4), 2) is None
    assert usual(live(new(), 0, 4, 4, 4), 3) == 4


def test_one_span_that_is_odd_does_not_move_the_usual() -> None:
    assert usual(live(new(), 0, 4, 5, 10_000, 4, 5), 5) == 5


def test_a_rise_over_hours_explains_itself() -> None:
    baseline = live(new(), 0, *[10] * DAY)
    assert usual(baseline, DAY) == 10

    live(baseline, DAY, *range(10, 50))

    assert usual(baseline, DAY + 40) == 46.5


def test_what_was_before_a_day_of_silence_is_not_lately() -> None:
    baseline = live(new(), 0, *[10] * 6)
    baseline.hear(span(6 + DAY))
    baseline.hear(span(7 + DAY))

    assert usual(baseline, 7 + DAY) is None


# -- the same time before ------------------------------------------------------------------------------


def test_a_rise_that_comes_by_the_clock_is_known_on_the_third_day() -> None:
    baseline = new()
    told = []
    for day in range(3):
        live(baseline, day * DAY, *[10] * 72)
        told.append(usual(baseline, day * DAY + 73))
        live(baseline, day * DAY + 72, *[60] * 72)

    assert told == [10, 10, 60]


def test_a_monday_is_not_expected_to_be_like_the_sunday_before() -> None:
    """The days before are as it is on most of them, and of four the better two tell."""
    baseline = new()
    for day in range(4):
        live(baseline, day * DAY, *[50 if day < 2 else 10] * DAY)

    live(baseline, 4 * DAY, *[50] * 6)

    assert usual(baseline, 4 * DAY + 6) == 50


def test_a_sunday_is_not_expected_to_be_like_the_days_before() -> None:
    baseline = new()
    for day in range(5):
        live(baseline, day * DAY, *[100] * DAY)
    live(baseline, 5 * DAY, *[10] * 72)

    assert usual(baseline, 5 * DAY + 72) == 10


def test_after_two_weeks_a_time_of_the_week_speaks_for_itself() -> None:
    baseline = new()
    for day in range(14):
        # On Wednesdays, from noon, three times as much.
        live(baseline, day * DAY, *[20] * 72, *[60 if day % 7 == 2 else 20] * 72)
    live(baseline, 14 * DAY, *[20] * DAY)
    tuesday = usual(baseline, 15 * DAY + 80)
    live(baseline, 15 * DAY, *[20] * DAY, *[20] * 72)

    assert (tuesday, usual(baseline, 16 * DAY + 73)) == (20, 60)


def test_a_monday_that_begins_at_once_is_known_from_the_week_before() -> None:
    """The days before say that so little, as came in the last hour of Sunday, goes on."""
    baseline = new()
    for day in range(11):
        live(baseline, day * DAY, *[10 if day % 7 in (2, 3) else 50] * DAY)

    assert usual(baseline, 11 * DAY + 2) == 50


def test_what_is_longer_ago_than_four_weeks_is_forgotten() -> None:
    baseline = new()
    for day in range(60):
        live(baseline, day * DAY, *[7] * DAY)

    dumped = baseline.dump()

    assert len(dumped["counts"]) == len(dumped["peaks"]) == 4 * WEEK + 1


# -- bursts and storms ---------------------------------------------------------------------------------


def test_a_nightly_burst_is_a_storm_two_nights_and_then_no_more() -> None:
    baseline = new()
    told = []
    for day in range(4):
        live(baseline, day * DAY, *[5] * 12)
        told.append(usual(baseline, day * DAY + 12))
        if day < 2:
            storm(baseline, day * DAY + 12, 100)
        else:
            live(baseline, day * DAY + 12, 100, burst=True)
        live(baseline, day * DAY + 13, *[5] * 131)

    # In the storms a fifth came in any window; the second span of each was calm again.
    assert told == [5, 5, 52.5, 52.5]
    # Then all comes at once.
    live(baseline, 4 * DAY, *[5] * 12)
    live(baseline, 4 * DAY + 12, 100, *[5] * 131, burst=True)
    live(baseline, 5 * DAY, *[5] * 12)
    assert usual(baseline, 5 * DAY + 12) == pytest.approx(2 / 3 * 100 * PER_SPAN)
    # Some minutes off it is known too, and not an hour later.
    assert usual(baseline, 5 * DAY + 13) == pytest.approx(2 / 3 * 100 * PER_SPAN)
    assert usual(baseline, 5 * DAY + 18) == 5


def test_a_burst_by_the_clock_is_as_large_on_a_quiet_day() -> None:
    baseline = new()
    for day in range(3):
        live(baseline, day * DAY, *[30] * 12)
        live(baseline, day * DAY + 12, 90, burst=True)
        live(baseline, day * DAY + 13, *[30] * 131)
    live(baseline, 3 * DAY, *[3] * 12)

    assert usual(baseline, 3 * DAY + 12) == pytest.approx(2 / 3 * 90 * PER_SPAN)


def test_a_rise_by_the_clock_is_as_large_on_a_quiet_day() -> None:
    baseline = new()
    for day in range(3):
        live(baseline, day * DAY, *[30] * 12, *[90] * 6, *[30] * 126)
    live(baseline, 3 * DAY, *[3] * 13)

    assert usual(baseline, 3 * DAY + 13) == 63


def test_one_storm_is_not_learned_from() -> None:
    baseline = live(new(), 0, *[5] * DAY)
    live(baseline, DAY, *[5] * 72)
    storm(baseline, DAY + 72, *[900] * 6)
    live(baseline, DAY + 78, *[5] * 66)

    assert usual(baseline, 2 * DAY) == 5
    assert usual(live(baseline, 2 * DAY, *[5] * 72), 2 * DAY + 74) == 5


def test_a_storm_does_not_change_what_is_usual_while_it_goes_on() -> None:
    baseline = live(new(), 0, *[5] * 20)
    baseline.pause()
    live(baseline, 20, *[900] * 12)

    assert usual(baseline, 32) == 5


def test_a_storm_that_becomes_the_usual_is_what_was_lately() -> None:
    baseline = live(new(), 0, *[5] * 20)
    storm(baseline, 20, *[400] * 30, adopt=True)

    assert usual(baseline, 50) == 400
    assert usual(live(baseline, 50, *[6] * 8), 58) == 6


def test_a_storm_of_silence_becomes_nothing() -> None:
    """It may be over before a span of it is closed, or with spans in which nothing was heard."""
    baseline = live(new(), 0, *[5] * 4)
    baseline.pause()
    baseline.hear(span(7))
    baseline.resume(adopt=True)

    assert usual(baseline, 7) == 5
    assert baseline.changed


def test_a_span_in_which_nothing_was_received_is_not_learned() -> None:
    baseline = live(new(), 0, 9, 9, 9)
    baseline.hear(span(500))
    baseline.hear(span(900))

    # The span that was closed by the first of these was heard in, the 496 after it were not.
    assert [count for count in baseline.dump()["counts"] if count is not None] == [9, 9, 9, 0, 0]
    assert len(baseline.dump()["counts"]) == 900


# -- how it is kept ------------------------------------------------------------------------------------


@pytest.mark.parametrize("paused", [False, True])
def test_what_is_dumped_is_restored(paused: bool) -> None:
    baseline = live(new(), 0, 3, 4, 5, 6)
    storm(baseline, 4, 90)
    baseline.hear(span(8))
    if paused:
        baseline.pause()
        live(baseline, 8, 70, 80)
    told = json.loads(json.dumps([baseline.dump(), baseline.dump_span()]))
    again = new()
    again.restore(*told)

    for one in (baseline, again):
        live(one, 10, 1, 2)
        one.resume(adopt=True)
        live(one, 12, 9, 9)
    assert (again.dump(), again.dump_span()) == (baseline.dump(), baseline.dump_span())
    assert usual(again, 14) == usual(baseline, 14)


def test_what_was_kept_by_hour_of_day_is_taken_for_the_latest_days() -> None:
    """As databases had it before weeks were learned: 84 counts of each hour, no peaks."""
    now = START // SPAN + 3
    learned = {"hours": [[hour] * 84 for hour in range(24)]}
    learned["hours"][0] = [7, 8, 9]
    told = {
        "span": now,
        "count": 2,
        "heard": True,
        "stormy": False,
        "paused": False,
        "of_storm": [],
    }
    baseline = new()
    baseline.restore(learned, told)

    counts = baseline.dump()["counts"]

    assert counts[-4:] == [23, 7, 8, 9]
    assert counts[-6 * 24 :][:3] == [None, None, None]
    assert usual(baseline, 3) == 16
