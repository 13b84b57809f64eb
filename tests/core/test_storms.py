"""When many alerts are a storm and when they are not, told as stories."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from receiver.core.baseline import SPAN
from receiver.core.core_settings import CoreSettings
from receiver.core.evolution import EventType
from receiver.core.model import Alert, Tick
from receiver.core.settings import Seconds
from receiver.core.storms import Storm, Storms, StormSettings
from receiver.core.timestamps import SECOND
from receiver.core.words import spell
from tests.builders import START, Site, alert, at, state_of

HOUR = 3600.0


def pod(number: int | str, *, starts: float = 0, team: str = "shop", **told: Any) -> Alert:
    """Return one of many alerts that belong together."""
    told |= {"service": team, "namespace": team, "pod": f"{team}-{number}"}
    return alert("PodDown", starts=starts, summary=f"pod is down in {team}", **told)


def burst(site: Site, start: float, count: int, *, first: int = 0, every: float = 1.0) -> None:
    """Let *count* alerts come, one *every* so many seconds, heard of a second after their start."""
    for number in range(count):
        moment = start + number * every
        site.receive(moment, pod(first + number, starts=moment - 1))


def storm_of(site: Site) -> dict[str, Any]:
    storm = site.engine.storms.public(site.engine.live.by_id)
    assert storm is not None
    return storm


def told(site: Site) -> list[tuple[str, float]]:
    """Return which storms started and ended, and when."""
    kinds = (EventType.STORM_STARTED, EventType.STORM_ENDED)
    return [
        (e.type.value.removeprefix("storm_"), (e.time - START) / SECOND)
        for e in site.events
        if e.type in kinds
    ]


def tick(site: Site, seconds: float) -> None:
    site.feed([Tick(at(seconds))])


# -- what a storm is -----------------------------------------------------------------------------


def test_a_storm_starts_with_the_thirtieth_new_alert_in_two_minutes() -> None:
    site = Site()
    burst(site, 100, 29)
    assert told(site) == []

    burst(site, 129, 1, first=29)

    assert told(site) == [("started", 129)]
    event = site.events[-1]
    assert event.cluster_id is None
    assert event.detail == {"storm_id": 1}
    assert event.reason == ("30 new alerts in 2 minutes, 15 times the usual 1 a minute or less")
    assert site.types()[-2:] == ["alert_assigned", "storm_started"]


def test_the_public_form_is_whole() -> None:
    site = Site()
    burst(site, 100, 45)
    cluster = site.cluster_of(pod(0))

    storm = storm_of(site)
    (first, *others) = storm.pop("representatives")

    assert storm == {
        "id": 1,
        "state": "onset",
        "started_at": "2026-01-01T00:02:09.000Z",
        "peak_at": "2026-01-01T00:02:24.000Z",
        "ended_at": None,
        "intensity": 22.5,
        "peak_intensity": 22.5,
        "rate_per_minute": 22.5,
        "baseline_per_minute": 1.0,
        "episodes": 45,
        "firing": 45,
        "cluster_ids": [cluster.id],
    }
    assert first["fingerprint"] == pod(0).fingerprint
    assert first["labels"] == dict(pod(0).labels)
    assert len(others) == 4
    assert json.loads(json.dumps(storm)) == storm


def test_a_few_alerts_at_a_site_where_nothing_ever_happens_are_no_storm() -> None:
    site = Site()
    site.receive(0, pod("old"))
    for span in range(1, 40):
        site.receive(span * 600, pod("old"))
    burst(site, 24_100, 25)

    assert told(site) == []


def test_many_alerts_where_many_are_usual_are_no_storm() -> None:
    site = Site()
    burst(site, 0, 800, every=3.0)
    # The first half hour at a site that is new and noisy looks like one storm; then it is the usual.
    assert told(site) == [("started", 87), ("ended", 1890)]
    assert "are the usual from now on" in _reasons(site)[-1]

    burst(site, 2400, 30, first=800, every=3.0)
    assert len(told(site)) == 2
    burst(site, 2490, 120, first=900, every=0.5)

    assert told(site)[2][0] == "started"
    assert "times the usual 20 a minute" in _reasons(site)[-1]


def _reasons(site: Site) -> list[str]:
    return [e.reason for e in site.events if e.type.value.startswith("storm_")]


def test_a_storm_of_hours_is_the_usual_at_last_even_where_calm_was_known() -> None:
    core = dataclasses.replace(CoreSettings(), storms=StormSettings(longest=Seconds(HOUR)))
    site = Site(core)
    burst(site, 0, 24, every=100.0)
    burst(site, 2400, 1100, first=100, every=4.0)

    assert [kind for kind, _ in told(site)] == ["started", "ended"]
    (_, started), (_, ended) = told(site)
    assert HOUR <= ended - started <= HOUR + 10


# -- what a storm is not -------------------------------------------------------------------------


def test_the_first_connection_to_an_alertmanager_is_no_storm() -> None:
    site = Site()

    site.receive(7200, *(pod(n, starts=n * 30) for n in range(230)))

    assert len(site.engine.episodes) == 230
    assert told(site) == []


def test_a_prometheus_that_comes_back_is_no_storm() -> None:
    site = Site()
    site.receive(7200, *(pod(n, starts=n * 30) for n in range(200)))
    # It died: its alerts lapse, all at once.
    site.receive(7500, *(pod(n, starts=n * 30, ends=7440) for n in range(200)))
    # It is back: some alerts go on, some fire anew.
    site.receive(8400, *(pod(n, starts=n * 30) for n in range(100)))
    site.receive(8460, *(pod(n, starts=8450) for n in range(100, 200)))

    assert told(site) == []
    # Nor is a re-send of everything.
    site.receive(8520, *(pod(n, starts=8450) for n in range(100, 200)))
    assert told(site) == []


def test_alerts_that_flap_count_once() -> None:
    site = Site()
    for turn in range(6):
        moment = turn * 20.0
        site.receive(moment + 1, *(pod(n, starts=moment) for n in range(20)))
        site.receive(moment + 11, *(pod(n, starts=moment, ends=moment + 10) for n in range(20)))

    assert told(site) == []
    # Half an hour of quiet, and they are news again.
    site.receive(3000, *(pod(n, starts=2999) for n in range(40)))
    assert told(site) == [("started", 3000)]
    assert storm_of(site)["episodes"] == 40


def test_our_own_alerts_and_heartbeats_are_no_storm() -> None:
    site = Site()
    site.receive(5, *(pod(n, starts=4, origin="stormcell") for n in range(60)))
    site.receive(6, *(alert("Watchdog", starts=5, cluster=str(n)) for n in range(60)))

    assert told(site) == []


def test_an_alert_is_news_for_five_minutes_from_its_start() -> None:
    late, in_time = Site(), Site()

    late.receive(1000, *(pod(n, starts=699) for n in range(60)))
    in_time.receive(1000, *(pod(n, starts=700) for n in range(60)))

    assert (told(late), told(in_time)) == ([], [("started", 1000)])


@pytest.mark.parametrize(("again", "is_storm"), [(1810, False), (1811, True)])
def test_an_alert_is_news_again_when_it_was_not_open_for_half_an_hour(
    again: float, is_storm: bool
) -> None:
    site = Site()
    for number in range(40):
        # Slowly, that it is no storm.
        site.receive(number * 10, pod(number, starts=number * 10))
    start = 400.0
    site.receive(start, *(pod(n, starts=n * 10, ends=start) for n in range(40)))
    moment = start + again - 10
    site.receive(moment, *(pod(n, starts=moment) for n in range(40)))

    assert told(site) == ([("started", moment)] if is_storm else [])


def test_three_times_the_usual_makes_a_storm_and_less_does_not() -> None:
    for count, is_storm in ((59, False), (60, True)):
        site = Site()
        # 100 in each ten minutes are 20 in two, on this day and the last one. As pods flap slowly
        # here, they are told by turns.
        core = site.engine.storms
        for span in range(8):
            for number in range(100):
                moment = at(span * 600 + number * 6)
                core.hear(moment)
                core.count(1, moment)
                core.current = None
        core._baseline.resume(adopt=True)
        core._window.move(at(8 * 600 + 300))
        core.hear(at(8 * 600 + 300))

        started = [core.count(1, at(8 * 600 + 301)) for _ in range(count)]

        assert core._baseline.per_second(at(8 * 600 + 301)) == 100 / 600
        assert (any(started), started[-1]) == (is_storm, is_storm)


def test_a_clock_that_runs_ahead_makes_alerts_no_older() -> None:
    site = Site()

    site.receive(10, *(pod(n, starts=3600) for n in range(30)))

    assert told(site) == [("started", 10)]


# -- how it goes on ------------------------------------------------------------------------------


def test_it_rises_peaks_eases_and_ends_with_no_input_but_time() -> None:
    site = Site()
    burst(site, 100, 60)
    states = [storm_of(site)["state"]]
    tick(site, 195)
    states.append(storm_of(site)["state"])
    tick(site, 265)
    states.append(storm_of(site)["state"])
    easing = storm_of(site)
    assert site.engine.next_due() == at(270)

    tick(site, 5000)

    assert states == ["onset", "peak", "easing"]
    assert (easing["intensity"], easing["peak_intensity"]) == (5.0, 30.0)
    # In the window up to 260 are fewer than fifteen; then five minutes of calm.
    assert told(site) == [("started", 129), ("ended", 560)]
    assert _reasons(site)[-1] == "60 new alerts in 7.2 minutes, at most 30 times the usual"
    assert site.engine.storms.public({}) is None
    (ended,) = (e for e in site.events if e.type is EventType.STORM_ENDED)
    assert ended.detail == {"storm_id": 1}


def test_a_second_burst_before_it_is_calm_for_long_goes_on_with_the_storm() -> None:
    site = Site()
    burst(site, 100, 60)
    tick(site, 400)
    easing = storm_of(site)["state"]
    burst(site, 450, 50, first=100)
    again = storm_of(site)
    tick(site, 5000)

    assert (easing, again["state"]) == ("easing", "peak")
    assert again["episodes"] == 110
    assert [kind for kind, _ in told(site)] == ["started", "ended"]


def test_a_burst_after_it_ended_is_another_storm() -> None:
    site = Site()
    burst(site, 100, 60)
    tick(site, 1000)
    burst(site, 1100, 40, first=100)

    assert [kind for kind, _ in told(site)] == ["started", "ended", "started"]
    assert storm_of(site)["id"] == 2


def test_a_rate_between_both_thresholds_neither_starts_nor_ends_a_storm() -> None:
    site = Site()
    burst(site, 0, 200, every=6.0)
    assert told(site) == []
    burst(site, 1200, 40, first=300)
    burst(site, 1246, 150, first=400, every=6.0)

    assert [kind for kind, _ in told(site)] == ["started"]


def test_a_storm_lasts_five_minutes_at_least() -> None:
    storms = StormSettings(calm_for=Seconds(0))
    site = Site(dataclasses.replace(CoreSettings(), storms=storms))
    burst(site, 100, 30, every=0.1)
    tick(site, 5000)

    (_, started), (_, ended) = told(site)
    assert 300 <= ended - started <= 310


def test_between_easing_and_peak_the_state_stays() -> None:
    storm = Storm(1, at(0), at(0), at(0), 100, 10.0, 10.0, 100)

    def at_rate(rate: int) -> str:
        storm.rate = rate
        storm.move(at(60), 120 * SECOND, calm=False)
        return storm.state.value

    assert [at_rate(rate) for rate in (60, 40, 60, 80, 60)] == [
        "peak",
        "easing",
        "easing",
        "peak",
        "peak",
    ]


# -- what it is about ----------------------------------------------------------------------------


def test_a_lone_critical_that_starts_amid_a_storm_is_outside_it() -> None:
    site = Site()
    burst(site, 100, 60, every=0.5)
    raid = alert(
        "RaidDegraded",
        starts=120,
        host="vault-9",
        severity="critical",
        summary="array md0 lost a disk",
    )
    site.receive(131, raid)
    burst(site, 132, 60, first=60, every=0.5)

    storm, alone = storm_of(site), site.cluster_of(raid)

    assert alone.size == 1
    assert alone.id not in storm["cluster_ids"]
    assert storm["cluster_ids"] == [site.cluster_of(pod(0)).id]
    assert storm["firing"] == 120
    assert raid.fingerprint not in {r["fingerprint"] for r in storm["representatives"]}


def test_what_came_in_the_window_before_the_onset_is_part_of_it() -> None:
    site = Site()
    burst(site, 100, 30)

    assert storm_of(site)["episodes"] == 30
    assert storm_of(site)["firing"] == 30


def test_representatives_follow_what_fires() -> None:
    site = Site()
    burst(site, 100, 40)
    site.receive(141, pod("worse", starts=140, severity="critical"), pod(0, starts=99, ends=140))
    before = [r["fingerprint"] for r in storm_of(site)["representatives"]]
    tick(site, 151)
    after = [r["fingerprint"] for r in storm_of(site)["representatives"]]

    assert before == [pod(n).fingerprint for n in range(5)]
    assert after[0] == pod("worse", severity="critical").fingerprint
    assert pod(0).fingerprint not in after


def test_a_merged_cluster_is_counted_as_its_survivor() -> None:
    storms = Storms(StormSettings(min_episodes=3))
    storms.merge(1, 2)
    for cluster_id in (1, 1, 1, 2):
        storms.count(cluster_id, at(0))
    storms.start(1, at(0))
    storms.merge(1, 2)
    storms.merge(7, 2)

    assert storms.current is not None
    assert storms.current.tally == {2: 4}


def test_memory_is_bounded_in_a_storm_of_ever_new_clusters() -> None:
    storm = Storm(1, at(0), at(0), at(0), 100, 10.0, 10.0, 0)
    for _ in range(30):
        storm.count(77)
    for number in range(1000, 6000):
        storm.count(number)

    assert len(storm.tally) <= 2048
    assert storm.tally[77] == 30
    assert storm.episodes == 5030


# -- how it is kept ------------------------------------------------------------------------------


def test_in_calm_there_is_nothing_to_look_at() -> None:
    storms = Storms(StormSettings())

    storms.represent([], CoreSettings().severity)
    assert storms.look(at(0), {}) == ""
    assert storms.next_due() is None
    assert storms.changes({}) == ([], {})
    storms.restore({})
    assert storms.current is None


def test_changes_hold_a_storm_that_came_and_went_in_one_step() -> None:
    site = Site()
    burst(site, 100, 40)
    tick(site, 5000)
    burst(site, 5100, 40, first=50)

    ended, current = site.engine.drain().storms

    assert (ended["id"], ended["state"]) == (1, "ended")
    assert ended["ended_at"] is not None
    assert (current["id"], current["state"]) == (2, "onset")
    assert site.engine.drain().storms == []
    assert site.engine.drain().storm_memory == {}


def test_a_storm_goes_on_after_a_restart() -> None:
    site = Site()
    burst(site, 0, 20, every=60.0)
    burst(site, 1201, 40, first=20)
    memory = json.loads(json.dumps(site.engine.drain().storm_memory))
    assert set(memory) == {"storm_watch", "storm_baseline"}
    again = Storms(StormSettings())
    again.restore(memory)

    assert json.dumps(again.dump()) == json.dumps(site.engine.storms.dump())
    assert again.next_due() == site.engine.storms.next_due()
    assert again.look(at(1300), {}) == site.engine.storms.look(at(1300), {})
    assert json.dumps(again.dump()) == json.dumps(site.engine.storms.dump())


def test_a_site_so_new_that_nothing_was_learned_restarts_too() -> None:
    site = Site()
    burst(site, 0, 5)
    memory = site.engine.drain().storm_memory
    assert memory["storm_baseline"] == {"counts": [], "peaks": [], "stormy": []}
    again = Storms(StormSettings())
    again.restore(memory)

    assert again.dump() == site.engine.storms.dump()


def test_batches_of_a_storm_change_nothing() -> None:
    one, other = Site(), Site()
    alerts = [pod(n, starts=99 + n // 4) for n in range(200)]
    for number, told_now in enumerate(alerts):
        one.receive(100 + number // 4, told_now)
        one.engine.drain()
    for start in range(0, 200, 4):
        other.receive(100 + start // 4, *alerts[start : start + 4])
    tick(other, 333)
    for site in (one, other):
        tick(site, 3000)

    assert told(one) == told(other)
    assert [e.to_json() for e in one.events] == [e.to_json() for e in other.events]
    assert state_of(one.engine) == state_of(other.engine)


def test_learning_is_of_spans_and_not_of_storms() -> None:
    site = Site()
    for span in range(5):
        burst(site, span * SPAN / SECOND, 6, first=span * 10, every=30.0)
    learned = site.engine.storms._baseline.per_second(at(3000))
    burst(site, 3000, 300, first=100)
    tick(site, 6000)
    site.receive(6001, pod("later", starts=6000))
    site.receive(7300, pod("last", starts=7299))

    assert learned == 6 / 600
    assert site.engine.storms._baseline.per_second(at(7300)) == 6 / 600


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(6, "6 seconds"), (1.5, "1.5 seconds"), (120, "2 minutes"), (440, "7.3 minutes")],
)
def test_durations_are_told_as_people_do(seconds: float, words: str) -> None:
    assert spell(seconds) == words
