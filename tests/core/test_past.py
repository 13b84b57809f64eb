from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.core import wire
from receiver.core.clusters import Cluster
from receiver.core.evolution import Event, EventType
from receiver.core.index import VectorIndex
from receiver.core.labels import kind, token
from receiver.core.memory import MemorySettings
from receiver.core.model import OperatorCommand, Tick, Vector
from receiver.core.past import (
    MOST_ITEMS,
    Likeness,
    PastCluster,
    PastClusters,
    Signature,
    ending,
    most,
    recurrence,
)
from tests.builders import Site, alert, at, settings

HALF = float(np.sqrt(0.5))


def unit(*parts: float) -> Vector:
    return np.array(parts, dtype=np.float32)


def signature(center: Vector | None, *items: str) -> Signature:
    return Signature(center, frozenset(items))


def past(number: int, one: Signature, resolved_at: int | None = None) -> PastCluster:
    ended = at(number) if resolved_at is None else at(resolved_at)
    return PastCluster(number, 1, at(0), ended, one)


def memory(*held: PastCluster, limit: int = 1000) -> PastClusters:
    made = PastClusters(limit, VectorIndex(2))
    made.restore(held)
    return made


DISK, ERRORS, HERE, THERE = (
    kind("DiskFull"),
    kind("HighErrorRate"),
    token("service", "here"),
    token("service", "there"),
)


# -- likeness ----------------------------------------------------------------------------------------


def test_the_same_is_most_alike_and_nothing_in_common_is_not_alike() -> None:
    held = memory(past(1, signature(unit(1, 0), DISK, HERE)))

    same = held.likeness(signature(unit(1, 0), DISK, HERE), held.by_id[1].signature)
    other = held.likeness(signature(unit(1, 0), ERRORS, THERE), held.by_id[1].signature)

    assert 0.8 < same.similarity < 1
    assert other == Likeness(0.0, 1.0, 0, 1, 0, 1)
    assert same.sentence() == (
        "texts 1.00 alike, 1 of 1 kinds of alert and 1 of 1 label values in common"
    )


def test_what_every_incident_has_says_little() -> None:
    """Or each HighErrorRate would recur each other one."""
    common = [past(n, signature(unit(1, 0), ERRORS, token("service", str(n)))) for n in range(50)]
    held = memory(*common, past(99, signature(unit(1, 0), DISK)))
    probe = signature(unit(1, 0), ERRORS, token("service", "new"))

    by_common = held.likeness(probe, common[0].signature).similarity
    by_rare = held.likeness(
        signature(unit(1, 0), DISK, token("service", "new")), held.by_id[99].signature
    ).similarity

    assert by_common < 0.5 < by_rare


def test_unlike_texts_are_no_likeness_and_no_centre_is_none() -> None:
    held = memory()

    assert held.likeness(signature(unit(1, 0), DISK), signature(unit(0, 1), DISK)).similarity == 0
    assert held.likeness(signature(unit(1, 0), DISK), signature(unit(-1, 0), DISK)).similarity == 0
    assert held.likeness(signature(None, DISK), signature(unit(0, 1), DISK)).similarity == 0
    assert held.likeness(signature(unit(0, 1), DISK), signature(None, DISK)).similarity == 0


ITEMS = st.frozensets(st.sampled_from([DISK, ERRORS, HERE, THERE, token("zone", "z")]))


@given(st.lists(ITEMS, max_size=6), ITEMS, ITEMS)
def test_likeness_is_the_same_both_ways_and_within_bounds(
    held: list[frozenset[str]], one: frozenset[str], other: frozenset[str]
) -> None:
    them = memory(*(past(n, Signature(unit(1, 0), items)) for n, items in enumerate(held, 1)))
    first, second = Signature(unit(1, 0), one), Signature(unit(HALF, HALF), other)

    assert them.likeness(first, second).similarity == them.likeness(second, first).similarity
    assert 0 <= them.likeness(first, second).similarity <= 1


# -- memory ------------------------------------------------------------------------------------------


def test_the_likest_is_found_and_of_equals_the_latest() -> None:
    here, there = signature(unit(1, 0), DISK, HERE), signature(unit(1, 0), DISK, THERE)
    held = memory(past(1, here), past(2, here), past(3, there))

    assert [found.id for found, _ in held.like(here, 3)] == [2, 1, 3]
    assert [found.id for found, _ in held.like(there)] == [3]
    assert held.like(signature(None, DISK)) == []


