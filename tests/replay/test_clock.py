"""What is put between arrivals by the replay's clock; ends are also tested in test_replay."""

from __future__ import annotations

from receiver.core.model import Tick
from receiver.core.timestamps import SECOND
from receiver.replay.arrivals import Arrival
from receiver.replay.clock import REPEAT_EVERY, in_time
from tests.builders import alert, at

EVERY = REPEAT_EVERY / SECOND


def played(*told: Arrival | Tick) -> list[tuple[float, str]]:
    """Return (seconds, what) of all that is played."""
    return [
        (
            ((item.time if isinstance(item, Tick) else item.at) - at(0)) / SECOND,
            "tick" if isinstance(item, Tick) else item.alert.status.value,
        )
        for item in in_time(told)
    ]


def test_a_repeated_alert_is_told_again_until_its_end() -> None:
    told = Arrival(at(0), alert("A"), ends_at=at(2 * EVERY + 5), repeated_until=at(10 * EVERY))

    assert played(told, Tick(at(5 * EVERY))) == [
        (0, "firing"),
        (EVERY, "firing"),
        (2 * EVERY, "firing"),
        (2 * EVERY + 5, "resolved"),
        (5 * EVERY, "tick"),
    ]


def test_a_resolve_ends_the_repeats() -> None:
    told = Arrival(at(0), alert("A"), repeated_until=at(10 * EVERY))
    over = Arrival(at(EVERY + 1), alert("A", ends=EVERY))

    assert [what for _, what in played(told, over, Tick(at(9 * EVERY)))] == [
        "firing",
        "firing",
        "resolved",
        "tick",
    ]


def test_time_never_falls() -> None:
    assert played(Arrival(at(10), alert("A")), Arrival(at(5), alert("B")), Tick(at(1))) == [
        (10, "firing"),
        (10, "firing"),
        (10, "tick"),
    ]
