from __future__ import annotations

import json

import pytest

from receiver.core.baseline import SPAN, Baseline
from receiver.core.timestamps import SECOND, seconds
from tests.builders import START

SPANS_A_DAY = 144


def span(number: int) -> int:
    """Return the beginning of a span; number 0 is at midnight."""
    return START + number * SPAN


def live(baseline: Baseline, first: int, *counts: int) -> Baseline:
    """Let one span after the other bring so many new episodes; the last one is closed."""
    for number, count in enumerate(counts, start=first):
        baseline.hear(span(number))
        for _ in range(count):
            baseline.count(span(number) + SECOND)
    baseline.hear(span(first + len(counts)))
    return baseline


def usual(baseline: Baseline, number: int = 0) -> float | None:
    """Return the usual count of a span."""
    rate = baseline.per_second(span(number))
    return None if rate is None else round(rate * seconds(SPAN), 6)


def test_nothing_is_usual_before_three_spans_were_seen() -> None:
    assert usual(live(Baseline(), 0, 4, 4)) is None
    assert usual(live(Baseline(), 0, 4, 4, 4)) == 4


def test_one_span_that_is_odd_does_not_move_the_usual() -> None:
    assert usual(live(Baseline(), 0, 4, 5, 10_000, 4, 5)) == 5


def test_an_hour_of_day_speaks_for_itself_once_it_was_seen_on_two_days() -> None:
    baseline = Baseline()
    for day in range(3):
        quiet, busy = [1] * 6, [50] * 6
        live(baseline, day * SPANS_A_DAY, *quiet, *busy)
        if day == 0:
            assert usual(baseline, 0) == usual(baseline, 6) == usual(baseline, 30) == 25.5

    assert usual(baseline, 0) == 1
    assert usual(baseline, 6) == 50


def test_what_was_a_fortnight_ago_is_forgotten() -> None:
    baseline = Baseline()
    for day in range(40):
        live(baseline, day * SPANS_A_DAY, *[1 if day < 20 else 7] * 6)

    assert usual(baseline) == 7
    assert len(baseline.dump()["hours"][0]) == 84


def test_a_span_in_which_nothing_was_received_is_not_learned() -> None:
    baseline = live(Baseline(), 0, 9, 9, 9)
    baseline.hear(span(500))
    baseline.hear(span(900))

    # The span that was closed by the first of these was heard in, the 496 after it were not.
    assert sorted(c for counts in baseline.dump()["hours"] for c in counts) == [0, 0, 9, 9, 9]


def test_a_storm_is_not_learned_from() -> None:
    baseline = live(Baseline(), 0, 5, 5, 5, 5)
    baseline.pause()
    live(baseline, 4, 900, 900, 900, 900, 900, 900)
    baseline.resume(adopt=False)
    live(baseline, 10, 300, 5)

    assert usual(baseline) == 5


def test_a_storm_that_becomes_the_usual_replaces_all_before() -> None:
    baseline = live(Baseline(), 0, *[5] * 20)
    baseline.pause()
    live(baseline, 20, *[400] * 30)
    baseline.resume(adopt=True)

    assert usual(baseline) == 400
    assert usual(live(baseline, 50, *[6] * 8)) == 6


@pytest.mark.parametrize("paused", [False, True])
def test_what_is_dumped_is_restored(paused: bool) -> None:
    baseline = live(Baseline(), 0, 3, 4, 5, 6)
    if paused:
        baseline.pause()
        live(baseline, 4, 70, 80)
    told = json.loads(json.dumps([baseline.dump(), baseline.dump_span()]))
    again = Baseline()
    again.restore(*told)

    for one in (baseline, again):
        live(one, 6, 1, 2)
        one.resume(adopt=True)
        live(one, 8, 9, 9)
    assert (again.dump(), again.dump_span()) == (baseline.dump(), baseline.dump_span())
    assert usual(again) == usual(baseline)


def test_what_is_forgotten_for_a_storm_of_no_whole_span_is_kept_too() -> None:
    baseline = Baseline()
    for span in range(3):
        baseline.hear(span * SPAN)
    baseline.pause()
    baseline.changed = False

    baseline.resume(adopt=True)

    assert baseline.changed
    assert not any(baseline.dump()["hours"])
