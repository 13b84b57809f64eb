from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from receiver.core.clusters import (
    MAX_EXEMPLARS,
    MAX_TOKENS,
    Cluster,
    ClusteringSettings,
    ClusterState,
)
from receiver.core.labels import token
from tests.builders import EMBEDDER, at


def join(cluster: Cluster, text: str | None, n: int = 0, **labels: str) -> Any:
    vector = None if text is None else EMBEDDER.embed([text])[0]
    cluster.moved_no += 1
    gone = cluster.learn(
        text_id=n,
        vector=vector,
        fingerprint=f"{n:016x}",
        onset=at(n),
        labels=labels,
        tokens=[f"{k}={v}" for k, v in labels.items()],
        learning_rate=0.5,
    )
    cluster.size += 1
    return gone


def test_it_keeps_what_its_members_share() -> None:
    cluster = Cluster(1, at(0))
    join(cluster, "disk is full", 1, app="web", pod="a")
    join(cluster, "disk is full", 1, app="web", pod="b")
    join(cluster, "net is slow", 0, app="web")

    assert cluster.labels == {"app": "web"}
    assert cluster.tokens == {"app=web": 3, "pod=a": 1, "pod=b": 1}
    assert (cluster.first_onset, cluster.last_onset) == (at(0), at(1))
    assert cluster.exemplars[1].count == 2
    assert cluster.matrix.shape == (2, EMBEDDER.dims)


def test_the_centre_moves_towards_new_members_and_stays_a_direction() -> None:
    cluster = Cluster(1, at(0))
    join(cluster, None)
    assert cluster.center is None
    join(cluster, "disk is full", 1)
    first = cluster.center
    join(cluster, "net is slow", 2)
    other = EMBEDDER.embed(["net is slow"])[0]

    assert first is not None
    assert cluster.center is not None
    assert float(cluster.center @ other) > float(first @ other)
    assert float(np.linalg.norm(cluster.center)) == pytest.approx(1.0)


def test_opposite_vectors_leave_the_centre() -> None:
    cluster = Cluster(1, at(0))
    vector = EMBEDDER.embed(["x"])[0]
    for n, v in enumerate((vector, -vector)):
        cluster.learn(
            text_id=n,
            vector=v,
            fingerprint="f",
            onset=0,
            labels={},
            tokens=[],
            learning_rate=0.5,
        )

    assert np.array_equal(cluster.center, vector)  # type: ignore[arg-type]


def test_texts_and_label_values_are_bounded() -> None:
    cluster = Cluster(1, at(0))
    for n in range(MAX_EXEMPLARS):
        assert join(cluster, f"text {n} of some kind", n, node="same") == ([], [])
    join(cluster, "text 0 of some kind", 0, node="same")

    texts, _ = join(cluster, "one more", 99, node="same")
    assert texts == [1]

    gone: list[str] = []
    for n in range(MAX_TOKENS + 1):
        gone += join(cluster, None, n, pod=str(n))[1]
    assert gone == ["pod=0", "pod=1"]
    assert len(cluster.tokens) == MAX_TOKENS


@pytest.mark.parametrize(
    ("changed", "seconds", "state"),
    [
        ({"size": 1, "firing": 1}, 10, ClusterState.FORMING),
        ({"size": 3, "firing": 1}, 10, ClusterState.GROWING),
        ({"size": 1, "firing": 1}, 125, ClusterState.STEADY),
        ({"size": 9, "firing": 1, "member_resolved_at": at(100)}, 130, ClusterState.RESOLVING),
        ({"size": 9, "firing": 1, "member_resolved_at": at(100)}, 701, ClusterState.STEADY),
        ({"size": 9, "firing": 0}, 10, ClusterState.RESOLVING),
        ({"state": ClusterState.MERGED}, 10, ClusterState.MERGED),
    ],
)
def test_states_follow_members_and_clock(
    changed: dict[str, Any], seconds: float, state: ClusterState
) -> None:
    cluster = Cluster(1, at(0), joined_at=at(0))
    for name, value in changed.items():
        setattr(cluster, name, value)

    assert cluster.state_at(at(seconds), ClusteringSettings()) is state


def test_confidence_is_that_of_the_joins() -> None:
    cluster = Cluster(1, at(0), size=1)
    assert cluster.confidence is None
    cluster.size, cluster.confidence_sum = 3, 1.5
    assert cluster.confidence == 0.75


def test_a_final_cluster_waits_for_nothing() -> None:
    settings = ClusteringSettings()

    assert Cluster(1, at(0), joined_at=at(0)).next_due(at(10), settings) == at(120)
    assert Cluster(1, at(0), state=ClusterState.RESOLVED).next_due(at(0), settings) is None
    assert Cluster(1, at(0), joined_at=at(0)).next_due(at(9999), settings) is None


def test_the_names_of_labels_are_of_the_values_held() -> None:
    """Also where a new value has one give way, and there are as many as before."""
    cluster = Cluster(1, at(0))

    def tell(*told: str) -> None:
        cluster.learn(
            text_id=0,
            vector=None,
            fingerprint="f",
            onset=at(0),
            labels={},
            tokens=told,
            learning_rate=0.1,
        )

    pods = [token("pod", str(n)) for n in range(MAX_TOKENS - 1)]
    tell(token("zone", "a"), *pods)
    tell(*pods)
    assert cluster.label_names == {"zone", "pod"}
    tell(token("node", "n1"))

    assert len(cluster.tokens) == MAX_TOKENS
    assert cluster.label_names == {"node", "pod"}
