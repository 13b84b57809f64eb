from __future__ import annotations

import pytest

from receiver.core import wire
from receiver.core.clusters import Cluster
from receiver.core.constraints import Constraint, Constraints, Kind
from receiver.core.errors import Conflict
from receiver.core.model import OperatorCommand
from tests.builders import alert, at
from tests.core.test_regroup import DISK, POD, Pair


def must(seq: int, *names: str) -> Constraint:
    return Constraint(seq, Kind.MUST, 0, 1, 2, (names[:1], names[1:]))


def cannot(seq: int, one: str, other: str) -> Constraint:
    return Constraint(seq, Kind.CANNOT, 0, 1, 2, ((one,), (other,)))


def test_an_alert_that_was_merged_comes_back_to_its_cluster() -> None:
    pair = Pair()
    command, _ = pair.say_merge(10, 2, 1)
    pair.receive(20, alert(POD, starts=5, ends=19, pod="p0"))

    # So far from all it was with that by itself it would open a cluster.
    told = pair.receive(700, alert(POD, starts=690, pod="p0", summary="another text"))
    (assigned,) = (e for e in told if e.confidence is not None)
    why = pair.why(alert(POD, pod="p0"))

    assert (assigned.cluster_id, assigned.confidence) == (1, 1.0)
    reason = f"an operator joined it with alerts of this cluster (event {command['seq']})"
    assert assigned.reason == reason
    assert why["constraint"] == {"kind": "must_link", "seq": command["seq"], "cluster_ids": [1]}


def test_an_alert_that_was_split_off_never_joins_those_it_left() -> None:
    pair = Pair()
    command, *_ = pair.say_split(10, 1, pair.disks[0])
    pair.receive(20, alert(DISK, ends=19, disk="d0"))
    (assigned,) = (
        e
        for e in pair.receive(30, alert(DISK, starts=25, disk="d0", summary="disk is full"))
        if e.confidence is not None
    )
    (other,) = (
        e
        for e in pair.receive(31, alert(DISK, starts=26, disk="d1", summary="disk is full"))
        if e.confidence is not None
    )

    assert (assigned.cluster_id, other.cluster_id) == (3, 1)
    assert assigned.reason.endswith(f"; an operator keeps it out of 1 (event {command['seq']})")


def test_where_all_else_is_forbidden_it_opens_a_cluster() -> None:
    pair = Pair(close_after=60.0)
    pair.say_split(10, 1, pair.disks[0])
    pair.receive(50, alert(DISK, ends=49, disk="d0"))
    pair.receive(50, alert(DISK, starts=45, disk="d7", summary="disk is full"))
    opened = pair.receive(80, alert(DISK, starts=75, disk="d0", summary="disk is full"))

    assert opened[0].type.value != "alert_assigned"
    assert [e.cluster_id for e in opened if e.confidence is not None] == [4]


def test_a_later_cluster_of_the_same_alerts_is_ruled_too() -> None:
    """The clusters that were merged are long over; their alerts still belong together."""
    pair = Pair(resolve_after=10.0)
    pair.say_merge(10, 2, 1)
    for number, disk in enumerate(pair.disks):
        assert disk.labels["disk"] == f"d{number}"
    over = [alert(DISK, ends=20, disk=f"d{n}") for n in range(3)]
    over += [alert(POD, starts=5, ends=20, pod=f"p{n}") for n in range(2)]
    pair.receive(21, *over)
    pair.receive(9000, alert("Other", starts=9000))
    assert 1 not in pair.engine.live.by_id

    pair.receive(9001, alert(DISK, starts=9001, disk="d0", summary="disk is full"))
    pair.receive(9002, alert(POD, starts=9001, pod="p0", summary="pod is down"))

    assert pair.cluster_of(pair.disks[0]) is pair.cluster_of(pair.pods[0])


def test_what_was_merged_is_not_split_and_what_was_split_not_merged() -> None:
    pair = Pair()
    pair.say_merge(10, 2, 1)
    with pytest.raises(Conflict, match=r"merged alerts of both sides \(event \d+, clusters 2 and"):
        pair.say_split(20, 1, *pair.pods)

    apart = Pair()
    apart.say_split(10, 1, apart.disks[0])
    with pytest.raises(Conflict, match=r"split alerts of the one from .* \(event \d+, clusters 1"):
        apart.say_merge(20, 3, 1)


def test_a_merge_is_refused_by_the_alerts_it_names_too() -> None:
    held = Constraints(10)
    held.add(cannot(1, "a", "b"))

    with pytest.raises(Conflict, match="event 1"):
        held.check_merge(Cluster(1, 0), Cluster(2, 0), ["a", "x", "b"])
    held.check_merge(Cluster(1, 0), Cluster(2, 0), ["a", "x", "b"], undoes=1)
    held.check_merge(Cluster(1, 0), Cluster(2, 0), ["a", "x"])