CENTERS = st.floats(0.0, 3.2).map(lambda angle: unit(np.cos(angle), np.sin(angle)))
SIGNATURES = st.builds(Signature, CENTERS, ITEMS)


@given(st.lists(SIGNATURES, max_size=12), SIGNATURES, st.floats(0.0, 1.0), st.integers(1, 3))
def test_what_is_left_out_is_less_like(
    held: list[Signature], one: Signature, least: float, count: int
) -> None:
    them = memory(*(past(n, each) for n, each in enumerate(held, 1)))
    every = [(each, them.likeness(one, each.signature)) for each in them.by_id.values()]
    every.sort(key=lambda pair: (-pair[1].similarity, -pair[0].id))

    assert them.like(one, count) == every[:count]
    sharing = [pair for pair in every if pair[0].id in them._sharing(one)][:1]
    if sharing and sharing[0][1].similarity >= least:
        assert them.sharing(one, least) == sharing
    assert all(pair in every for pair in them.sharing(one, least))


def test_what_had_much_else_besides_does_not_recur() -> None:
    """It could be like enough by what it shares, and is not by what else it had."""
    much = [token("pod", f"p{n}") for n in range(30)]
    held = memory(past(1, signature(unit(1, 0), DISK, HERE, *much)))
    cluster = Cluster(2, 0, names={"DiskFull": 1}, tokens={HERE: 1}, center=unit(1, 0))

    assert recurrence(cluster, held, 0.6) == (None, "like no earlier cluster any more")
    assert held.sharing(Signature.of(cluster), 0.6)[0][1].similarity < 0.6


def test_one_without_a_centre_is_not_kept() -> None:
    held = memory(past(1, signature(None, DISK)))

    assert len(held) == 0
    assert held.like(signature(unit(1, 0), DISK)) == []


def test_the_one_that_ended_first_is_forgotten_first() -> None:
    one = signature(unit(1, 0), DISK)
    held = memory(*(past(n, one) for n in range(1, 6)), limit=3)

    assert list(held.by_id) == [3, 4, 5]
    assert [found.id for found, _ in held.nearest(unit(1, 0), 10)] == [3, 4, 5]
    held.add(past(6, signature(unit(1, 0), ERRORS)))
    held.add(past(7, signature(unit(1, 0), ERRORS)))
    held.add(past(8, signature(unit(1, 0), ERRORS)))
    assert [found.id for found, _ in held.like(one, 10)] == [8, 7, 6]


def test_what_is_forgotten_is_not_found_before_it_is_taken_off_the_index() -> None:
    one = signature(unit(1, 0), DISK)
    held = memory(*(past(n, one) for n in range(1, 303)), limit=300)

    assert len(held) == 300
    assert {1, 2}.isdisjoint(found.id for found, _ in held.nearest(unit(1, 0), 302))
    assert len(held.nearest(unit(1, 0), 302)) == 300


def test_of_those_that_ended_at_once_the_order_does_not_matter() -> None:
    one = signature(unit(1, 0), DISK)
    ended = [past(n, one, resolved_at=9) for n in (1, 2, 3)]

    for order in (ended, ended[::-1]):
        assert sorted(memory(*order, limit=2).by_id) == [2, 3]


def test_among_hundreds_of_equals_those_that_share_labels_are_found() -> None:
    """However the index was filled: of equal centres it is chance which are the nearest."""
    chronic = [
        past(n, signature(unit(1, 0), DISK, token("node", str(n % 100)))) for n in range(400)
    ]
    one = signature(unit(1, 0), DISK, token("node", "7"))

    for order in (chronic, chronic[::-1]):
        (found, _), *_ = memory(*order).like(one)
        assert found.id == 307


def test_a_signature_has_what_most_members_had() -> None:
    counts = {f"n{n:02}": n for n in range(50)}
    cluster = Cluster(1, 0, names=counts, tokens={HERE: 1})

    assert list(most(counts)) == [f"n{n:02}" for n in range(49, 49 - MOST_ITEMS, -1)]
    assert most(most(counts)) == most(counts)
    assert len(Signature.of(cluster).items) == MOST_ITEMS + 1


# -- how it ended ------------------------------------------------------------------------------------


