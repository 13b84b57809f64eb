from __future__ import annotations

import dataclasses
import itertools
from collections import Counter
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from receiver.core import evolution
from receiver.core.clusters import TITLE_SETTLES_AFTER, Cluster, ClusteringSettings, ClusterState
from receiver.core.evolution import EventType
from receiver.core.model import Merge, OperatorCommand, Tick
from receiver.core.settings import Seconds
from receiver.core.titling import change, first, may_change, regrouped
from tests.builders import Site, alert, at
from tests.builders import settings as core_settings

SETTINGS = ClusteringSettings()
ONE = core_settings(threshold=0.0, close_after=100_000.0)
"""All alerts go to one cluster."""


def renamed(site: Site) -> list[tuple[float, str]]:
    """Return when the title of cluster 1 changed, in seconds, and to what."""
    return [
        ((e.time - at(0)) / 1e9, e.detail["title"])
        for e in site.events
        if e.type is EventType.CLUSTER_RENAMED and e.cluster_id == 1
    ]


def grow(site: Site, seconds: float, count: int, name: str = "PodDown") -> None:
    site.receive(
        seconds,
        *(alert(name, starts=seconds, pod=f"{name}-{seconds}-{n}") for n in range(count)),
    )


def test_a_title_is_provisional_for_two_minutes_and_changes_once_a_minute() -> None:
    site = Site(ONE)
    for second in (0, 10, 20, 30, 80, 100):
        grow(site, second, 1, f"Rule{second}")
    site.feed([Tick(at(119))])
    assert renamed(site) == [(20, "Rule0, Rule10 and 1 more in 3 pods")]

    site.feed([Tick(at(1000))])
    assert [second for second, _ in renamed(site)] == [20, 120]
    assert "in 6 pods" in renamed(site)[1][1]


def test_none_comes_so_late_that_the_look_after_two_minutes_would_come_too_soon() -> None:
    site = Site(ONE)
    for second in (0, 61, 62, 90):
        grow(site, second, 1)
    site.feed([Tick(at(1000))])

    assert [second for second, _ in renamed(site)] == [120]


def test_a_settled_title_is_corrected_once_when_it_tells_of_half_and_growth_rests() -> None:
    site = Site(ONE)
    for second, count in ((0, 4), (200, 3), (220, 1), (1000, 40), (3000, 400)):
        grow(site, second, count)
    site.feed([Tick(at(10_000))])

    assert renamed(site) == [
        (10, "Pod down in 4 pods"),
        (340, "Pod down in 8 pods"),
    ]


def test_less_than_double_is_no_reason() -> None:
    site = Site(ONE)
    grow(site, 0, 4)
    grow(site, 200, 3)
    site.feed([Tick(at(10_000))])

    assert [second for second, _ in renamed(site)] == [10]


def test_what_grows_on_and_on_is_corrected_when_it_is_eight_times_as_large() -> None:
    site = Site(ONE)
    grow(site, 0, 4)
    for second in range(150, 800, 50):
        grow(site, second, 4)

    assert [second for second, _ in renamed(site)] == [10, 450]
    assert site.engine.live.by_id[1].titled_size == 32


def test_the_title_it_has_already_is_no_change() -> None:
    cluster = Cluster(1, at(0), size=3, state=ClusterState.STEADY)
    first(cluster, "Disk full", at(0), SETTINGS)
    cluster.size = 9

    assert not change(cluster, "Disk full", at(500))
    assert (cluster.titled_size, cluster.retitled) == (9, False)
    assert change(cluster, "Disks full", at(600))
    assert cluster.retitled
    assert not may_change(dataclasses.replace(cluster, size=1000), at(9000), SETTINGS)


def test_a_cluster_that_is_made_of_two_or_one_of_two_may_change_at_once() -> None:
    cluster = Cluster(1, at(0), size=3, state=ClusterState.STEADY, joined_at=at(500))
    first(cluster, "Disk full", at(0), SETTINGS)
    assert not may_change(cluster, at(501), SETTINGS)

    regrouped(cluster, by_operator=False)
    assert may_change(cluster, at(501), SETTINGS)

    cluster.retitled = True
    regrouped(cluster, by_operator=False)
    assert not may_change(cluster, at(501), SETTINGS)
    regrouped(cluster, by_operator=True)
    assert may_change(cluster, at(501), SETTINGS)


def test_it_is_seen_to_once_at_a_moment() -> None:
    cluster = Cluster(1, at(0), size=3, state=ClusterState.STEADY)
    first(cluster, "Disk full", at(0), SETTINGS)

    assert not change(cluster, "Disk full", at(120))
    assert not may_change(cluster, at(120), SETTINGS)
    regrouped(cluster, by_operator=False)
    assert may_change(cluster, at(120), SETTINGS)