def test_only_what_must_be_together_keeps_a_cluster_whole() -> None:
    held = Constraints(10)
    held.add(cannot(1, "a", "b"))
    held.add(must(2, "a", "c"))

    held.check_split(["a"], ["b"])
    held.check_split(["a"], ["c"], undoes=2)
    with pytest.raises(Conflict, match="event 2"):
        held.check_split(["a"], ["c"])


def test_only_a_later_merge_of_the_same_cluster_lets_go_of_what_another_is_undone_for() -> None:
    held = Constraints(10)
    held.add(must(1, "a", "b"))
    held.add(must(2, "a", "b", "c"))

    held.check_split(["a", "c"], ["b"], undoes=1, links={1, 2})
    # Said elsewhere of other firings of the same alerts, or before: a word of its own.
    with pytest.raises(Conflict, match="event 2"):
        held.check_split(["a", "c"], ["b"], undoes=1, links={1})
    with pytest.raises(Conflict, match="event 1"):
        held.check_split(["a"], ["b", "c"], undoes=2, links={1, 2})
    with pytest.raises(Conflict, match="event 1"):
        held.check_split(["a", "c"], ["b"], links={1, 2})


def test_a_later_merge_holds_for_what_stays_when_an_earlier_one_is_undone() -> None:
    pair = Pair()
    cert = alert("CertExpiry", starts=7000, host="h1", summary="certificate ends soon")
    pair.receive(7000, cert)
    assert pair.cluster_of(cert).id == 3
    first, *_ = pair.say_merge(7010, 2, 1)
    second, *_ = pair.say_merge(7020, 3, 1)
    told = pair.say_split(7030, 1, *pair.pods, undoes=first["seq"])

    assert [event["type"] for event in told[:2]] == ["operator_command", "cluster_split"]
    (kept,) = pair.engine.constraints.by_seq.values()
    assert kept.seq == second["seq"]
    assert {name for side in kept.sides for name in side} == {
        each.fingerprint for each in (*pair.disks, cert)
    }
    assert [pair.engine.live.by_id[number].links for number in (1, 4)] == [{kept.seq: 0}, {}]
    assert pair.cluster_of(cert).id == 1


def test_what_was_split_off_goes_back_alone_from_those_it_was_merged_with() -> None:
    pair = Pair()
    split, *_ = pair.say_split(10, 1, pair.disks[0])
    merge, *_ = pair.say_merge(20, 3, 2)
    with pytest.raises(Conflict, match="what leaves cluster 2 cannot go to it"):
        pair.say_split(30, 2, pair.disks[0], undoes=split["seq"], into=2)
    with pytest.raises(Conflict, match="cluster 3 is over"):
        pair.say_split(30, 2, pair.disks[0], undoes=split["seq"], into=3)
    told = pair.say_split(30, 2, pair.disks[0], undoes=split["seq"], into=1)

    assert [event["type"] for event in told[:2]] == ["operator_command", "cluster_split"]
    (back,) = (event for event in told if event["type"] == "cluster_merged")
    assert (back["cluster_id"], back["into"]) == (4, 1)
    assert back["reason"] == "an operator said so: its alert came back to 1"
    assert {pair.cluster_of(disk).id for disk in pair.disks} == {1}
    assert {pair.cluster_of(pod).id for pod in pair.pods} == {2}
    (kept,) = pair.engine.constraints.by_seq.values()
    assert (kept.seq, set(kept.sides[0])) == (merge["seq"], set())
    assert [pair.engine.live.by_id[number].links for number in (1, 2)] == [{}, {kept.seq: 0}]


def test_what_goes_back_whole_is_free_of_the_merges_since() -> None:
    pair = Pair()
    disks, *_ = pair.say_split(10, 1, pair.disks[0])
    pods, *_ = pair.say_split(20, 2, pair.pods[0])
    merge, *_ = pair.say_merge(30, 3, 4)
    pair.say_split(40, 4, pair.disks[0], undoes=disks["seq"], into=1)
    pair.say_merge(50, 4, 2, undoes=pods["seq"])

    (kept,) = pair.engine.constraints.by_seq.values()
    assert (kept.seq, kept.named) == (merge["seq"], 0)
    assert [pair.engine.live.by_id[number].links for number in (1, 2)] == [{}, {}]


def test_what_was_split_off_does_not_go_back_to_what_another_split_keeps_it_from() -> None:
    pair = Pair()
    first, *_ = pair.say_split(10, 1, pair.disks[0])
    pair.say_merge(20, 3, 2)
    cert = alert("CertExpiry", starts=25, host="h1", summary="pod is down")
    pair.receive(25, cert)
    assert pair.cluster_of(cert).id == 2
    second, *_ = pair.say_split(30, 2, cert)
    pair.say_merge(40, 4, 1)

    with pytest.raises(Conflict, match=rf"\(event {second['seq']}, .*undo that first"):
        pair.say_split(50, 2, pair.disks[0], undoes=first["seq"], into=1)


