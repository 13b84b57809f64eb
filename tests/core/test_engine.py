"""What the fold decides, told as stories of alerts."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from receiver.core.changes import Restored
from receiver.core.clusters import ClusterState
from receiver.core.core_settings import CoreSettings
from receiver.core.errors import NotFound, SenderError, StormcellError, TooLarge, TryLater
from receiver.core.evolution import EventType
from receiver.core.memory import MemorySettings
from receiver.core.model import Episode, EpisodeState, Recall, Sighting, Tick
from receiver.core.past import PastCluster, Signature
from tests.builders import START, Site, alert, at, settings


def test_alerts_of_one_problem_join_and_of_another_do_not() -> None:
    site = Site()
    disk = alert("DiskFull", starts=0, node="db-1", app="db", summary="disk is full on db-1")
    slow = alert("DiskSlow", starts=20, node="db-1", app="db", summary="disk is slow on db-1")
    cert = alert("CertExpiry", starts=-5, host="www", summary="certificate ends soon")

    # Beside another problem: what the very first alerts share may be what all alerts here share.
    for seconds, one in ((0, cert), (1, disk), (21, slow)):
        site.receive(seconds, one)

    assert site.cluster_of(disk) is site.cluster_of(slow)
    assert site.cluster_of(cert) is not site.cluster_of(disk)
    assert site.types() == [
        "cluster_created",
        "alert_assigned",
        "cluster_created",
        "alert_assigned",
        "alert_assigned",
    ]
    assert [e.seq for e in site.events] == [1, 2, 3, 4, 5]


def test_the_why_of_an_assignment_is_kept() -> None:
    site = Site()
    site.receive(1, alert("A", node="n1", summary="disk is full"))
    site.receive(9, alert("B", node="n1", starts=8, summary="disk is full"))

    why = site.why(alert("B", node="n1"))

    assert why["best"]["cluster_id"] == 1
    assert why["best"]["gap_seconds"] == 8.0
    assert why["shared_labels"][0]["label"] == "node"
    assert why["runner_up"] is None
    assert "8 s after its latest" in site.events[-1].reason


def test_what_resembles_nothing_says_how_near_the_nearest_was() -> None:
    site = Site()
    site.receive(1, alert("A", node="n1", summary="disk is full"))
    site.receive(2, alert("Zebra", animal="z", summary="stripes"))

    assert "the nearest, cluster 1, fits with" in site.events[-1].reason


def test_a_cluster_lives_from_forming_to_resolved() -> None:
    site = Site()
    one = alert("A", starts=0, node="n1", summary="x y z")
    site.receive(0, one)
    site.feed([Tick(at(130))])
    site.receive(150, alert("A", starts=0, ends=149, node="n1", summary="x y z"))
    site.feed([Tick(at(449)), Tick(at(451))])

    assert site.types() == [
        "cluster_created",
        "alert_assigned",
        "cluster_state_changed",
        "alert_resolved",
        "cluster_state_changed",
        "cluster_closed",
        "cluster_resolved",
    ]
    assert [e.detail["state"] for e in site.events if "state" in e.detail] == [
        "steady",
        "resolving",
    ]
    assert site.events[-1].time == at(450)
    assert len(site.engine.live) == 0
    assert site.events[-1].total_clusters == 0


def test_a_cluster_with_a_firing_member_closes_but_stays_live() -> None:
    site = Site()
    one = alert("A", starts=0, node="n1")
    site.receive(0, one)
    site.feed([Tick(at(1000))])
    cluster = site.cluster_of(one)

    assert (cluster.accepting, cluster.live) == (False, True)

    site.receive(1001, alert("A", starts=0, ends=1000, node="n1"))

    assert site.types()[-2:] == ["alert_resolved", "cluster_resolved"]


def test_growing_and_quiet_and_recovering_are_told_apart() -> None:
    site = Site()
    for n in range(4):
        site.receive(n, alert("A", starts=n, node="n1", pod=str(n), summary="pod is down"))
    cluster = site.cluster_of(alert("A", node="n1", pod="0"))
    states = [cluster.state]
    site.receive(200, alert("A", starts=0, ends=199, node="n1", pod="0"))
    states.append(cluster.state)
    site.feed([Tick(at(805))])
    states.append(cluster.state)

    assert states == [ClusterState.GROWING, ClusterState.RESOLVING, ClusterState.STEADY]


def test_repeats_are_counted_and_change_nothing() -> None:
    site = Site()
    one = alert("A", node="n1", starts=10)
    site.receive(11, one)

    assert site.receive(20, one, one) == []
    assert site.receive(30, alert("A", node="n1", starts=5)) == []
    assert site.engine.counters.outcomes == {"firing.new": 1, "firing.refresh": 3}
    episode = site.engine.episodes[one.fingerprint]
    assert (episode.starts_at, episode.last_seen) == (at(5), at(30))
    assert site.cluster_of(one).first_onset == at(5)


def test_a_missed_resolve_is_made_up_for() -> None:
    site = Site()
    one = alert("A", node="n1", starts=0)
    site.receive(1, one)

    events = site.receive(60, alert("A", node="n1", starts=50))

    assert site.types(events) == ["alert_resolved", "alert_assigned"]
    assert events[0].reason == "its resolve was never told; a later firing was"
    assert site.cluster_of(one).size == 2
    assert site.cluster_of(one).firing == 1
    assert site.engine.episodes[one.fingerprint].flaps == 1


def test_the_third_firing_in_short_order_is_flapping() -> None:
    site = Site()
    for n in range(3):
        site.receive(n * 100, alert("A", node="n1", starts=n * 100))
        if n < 2:
            site.receive(n * 100 + 50, alert("A", node="n1", starts=n * 100, ends=n * 100 + 50))

    assert len(site.engine.flapping) == 1
    site.receive(290, alert("A", node="n1", starts=200, ends=280))
    assert len(site.engine.flapping) == 0


def test_a_reopened_episode_returns_to_its_cluster_while_that_accepts() -> None:
    site = Site()
    one, over = alert("A", node="n1", starts=0), alert("A", node="n1", starts=0, ends=50)
    site.receive(1, one)
    site.receive(51, over)

    events = site.receive(60, one)

    assert site.types(events)[0] == "alert_reopened"
    assert site.cluster_of(one).size == 1
    assert site.cluster_of(one).firing == 1
    assert site.engine.episodes[one.fingerprint].reopened == 1


def test_reopened_after_its_cluster_is_over_it_recurs() -> None:
    site = Site()
    one, over = alert("A", node="n1", starts=0), alert("A", node="n1", starts=0, ends=50)
    site.receive(1, one)
    site.receive(51, over)
    site.feed([Tick(at(400))])

    site.receive(500, one)

    cluster = site.cluster_of(one)
    assert cluster.id == 2
    assert cluster.recurs == {
        "cluster_id": 1,
        "similarity": 1.0,
        "opened_at": "2026-01-01T00:00:01.000Z",
        "duration_seconds": 350.0,
        "resolved_at": "2026-01-01T00:05:51.000Z",
        "title": "A on node n1",
        "ended": "A resolved",
        "reason": "one of its alerts fires again under the same startsAt",
    }
    assert site.engine.episodes[one.fingerprint].reopen_no == 1
    assert site.engine.counters.outcomes["firing.reopened"] == 1


def test_a_resolve_of_what_was_never_seen_is_kept_and_not_clustered() -> None:
    site = Site()
    over = alert("A", node="n1", starts=0, ends=50)

    (event,) = site.receive(60, over)

    assert (event.type, event.cluster_id) == (EventType.ALERT_RESOLVED, None)
    assert event.to_json()["reason"] == "it was never seen to fire"
    changes = site.engine.drain()
    assert [e.state for e in changes.ended] == [EpisodeState.RESOLVED]
    assert site.receive(61, over) == []
    site.receive(62, alert("A", node="n1", starts=0))
    assert site.cluster_of(over).size == 1


def test_a_resolve_before_its_firing_leaves_one_episode() -> None:
    site = Site()
    over, fires = (
        alert("A", node="n1", starts=0, ends=50),
        alert("A", node="n1", summary="it fires"),
    )
    site.receive(60, over)
    (recorded,) = site.engine.drain().ended
    told = site.receive(61, fires)

    episode = site.engine.episodes[over.fingerprint]
    assert site.types(told) == ["cluster_created", "alert_assigned"]
    assert (episode.id, episode.state, episode.ends_at) == (recorded.id, EpisodeState.OPEN, None)
    assert (episode.reopen_no, episode.starts_at, episode.received_at) == (0, at(0), at(61))
    assert site.cluster_of(over).size == site.cluster_of(over).firing == 1
    assert episode.text_id
    # It may be a late copy, and it may fire again: it ends as any other.
    site.receive(62, over)
    assert (episode.state, episode.ends_at) == (EpisodeState.RESOLVED, at(50))
    assert [e.id for e in site.engine.drain().episodes] == [recorded.id]


def test_what_is_seen_to_fire_late_is_no_older_than_what_came_meanwhile() -> None:
    site = Site()
    site.receive(60, alert("A", node="n1", ends=50))
    site.receive(61, alert("B", node="n1"))
    site.receive(62, alert("A", node="n1"))

    assert [number for number, *_ in site.engine.stability._latest] == [1, 2]


def test_an_older_resolve_is_history_only() -> None:
    site = Site()
    site.receive(101, alert("A", starts=100))
    assert site.receive(102, alert("A", starts=20, ends=60)) == []
    changes = site.engine.drain()

    assert [(e.starts_at, e.ends_at) for e in changes.ended] == [(at(20), at(60))]
    assert site.engine.episodes[alert("A").fingerprint].after == at(20)
    assert site.receive(103, alert("A", starts=20)) == []
    assert site.engine.counters.outcomes["firing.stale"] == 1


def test_a_longer_end_is_taken() -> None:
    site = Site()
    site.receive(1, alert("A", starts=0))
    site.receive(51, alert("A", starts=0, ends=50))
    site.receive(80, alert("A", starts=0, ends=70))

    assert site.engine.episodes[alert("A").fingerprint].ends_at == at(70)
    assert site.receive(90, alert("A", starts=-10)) == []


class TestStale:
    """No word for too long: neither firing nor resolved."""

    def test_it_is_stale_and_its_cluster_resolves(self) -> None:
        site = Site(settings(stale_after=1000.0))
        one = alert("A", node="n1", starts=0)
        site.receive(0, one)
        site.receive(500, one)
        site.feed([Tick(at(1400))])
        assert "alert_stale" not in site.types()

        site.feed([Tick(at(1600))])

        assert site.types()[-2:] == ["alert_stale", "cluster_resolved"]
        assert site.events[-2].time == at(1500)
        assert "stale, not resolved" in site.events[-1].reason

    def test_heard_of_again_in_time_it_fires_on(self) -> None:
        site = Site(settings(stale_after=100.0))
        one = alert("A", node="n1", starts=0)
        site.receive(0, one)
        site.feed([Tick(at(150))])

        events = site.receive(160, one)

        assert site.types(events)[0] == "alert_reopened"
        assert site.cluster_of(one).stale == 0
        assert site.cluster_of(one).firing == 1

    def test_heard_of_again_too_late_it_counts_anew(self) -> None:
        site = Site(settings(stale_after=100.0))
        one = alert("A", node="n1", starts=0)
        site.receive(0, one)
        site.feed([Tick(at(500))])

        events = site.receive(600, one)

        assert site.types(events)[0] == "alert_resolved"
        assert (events[0].cluster_id, events[0].cluster_size) == (1, 1)
        assert site.cluster_of(one).id == 2

    def test_a_stale_one_may_resolve_late(self) -> None:
        site = Site(settings(stale_after=100.0))
        site.receive(0, alert("A", node="n1", starts=0), alert("A", node="n1", x="y", starts=0))
        site.receive(90, alert("A", node="n1", x="y", starts=0))
        site.feed([Tick(at(120))])
        assert site.cluster_of(alert("A", node="n1")).stale == 1

        site.receive(130, alert("A", node="n1", starts=0, ends=125))

        assert site.cluster_of(alert("A", node="n1", x="y")).stale == 0
        assert site.cluster_of(alert("A", node="n1", x="y")).firing == 1

    def test_our_own_stale_alert_is_told_to_nobody(self) -> None:
        site = Site(settings(stale_after=100.0))
        own = alert("A", origin="stormcell", starts=0)
        site.receive(0, own)
        site.feed([Tick(at(120))])
        assert site.engine.episodes[own.fingerprint].state is EpisodeState.STALE
        site.receive(130, own)
        assert site.engine.episodes[own.fingerprint].state is EpisodeState.OPEN
        assert site.events == []


def test_our_own_alerts_are_kept_and_never_clustered() -> None:
    site = Site()
    own = alert("StormcellStorm", origin="stormcell", starts=0)
    over = alert("StormcellStorm", origin="stormcell", starts=0, ends=5)

    assert site.receive(1, own) + site.receive(6, over) + site.receive(7, own) == []
    assert site.engine.counters.outcomes == {"firing.self": 2, "resolved.self": 1}
    assert len(site.engine.live) == 0
    assert len(site.engine.drain().episodes) == 1
    unseen = alert("StormcellDown", origin="stormcell", starts=0, ends=5)
    assert site.receive(8, unseen) == []


def test_the_heartbeat_only_moves_a_timestamp() -> None:
    site = Site()
    site.receive(5, alert("Watchdog"))
    site.receive(9, alert("Watchdog", ends=8))

    assert site.engine.counters.heartbeat_at == at(5)
    assert site.engine.counters.outcomes == {"firing.heartbeat": 1, "resolved.heartbeat": 1}
    assert not site.engine.episodes
    assert not site.engine.needs_text(alert("Watchdog"))


def test_severity_is_that_of_the_worst_firing_member() -> None:
    site = Site()
    mild = alert("A", node="n1", severity="info", summary="disk is full")
    bad = alert("B", node="n1", severity="critical", summary="disk is full")
    site.receive(0, mild, bad)
    cluster = site.cluster_of(mild)
    assert cluster.severity == "critical"

    site.receive(5, dataclasses.replace(bad, status=alert(ends=1).status, ends_at=at(4)))
    assert cluster.severity == "info"

    site.receive(6, dataclasses.replace(mild, status=alert(ends=1).status, ends_at=at(5)))
    assert cluster.severity == "info"


def test_time_never_falls() -> None:
    site = Site()
    site.receive(100, alert("A"))
    events = site.receive(50, alert("B", starts=40, x="y", summary="other"))

    assert {e.time for e in events} == {at(100)}


def test_an_early_timer_leaves_no_trace() -> None:
    site = Site()
    site.receive(0, alert("A", node="n1", summary="x"))
    site.receive(60, alert("A", node="n1", pod="b", starts=60, summary="x"))
    before = site.engine.counters.clock
    site.feed([Tick(at(119))])

    assert site.engine.counters.clock == before
    assert site.engine.next_due() == at(120)


def test_what_is_forgotten_can_be_recalled() -> None:
    site = Site()
    one = alert("A", node="n1", starts=0)
    site.receive(0, one)
    site.receive(10, alert("A", node="n1", starts=0, ends=9))
    site.feed([Tick(at(400))])
    kept = site.engine.episodes[one.fingerprint]
    past = dict(site.engine.state.past_held)
    site.engine.forget()
    assert not site.engine.remembers(one.fingerprint)

    site.feed([Recall([kept], list(past.values()))])
    site.receive(500, one)

    assert site.cluster_of(one).recurs is not None


def test_texts_make_room_but_those_in_use_stay() -> None:
    core = CoreSettings(memory=MemorySettings(max_vectors=100))
    site = Site(core)
    for n in range(150):
        summary = " ".join(chr(97 + (n * k) % 26) * 5 for k in range(1, 7))
        site.receive(n * 2000, alert(f"N{chr(65 + n % 26)}{chr(65 + n // 26)}", summary=summary,
                                      starts=n * 2000, node=str(n)))  # fmt: skip
        site.engine.forget()
    changes = site.engine.drain()

    assert len(site.engine.texts.index) <= 100
    assert len(changes.texts) - len(changes.forgotten_texts) == len(site.engine.texts.index)
    assert site.engine.vector_of_text("never seen") is None


def test_an_alert_without_a_vector_is_clustered_by_labels() -> None:
    site = Site()
    told = alert("A", node="n1", starts=0)
    site.receive(0, told)
    site.feed([Sighting(at(5), alert("B", node="n1", starts=4), "some text", None)])

    assert site.cluster_of(told).size == 2
    assert site.engine.text_id("some text") == 0
    assert site.engine.text_id("") == 0


def test_a_text_that_made_room_is_no_loss_for_a_reopen() -> None:
    site = Site()
    one = alert("A", node="n1", starts=0)
    site.receive(0, one)
    site.receive(10, alert("A", node="n1", starts=0, ends=9))
    site.feed([Tick(at(400))])
    site.engine.forget()
    kept = Episode(
        id=1,
        fingerprint=one.fingerprint,
        labels=one.labels,
        starts_at=at(0),
        received_at=at(0),
        last_seen=at(9),
        ends_at=at(9),
        state=EpisodeState.RESOLVED,
        cluster_id=1,
        text_id=777,
    )
    site.feed([Recall([kept], [PastCluster(1, 1, at(0), None, Signature(None))])])

    site.receive(500, one)

    assert site.cluster_of(one).recurs == {
        "cluster_id": 1,
        "similarity": None,
        "opened_at": "2026-01-01T00:00:00.000Z",
        "duration_seconds": None,
        "resolved_at": None,
        "title": "",
        "ended": None,
        "reason": "one of its alerts fires again under the same startsAt",
    }
    assert site.engine.episodes[one.fingerprint].text_id == 1


def test_events_are_told_in_one_form() -> None:
    site = Site()
    site.receive(0, alert("A", node="n1"))

    assert site.events[1].to_json() == {
        "seq": 2,
        "time": "2026-01-01T00:00:00.000Z",
        "type": "alert_assigned",
        "cluster_id": 1,
        "cluster_size": 1,
        "cluster_firing": 1,
        "total_clusters": 1,
        "alert": {
            "fingerprint": alert("A", node="n1").fingerprint,
            "startsAt": "2026-01-01T00:00:00.000Z",
            "labels": {"alertname": "A", "node": "n1"},
        },
        "confidence": 1.0,
        "reason": "opens a cluster: no other takes alerts just now",
    }


@pytest.mark.parametrize(
    ("error", "status"),
    [(SenderError, 400), (NotFound, 404), (TooLarge, 413), (TryLater, 503), (StormcellError, 500)],
)
def test_errors_carry_their_answer(error: type[StormcellError], status: int) -> None:
    assert error("x", field="f").status == status


def test_a_stale_onset_counts_from_when_it_was_received_at_most() -> None:
    site = Site()
    ahead = alert("A", node="n1", starts=3600)
    site.receive(0, ahead)

    assert site.cluster_of(ahead).last_onset == START
    assert np.isfinite(site.engine.frequencies.weight("node=n1", START))


def test_labels_with_names_of_any_length_are_explained() -> None:
    site = Site()
    alerts = []
    for n in range(5):
        labels: dict[str, Any] = {"x" * 300: "same", "y=z": str(n)}
        alerts.append(alert("A", starts=n, summary="disk is full", **labels))
    site.receive(5, *alerts)
    why = site.why(alerts[-1])

    assert why["shared_labels"][0]["label"] == "x" * 120
    assert site.cluster_of(alerts[-1]).size == 5


def test_a_restored_cluster_follows_settings_that_changed() -> None:
    site = Site()
    site.receive(0, alert("A", node="n1"))
    site.receive(100, alert("A", node="n1", starts=0, ends=99))
    (cluster,) = site.engine.live.by_id.values()

    again = Site(settings(resolve_after=1.0, close_after=10.0))
    again.engine.restore(Restored(site.engine.counters, clusters=[cluster]))
    again.feed([Tick(at(101))])

    assert again.types() == ["cluster_closed", "cluster_resolved"]


def test_one_flapping_alert_takes_no_more_room_than_one_alert() -> None:
    site = Site()
    for n in range(300):
        site.receive(n * 10, alert("A", node="n1", starts=n * 10))
        site.receive(n * 10 + 5, alert("A", node="n1", starts=n * 10, ends=n * 10 + 4))
        site.engine.drain()
        site.engine.forget()
        assert not site.engine.episodes
        # What is forgotten comes back from the store; here nothing but its startsAt matters.

    assert len(site.engine.state.timers) < 10


class TestASendersClockThatIsAYearAhead:
    year = 365 * 86400.0

    def story(self, pause: float) -> Site:
        """It is ahead, the alert ends, the clock is mended, and *pause* later the alert fires anew."""
        site = Site()
        site.receive(1, alert("A", node="n1", starts=self.year, summary="disk is full"))
        site.receive(60, alert("A", node="n1", starts=self.year, ends=60, summary="disk is full"))
        site.feed([Tick(at(60 + pause))])
        again = alert("A", node="n1", starts=60 + pause, summary="disk is full")
        site.receive(61 + pause, again, again)
        return site

    @pytest.mark.parametrize("pause", [30.0, 9000.0])
    def test_the_next_firing_is_seen(self, pause: float) -> None:
        site = self.story(pause)
        episode = site.engine.episodes[alert("A", node="n1").fingerprint]

        assert episode.state is EpisodeState.OPEN
        assert episode.cluster_id in site.engine.live.by_id
        assert site.engine.live.by_id[episode.cluster_id].firing == 1
        assert site.engine.counters.outcomes["firing.reopened"] == 1
        assert site.engine.counters.outcomes["firing.refresh"] == 1

    def test_it_ends_and_its_own_next_firing_is_seen_too(self) -> None:
        site = self.story(9000.0)
        site.receive(9200, alert("A", node="n1", starts=9060, ends=9200))
        site.receive(20000, alert("A", node="n1", starts=19999))

        assert site.engine.episodes[alert("A", node="n1").fingerprint].fires
