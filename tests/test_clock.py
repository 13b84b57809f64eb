from __future__ import annotations

import logging

import pytest

from receiver.clock import Clock
from receiver.core.timestamps import SECOND


class Machine:
    """A machine's clocks, in seconds: one that is set, and one that only goes on."""

    def __init__(self) -> None:
        self.wall, self.steady = 1000.0, 5.0

    def clock(self) -> Clock:
        return Clock(lambda: round(self.wall * SECOND), lambda: round(self.steady * SECOND))

    def wait(self, seconds: float) -> None:
        self.wall += seconds
        self.steady += seconds


def read(clock: Clock) -> float:
    return clock() / SECOND


def test_it_tells_the_time() -> None:
    machine = Machine()
    clock = machine.clock()
    told = [read(clock)]
    for seconds in (0.0, 1.5, 60.0):
        machine.wait(seconds)
        told.append(read(clock))

    assert told == [1000.0, 1000.0, 1001.5, 1061.5]
    assert clock.ahead_seconds() == 0


def test_it_follows_a_step_forward_at_once() -> None:
    machine = Machine()
    clock = machine.clock()
    machine.wall += 86400

    assert read(clock) == 87400.0


def test_after_a_step_back_it_goes_on_at_half_speed_until_it_is_caught_up() -> None:
    machine = Machine()
    clock = machine.clock()
    read(clock)
    machine.wall -= 100
    told = []
    for _ in range(6):
        machine.wait(50.0)
        told.append(read(clock))

    # 900 + 50, 100, 150, 200, 250, 300 by the wall; from 1000 on at half speed until they meet.
    assert told == [1025.0, 1050.0, 1075.0, 1100.0, 1150.0, 1200.0]
    assert clock.ahead_seconds() == 0


def test_both_ways_in_turn_it_never_falls_and_never_stands() -> None:
    machine = Machine()
    clock = machine.clock()
    last = read(clock)
    for step in (0.0, 3600.0, -7200.0, 5.0, -1e9, 1e6, -0.5) * 20:
        machine.wall += step
        machine.wait(2.0)
        now = read(clock)
        assert now >= last + 1.0
        last = now


def test_what_happened_before_was_before() -> None:
    """The last run had a clock that was a day ahead."""
    machine = Machine()
    clock = machine.clock()
    clock.reach(90_000 * SECOND)
    machine.wait(10.0)

    assert read(clock) == 90_005.0
    assert clock.ahead_seconds() == 90_005.0 - 1010.0


def test_it_is_said_once_each_way(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    machine = Machine()
    clock = machine.clock()
    read(clock)
    machine.wall -= 4
    for _ in range(20):
        machine.wait(1.0)
        read(clock)
    assert caplog.messages == []
    machine.wall -= 60
    for _ in range(20):
        machine.wait(10.0)
        read(clock)

    assert caplog.messages == [
        "the clock was set back, time goes on at half speed until it has caught up",
        "the clock has caught up",
    ]