def test_the_oldest_leave_when_too_many_alerts_are_named() -> None:
    held = Constraints(5)
    held.add(must(1, "a", "b"))
    held.add(must(2, "b", "c"))
    assert held.changes() == ([must(1, "a", "b"), must(2, "b", "c")], [])

    gone = held.add(must(3, "c", "d"))

    assert gone == [1]
    assert held.marks(["a"]) == {}
    assert held.marks("bcd") == {2: 0, 3: 0}
    assert held.changes() == ([must(3, "c", "d")], [1])
    assert held.report()["alerts_named"] == 4
    assert held.add(must(4, *"abcdef")) == [2, 3]
    assert held.most_named == 2


def test_what_is_made_and_taken_back_before_it_is_kept_leaves_no_trace() -> None:
    held = Constraints(10)
    held.add(must(1, "a", "b"))
    held.lift(1)
    held.lift(1)

    assert held.changes() == ([], [])
    assert held.report() == {
        "must_link": 0,
        "cannot_link": 0,
        "alerts_named": 0,
        "max_alerts_named": 10,
    }


def test_one_that_names_fewer_is_written_anew() -> None:
    held = Constraints(10)
    held.restore([must(1, "a", "b"), must(2, "b", "c")])
    held.release(1, {"b", "z"})

    left = Constraint(1, Kind.MUST, 0, 1, 2, (("a",), ()))
    assert list(held.by_seq.values()) == [left, must(2, "b", "c")]
    assert (held.marks("a"), held.marks("b")) == ({1: 0}, {2: 0})
    assert held.changes() == ([left], [1])
    held.release(1, {"a"})
    held.lift(1)
    assert held.marks("a") == {}
    assert held.changes() == ([], [1])


def test_what_is_new_and_names_fewer_at_once_is_written_once() -> None:
    held = Constraints(10)
    held.add(must(1, "a", "b"))
    held.release(1, {"b"})

    assert held.changes() == ([Constraint(1, Kind.MUST, 0, 1, 2, (("a",), ()))], [])


def test_clusters_forget_a_constraint_that_left_for_another() -> None:
    pair = Pair(max_linked_alerts=4)
    pair.say_split(10, 1, pair.disks[0])
    first = dict(pair.engine.live.by_id[1].links)
    pair.say_merge(20, 2, 3)

    assert list(first.values()) == [0]
    assert pair.engine.live.by_id[1].links == {}
    assert list(pair.engine.live.by_id[3].links.values()) == [0]


def test_who_is_kept_out_is_not_drawn_in() -> None:
    held = Constraints(10)
    held.add(must(1, "a", "b"))
    held.add(cannot(2, "a", "c"))
    both, wanted, closed = (
        Cluster(1, 0, links={1: 0, 2: 1}),
        Cluster(2, 0, links={1: 0, 2: 0}),
        Cluster(3, 0, links={1: 0}, accepting=False),
    )

    word = held.word_on("a", [both, wanted, closed])
    found, told = word.candidates([both], {1: both, 2: wanted})

    assert (word.wanted, word.kept_out) == ({2: 1}, {1: 2})
    assert found == [wanted]
    assert told == {"kind": "must_link", "seq": 1, "cluster_ids": [2]}
    assert held.word_on("z", [both]).candidates([both], {}) == ([both], None)
    alone = held.word_on("c", [wanted]).candidates([both], {1: both})
    assert alone == ([both], None)


def test_what_is_kept_is_taken_back() -> None:
    held = Constraints(10)
    held.restore([must(1, "a", "b"), cannot(2, "a", "c")])

    assert list(held.by_seq) == [1, 2]
    assert held.marks(["a"]) == {1: 0, 2: 0}
    assert held.changes() == ([], [])


def test_the_demand_alone_may_be_taken_back() -> None:
    pair = Pair()
    command, *_ = pair.say_split(10, 1, pair.disks[0])
    (told,) = pair.feed([OperatorCommand(at(20), 1, {}, undoes=command["seq"])])

    assert dict(told.detail) == {"command": "undo", "undoes": command["seq"]}
    assert pair.engine.constraints.by_seq == {}
    assert pair.engine.live.by_id[1].links == {}


def test_a_constraint_is_shown_with_what_undoes_it() -> None:
    shown = wire.constraint_json(cannot(7, "a", "b"))

    assert (shown["seq"], shown["kind"], shown["from"], shown["into"]) == (7, "cannot_link", 1, 2)
    assert shown["alerts"] == 2
