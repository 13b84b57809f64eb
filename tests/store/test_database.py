from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from receiver.core.errors import NotFound, SenderError, StoreError
from receiver.core.inbox import InboxRow
from receiver.core.payload import DeadLetter
from receiver.core.query import AlertQuery
from receiver.core.severity import SeveritySettings
from receiver.core.timestamps import render
from receiver.store import Database, Queries
from receiver.store.database import FILE_NAME
from tests.builders import alert, at
from tests.store.test_restore import Partition


@pytest.fixture
def partition(tmp_path: Path) -> Iterator[Partition]:
    made = Partition(tmp_path)
    yield made
    made.database.close()


@pytest.fixture
def queries(partition: Partition) -> Iterator[Queries]:
    made = Queries(partition.database.path, SeveritySettings())
    yield made
    made.close()


class TestOpening:
    def test_a_directory_that_is_made_is_nobody_elses(self, tmp_path: Path) -> None:
        Database(tmp_path / "data").close()

        assert (tmp_path / "data").stat().st_mode & 0o077 == 0

    def test_a_newer_database_is_refused_and_left_alone(self, tmp_path: Path) -> None:
        Database(tmp_path).close()
        raw = sqlite3.connect(tmp_path / FILE_NAME)
        raw.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at)"
            " VALUES ('stormcell', '0999_future', 'x')"
        )
        raw.commit()
        raw.close()

        with pytest.raises(StoreError, match=r"newer Stormcell \(it has 0999_future"):
            Database(tmp_path)
        # The directory is free again.
        with pytest.raises(StoreError, match=r"newer"):
            Database(tmp_path)

    def test_a_database_of_the_first_version_gets_its_tables(self, tmp_path: Path) -> None:
        Database(tmp_path).close()
        raw = sqlite3.connect(tmp_path / FILE_NAME)
        raw.execute("DROP TABLE storms")
        raw.execute("DELETE FROM _sqlite_migrations WHERE name = '0002_storms'")
        counters = '{"seq":7,"clock":5,"outcomes":{}}'
        raw.execute("INSERT INTO meta VALUES ('counters', ?)", (counters,))
        raw.commit()
        raw.close()

        database = Database(tmp_path)
        restored = database.restore(10)
        database.close()

        assert restored is not None
        assert (restored.counters.seq, restored.counters.storm_id) == (7, 0)
        assert restored.storm_memory == {}

    def test_a_directory_in_use_is_refused(self, tmp_path: Path) -> None:
        first = Database(tmp_path)

        with pytest.raises(StoreError, match=r"another stormcell uses it"):
            Database(tmp_path)
        first.close()
        Database(tmp_path).close()

    def test_a_path_that_cannot_be_a_directory_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("x")

        with pytest.raises(StoreError, match=r"--storage.path"):
            Database(tmp_path / "file")
        with pytest.raises(StoreError, match=r"--storage.path"):
            Database(tmp_path / "file" / "below")

    def test_a_file_that_is_no_database_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / FILE_NAME).write_bytes(b"not a database" * 100)

        with pytest.raises(StoreError, match=r"not a database"):
            Database(tmp_path)