def test_the_title_of_the_same_members_is_not_made_anew() -> None:
    cluster = Cluster(1, at(0), size=3, state=ClusterState.STEADY)
    first(cluster, "Disk full", at(0), SETTINGS)

    assert not may_change(cluster, at(60), SETTINGS)
    cluster.size = 4
    assert may_change(cluster, at(60), SETTINGS)


def test_no_title_changes_that_is_an_operators_or_unproven_or_over() -> None:
    cluster = Cluster(1, at(0), size=2, state=ClusterState.STEADY)
    first(cluster, "Disk full", at(0), SETTINGS)
    cluster.size = 3

    assert not may_change(cluster, at(9), SETTINGS)
    assert may_change(cluster, at(10), SETTINGS)
    for other in (
        {"own_title": True},
        {"state": ClusterState.FORMING},
        {"state": ClusterState.RESOLVED},
        {"titled_at": at(9)},
    ):
        changed: Any = dataclasses.replace(cluster, **other)
        assert not may_change(changed, at(10), SETTINGS)


STEPS = st.lists(
    st.tuples(
        st.sampled_from([0, 1, 30, 61, 125, 400]),
        st.sampled_from(["DiskFull", "PodDown", "CertExpiry", "HighLoad"]),
        st.integers(0, 12),
    ),
    min_size=1,
    max_size=40,
)


@settings(deadline=None, max_examples=150)
@given(STEPS, st.sampled_from([0.0, 60.0, 300.0]), st.booleans())
@example([(1, "DiskFull", 1)] + [(125, "PodDown", 12)] * 20, 0.0, True)
def test_a_title_changes_at_most_once_after_the_second_minute(
    steps: list[tuple[int, str, int]], every: float, merges: bool
) -> None:
    core = core_settings(threshold=0.3, rename_every=Seconds(every), proven_age=Seconds(30.0))
    site, clock = Site(core), 0
    for gap, name, count in steps:
        clock += gap
        grow(site, clock, count, name)
        live = list(site.engine.live.by_id)
        if merges and len(live) > 3:
            # By the fold itself, not an operator.
            site.engine.regrouping.merge(live[0], live[1], "they are one", confidence=0.9)
    site.events += site.engine.step([Tick(at(clock + 5000))])
    opened = {e.cluster_id: e.time for e in site.events if e.type is EventType.CLUSTER_CREATED}
    times: dict[int | None, list[int]] = {}
    for event in site.events:
        if event.type is EventType.CLUSTER_RENAMED:
            times.setdefault(event.cluster_id, []).append(event.time)
    late = Counter(
        cluster
        for cluster, renames in times.items()
        for time in renames
        if time - opened[cluster] > TITLE_SETTLES_AFTER
    )

    assert not late or max(late.values()) <= 1
    for renames in times.values():
        gaps = [after - before for before, after in itertools.pairwise(renames)]
        assert all(gap >= every * 1e9 for gap in gaps)


def test_operators_may_have_one_more_change_by_a_merge() -> None:
    site = Site(core_settings(threshold=1.0, close_after=100_000.0))
    site.receive(0, alert(pod="a"), alert("PodDown", pod="b"))
    site.engine.live.by_id[1].retitled = True
    site.feed([Tick(at(500)), Merge(at(500), 2, 1, (("x",), ("y",)))])

    assert renamed(site)[-1] == (500, "Disk full, pod down in pods a and b")


def test_what_is_regrouped_soon_after_a_change_is_corrected_when_a_change_may_be() -> None:
    site = Site(core_settings(threshold=1.0, close_after=100_000.0))
    site.receive(0, alert(pod="a"), alert("PodDown", pod="b"), alert("LinkSlow", pod="c"))
    site.feed([Tick(at(500)), Merge(at(500), 2, 1, (("x",), ("y",)))])
    site.feed([Merge(at(510), 3, 1, (("x",), ("z",))), Tick(at(5000))])

    assert renamed(site)[-2:] == [
        (500, "Disk full, pod down in pods a and b"),
        (560, "Disk full, pod down and 1 more in 3 pods"),
    ]


def test_an_operators_title_stays_and_the_own_one_comes_back_on_demand() -> None:
    site = Site(ONE)
    grow(site, 0, 4)
    site.feed([OperatorCommand(at(130), 1, {"title": "Mine"})])
    grow(site, 300, 30)
    site.feed([Tick(at(900)), OperatorCommand(at(901), 1, {"title": ""})])

    assert renamed(site)[-2:] == [(130, "Mine"), (901, "Pod down in 34 pods")]
    assert evolution.EventType.CLUSTER_RENAMED in [e.type for e in site.events]
