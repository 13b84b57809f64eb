"""Which heartbeats are gone, and which ends that may explain."""

from __future__ import annotations

from receiver.core import quiet
from tests.builders import alert, at

BEAT = alert("Watchdog")


def words(**ran_out: float) -> dict[str, int]:
    return {name: at(seconds) for name, seconds in ran_out.items()}


def test_a_heartbeat_that_fires_is_not_gone() -> None:
    known: dict[str, int] = {}

    assert quiet.hear(known, BEAT, at(5)) is None
    assert quiet.quiet_at(known, at(100_000)) is None


def test_a_heartbeat_that_ended_is_gone_until_it_fires_again() -> None:
    known: dict[str, int] = {}
    assert quiet.hear(known, alert("Watchdog", ends=240), at(245)) == at(240)
    assert quiet.quiet_at(known, at(250)) == at(240)
    quiet.hear(known, BEAT, at(300))

    assert quiet.quiet_at(known, at(300)) is None


def test_one_told_without_an_end_ended_when_it_was_told() -> None:
    assert quiet.hear({}, alert("Watchdog", resolved=True), at(245)) == at(245)


def test_one_that_ended_by_a_clock_ahead_of_ours_has_ended() -> None:
    assert quiet.hear({}, alert("Watchdog", ends=500), at(245)) == at(245)


def test_the_word_of_a_heartbeat_that_is_posted_runs_out() -> None:
    known: dict[str, int] = {}
    assert quiet.hear(known, alert("Watchdog", until=240), at(5)) is None

    assert quiet.quiet_at(known, at(239)) is None
    assert quiet.quiet_at(known, at(240)) == at(240)


def test_the_last_source_to_go_quiet_is_told() -> None:
    assert quiet.quiet_at(words(a=100, b=50, c=900), at(500)) == at(100)


def test_an_end_is_explained_by_a_word_that_ran_out_around_it() -> None:
    known = words(a=1000)
    explained = [
        end
        for end in (939, 940, 1000, 2200, 2201)
        if quiet.explanation(known, at(end), at(5000)) == at(1000)
    ]

    assert explained == [940, 1000, 2200]
    assert quiet.explanation(known, at(1000), at(999)) is None


def test_a_source_gone_for_a_day_is_forgotten() -> None:
    known = words(a=1000)
    quiet.hear(known, BEAT, at(1000 + 86_400))
    assert known == words(a=1000)
    quiet.hear(known, BEAT, at(1001 + 86_400))

    assert known == {}


def test_of_too_many_the_first_are_forgotten() -> None:
    known: dict[str, int] = {}
    for number in range(70):
        quiet.hear(known, alert("Watchdog", ends=240, cluster=f"c{number}"), at(245))

    assert len(known) == 64
    assert alert("Watchdog", cluster="c69").fingerprint in known


def test_it_is_said_in_words() -> None:
    assert quiet.sentence(at(0)) == (
        "its source had gone quiet by 2026-01-01T00:00:00.000Z: that may be no recovery"
    )
