"""Under a cap what is over goes, the oldest first, and nothing that goes on or is remembered."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis.stateful import invariant, rule

from receiver.core.errors import NotFound
from receiver.core.model import Alert, Sighting, Status
from receiver.core.payload import DeadLetter
from receiver.core.requests import MergeRequest, UndoRequest
from receiver.core.room import Trimmed
from receiver.core.severity import SeveritySettings
from receiver.store import DATABASE_NAME, Queries, check, checks
from tests.builders import alert, at
from tests.store.test_machine import Grouping, held
from tests.store.test_restore import QUICK, Partition, check_constraints, folder

CORE = dataclasses.replace(
    QUICK, memory=dataclasses.replace(QUICK.memory, max_past_clusters=20, max_vectors=100)
)
CAP = 800_000
"""Bytes; some hundreds of episodes."""


def trim(partition: Partition, limit: int) -> Trimmed:
    """Do one step as the worker does."""
    partition.engine.forget()
    return partition.database.trim(
        limit, partition.engine.past.by_id, partition.core.clustering.stability_window, most=40
    )


def trim_all(partition: Partition, limit: int) -> Trimmed:
    done = trim(partition, limit)
    while done:
        done = trim(partition, limit)
    return done


def stream(seed: int, rounds: int) -> Iterator[tuple[float, list[Alert]]]:
    """Yield incidents of several kinds, some of which come back, with one alert that fires for ever."""
    drawn = random.Random(seed)
    yield 0.0, [alert("Chronic", node="old", summary="this never ends")]
    for number in range(rounds):
        clock = 10.0 + 240 * number
        kind, node = f"Kind{number % 7}", f"n{drawn.randrange(5)}"
        fired = [
            alert(kind, starts=clock, node=node, pod=f"p{k}", summary=f"{kind} {node} text{number}")
            for k in range(drawn.randrange(1, 6))
        ]
        yield clock, fired
        yield (
            clock + 50,
            [
                ended(one, clock + 45)
                for one in fired
                # Some never end, and go stale.
                if drawn.random() < 0.9
            ],
        )
        # Only the end of it is ever told.
        yield clock + 60, [alert("Late", starts=clock, ends=clock + 1, host=f"h{number}")]
        yield clock + 70, [alert("Chronic", node="old", summary="this never ends")]


@pytest.fixture
def partition() -> Iterator[Partition]:
    with folder() as name:
        made = Partition(Path(name), CORE)
        yield made
        made.close()


def fill(partition: Partition, rounds: int = 120, cap: int = CAP) -> int:
    """Apply a long stream under *cap*; return the greatest size of the file."""
    largest = 0
    for clock, alerts in stream(1, rounds):
        partition.apply([(clock, one) for one in alerts])
        partition.tick(clock)
        if partition.database.size.file > cap:
            trim_all(partition, cap)
        largest = max(largest, partition.database.size.file)
    return largest


def ended(of: Alert, seconds: float) -> Alert:
    return dataclasses.replace(of, status=Status.RESOLVED, ends_at=at(seconds))


def found(partition: Partition) -> dict[str, bool | None]:
    path = partition.directory / DATABASE_NAME
    return {finding.name: finding.good for finding in check(path, partition.core)}


def one(partition: Partition, sql: str) -> Any:
    return partition.database._db.execute(sql).fetchone()[0]


def test_the_file_stays_under_its_cap_and_what_is_left_is_whole(partition: Partition) -> None:
    largest = fill(partition)
    first = one(partition, "SELECT min(seq) FROM events")

    assert largest <= CAP
    assert first > 1000
    assert (
        one(partition, "SELECT count(*) FROM events") == partition.engine.counters.seq - first + 1
    )
    assert found(partition) == {
        "pages": True,
        "schema": True,
        "events": True,
        "numbers": True,
        "letters": True,
        "replay": None,
    }
    # Nothing is left that only what is gone referred to.
    for table, reference in (
        ("alerts", "SELECT 1 FROM episodes e WHERE e.fingerprint = alerts.fingerprint"),
        (
            "texts",
            "SELECT 1 FROM episodes e WHERE e.text_id = texts.id UNION SELECT 1 WHERE vector NOT NULL",
        ),
    ):
        assert one(partition, f"SELECT count(*) FROM {table} WHERE NOT EXISTS ({reference})") == 0
    assert one(partition, "SELECT count(*) FROM clusters") < partition.engine.counters.cluster_id


def test_a_restart_changes_nothing_whatever_was_deleted() -> None:
    with folder() as name, folder() as other:
        steady, restarted = Partition(Path(name), CORE), Partition(Path(other), CORE)
        for number, (clock, alerts) in enumerate(stream(2, 120)):
            for each in (steady, restarted):
                each.apply([(clock, one) for one in alerts])
                each.tick(clock)
                trim(each, 1)
            if number % 7 == 0:
                restarted.restart()
                assert held(restarted.engine) == held(steady.engine)
        first = one(steady, "SELECT min(seq) FROM events")
        for each in (steady, restarted):
            each.close()

    assert first > 1000
    assert [e.to_json() for e in steady.events] == [e.to_json() for e in restarted.events]
    # Alerts and clusters that are gone are still known again.
    assert any(e.detail.get("recurs") for e in steady.events[-500:])


def test_what_goes_on_stays_though_the_cap_is_exceeded(partition: Partition) -> None:
    for number in range(60):
        clock = 3.0 * number
        kept = alert("Stays", starts=clock, node=f"n{number}", summary=f"stays {number}")
        ends = alert("Ends", starts=clock, node=f"n{number}", summary=f"ends {number}")
        partition.apply([(clock, kept), (clock, ends)])
        partition.apply([(clock + 5, ended(ends, clock + 4))])
    before = held(partition.engine)
    done = trim_all(partition, 1)
    restored = held(partition.restored())

    assert done.exhausted
    assert restored == before == held(partition.engine)
    assert one(partition, "SELECT count(*) FROM episodes WHERE state = 'open'") == 60
    assert one(partition, "SELECT count(*) FROM journal") == 0
    assert all(good is not False for good in found(partition).values())


def test_a_flood_of_dead_letters_makes_room_for_itself(partition: Partition) -> None:
    partition.apply([(1, alert("Chronic"))])
    letter = DeadLetter(0, "labels", "no labels", "x" * 1000)
    for number in range(2, 40):
        changes = partition.engine.drain()
        partition.database.commit(
            [], [], changes, text_id=len, dead_letters=[(at(number), letter)] * 50
        )
        if partition.database.size.file > CAP:
            trim_all(partition, CAP)
    size = partition.database.size
    left = [row[0] for row in partition.database._db.execute("SELECT id FROM dead_letters")]

    assert size.file <= CAP
    assert left == list(range(left[0], 38 * 50 + 1))
    assert left[0] > 1000


def test_freed_pages_are_given_back_down_to_the_cap(partition: Partition) -> None:
    fill(partition, rounds=100, cap=10**9)
    before = partition.database.size
    trim_all(partition, CAP)
    after = partition.database.size

    assert before.file > 1.5 * CAP
    assert after.used <= after.file <= CAP
    assert trim(partition, CAP) == Trimmed()


def test_answers_about_what_is_gone(partition: Partition) -> None:
    fill(partition)
    gone = partition.events[0]
    queries = Queries(partition.directory / DATABASE_NAME, SeveritySettings())
    last = partition.engine.counters.cluster_id
    ids = {row[0] for row in partition.database._db.execute("SELECT id FROM clusters")}
    missing = min(set(range(2, last)) - ids)
    with pytest.raises(NotFound, match=rf"cluster {missing} is kept no more: what ended before 20"):
        queries.cluster(missing)
    with pytest.raises(NotFound, match=f"cluster {last + 1} does not exist"):
        queries.cluster(last + 1)
    with pytest.raises(NotFound, match="was never received since 20"):
        queries.alert(alert("Late", host="h1").fingerprint)
    details = [queries.cluster(cluster_id) for cluster_id in sorted(ids)]
    events, following = queries.events(after=0, start=None, end=None, limit=10)
    first = queries.first_seq()
    storage = queries.storage()
    end = partition.engine.counters.clock
    timeline = queries.timeline(start=at(0), end=end, step=10**12, limit=5000)
    late = queries.timeline(start=end - 10**12, end=end, step=10**11, limit=5000)
    storms, _ = queries.storms(limit=100, cursor="")
    ledger = queries.ledger()
    queries.close()
    chronic = {c["id"]: c["samples"] for c in late["clusters"]}[gone.cluster_id]

    assert all(d["members_kept"] == min(len(d["members"]), 1000) for d in details)
    # Clusters are remembered of which no member is left.
    assert any(d["members_kept"] < d["members_total"] for d in details)
    assert events[0].seq == first == storage["first_seq"] > 1000
    assert following == str(first + 9)
    assert storage["kept_from"] is not None
    # It fires since before the first event that is kept.
    assert chronic[0] == [0, 1]
    assert len(timeline["clusters"]) == len(ids)
    last = partition.engine.counters.storm_id
    assert len(storms) < last
    assert [storm["id"] for storm in storms] == [last - number for number in range(len(storms))]
    assert ledger["episodes"] > 2 * one(partition, "SELECT count(*) FROM episodes")
    kinds = [event.type.value for event in partition.events]
    assert ledger["episodes"] == kinds.count("alert_assigned")


def test_an_operators_demand_can_be_taken_back_when_its_event_is_gone(partition: Partition) -> None:
    for name in ("One", "Other"):
        partition.apply([(1, alert(name, starts=1, node=name, summary=f"{name} alone"))])
    one_id, other_id = sorted(partition.engine.live.by_id)
    merged = partition.ask(2, MergeRequest(one_id, other_id))
    (seq,) = partition.engine.constraints.by_seq
    for clock, alerts in stream(3, 60):
        partition.apply([(clock + 3, one) for one in alerts])
        partition.tick(clock + 3)
    trim_all(partition, 1)
    left = one(partition, "SELECT min(seq) FROM events")
    undone = partition.ask(60 * 240 + 100, UndoRequest(seq))

    assert merged["id"] == other_id
    assert left > seq
    assert undone["undone"] == seq
    assert [c["id"] for c in undone["clusters"]] == [other_id]
    assert not partition.engine.constraints.by_seq
    assert partition.ask(60 * 240 + 101, UndoRequest(seq)) != undone


class Deleting(Grouping):
    """As `Grouping`, but in both partitions what is over is deleted now and then.

    All that may go, as how much of it one step takes depends on the journal, which has a row a batch: in
    one a cluster could be gone that an operator still finds in the other.
    """

    @rule()
    def trim(self) -> None:
        for each in (self.steady, self.restarted):
            while trim(each, 1):
                self.numbers_add_up()

    @invariant()
    def numbers_add_up(self) -> None:
        for each in (self.steady, self.restarted):
            check_constraints(each)
            for question in (checks._events, checks._numbers):
                good, text = question(each.database._db)
                assert good, text

    def teardown(self) -> None:
        with self.closing:
            for each in (self.steady, self.restarted):
                assert False not in found(each).values()
                # Of an input that changed what is kept the alert is kept too.
                for given in each.database.inputs():
                    assert not isinstance(given, Sighting) or given.alert.labels


Deleting.TestCase.settings = settings(deadline=None, max_examples=10, stateful_step_count=25)
TestDeleting = Deleting.TestCase