class TestInbox:
    def test_rows_come_back_in_order_and_by_size(self, partition: Partition) -> None:
        database = partition.database
        ids = database.add_to_inbox(at(1), [(b"x" * 10, 1), (b"y" * 10, 2), (b"z" * 10, 3)])

        assert [row.id for row in database.inbox(0, 25)] == ids[:2]
        assert [row.id for row in database.inbox(ids[0], 5)] == ids[1:2]
        assert database.pending() == [(ids[0], at(1), 1), (ids[1], at(1), 2), (ids[2], at(1), 3)]

    def test_an_applied_row_goes_and_its_id_is_never_used_again(self, partition: Partition) -> None:
        database = partition.database
        (first,) = database.add_to_inbox(at(1), [(b"x", 2)])
        row = InboxRow(first, at(1), 2, 0, b"x")
        changes = partition.engine.drain()

        database.commit([], [], changes, text_id=len, applied=[(row, 1)])
        assert database.pending() == [(first, at(1), 1)]
        letter = DeadLetter(1, "labels", "none", "{}")
        database.commit(
            [], [], changes, text_id=len, applied=[(row, 2)], dead_letters=[(1, letter)]
        )
        assert database.pending() == []

        assert database.add_to_inbox(at(2), [(b"y", 1)]) == [first + 1]

    def test_a_failed_commit_had_no_effect(self, partition: Partition) -> None:
        partition.apply([(0, alert("A"))])
        changes = partition.engine.drain()
        doubled = [partition.events[0]]

        with pytest.raises(sqlite3.IntegrityError):
            partition.database.commit([], doubled, changes, text_id=len)
        partition.apply([(1, alert("B", x="y"))])

        assert [e.seq for e in partition.events] == list(range(1, len(partition.events) + 1))

    def test_the_journal_is_trimmed(self, partition: Partition) -> None:
        partition.apply([(0, alert("A"))])
        partition.apply([(100, alert("B"))])
        changes = partition.engine.drain()

        partition.database.commit([], [], changes, text_id=len, journal_before=at(50))

        assert len(list(partition.database.inputs())) == 1


class TestHistory:
    def test_an_older_end_moves_only_the_end(self, partition: Partition, queries: Queries) -> None:
        partition.apply([(1, alert("A", starts=0))])
        partition.apply([(60, alert("A", starts=50))])
        partition.apply([(61, alert("A", starts=0, ends=30))])

        newer, older = queries.alert(alert("A").fingerprint)["episodes"]

        assert older["endsAt"] == "2026-01-01T00:00:30.000Z"
        assert older["superseded"]
        assert newer["state"] == "firing"

    def test_what_was_superseded_is_recalled_with_its_cluster(self, partition: Partition) -> None:
        partition.apply([(1, alert("A", starts=0))])
        partition.apply([(5, alert("A", starts=0, ends=4))])
        partition.tick(400)
        fingerprint = alert("A").fingerprint
        assert not partition.engine.remembers(fingerprint)

        (episode,), (past,) = partition.database.recall([fingerprint])

        assert (episode.cluster_id, past.id, past.size) == (1, 1, 1)
        assert past.signature.center is not None
        assert partition.database.recall(["0" * 16]) == ([], [])


