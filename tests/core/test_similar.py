from __future__ import annotations

import pytest

from receiver.core.past import Signature
from receiver.core.similar import similar, text_of
from tests.builders import EMBEDDER, Site, alert
from tests.core.test_past import POSTGRES, a_site, incident


@pytest.fixture
def site() -> Site:
    """Two clusters that are over, and one that goes on like the first."""
    made = a_site()
    incident(made, 0, "payments", POSTGRES)
    incident(made, 86400, "mail", ["QueueFull"])
    for name in POSTGRES:
        made.receive(200_000, alert(name, starts=200_000, service="payments", summary=name))
    return made


def by_text(query: str) -> Signature:
    return Signature(EMBEDDER.embed([text_of(query)])[0])


def test_like_a_cluster_are_those_that_are_over_and_those_that_go_on(site: Site) -> None:
    site.receive(203_000, alert("QueueFull", starts=203_000, service="mail", summary="QueueFull"))
    of = Signature.of(site.engine.live.by_id[3])

    found = similar(site.engine, of, 10, without=3)

    first, *others = found.clusters
    recurs = site.engine.live.by_id[3].recurs
    assert recurs is not None
    assert first == {**recurs, "state": "resolved", "size": 3}
    assert [(told["cluster_id"], told["state"]) for told in others] == [
        (4, "forming"),
        (2, "resolved"),
    ]
    assert (others[0]["resolved_at"], others[0]["duration_seconds"], others[0]["ended"]) == (
        None,
        None,
        None,
    )
    assert found.vectors == 4 + 2 + 1


def test_like_a_text_are_clusters_and_texts_by_their_words(site: Site) -> None:
    found = similar(site.engine, by_text("QueueFull"), 10)

    assert found.clusters[0]["cluster_id"] == 2
    assert found.clusters[0]["reason"].startswith("texts 0.")
    assert {told["cluster_id"] for told in found.clusters} == {1, 2, 3}
    best, *_ = found.texts
    assert best[0] == site.engine.text_id("Queue Full. QueueFull")


def test_no_more_are_told_than_are_wanted(site: Site) -> None:
    found = similar(site.engine, by_text("Postgres"), 1)

    assert (len(found.clusters), len(found.texts)) == (1, 1)


def test_without_anything_going_on_the_past_is_told() -> None:
    made = a_site()
    incident(made, 0, "payments", POSTGRES)

    assert [c["cluster_id"] for c in similar(made.engine, by_text("Postgres"), 5).clusters] == [1]


def test_nothing_is_like_what_has_no_text(site: Site) -> None:
    assert similar(site.engine, Signature(None), 5).clusters == []


def test_a_word_is_taken_for_a_name_and_more_for_a_summary() -> None:
    assert text_of(" KubePodCrashLooping ") == "Kube Pod Crash Looping"
    assert text_of("the disk of db-17 is 93% full") == "the disk of db is full"
