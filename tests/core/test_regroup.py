"""Merge and split in the fold; how they survive restarts is asked in tests/store/test_restore.py."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest

from receiver.core import regroup
from receiver.core.changes import Merged, Moved
from receiver.core.clusters import MAX_EXEMPLARS, MAX_TOKENS, Cluster, ClusterState, Exemplar
from receiver.core.errors import Conflict, NotFound
from receiver.core.evolution import EventType
from receiver.core.kinds import Novelty
from receiver.core.model import Alert, Episode, Member, Merge, OperatorCommand, Split, Tick
from receiver.core.placing import Newcomer
from receiver.core.severity import SeveritySettings
from receiver.core.text import masked_text
from tests.builders import Site, alert, at, settings

DISK, POD, CERT = "DiskFull", "PodDown", "CertExpiry"


def members_of(episodes: Iterable[Episode], cluster_id: int) -> list[Member]:
    """Return the members of a cluster of which no alert has fired twice."""
    return [
        Member(
            e.id,
            e.fingerprint,
            e.labels,
            e.starts_at,
            e.received_at,
            e.state,
            e.text_id,
            e.founder,
            e.confidence,
        )
        for e in sorted(episodes, key=lambda e: e.id)
        if e.cluster_id == cluster_id
    ]


class Pair(Site):
    """Two clusters: 1 of three disks, 2 of two pods."""

    def __init__(self, **changed: Any) -> None:
        super().__init__(settings(threshold=0.6, **changed))
        self.disks = [alert(DISK, disk=f"d{n}", summary="disk is full") for n in range(3)]
        self.pods = [alert(POD, starts=5, pod=f"p{n}", summary="pod is down") for n in range(2)]
        self.receive(1, *self.disks)
        self.receive(6, *self.pods)
        assert [self.cluster_of(a).id for a in (*self.disks, *self.pods)] == [1, 1, 1, 2, 2]

    def say_merge(self, seconds: float, gone: int, into: int, undoes: int = 0) -> list[Any]:
        members = [members_of(self.engine.episodes.values(), c) for c in (gone, into)]
        one, other = ([m.fingerprint for m in each] for each in members)
        named = (one, () if undoes else other)
        command = Merge(at(seconds), gone, into, named, undoes)
        self.engine.check(command)
        return [event.to_json() for event in self.feed([command])]

    def say_split(
        self, seconds: float, cluster_id: int, *gone: Alert, undoes: int = 0, into: int = 0
    ) -> list[Any]:
        names = {a.fingerprint for a in gone}
        members = members_of(self.engine.episodes.values(), cluster_id)
        moved = [m.id for m in members if m.fingerprint in names]
        command = Split(at(seconds), cluster_id, members, moved, undoes, into=into)
        self.engine.check(command)
        return [event.to_json() for event in self.feed([command])]


# -- merge -------------------------------------------------------------------------------------------


def test_a_merge_moves_all_members_and_tells_both_numbers() -> None:
    pair = Pair()

    command, merged = pair.say_merge(10, 2, 1)

    assert (command["type"], command["command"], command["cluster_id"]) == (
        "operator_command",
        "merge",
        1,
    )
    assert (command["from"], command["into"]) == (2, 1)
    assert (command["cluster_size"], command["cluster_firing"], command["total_clusters"]) == (
        5,
        5,
        1,
    )
    assert (merged["type"], merged["cluster_id"], merged["into"]) == ("cluster_merged", 2, 1)
    assert (merged["cluster_size"], merged["cluster_firing"]) == (0, 0)
    assert merged["reason"] == "an operator said so: 2 alerts went to 1"
    assert {e.cluster_id for e in pair.engine.episodes.values()} == {1}


def test_what_both_knew_is_one_knowledge() -> None:
    pair = Pair()
    one, other = pair.engine.live.by_id[1], pair.engine.live.by_id[2]
    other.note, other.acked_by, other.pinned = "theirs", "Ann", True
    one.note = "ours"
    pair.say_merge(10, 2, 1)

    assert one.labels == {}
    assert one.names == {DISK: 3, POD: 2}
    assert len(one.exemplars) == 2
    assert sum(e.count for e in one.exemplars.values()) == 5
    assert (one.first_onset, one.last_onset) == (at(0), at(5))
    assert (one.note, one.acked_by, one.pinned) == ("ours", "Ann", True)
    assert one.confidence is not None
    assert float(np.linalg.norm(np.asarray(one.center))) == pytest.approx(1.0, abs=1e-6)
    assert other.state is ClusterState.MERGED
    assert (other.merged_into, other.resolved_at, other.closed_at) == (1, at(10), at(10))
    assert (other.accepting, other.size, other.confidence) == (False, 0, None)
    assert 2 not in pair.engine.live.by_id


def test_the_survivor_is_found_by_what_the_gone_one_had() -> None:
    pair = Pair()
    pair.say_merge(10, 2, 1)

    like = alert(POD, starts=11, pod="p0", summary="pod is down")
    vector = pair.engine.vector_of_text(masked_text(like.labels, like.annotations))

    (found,) = pair.engine.place(Newcomer(like.labels, vector, like.starts_at), at(12)).scores

    assert vector is not None
    assert (found.cluster_id, round(found.nearest[0][1], 3)) == (1, 1.0)
    assert found.nearest[0][0] in {a.fingerprint for a in pair.pods}


def test_the_store_is_told_in_one_step() -> None:
    pair = Pair()
    pair.engine.drain()
    (command, _) = pair.say_merge(10, 2, 1)

    changes = pair.engine.drain()

    assert changes.regrouped == [Merged(command["seq"], 2, 1)]
    assert [c.id for c in changes.clusters] == [1, 2]
    assert [c.seq for c in changes.constraints] == [command["seq"]]
    assert pair.engine.drain().regrouped == []


def test_an_operators_title_of_the_gone_one_is_kept_if_the_other_has_none() -> None:
    pair = Pair()
    pair.feed([OperatorCommand(at(7), 2, {"title": "Theirs"})])

    told = pair.say_merge(10, 2, 1)

    assert [e["type"] for e in told] == ["operator_command", "cluster_merged", "cluster_renamed"]
    assert pair.engine.live.by_id[1].title == "Theirs"


def test_two_that_no_longer_fire_are_one_that_does_not() -> None:
    pair = Pair(resolve_after=500.0)
    pair.receive(20, *(alert(DISK, ends=20, disk=f"d{n}") for n in range(3)))
    pair.receive(30, *(alert(POD, starts=5, ends=30, pod=f"p{n}") for n in range(2)))
    pair.say_merge(40, 2, 1)
    one = pair.engine.live.by_id[1]

    assert (one.idle_since, one.member_resolved_at) == (at(30), at(30))
    pair.feed([Tick(at(529))])
    assert 1 in pair.engine.live.by_id
    pair.feed([Tick(at(530))])
    assert 1 not in pair.engine.live.by_id


def test_one_that_was_closed_takes_members_again_with_one_that_does() -> None:
    pair = Pair(close_after=100.0)
    pair.receive(90, alert(POD, starts=6, pod="p3", summary="pod is down"))
    pair.feed([Tick(at(120))])
    one = pair.engine.live.by_id[1]
    assert not one.accepting

    pair.say_merge(130, 2, 1)

    assert (one.accepting, one.closed_at) == (True, None)


def test_two_closed_ones_stay_closed() -> None:
    pair = Pair(close_after=100.0)
    pair.feed([Tick(at(120))])
    one = pair.engine.live.by_id[1]

    pair.say_merge(130, 2, 1)

    assert (one.accepting, one.closed_at) == (False, at(106))


def test_of_its_own_the_fold_lets_the_larger_survive_and_tells_a_new_state() -> None:
    pair = Pair()
    survivor = pair.engine.regrouping.merge(1, 2, "they move together", confidence=0.5)
    told = pair.feed([Tick(at(6))])

    assert survivor == 1
    assert [(e.type.value, e.cluster_id, e.reason) for e in told] == [
        ("cluster_state_changed", 1, "they move together"),
        ("cluster_merged", 2, "they move together"),
    ]
    assert pair.engine.constraints.by_seq == {}


def test_of_its_own_the_fold_may_say_which_survives() -> None:
    pair = Pair()

    assert pair.engine.regrouping.merge(1, 2, "so", into=2, confidence=0.5) == 2
    assert pair.engine.live.by_id[2].size == 5


def test_of_equals_the_older_survives() -> None:
    one, other = Cluster(1, 0, size=2), Cluster(2, 0, size=2)

    assert regroup.in_order(other, one) == (other, one)
    assert regroup.in_order(one, other) == (other, one)


@pytest.mark.parametrize(
    ("gone", "into", "message"),
    [(1, 1, "merged with itself"), (9, 1, "cluster 9 is over"), (1, 9, "cluster 9 is over")],
)
def test_what_cannot_be_merged_is_refused_and_ignored(gone: int, into: int, message: str) -> None:
    pair = Pair()

    with pytest.raises(Conflict, match=message):
        pair.engine.check(Merge(at(10), gone, into))
    assert pair.feed([Merge(at(10), gone, into)]) == []


def test_a_command_to_a_cluster_nobody_knows_is_refused() -> None:
    with pytest.raises(NotFound, match="cluster 9 does not exist"):
        Pair().engine.check(OperatorCommand(at(10), 9, {}))


def known(text_id: int, used_no: int) -> Exemplar:
    return Exemplar(text_id, f"f{used_no}", 1, used_no, used_no, 1.0, 1.0, np.ones(2, np.float32))


def test_knowledge_of_both_stays_bounded() -> None:
    one, other = Cluster(1, 0, size=1), Cluster(2, 0, size=1)
    one.tokens = {f"a{n}": 2 for n in range(MAX_TOKENS)}
    other.tokens = {f"b{n}": 1 for n in range(10)} | {"c": 9}
    one.exemplars = {n: known(n, n) for n in range(MAX_EXEMPLARS)}
    other.exemplars = {n: known(n, n + 100) for n in range(10, 20)}
    one.affected, other.affected = {"team": {"x": 1}}, {"team": {"x": 2, "y": 1}, "app": {"z": 1}}

    regroup.absorb(other, one, 9, 1.0)

    assert len(one.tokens) == MAX_TOKENS
    assert one.tokens["c"] == 9
    assert "b0" not in one.tokens
    assert sorted(one.exemplars) == [*range(4, 20)]
    assert (one.exemplars[10].count, one.exemplars[10].fingerprint) == (2, "f110")
    assert one.affected == {"team": {"x": 3, "y": 1}, "app": {"z": 1}}


def test_of_one_text_the_latest_use_counts() -> None:
    one, other = Cluster(1, 0, size=1), Cluster(2, 0, size=1)
    one.exemplars, other.exemplars = {5: known(5, 8)}, {5: known(5, 3)}

    regroup.absorb(other, one, 9, 1.0)

    assert (one.exemplars[5].count, one.exemplars[5].fingerprint) == (2, "f8")


@pytest.mark.parametrize(
    ("ours", "theirs", "mean"),
    [
        (None, None, None),
        (None, [1.0, 0.0], [1.0, 0.0]),
        ([0.0, 1.0], None, [0.0, 1.0]),
        ([0.0, 1.0], [0.0, -1.0], [0.0, 1.0]),
        ([0.0, 1.0], [1.0, 0.0], [0.70710678, 0.70710678]),
    ],
)
def test_centres_are_weighed(ours: Any, theirs: Any, mean: Any) -> None:
    one, other = Cluster(1, 0, size=1), Cluster(2, 0, size=1)
    for cluster, center in ((one, ours), (other, theirs)):
        cluster.center = None if center is None else np.array(center, np.float32)

    regroup.absorb(other, one, 9, 1.0)

    assert one.center is mean or one.center is not None
    if mean is not None:
        assert np.asarray(one.center).tolist() == pytest.approx(mean)


# -- split -------------------------------------------------------------------------------------------


def test_a_split_makes_a_cluster_of_those_named() -> None:
    pair = Pair()
    pair.say_merge(10, 2, 1)
    pair.engine.drain()

    merged = next(e for e in pair.events if e.type is EventType.OPERATOR_COMMAND)
    pair.feed([Tick(at(19))])
    told = pair.say_split(20, 1, *pair.pods, undoes=merged.seq)
    changes = pair.engine.drain()
    one, made = pair.engine.live.by_id[1], pair.engine.live.by_id[3]

    assert [e["type"] for e in told[:2]] == ["operator_command", "cluster_split"]
    assert (told[0]["cluster_id"], told[0]["cluster_size"]) == (1, 3)
    assert (told[1]["cluster_id"], told[1]["from"], told[1]["into"]) == (3, 1, 3)
    assert (told[1]["cluster_size"], told[1]["cluster_firing"]) == (2, 2)
    assert (told[1]["title"], told[1]["reason"]) == (
        "Pod down in pods p0 and p1",
        "an operator said so: 2 alerts left 1",
    )
    assert (made.split_from, made.opened_at) == (1, at(20))
    assert isinstance(changes.regrouped[0], Moved)
    assert changes.regrouped[0].into == 3
    assert (one.names, made.names) == ({DISK: 3}, {POD: 2})


def test_both_know_what_they_would_had_their_members_come_alone() -> None:
    alone, whole = Pair(), Pair()
    whole.receive(7, alert(DISK, starts=6, disk="d9", summary="disk is full"))
    leaver = alert(DISK, starts=6, disk="d9", summary="disk is full")
    before = alone.engine.live.by_id[1]

    whole.say_split(8, 1, leaver)
    after = whole.engine.live.by_id[1]

    for name in ("labels", "tokens", "names", "affected", "first_onset", "last_onset", "joined_at"):
        assert getattr(after, name) == getattr(before, name), name
    assert after.confidence == pytest.approx(before.confidence)
    assert np.array_equal(np.asarray(after.center), np.asarray(before.center))
    assert after.size == before.size == 3
    made = whole.engine.live.by_id[3]
    assert (made.labels, made.size, made.first_onset) == (dict(leaver.labels), 1, at(6))
    assert (made.state, made.confidence) == (ClusterState.FORMING, None)


def test_states_of_members_are_counted_on_each_side() -> None:
    pair = Pair(stale_after=50.0)
    pair.receive(30, alert(DISK, ends=29, disk="d0"))
    pair.receive(40, pair.disks[1])
    pair.feed([Tick(at(60))])

    pair.say_split(61, 1, pair.disks[1])
    one, made = pair.engine.live.by_id.get(1), pair.engine.live.by_id[3]

    assert (made.firing, made.stale, made.idle_since) == (1, 0, None)
    assert made.member_resolved_at is None
    assert one is not None
    assert (one.firing, one.stale, one.size) == (0, 1, 2)
    assert (one.idle_since, one.state) == (at(61), ClusterState.RESOLVING)


def test_what_is_split_off_a_closed_cluster_and_does_not_fire_is_over_at_once() -> None:
    pair = Pair(close_after=100.0)
    pair.receive(30, alert(DISK, ends=29, disk="d0"))
    pair.feed([Tick(at(150))])

    told = pair.say_split(160, 1, pair.disks[0])

    over = [e["cluster_id"] for e in told if e["type"] == "cluster_resolved"]
    assert [e["type"] for e in told[:2]] == ["operator_command", "cluster_split"]
    assert over == [3]


def test_of_its_own_the_fold_may_split() -> None:
    pair = Pair()
    members = members_of(pair.engine.episodes.values(), 1)

    made = pair.engine.regrouping.split(1, members, [members[0].id], "it moves alone")
    told = pair.feed([Tick(at(6))])

    assert made == 3
    assert told[0].type is EventType.CLUSTER_STATE_CHANGED
    assert told[1].reason == "it moves alone"
    assert pair.engine.constraints.by_seq == {}


def test_what_cannot_be_split_is_refused() -> None:
    pair = Pair()
    members = members_of(pair.engine.episodes.values(), 1)
    ids = [member.id for member in members]

    for command, message in (
        (Split(at(10), 9, members, ids[:1]), "cluster 9 is over"),
        (Split(at(10), 1, members, ids), "some members must go and some must stay"),
        (Split(at(10), 1, members, []), "some members must go and some must stay"),
        (Split(at(10), 1, members[:2], ids[:1]), "cluster 1 has changed meanwhile"),
    ):
        with pytest.raises(Conflict, match=message):
            pair.engine.check(command)
        assert pair.feed([command]) == []


def test_a_split_that_is_taken_back_leaves_no_word() -> None:
    pair = Pair()
    first, *_ = pair.say_split(10, 1, pair.disks[0])
    back, merged, *_ = pair.say_merge(20, 3, 1, undoes=first["seq"])

    assert (back["command"], back["undoes"]) == ("undo", first["seq"])
    assert merged["reason"] == "an operator said so: its alert went to 1"
    assert pair.engine.constraints.by_seq == {}
    assert pair.engine.live.by_id[1].links == {}


# -- what is like the past ---------------------------------------------------------------------------


def test_the_survivor_recurs_what_it_did_or_else_what_the_gone_one_did() -> None:
    earlier: dict[str, Any] = {"cluster_id": 1}
    for ours, theirs, kept in ((None, earlier, 8), ({"cluster_id": 2}, earlier, 4)):
        into = Cluster(5, at(0), recurs=ours, next_look=4, novelty=Novelty(1, 1))
        gone = Cluster(6, at(0), recurs=theirs, next_look=8, novelty=Novelty(2, 0, 1))

        regroup.absorb(gone, into, at(9), 1.0)

        assert (into.recurs, into.next_look) == (ours or theirs, kept)
        assert into.novelty == Novelty(3, 1, 1)


def test_how_it_ended_is_how_the_last_to_end_did() -> None:
    for ours, theirs, kept in (
        (at(5), at(9), "theirs"),
        (at(9), at(5), "ours"),
        (at(5), None, "ours"),
    ):
        into = Cluster(5, at(0), member_resolved_at=ours, ended="ours")
        gone = Cluster(6, at(0), member_resolved_at=theirs, ended="theirs")

        regroup.absorb(gone, into, at(9), 1.0)

        assert into.ended == kept


def test_both_sides_of_a_split_look_for_their_like_anew() -> None:
    for known, next_look in ((12, 0), (None, None)):
        site = Site()
        told = [alert("A", summary="it broke", node=f"n{n}") for n in range(4)]
        site.receive(0, *told)
        site.engine.live.by_id[1].next_look = known
        members = members_of(site.engine.episodes.values(), 1)
        how = regroup.Rebuilding(
            site.engine.settings.clustering, SeveritySettings(), lambda text: None
        )

        made = regroup.take_apart(
            site.engine.live.by_id[1], members, [members[0].id], 2, at(9), how
        )

        assert site.engine.live.by_id[1].next_look == next_look
        assert (made.next_look, made.novelty) == (0, site.engine.live.by_id[1].novelty)


# -- whom it waits for -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ours", "theirs", "left"),
    [
        (("f", 60), ("f", 90), ("f", 60)),
        (("f", 60), ("g", 90), ("", 0)),
        (("f", 60), ("", 0), ("", 0)),
        (("", 0), ("f", 60), ("", 0)),
        (("", 0), ("", 0), ("", 0)),
    ],
)
def test_of_two_only_those_of_one_alert_wait_for_it(ours: Any, theirs: Any, left: Any) -> None:
    into, gone = Cluster(1, at(0)), Cluster(2, at(0))
    (into.only, into.patience), (gone.only, gone.patience) = ours, theirs

    regroup.absorb(gone, into, at(1), 1.0)

    assert (into.only, into.patience) == left


def test_what_is_split_waits_for_nobody_and_knows_whether_it_is_of_one_alert() -> None:
    pair = Pair()
    pair.say_split(10, 1, pair.disks[0])
    one, made = pair.engine.live.by_id[1], pair.engine.live.by_id[3]

    assert (made.only, made.patience) == (pair.disks[0].fingerprint, 0)
    assert (one.only, one.patience) == ("", 0)
    pair.say_split(11, 1, pair.disks[1])
    assert (one.only, one.patience) == (pair.disks[2].fingerprint, 0)


def test_after_a_merge_and_a_split_the_names_of_labels_are_those_that_are_left() -> None:
    pair = Pair()
    one = pair.engine.live.by_id[1]

    assert one.label_names == {"disk"}
    pair.say_merge(10, 2, 1)
    assert one.label_names == {"disk", "pod"}
    pair.say_split(11, 1, *pair.disks, undoes=pair.events[-2].seq)
    assert one.label_names == {"pod"}
