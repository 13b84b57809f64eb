"""Second looks: two clusters that are one problem, and one that is two."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from receiver.core import looks
from receiver.core.changes import Moved
from receiver.core.clusters import Cluster
from receiver.core.constraints import Constraint, Kind
from receiver.core.evolution import Event
from receiver.core.explain import Placement
from receiver.core.model import Alert, Member, Members, Sighting
from tests.builders import EMBEDDER, Site, alert, at, engine, settings, state_of

ANY = 0.0


def sighted(site: Site, seconds: float, told: Alert, axes: dict[int, float]) -> None:
    """Let an alert with a text along *axes* be received."""
    vector = np.zeros(EMBEDDER.dims, np.float32)
    for axis, value in axes.items():
        vector[axis] = value
    vector /= np.sqrt((vector * vector).sum())
    name = told.labels["alertname"]
    site.feed([Sighting(at(seconds), told, f"{name} {sorted(axes.items())}", vector)])


def members(site: Site, cluster_id: int) -> list[Member]:
    found = [e for e in site.engine.episodes.values() if e.cluster_id == cluster_id]
    return [Member.of(e) for e in sorted(found, key=lambda e: e.id)]


def of(events: list[Event], kind: str) -> list[Event]:
    return [event for event in events if event.type.value == kind]


# -- two are one -------------------------------------------------------------------------------------


def torn() -> Site:
    """Two clusters of one problem, torn as long nothing was heard of it."""
    site = Site(settings(threshold=0.52))
    sighted(site, 0, alert("A", node="n1"), {0: 1.0})
    for axis in (50, 60, 70):
        starts = 300 + 4 * axis
        sighted(site, starts, alert(f"Else{axis}", starts=starts), {axis: 1.0})
    sighted(site, 880, alert("B", starts=880, rack="r1"), {0: 0.4, 1: 0.9})
    assert len(site.engine.live) == 5
    return site


def bridge(site: Site) -> list[Event]:
    """Let alerts come that are like both, late: they began in between."""
    before = len(site.events)
    for n in range(8):
        axes = {0: 1.0, 1: 0.7, 2 + n: 0.1}
        told = alert(f"C{n}", starts=440 + 50 * (n % 2), node="n1", rack="r1")
        sighted(site, 881 + n, told, axes)
    return site.events[before:]


def test_what_an_alert_fits_both_of_becomes_one() -> None:
    site = torn()

    merged = of(bridge(site), "cluster_merged")

    assert len(merged) == 1
    assert "an alert fits both" in merged[0].reason
    assert len(site.engine.live) == 4
    survivor = max(site.engine.live.by_id.values(), key=lambda cluster: cluster.size)
    assert (survivor.size, merged[0].detail["into"]) == (10, survivor.id)
    moved = [e for e in site.engine.episodes.values() if e.labels["alertname"] in ("A", "B")]
    assert {e.cluster_id for e in moved} == {survivor.id}


def test_what_operators_keep_apart_is_not_merged() -> None:
    site = torn()
    one, *_, other = site.engine.live.by_id.values()
    word = Constraint(1, Kind.CANNOT, 0, one.id, other.id, (("x",), ("y",)))
    site.engine.constraints.add(word)
    one.links, other.links = {1: 0}, {1: 1}

    assert of(bridge(site), "cluster_merged") == []


@pytest.mark.parametrize("which", ["patience", "split_from"])
@pytest.mark.parametrize("side", [0, 1])
def test_what_waits_or_was_split_off_is_not_merged(which: str, side: int) -> None:
    site = torn()
    first, *_, last = site.engine.live.by_id.values()
    both = [first, last]
    setattr(both[side], which, both[1 - side].id)
    both[side].only = "of another alert"
    site.engine.live.index(both[side], [], [])

    assert of(bridge(site), "cluster_merged") == []


def test_a_merge_gives_the_same_when_run_again_in_other_batches() -> None:
    site = torn()
    bridge(site)
    again = engine(settings(threshold=0.52))
    events = again.step(site.inputs)

    assert [e.to_json() for e in events] == [e.to_json() for e in site.events]
    assert state_of(again) == state_of(site.engine)


def test_a_large_cluster_is_looked_at_four_times_while_it_doubles() -> None:
    assert [n for n in range(1, 33) if looks._is_due(n)] == [
        *range(1, 8), 8, 10, 12, 14, 16, 20, 24, 28, 32,
    ]  # fmt: skip


def test_an_alert_that_opened_a_cluster_fits_none() -> None:
    site = torn()
    cluster = site.engine.live.by_id[1]

    assert looks.twin(cluster, Placement(None, 0.9, [], ()), site.engine.looking.sight()) is None


# -- one is two --------------------------------------------------------------------------------------


@pytest.fixture
def wrong() -> Site:
    """One cluster that took the alerts of two problems, as any alert joined any."""
    site = Site(settings(threshold=ANY))
    # Not to be divided before it is whole.
    for n in range(15):
        if n < 8:
            told = alert(f"X{n}", starts=n, namespace="db")
            sighted(site, n, told, {0: 1.0, 2 + n: 0.2})
        else:
            told = alert(f"X{n}", starts=400 + n, namespace="shop")
            sighted(site, 400 + n, told, {1: 1.0, 2 + n: 0.2})
    site.engine.take_asked()
    return site


def whole(site: Site) -> Cluster:
    (cluster,) = site.engine.live.by_id.values()
    return cluster


def ask(site: Site) -> list[int]:
    sighted(site, 416, alert("X15", starts=416, namespace="shop"), {1: 1.0, 20: 0.2})
    return site.engine.take_asked()


def test_a_cluster_whose_texts_fall_apart_is_asked_for_and_split(wrong: Site) -> None:
    cluster = whole(wrong)
    wrong.engine.drain()

    assert ask(wrong) == [cluster.id]
    assert wrong.engine.take_asked() == []
    events = wrong.feed([Members(at(416), cluster.id, members(wrong, cluster.id))])

    (split,) = of(events, "cluster_split")
    assert (split.detail["from"], split.detail["into"]) == (cluster.id, split.cluster_id)
    assert "two problems" in split.reason
    assert of(events, "operator_command") == []
    sides = {
        frozenset(
            e.labels["namespace"] for e in wrong.engine.episodes.values() if e.cluster_id == c
        )
        for c in wrong.engine.live.by_id
    }
    assert sides == {frozenset({"db"}), frozenset({"shop"})}
    assert any(isinstance(each, Moved) for each in wrong.engine.drain().regrouped)
    assert dict(wrong.engine.constraints.by_seq) == {}


def test_the_same_members_run_again_give_the_same(wrong: Site) -> None:
    cluster = whole(wrong)
    ask(wrong)
    wrong.feed([Members(at(416), cluster.id, members(wrong, cluster.id))])
    again = engine(settings(threshold=ANY))
    events = again.step(wrong.inputs)

    assert [e.to_json() for e in events] == [e.to_json() for e in wrong.events]
    assert state_of(again) == state_of(wrong.engine)


def test_members_that_are_not_all_or_of_no_live_cluster_change_nothing(wrong: Site) -> None:
    cluster = whole(wrong)
    ask(wrong)
    told = members(wrong, cluster.id)

    assert wrong.feed([Members(at(416), cluster.id, told[:-1])]) == []
    assert wrong.feed([Members(at(416), 77, told)]) == []
    assert wrong.feed([Members(at(416), cluster.id, told[:9])]) == []


def test_what_operators_merged_is_not_split(wrong: Site) -> None:
    cluster = whole(wrong)
    ask(wrong)
    told = members(wrong, cluster.id)
    word = Constraint(1, Kind.MUST, 0, 1, 2, ((told[0].fingerprint,), (told[-1].fingerprint,)))
    wrong.engine.constraints.add(word)

    assert wrong.feed([Members(at(416), cluster.id, told)]) == []


def test_what_waits_or_takes_no_more_or_is_too_large_is_not_asked_for(wrong: Site) -> None:
    cluster, sight = whole(wrong), wrong.engine.looking.sight()
    cluster.size = 16

    assert looks.may_be_two(cluster, sight)
    cluster.patience = 5
    assert not looks.may_be_two(cluster, sight)
    cluster.patience, cluster.accepting = 0, False
    assert not looks.may_be_two(cluster, sight)
    cluster.accepting = True
    small = replace(sight, settings=replace(sight.settings, max_split_members=8))
    assert not looks.may_be_two(cluster, small)


def test_a_few_stray_alerts_are_no_second_problem(wrong: Site) -> None:
    cluster, sight = whole(wrong), wrong.engine.looking.sight()
    cluster.size = 16
    for text_id in list(cluster.exemplars)[2:8]:
        del cluster.exemplars[text_id]
    cluster.matrix_cache = None

    assert not looks.may_be_two(cluster, sight)
    told = [m for m in members(wrong, cluster.id) if m.labels["namespace"] == "shop"]
    assert looks.division(cluster, told, sight, wrong.engine.regrouping.rebuilding) is None


def test_one_text_has_no_halves() -> None:
    site = Site()
    sighted(site, 0, alert("A", node="n1"), {0: 1.0})
    cluster = whole(site)

    assert [len(half) for half in looks.halves(cluster)] == [1, 0]
    sight = site.engine.looking.sight()
    assert (
        looks.division(cluster, members(site, 1), sight, site.engine.regrouping.rebuilding) is None
    )


def test_a_cluster_without_texts_is_judged_by_labels_and_time(wrong: Site) -> None:
    cluster, sight = whole(wrong), wrong.engine.looking.sight()
    with_texts = looks.oneness(cluster, cluster, sight, {cluster.id})
    blank = Cluster(9, 0, tokens=cluster.tokens, size=cluster.size, last_onset=cluster.last_onset)

    assert looks.oneness(blank, cluster, sight, {cluster.id, 9}) != with_texts


def test_like_halves_are_no_two_problems() -> None:
    site = Site(settings(threshold=ANY))
    for n in range(8):
        sighted(site, n, alert(f"X{n}", starts=n, namespace="db"), {0: 1.0, 1 + n: 0.4})
    cluster = whole(site)

    assert site.engine.take_asked() == []
    sight = site.engine.looking.sight()
    assert (
        looks.division(cluster, members(site, 1), sight, site.engine.regrouping.rebuilding) is None
    )