class TestQueries:
    @pytest.fixture(autouse=True)
    def story(self, partition: Partition) -> None:
        partition.apply(
            [
                (0, alert("DiskFull", node="n1", severity="critical", summary="100% full_now")),
                (1, alert("DiskFull", starts=1, node="n1", pod="b", summary="disk is full")),
                (2, alert("Odd\x00Name", starts=2, zone='a"b\\c', summary="NUL \x00 and é")),
            ]
        )
        partition.apply([(10, alert("Odd\x00Name", starts=2, ends=9, zone='a"b\\c'))])

    @pytest.mark.parametrize(
        ("query", "names"),
        [
            (AlertQuery(), ["Odd\x00Name", "DiskFull", "DiskFull"]),
            (AlertQuery(text="diskfull"), ["DiskFull", "DiskFull"]),
            (AlertQuery(text="100%"), ["DiskFull"]),
            (AlertQuery(text="full_"), ["DiskFull"]),
            (AlertQuery(text="NUL \x00 and"), []),
            (AlertQuery(text='a"b\\c'), ["Odd\x00Name"]),
            (AlertQuery(text="Odd\x00N"), ["Odd\x00Name"]),
            (AlertQuery(labels=[("zone", 'a"b\\c')]), ["Odd\x00Name"]),
            (AlertQuery(labels=[("alertname", "Odd\x00Name")]), ["Odd\x00Name"]),
            (AlertQuery(labels=[("name", "DiskFull")]), []),
            (AlertQuery(labels=[("node", "n1"), ("pod", "b")]), ["DiskFull"]),
            (AlertQuery(state="firing"), ["DiskFull", "DiskFull"]),
            (AlertQuery(state="resolved"), ["Odd\x00Name"]),
            (AlertQuery(cluster_id=1), ["DiskFull", "DiskFull"]),
            (AlertQuery(start=at(9.5)), ["DiskFull", "DiskFull"]),
            (AlertQuery(start=at(9.5), state="resolved"), []),
            (AlertQuery(start=at(8), state="resolved"), ["Odd\x00Name"]),
            (AlertQuery(end=at(1)), ["DiskFull"]),
        ],
    )
    def test_alerts_are_found(self, queries: Queries, query: AlertQuery, names: list[str]) -> None:
        items, following = queries.alerts(query, limit=10, cursor="")

        assert [item["labels"]["alertname"] for item in items] == names
        assert following is None

    def test_pages_follow_each_other(self, queries: Queries) -> None:
        first, cursor = queries.alerts(AlertQuery(), limit=2, cursor="")
        rest, end = queries.alerts(AlertQuery(), limit=2, cursor=cursor or "")

        assert [i["episode_id"] for i in first + rest] == [3, 2, 1]
        assert end is None
        one, cursor = queries.clusters(state="all", severity="", text="", limit=1, cursor="")
        two, end = queries.clusters(state="all", severity="", text="", limit=1, cursor=cursor or "")
        assert [c["id"] for c in one + two] == [2, 1]
        assert end is None
        events, cursor = queries.events(after=0, start=None, end=None, limit=3)
        assert [e.seq for e in events] == [1, 2, 3]
        assert cursor == "3"

    def test_a_bad_cursor_is_refused(self, queries: Queries) -> None:
        with pytest.raises(SenderError, match=r"cursor: got 'x'"):
            queries.alerts(AlertQuery(), limit=1, cursor="x")
        with pytest.raises(SenderError, match=r"cursor"):
            queries.clusters(state="", severity="", text="", limit=1, cursor="1")

    @pytest.mark.parametrize(
        ("wanted", "ids"),
        [
            ({}, [2, 1]),
            ({"state": "all"}, [2, 1]),
            ({"state": "resolving"}, [2]),
            ({"severity": "critical"}, [1]),
            ({"text": "diskfull"}, [1]),
            ({"text": "disk full"}, [1]),
        ],
    )
    def test_clusters_are_found(
        self, queries: Queries, wanted: dict[str, str], ids: list[int]
    ) -> None:
        asked = {"state": "", "severity": "", "text": "", "cursor": ""} | wanted

        items, _ = queries.clusters(limit=10, **asked)

        assert [item["id"] for item in items] == ids

    def test_resolved_clusters_come_after_live_ones(
        self, partition: Partition, queries: Queries
    ) -> None:
        partition.tick(150)

        live, _ = queries.clusters(state="", severity="", text="", limit=9, cursor="")
        every, _ = queries.clusters(state="all", severity="", text="", limit=9, cursor="")

        assert [c["id"] for c in live] == [1]
        assert [(c["id"], c["state"]) for c in every] == [(1, "steady"), (2, "resolved")]

    def test_a_cluster_tells_of_its_members(self, queries: Queries) -> None:
        found = queries.cluster(1)

        assert [m["labels"].get("pod") for m in found["members"]] == [None, "b"]
        assert found["common_labels"] == {"alertname": "DiskFull", "node": "n1"}
        assert set(found["differing_labels"]) == {"pod", "severity"}
        assert found["lineage"] == {
            "merged_from": [],
            "merged_into": None,
            "split_from": None,
            "split_into": [],
        }
        with pytest.raises(NotFound, match=r"cluster 99"):
            queries.cluster(99)

    def test_how_a_cluster_spread_is_told_when_it_is_over_too(
        self, partition: Partition, queries: Queries
    ) -> None:
        both = ("web", "pg")
        partition.apply(
            [(100, alert("Slow", starts=9 if s == "pg" else 99, service=s)) for s in both]
        )
        live = queries.cluster(3)
        partition.apply(
            [(110, alert("Slow", starts=9 if s == "pg" else 99, ends=109, service=s)) for s in both]
        )
        partition.tick(500)
        over = queries.cluster(3)

        assert (live["state"], over["state"]) == ("forming", "resolved")
        assert over["spread"]["probable_first"] == "pg"
        assert over["spread"] == live["spread"]
        assert [(v["value"], v["wave"]) for v in over["cascade"]["service"]] == [
            ("pg", 1),
            ("web", 2),
        ]

    def test_of_a_cluster_from_before_spread_was_told_none_is_claimed(
        self, partition: Partition, queries: Queries
    ) -> None:
        db = partition.database._db
        db.execute("UPDATE clusters SET profile = json_remove(profile, '$.spread') WHERE id = 1")
        db.execute("UPDATE clusters SET profile = NULL WHERE id = 2")
        assert queries.cluster(1)["spread"] is None
        assert queries.cluster(2)["spread"] is None

        partition.restart()
        late = [
            alert("DiskFull", starts=70 + 70 * n, node="n1", pod=f"p{n}", summary="disk is full")
            for n in range(2)
        ]
        partition.apply([(150, one) for one in late])
        found = queries.cluster(1)

        assert found["size"] == 4
        assert found["spread"]["probable_first"] is None
        assert found["spread"]["evidence"]["reason"] == (
            "an alert without pod fired 70 seconds earlier"
        )

    def test_a_merged_id_answers_with_the_survivor(
        self, partition: Partition, queries: Queries
    ) -> None:
        partition.database._db.execute("UPDATE clusters SET merged_into = 1 WHERE id = 2")

        assert queries.cluster(2)["id"] == 1
        assert queries.cluster(1)["lineage"]["merged_from"] == [2]

    def test_an_alert_tells_why_it_is_where_it_is(self, queries: Queries) -> None:
        found = queries.alert(alert("DiskFull", node="n1", pod="b").fingerprint)

        assert found["cluster"]["id"] == 1
        assert found["why"]["best"]["cluster_id"] == 1
        assert found["why"]["shared_labels"][0]["label"] == "node"
        with pytest.raises(NotFound, match=r"never received"):
            queries.alert("f" * 16)

    def test_events_are_read_as_they_were(self, partition: Partition, queries: Queries) -> None:
        events, _ = queries.events(after=0, start=None, end=None, limit=100)

        assert [e.to_json() for e in events] == [e.to_json() for e in partition.events]
        between, _ = queries.events(after=1, start=at(1), end=at(2), limit=100)
        assert {e.time for e in between} == {at(1)}
        types = ("cluster_created", "alert_resolved")
        some, _ = queries.events(after=0, start=None, end=None, limit=100, types=types)
        assert [e.seq for e in some] == [e.seq for e in events if e.type in types]
        assert 0 < len(some) < len(events)

    def test_storms_are_told_newest_first(self, partition: Partition, queries: Queries) -> None:
        for number in range(5):
            start = 4000 * (number + 1)
            news = [alert(f"N{n}", starts=start, pod=f"{number}-{n}") for n in range(3)]
            partition.apply([(start, one) for one in news])
            partition.tick(start + 2000)

        first, cursor = queries.storms(limit=4, cursor="")
        rest, end = queries.storms(limit=4, cursor=cursor or "")

        assert [storm["id"] for storm in first + rest] == [6, 5, 4, 3, 2, 1]
        assert end is None
        assert {storm["state"] for storm in first + rest} == {"ended"}
        assert first[0]["started_at"] == render(at(20_000))
        assert queries.ledger()["storms"] == 6
        with pytest.raises(SenderError, match=r"cursor: got '1:2'"):
            queries.storms(limit=1, cursor="1:2")

    def test_a_storm_that_goes_on_is_told_as_it_stands(
        self, partition: Partition, queries: Queries
    ) -> None:
        live = partition.engine.live.by_id

        assert queries.storms(limit=9, cursor="")[0] == [partition.engine.storms.public(live)]
        partition.restart()
        live = partition.engine.live.by_id
        assert queries.storms(limit=9, cursor="")[0] == [partition.engine.storms.public(live)]

    def test_the_ledger_adds_up(self, queries: Queries) -> None:
        assert queries.ledger() == {
            "notifications": 0,
            "dead_letters": 0,
            "alerts": 4,
            "episodes": 3,
            "clusters": 2,
            "storms": 1,
        }
        assert queries.size_bytes() > 10_000