def told_end(tokens: dict[str, int], size: int, resolved: bool = True, **labels: str) -> str:
    cluster = Cluster(1, 0, size=size, tokens=tokens)
    return ending(cluster, labels, resolved=resolved, severity_label="severity")


def test_how_it_ended_tells_what_and_where() -> None:
    tokens = {token("pod", "a"): 1, token("service", "s"): 3}

    assert told_end(tokens, 3, alertname="A", pod="a", service="s") == "A (pod a) resolved"
    assert told_end(tokens, 3, resolved=False, alertname="A", service="s") == "A went stale"
    assert told_end({}, 1) == "an alert resolved"


def test_how_it_ended_is_safe_and_short() -> None:
    told = told_end({}, 1, alertname="A\u202e" + "x" * 1000, pod="\n" * 1000 + "y" * 1000)

    assert len(told) < 200
    assert told.isprintable()


# -- the engine --------------------------------------------------------------------------------------


def incident(site: Site, at_seconds: float, place: str, names: Iterable[str], **more: Any) -> None:
    """Let alerts of *names* fire at *place* for five minutes; the cluster is over in half an hour."""
    told = [alert(name, starts=at_seconds, service=place, summary=name, **more) for name in names]
    site.receive(at_seconds, *told)
    over = [
        alert(name, starts=at_seconds, ends=at_seconds + 300 + n, service=place, **more)
        for n, name in enumerate(names)
    ]
    site.receive(at_seconds + 310, *over)
    site.feed([Tick(at(at_seconds + 1800))])


def a_site(*, novel_after: float = 35 * 86400.0, **memory: int) -> Site:
    """Return one where all that fires together is one problem."""
    core = settings(threshold=0.0, novel_after=novel_after)
    return Site(replace(core, memory=replace(MemorySettings(), **memory)))


def recurrences(site: Site) -> list[Event]:
    return [e for e in site.events if "recurs" in e.detail]


POSTGRES = ("PostgresDown", "ReplicationLagging", "ConnectionsRefused")


def test_a_look_alike_recurs_and_says_so_when_it_is_proven() -> None:
    site = a_site()
    incident(site, 0, "payments", POSTGRES)
    site.receive(86400, *(alert(n, starts=86400, service="payments", summary=n) for n in POSTGRES))

    (event,) = recurrences(site)
    cluster = site.engine.live.by_id[2]
    assert (event.type, event.detail["state"]) == (EventType.CLUSTER_STATE_CHANGED, "growing")
    assert event.detail["recurs"] == cluster.recurs == wire.cluster_json(cluster)["recurs"]
    assert cluster.recurs is not None
    assert cluster.recurs["cluster_id"] == 1
    assert cluster.recurs["similarity"] > 0.75
    assert cluster.recurs["title"] == site.engine.past.by_id[1].title
    assert cluster.recurs["ended"] == "ConnectionsRefused resolved"
    assert cluster.recurs["duration_seconds"] == pytest.approx(610)
    assert event.reason.startswith("like cluster 1: texts ")
    assert wire.cluster_json(cluster)["novel"] is False


def test_another_fault_elsewhere_does_not_recur() -> None:
    site = a_site()
    incident(site, 0, "payments", POSTGRES)
    incident(site, 86400, "mail", ("QueueFull", "DeliveriesDelayed", "SpoolUnreadable"))

    assert recurrences(site) == []
    assert site.engine.past.by_id.keys() == {1, 2}


def test_a_lone_alert_recurs_when_it_is_old_enough() -> None:
    site = a_site()
    incident(site, 0, "payments", ["CertificateExpires"], host="www1")
    lone = alert("CertificateExpires", starts=9000, service="payments", host="www1",
                 summary="CertificateExpires")  # fmt: skip
    site.receive(9000, lone)
    assert recurrences(site) == []

    site.feed([Tick(at(9000 + 121))])

    (event,) = recurrences(site)
    assert event.detail["recurs"]["cluster_id"] == 1


