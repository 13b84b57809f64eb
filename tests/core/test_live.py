from __future__ import annotations

from dataclasses import replace

from receiver.core.clusters import Cluster
from receiver.core.evidence import Probe
from receiver.core.index import VectorIndex
from receiver.core.live import COMMON, MOVED_LAST, PER_SOURCE, LiveClusters
from receiver.core.model import Vector
from tests.builders import EMBEDDER, at


def vector_of(text: str) -> Vector:
    vector: Vector = EMBEDDER.embed([text])[0]
    return vector


def cluster(number: int, text: str | None, *tokens: str, onset: float = 0) -> Cluster:
    made = Cluster(number, at(0), moved_no=number)
    made.learn(
        text_id=0 if text is None else hash_of(text),
        vector=None if text is None else vector_of(text),
        fingerprint=f"{number:016x}",
        onset=at(onset),
        labels={},
        tokens=tokens,
        learning_rate=0.1,
    )
    made.size = 1
    return made


def hash_of(text: str) -> int:
    return sum(map(ord, text))


def live(*clusters: Cluster) -> LiveClusters:
    made = LiveClusters(VectorIndex(EMBEDDER.dims))
    for one in clusters:
        made.add(one)
    return made


def found(clusters: LiveClusters, probe: Probe) -> list[int]:
    return [c.id for c in clusters.candidates(probe, 4)[0]]


def test_candidates_come_from_texts_labels_and_recent_movement() -> None:
    old = [cluster(n, f"noise {n} {n * 7}") for n in range(10, 10 + 3 * PER_SOURCE)]
    by_text, by_label = cluster(1, "disk is full"), cluster(2, None, "pod=a")
    clusters = live(by_text, by_label, *old)

    ids = found(clusters, Probe(vector_of("disk is full"), {"pod=a": 1.0}, at(0), {}))

    assert {1, 2} <= set(ids)
    assert set(ids) >= {c.id for c in old[-PER_SOURCE:]}
    assert ids == sorted(ids)


def test_a_label_value_that_everything_has_is_no_source() -> None:
    clusters = live(*(cluster(n, None, "app=all") for n in range(1, COMMON + 3)))

    assert len(found(clusters, Probe(None, {"app=all": 1.0}, at(0), {}))) == MOVED_LAST


def test_of_many_only_the_latest_are_taken() -> None:
    clusters = live(*(cluster(n, "same text") for n in range(1, 100)))
    for one in clusters.by_id.values():
        clusters._recent.pop(one.id)

    assert found(clusters, Probe(vector_of("same text"), {}, at(0), {})) == list(
        range(100 - PER_SOURCE, 100)
    )


def test_a_closed_cluster_is_found_no_more() -> None:
    one, other = cluster(1, "disk is full", "pod=a"), cluster(2, "disk is full", "pod=a")
    clusters = live(one, other)

    clusters.close(one)
    assert found(clusters, Probe(vector_of("disk is full"), {"pod=a": 1.0}, at(0), {})) == [2]
    assert clusters.uses(hash_of("disk is full"))

    clusters.close(other)
    assert len(clusters.texts) == 0
    clusters.unindex(other, [12345], ["pod=zz"])
    clusters.remove(one)
    clusters.remove(one)
    assert len(clusters) == 1


def test_the_texts_of_a_closed_cluster_are_in_use_as_long_as_it_is_live() -> None:
    """It may be merged, and must be the same after a restart."""
    one, other = cluster(1, "disk is full"), cluster(2, "disk is full")
    clusters = live(one, other)
    text_id = hash_of("disk is full")
    for closed in (one, other):
        closed.accepting = False
        clusters.close(closed)
    restored = live(one, other)

    for each in (clusters, restored):
        assert each.uses(text_id)
        each.remove(one)
        assert each.uses(text_id)
        # Merged: it takes members again, and then no more.
        other.accepting = True
        each.add(other)
        assert each.uses(text_id)
        other.accepting = False
        each.close(other)
        assert each.uses(text_id)
        each.remove(other)
        assert not each.uses(text_id)


def test_a_restored_closed_cluster_is_live_but_not_found() -> None:
    closed = cluster(1, "x")
    closed.accepting = False
    clusters = live(closed)

    assert len(clusters) == 1
    assert found(clusters, Probe(vector_of("x"), {}, at(0), {})) == []


def test_the_background_is_of_clusters_that_take_members() -> None:
    made = [cluster(n, None, "pod=a", *(["node=1"] if n < 3 else [])) for n in range(1, 21)]
    clusters = live(*made)
    clusters.close(made[0])

    found = clusters.background(["pod=a", "node=1", "x=y"], 0.5)

    assert found.accepting == 19
    assert found.holders == {"pod=a": 19, "node=1": 1, "x=y": 0}
    assert list(found.recent) == list(range(20, 20 - MOVED_LAST, -1))
    assert found.new_rate == 0.5


def waiting(number: int, fingerprint: str, patience: int = 60) -> Cluster:
    made = cluster(number, None, "pod=a")
    made.only, made.patience = fingerprint, patience
    return made


ASKED = Probe(None, {"pod=a": 1.0}, at(0), {})


def found_by(clusters: LiveClusters, fingerprint: str) -> list[int]:
    return found(clusters, replace(ASKED, fingerprint=fingerprint))


def test_a_cluster_that_waits_for_an_alert_is_found_by_it_and_by_nobody_else() -> None:
    clusters = live(waiting(1, "f1"), cluster(2, None, "pod=a"))

    assert found_by(clusters, "f1") == [1, 2]
    assert found_by(clusters, "f2") == [2]
    assert found(clusters, ASKED) == [2]
    assert clusters.background(["pod=a"], 0.5).holders == {"pod=a": 2}


def test_those_that_wait_take_no_place_from_the_others() -> None:
    crowd = [cluster(n, "same text", "pod=a") for n in range(2, 3 * PER_SOURCE)]
    for one in crowd:
        one.only, one.patience = f"f{one.id}", 60
    clusters = live(cluster(1, "same text", "pod=a"), *crowd)

    assert found(clusters, Probe(None, {}, at(0), {})) == [1]
    assert found(clusters, Probe(vector_of("same text"), {"pod=a": 1.0}, at(0), {})) == [1]
    assert clusters.background([], 0.5).accepting == 1 + len(crowd)
    assert list(clusters.background([], 0.5).recent) == [1]

    clusters._recent.clear()
    assert found(clusters, Probe(vector_of("same text"), {}, at(0), {})) == [1]
    assert found(clusters, Probe(None, {"pod=a": 1.0}, at(0), {})) == [1]


def test_all_clusters_that_wait_for_an_alert_are_found_until_each_closes() -> None:
    one, other = waiting(1, "f1"), waiting(2, "f1")
    clusters = live(one, other)

    assert found_by(clusters, "f1") == [1, 2]
    clusters.close(other)
    assert found_by(clusters, "f1") == [1]
    clusters.close(one)
    assert found_by(clusters, "f1") == []
    assert not clusters._homes
    assert not clusters._waits


def test_a_cluster_that_another_alert_joined_waits_no_more() -> None:
    one = waiting(1, "f1")
    clusters = live(one)

    one.only, one.patience = "", 0
    clusters.index(one, [], [])

    assert found_by(clusters, "f2") == [1]
    assert not clusters._homes
