"""Firing periods out of samples, evaluated each 15 s unless said otherwise."""

from __future__ import annotations

import pytest

from receiver.replay.periods import OUTAGE, Period, Periods

A = (("alertname", "DiskFull"),)
SECOND = 1000


def found(
    evaluations: list[float],
    active: list[float] | None = None,
    *,
    interval: float = 15,
    hold: float = 0,
    until: float | None = None,
    first: float = -1,
    looks: list[float] | None = None,
) -> list[tuple[float, float | None]]:
    """Return (start, end) in seconds of the periods found in *evaluations*, in seconds."""
    periods = Periods()
    looked = [round(at * SECOND) for at in looks or evaluations]
    known = dict(zip(looked, [round(at * SECOND) for at in active or []], strict=False))
    told = list(zip(looked, [round(at * SECOND) for at in evaluations], strict=True))
    periods.add(
        A, round(interval * SECOND), round(hold * SECOND), told, known, round(first * SECOND)
    )
    periods.finish(round((evaluations[-1] if until is None else until) * SECOND))
    return [(_s(p.starts_at), None if p.ended is None else _s(p.ended)) for p in periods.all]


def _s(milliseconds: int) -> float:
    return milliseconds / SECOND


def test_what_goes_on_is_one_period_that_ends_an_evaluation_after_the_last_sample() -> None:
    assert found([0, 15, 30], [0, 0, 0], until=600) == [(0, 45)]


def test_what_fires_at_the_last_look_has_no_end() -> None:
    assert found([0, 15, 30], [0, 0, 0]) == [(0, None)]


def test_a_condition_that_began_anew_is_another_period_however_short_the_gap() -> None:
    assert found([0, 15, 30], [0, 0, 30]) == [(0, 29.999), (30, None)]
    assert found([0, 15, 60], [0, 0, 60]) == [(0, 30), (60, None)]


def test_the_same_condition_goes_on_through_an_outage_that_is_restored() -> None:
    assert found([0, 15, 1800], [0, 0, 0]) == [(0, None)]
    late = OUTAGE / SECOND + 100
    assert found([0, 15, late], [0, 0, 0]) == [(0, 30), (late, None)]


@pytest.mark.parametrize(("gap", "periods"), [(240, 1), (241, 2)])
def test_without_the_condition_a_gap_counts_that_alertmanager_would_see(
    gap: float, periods: int
) -> None:
    assert len(found([0, gap])) == periods


def test_a_sample_carried_on_through_an_outage_is_no_evaluation() -> None:
    carried = {"looks": [0, 15, 30, 45, 60], "until": 3600}
    assert found([0, 15, 15, 15, 15], [0] * 5, **carried) == [(0, 30)]  # type: ignore[arg-type]


def test_a_sample_carried_on_to_the_last_look_fires_while_prometheus_vouches_for_it() -> None:
    assert found([0, 0], [0, 0], looks=[0, 240]) == [(0, None)]
    assert found([0, 0], [0, 0], looks=[0, 250], until=250) == [(0, 15)]


def test_what_fired_before_the_first_look_began_when_its_condition_had_held_long_enough() -> None:
    assert found([1000, 1015], [400, 400], hold=60, first=1000) == [(460, None)]
    assert found([1000, 1015], first=1000) == [(1000, None)]


def test_evaluations_that_a_starting_prometheus_does_not_record_count() -> None:
    # Its condition is kept in whole seconds, evaluations are not at whole seconds.
    assert found([30.454, 45.454], [0, 0]) == [(0.454, None)]
    # More than that: the rule's `for` is another by now.
    assert found([630.454, 645.454], [0, 0]) == [(630.454, None)]


def test_an_alert_is_put_together_over_ranges() -> None:
    periods = Periods()
    periods.add(A, 15_000, 0, [(0, 0), (15_000, 15_000)], {0: 0, 15_000: 0}, -1)
    periods.add(A, 15_000, 0, [(30_000, 30_000)], {30_000: 0}, -1)
    periods.finish(60_000)

    (period,) = periods.all
    assert period == Period(A, 15_000, 0, 0, 30_000, 30_000, 0, 45_000)