def test_grown_to_four_times_it_looks_again_and_may_think_better_of_it() -> None:
    site = a_site()
    incident(site, 0, "payments", POSTGRES)
    start = 86400
    site.receive(start, *(alert(n, starts=start, service="payments", summary=n) for n in POSTGRES))
    cluster = site.engine.live.by_id[2]
    assert cluster.recurs is not None
    assert cluster.next_look == 12

    # From here on it is something else.
    for n in range(9):
        name = f"Network{'ABCDEFGHI'[n]}Partitioned"
        site.receive(start + n, alert(name, starts=start, service="payments", rack=f"r{n}"))

    assert cluster.size == 12
    first, second = recurrences(site)
    assert first.detail["recurs"] is not None
    assert second.detail == {"state": "growing", "recurs": None}
    assert second.reason == "like no earlier cluster any more"
    assert cluster.recurs is None


def test_what_is_known_to_be_reopened_is_not_looked_for() -> None:
    site = a_site()
    incident(site, 0, "payments", ["A"])
    site.receive(9000, alert("A", starts=0, service="payments", summary="A"))
    (created,) = recurrences(site)
    site.feed([Tick(at(9200))])

    assert created.type is EventType.CLUSTER_CREATED
    assert created.detail["recurs"]["reason"].startswith("one of its alerts fires again")
    assert recurrences(site) == [created]


def test_found_after_the_vectors_of_its_texts_have_made_room() -> None:
    site = a_site(max_vectors=100)
    incident(site, 0, "payments", POSTGRES)
    text_ids = {episode.text_id for episode in site.engine.episodes.values()}
    for n in range(150):
        starts = 9000 + n * 2000
        site.receive(
            starts, alert("Noise", starts=starts, node=f"{chr(97 + n % 26)}{chr(97 + n // 26)}")
        )
        site.engine.forget()
    assert [site.engine.texts.vector(text_id) for text_id in text_ids] == [None] * 3

    start = 400_000
    site.receive(start, *(alert(n, starts=start, service="payments", summary=n) for n in POSTGRES))

    assert recurrences(site)[-1].detail["recurs"]["cluster_id"] == 1


def test_a_new_title_of_what_is_over_is_told_of_what_recurs_it() -> None:
    site = a_site()
    incident(site, 0, "payments", POSTGRES)
    site.feed([OperatorCommand(at(9000), 1, {"title": "The bad cable"})])
    site.receive(86400, *(alert(n, starts=86400, service="payments", summary=n) for n in POSTGRES))

    assert recurrences(site)[-1].detail["recurs"]["title"] == "The bad cable"


def test_a_new_title_of_what_is_reopened_is_told_too() -> None:
    site = a_site()
    incident(site, 0, "payments", ["A"])
    site.feed([OperatorCommand(at(9000), 1, {"title": "The bad cable"})])
    site.receive(9001, alert("A", starts=0, service="payments", summary="A"))

    assert recurrences(site)[-1].detail["recurs"]["title"] == "The bad cable"


def test_a_title_of_what_is_not_remembered_any_more_is_only_its_own() -> None:
    site = a_site(max_past_clusters=1)
    incident(site, 0, "payments", POSTGRES)
    incident(site, 86400, "mail", ["QueueFull"])
    cluster = site.engine.cluster(1)
    site.engine.state.past_held.clear()

    site.feed([OperatorCommand(at(200_000), 1, {"title": "The bad cable"})])

    assert cluster is not None
    assert cluster.title == "The bad cable"
    assert site.engine.past.by_id.keys() == {2}


def test_a_cluster_is_novel_when_its_kinds_are() -> None:
    site = a_site(novel_after=9000.0)
    site.receive(0, alert("Known", service="a"))
    young = wire.cluster_json(site.engine.live.by_id[1])
    site.receive(4000, alert("Known", starts=4000, service="b"))
    site.receive(9000, alert("Unheard", starts=9000, service="c"))
    known, new = (wire.cluster_json(site.engine.live.by_id[n]) for n in (2, 3))

    assert (young["novel"], young["first_seen"]) == (None, "2026-01-01T00:00:00.000Z")
    assert (known["novel"], known["first_seen"]) == (False, "2026-01-01T00:00:00.000Z")
    assert (new["novel"], new["first_seen"]) == (True, "2026-01-01T02:30:00.000Z")


def test_what_is_repeated_is_seen() -> None:
    site = a_site(novel_after=9000.0)
    told = alert("Known", service="a")
    for seconds in (0, 8000, 16000):
        site.receive(seconds, told)
    site.receive(18000, alert("Known", starts=18000, service="b"))

    assert wire.cluster_json(site.engine.live.by_id[2])["novel"] is False
