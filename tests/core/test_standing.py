"""Alerts that are suppressed, gone, vouched for, or silent: what the fold makes of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from receiver.core import payload, wire
from receiver.core.clusters import Cluster, ClusterState
from receiver.core.evolution import Event
from receiver.core.identity import IdentitySettings
from receiver.core.model import Alert, Ending, EpisodeState, Reconciled, Resumed, Tick
from receiver.core.timestamps import SECOND
from tests.builders import START, Site, alert, at, settings

CAPTURES = Path(__file__).parent.parent / "captures"
DISKS = [alert("DiskFull", disk=f"d{n}", severity="critical", summary="full") for n in range(3)]
NAMES = [disk.fingerprint for disk in DISKS]


def posted(until: float, disks: Sequence[int] = (0, 1, 2), **changed: Any) -> list[Alert]:
    """Return *disks* as Prometheus posts them."""
    return [
        alert("DiskFull", disk=f"d{n}", severity="critical", summary="full", until=until, **changed)
        for n in disks
    ]


def ended(ends: float, disks: Sequence[int] = (0, 1, 2)) -> list[Alert]:
    return [
        alert("DiskFull", disk=f"d{n}", severity="critical", summary="full", ends=ends)
        for n in disks
    ]


class Timed(Site):
    """A site where time passes."""

    def tick(self, seconds: float) -> list[Event]:
        return self.feed([Tick(at(seconds))])


class Disks(Timed):
    """One cluster of three disks."""

    def __init__(self, alerts: Sequence[Alert] = DISKS, **changed: Any) -> None:
        super().__init__(settings(threshold=0.5, **changed))
        self.receive(10, *alerts)
        self.cluster: Cluster = self.cluster_of(DISKS[0])
        assert self.cluster.size == 3

    def reconcile(self, seconds: float, **told: Sequence[str]) -> list[Event]:
        return self.feed([Reconciled(at(seconds), at(seconds + 600), **told)])

    def counts(self) -> tuple[int, int, int]:
        return self.cluster.firing, self.cluster.suppressed, self.cluster.stale

    def state(self, disk: int = 0) -> EpisodeState:
        return self.engine.episodes[NAMES[disk]].state


# -- suppressed ------------------------------------------------------------------------------------


def test_what_is_suppressed_does_not_fire_and_keeps_its_cluster_live() -> None:
    site = Disks()
    events = [e for e in site.reconcile(20, suppressed=NAMES) if e.alert]
    assert site.types(events) == ["alert_suppressed"] * 3
    assert [event.cluster_firing for event in events] == [2, 1, 0]
    assert site.counts() == (0, 3, 0)
    site.tick(590)

    assert site.cluster.state is ClusterState.STEADY
    shown = wire.cluster_json(site.cluster)
    assert (shown["firing"], shown["suppressed"]) == (0, 3)
    assert shown["severity"] == "critical"


def test_what_is_suppressed_no_more_fires_again() -> None:
    site = Disks()
    site.reconcile(20, suppressed=NAMES[:2])
    events = site.reconcile(50, active=NAMES)

    assert [(e.type.value, e.reason) for e in events] == [
        ("alert_unsuppressed", "neither silenced nor inhibited any more")
    ] * 2
    assert site.counts() == (3, 0, 0)


def test_suppression_that_is_not_found_again_ends() -> None:
    site = Disks()
    site.reconcile(20, suppressed=NAMES[:1])
    site.reconcile(320, suppressed=NAMES[:1])
    assert site.counts() == (2, 1, 0)
    site.tick(919)
    assert site.counts() == (2, 1, 0)
    (event,) = (e for e in site.tick(920) if e.alert is not None)

    assert event.reason == "nobody could say any more that it is suppressed"
    assert site.counts() == (3, 0, 0)


def test_a_repeat_does_not_end_suppression_and_its_resolve_ends_the_episode() -> None:
    site = Disks()
    site.reconcile(20, suppressed=NAMES[:1])
    assert site.receive(30, *DISKS[:1], *posted(270, [0])) == []
    assert site.state() is EpisodeState.SUPPRESSED
    site.receive(40, *ended(39, [0]))

    assert site.state() is EpisodeState.RESOLVED
    assert site.counts() == (2, 0, 0)


def test_a_cluster_whose_suppressed_members_end_is_resolved() -> None:
    site = Disks(resolve_after=60.0)
    site.reconcile(20, suppressed=NAMES)
    site.receive(40, *ended(39))
    events = site.tick(101)

    assert site.types(events)[-1] == "cluster_resolved"
    assert events[-1].reason == ""


def test_our_own_alerts_may_be_suppressed_too() -> None:
    site = Site()
    own = alert("StormcellStorm", origin="stormcell")
    site.receive(10, own)
    events = site.feed([Reconciled(at(20), at(620), suppressed=[own.fingerprint])])

    assert events == []
    assert site.engine.episodes[own.fingerprint].state is EpisodeState.SUPPRESSED


# -- gone --------------------------------------------------------------------------------------------


def test_what_is_gone_is_resolved_and_says_how_that_is_known() -> None:
    site = Disks()
    site.reconcile(20, active=NAMES)
    (event,) = site.reconcile(50, gone=NAMES[:1])
    episode = site.engine.episodes[NAMES[0]]

    assert (event.type.value, event.reason) == (
        "alert_resolved",
        "no Alertmanager knows it any more",
    )
    assert (episode.ending, episode.ends_at) == (Ending.GONE, at(50))
    assert site.counts() == (2, 0, 0)


def test_an_end_told_after_all_is_the_true_one() -> None:
    site = Disks()
    site.reconcile(50, gone=NAMES[:1])
    site.receive(60, *ended(45, [0]))
    episode = site.engine.episodes[NAMES[0]]

    assert (episode.ending, episode.ends_at) == (Ending.TOLD, at(45))


def test_what_is_over_or_unknown_is_not_reconciled() -> None:
    site = Disks()
    site.receive(40, *ended(39))

    for what in ("active", "suppressed", "gone"):
        assert site.reconcile(50, **{what: [*NAMES, "0" * 16]}) == []


def test_what_was_gone_and_fires_again_returns() -> None:
    site = Disks()
    site.reconcile(50, gone=NAMES[:1])
    site.receive(60, DISKS[0])
    episode = site.engine.episodes[NAMES[0]]

    assert (episode.state, episode.ending) == (EpisodeState.OPEN, Ending.TOLD)
    assert site.counts() == (3, 0, 0)


# -- vouched for -------------------------------------------------------------------------------------


def test_what_is_only_vouched_for_is_stale_when_the_word_runs_out() -> None:
    site = Disks(posted(250), resolve_after=60.0)
    site.receive(70, *posted(310))
    site.tick(309)
    assert site.counts() == (3, 0, 0)
    events = [e for e in site.tick(310) if e.alert]
    assert site.types(events) == ["alert_stale"] * 3
    assert events[0].reason == "its sender vouches for it no more"
    assert site.counts() == (0, 0, 3)
    last = site.tick(400)[-1]

    assert last.type.value == "cluster_resolved"
    assert last.reason == (
        "3 of its alerts are stale, not resolved; its source had gone quiet by"
        " 2026-01-01T00:05:10.000Z: that may be no recovery"
    )
    assert wire.cluster_json(site.cluster)["source_quiet_at"] == "2026-01-01T00:05:10.000Z"


def test_what_was_told_without_an_end_outlives_the_word_of_others() -> None:
    site = Disks(posted(250))
    site.receive(20, *DISKS)

    assert site.tick(1000)[-1].type.value != "alert_stale"
    assert site.counts() == (3, 0, 0)


def test_a_word_that_reaches_too_far_counts_as_none() -> None:
    site = Disks(posted(1_000_000), stale_after=300.0)

    assert "alert_stale" in site.types(site.tick(310))


def test_what_was_stale_and_is_posted_again_fires_again() -> None:
    site = Disks(posted(250))
    site.tick(250)
    site.receive(260, *posted(500))

    assert site.counts() == (3, 0, 0)
    assert site.cluster.quiet_at is None


def test_silence_proves_nothing_after_we_were_away() -> None:
    site = Disks(posted(250))
    site.reconcile(20, suppressed=NAMES[:1])
    assert [e for e in site.feed([Resumed(at(900), at(1050))]) if e.alert] == []
    site.receive(930, *posted(1170, [1]))
    events = [e for e in site.tick(1050) if e.alert]

    told = {e.alert.fingerprint: e.type.value for e in events if e.alert}
    assert told == {NAMES[0]: "alert_unsuppressed", NAMES[2]: "alert_stale"}


# -- silence that looks like recovery ----------------------------------------------------------------


def test_an_end_at_the_very_moment_of_the_word_is_a_lapse() -> None:
    site = Disks([*DISKS, *posted(250)], resolve_after=60.0)
    events = site.receive(252, *ended(250))
    assert {site.engine.episodes[name].ending for name in NAMES} == {Ending.LAPSED}
    assert all("may be no recovery" in event.reason for event in events if event.alert)
    last = site.tick(320)[-1]

    assert last.type.value == "cluster_resolved"
    assert "may be no recovery" in last.reason


def test_an_end_before_the_word_runs_out_is_a_recovery() -> None:
    site = Disks([*DISKS, *posted(250)], resolve_after=60.0)
    events = site.receive(102, *ended(100))

    assert {site.engine.episodes[name].ending for name in NAMES} == {Ending.TOLD}
    assert {event.reason for event in events} == {""}
    assert site.tick(170)[-1].reason == ""


@pytest.mark.parametrize("beat_first", [True, False])
def test_what_ended_as_the_heartbeat_did_may_not_have_recovered(beat_first: bool) -> None:
    site = Disks(resolve_after=60.0)
    site.receive(11, alert("Watchdog"))
    beat, disks = [alert("Watchdog", ends=255)], ended(250)
    first, second = (beat, disks) if beat_first else (disks, beat)
    site.receive(260, *first)
    events = site.receive(290, *second)
    assert any("may be no recovery" in event.reason for event in events)
    assert site.cluster.quiet_at == at(255)
    last = site.tick(360)[-1]

    assert (last.type.value, "may be no recovery" in last.reason) == ("cluster_resolved", True)


def test_a_recovery_before_the_source_went_quiet_is_one() -> None:
    site = Disks(resolve_after=60.0)
    site.receive(52, *ended(50))
    site.receive(256, alert("Watchdog", ends=255))

    assert site.cluster.quiet_at is None
    assert "may be no recovery" not in site.events[-1].reason


def test_what_fires_again_is_in_doubt_no_more() -> None:
    site = Disks()
    site.receive(256, alert("Watchdog", ends=255), *ended(250))
    assert site.cluster.quiet_at == at(255)
    site.receive(270, alert("Watchdog"), DISKS[0])

    assert site.cluster.quiet_at is None


def test_the_end_of_a_storm_says_that_its_source_went_quiet() -> None:
    site = Timed()
    pods = [alert("PodDown", pod=f"p{n}", summary="down") for n in range(100)]
    site.receive(10, *pods)
    assert "storm_started" in site.types()
    site.receive(260, alert("Watchdog", ends=255))
    site.tick(1200)
    (over,) = (e for e in site.events if e.type.value == "storm_ended")

    assert over.reason.endswith("that may be no recovery")


def test_alerts_of_a_real_prometheus_that_died_are_in_doubt() -> None:
    """What it had vouched for at last is what Alertmanager, minutes later, tells as their end."""
    (told,) = captured("34-real-prometheus-died-alerts-lapse-resolved")
    site = Timed()
    beat = Alert(**{**fields(told), "labels": {"alertname": "Watchdog"}, "fingerprint": "b" * 16})
    assert told.ends_at is not None
    ended = (told.ends_at - START) / SECOND
    site.receive(ended - 50, told_firing(told))
    cluster = site.cluster_of(told)
    site.receive(ended + 2, beat, told)
    site.tick(ended + 1000)
    last = next(e for e in site.events if e.type.value == "cluster_resolved")

    assert cluster.quiet_at == told.ends_at
    assert "may be no recovery" in last.reason


@pytest.mark.parametrize(
    "name", ["17-resolved-by-resolve_timeout", "29-reopen-b-resolved-by-lapse",
             "34-real-prometheus-died-alerts-lapse-resolved"],
)  # fmt: skip
def test_real_lapses_are_known_where_the_word_was_heard(name: str) -> None:
    (told,) = captured(name)
    site = Site()
    site.receive(30_000_000, told_firing(told))
    # The same alert, posted to us as it was to Alertmanager.
    site.receive(30_000_001, Alert(**{**fields(told_firing(told)), "ends_at": told.ends_at}))
    site.receive(30_000_060, told)

    assert site.engine.episodes[told.fingerprint].ending is Ending.LAPSED


def captured(name: str) -> list[Alert]:
    body = (CAPTURES / f"{name}.json").read_bytes()
    return [one for _, one in payload.parse(body, IdentitySettings()).alerts]


def fields(of: Alert) -> dict[str, Any]:
    return {name: getattr(of, name) for name in type(of).__slots__}


def told_firing(told: Alert) -> Alert:
    return Alert(**{**fields(told), "status": "firing", "ends_at": None})
