"""A storage directory, made by the real store, replayed."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from receiver import replay
from receiver.config import Config, load
from receiver.core.errors import StoreError
from receiver.core.requests import MergeRequest, SplitRequest, UndoRequest
from receiver.store import DATABASE_NAME, Database, History
from tests.builders import EMBEDDER, alert, at, body, entry
from tests.store.test_restore import Partition

TOLD = "the disk of the database is full and writes to it fail"


@pytest.fixture
def partition(tmp_path: Path) -> Iterator[Partition]:
    made = Partition(tmp_path / "storage")
    yield made
    made.close()


def play(partition: Partition, config: Config | None = None) -> replay.Replay:
    return replay.run([partition.directory], config or Config(), EMBEDDER)


def words(played: replay.Replay) -> list[tuple[str, int]]:
    """Return what happened to alerts, and when."""
    return [(e.type.value, e.time) for e in played.events if e.alert is not None]


def test_every_period_arrives_when_it_was_received_and_ends_when_that_was_told(
    partition: Partition,
) -> None:
    partition.apply([(10, alert("A", starts=2, summary=TOLD)), (10, alert("B", starts=3))])
    partition.apply([(15, alert("A", starts=2, summary=TOLD))])
    partition.apply([(40, alert("A", starts=2, ends=35))])
    partition.apply([(50, alert("A", starts=2, summary=TOLD))])
    played = play(partition)

    assert [event for event, _ in words(played)] == [
        "alert_assigned",
        "alert_assigned",
        "alert_resolved",
        "alert_reopened",
    ]
    assert [time for _, time in words(played)] == [at(10), at(10), at(40), at(50)]
    assert [json.loads(line)["line"] for line in replay.jsonl(played)] == [1, 2, 3]
    first, _, again = (line.episode for line in played.lines)
    assert first is again


def test_an_end_that_was_only_concluded_is_concluded_again(partition: Partition) -> None:
    partition.apply([(0, alert("A")), (100, alert("A", starts=90))])
    partition.apply([(120, alert("A", starts=90, ends=110))])
    partition.apply([(130, alert("A", starts=125))])
    played = play(partition)

    assert played.engine.counters.outcomes == {
        "firing.new": 2,
        "firing.superseded": 1,
        "resolved.resolved": 1,
    }


def test_what_fires_for_long_was_repeated_by_its_sender(partition: Partition) -> None:
    for hours in range(0, 13, 4):
        partition.apply([(hours * 3600, alert("A"))])
        partition.tick(hours * 3600 + 100)
    partition.apply([(13 * 3600, alert("B", starts=13 * 3600))])
    played = play(partition)

    assert "alert_stale" not in {event.type for event in played.events}


def test_an_end_without_a_beginning_is_told_as_one(partition: Partition) -> None:
    partition.apply([(10, alert("A", ends=5))])
    played = play(partition)

    assert (played.lines, played.engine.counters.outcomes) == ([], {"resolved.resolved": 1})


def test_what_waits_in_the_inbox_is_read_too(partition: Partition) -> None:
    partition.apply([(10, alert("A"))])
    partition.database.add_to_inbox(at(20), [(body(entry("B")), 1), (b"{}", 1)])
    played = play(partition)

    assert len(played.lines) == 2
    assert played.lines[1].episode is not None
    assert played.lines[1].episode.received_at == at(20)
    assert "a body that is not yet applied: version" in played.remarks[0]


def test_a_second_run_reads_the_same_whatever_was_received_since(partition: Partition) -> None:
    partition.apply([(10, alert("A"))])
    sources = replay.open_sources([partition.directory])
    first = replay.run(sources, Config(), EMBEDDER)
    partition.apply([(20, alert("B"))])
    second = replay.run(sources, Config(), EMBEDDER)

    assert list(replay.jsonl(first)) == list(replay.jsonl(second))


def test_a_page_more_than_is_read_at_once(
    partition: Partition, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("receiver.store.history._PAGE", 2)
    partition.apply([(n, alert("A", pod=f"p{n}")) for n in range(5)])

    assert len(play(partition).lines) == 5


def test_the_file_itself_may_be_named(partition: Partition) -> None:
    partition.apply([(10, alert("A"))])

    assert len(replay.run([partition.database.path], Config(), EMBEDDER).lines) == 1


class TestConstraints:
    """What operators demanded is scored, and not obeyed."""

    @staticmethod
    def two_clusters(partition: Partition) -> None:
        partition.apply([(0, alert("DiskFull", summary=TOLD, pod="p1"))])
        partition.apply([(4000, alert("Zebra", starts=4000, summary="stripes", zoo="z"))])

    def told(self, played: replay.Replay) -> dict[str, Any]:
        found: dict[str, Any] = replay.report(played)["constraints"]
        return found

    def test_a_merge_that_the_clusters_do_not_honour(self, tmp_path: Path) -> None:
        partition = Partition(tmp_path)
        partition.apply([(0, alert("DiskFull", summary=TOLD, pod="p1"))])
        partition.apply([(1, alert("Zebra", starts=1, summary="stripes of an animal", zoo="z"))])
        first, second = partition.engine.live.by_id
        partition.ask(2, MergeRequest(first, second))
        partition.apply([(3, alert("Other", starts=3, summary="neither"))])
        played = play(partition)
        partition.close()

        assert self.told(played)["must_link"] == {
            "told": 1,
            "honoured": 0,
            "pairs": 1,
            "pairs_honoured": 0,
        }
        assert replay.report(played)["stored"]["f1"] < 1

    def test_a_split_that_the_clusters_do_not_honour_until_told_otherwise(
        self, tmp_path: Path
    ) -> None:
        partition = Partition(tmp_path)
        alike = [alert("DiskFull", summary=TOLD, pod=f"p{n}") for n in range(3)]
        partition.apply([(0, one) for one in alike])
        (cluster,) = partition.engine.live.by_id
        partition.ask(2, SplitRequest(cluster, (alike[0].fingerprint,)))
        played = play(partition)
        apart = play(partition, load(None, ["clustering.threshold=1"]))
        partition.close()

        assert self.told(played)["cannot_link"]["honoured"] == 0
        assert self.told(apart)["cannot_link"] == {
            "told": 1,
            "honoured": 1,
            "pairs": 2,
            "pairs_honoured": 2,
        }

    def test_what_was_undone_is_demanded_no_more(self, tmp_path: Path) -> None:
        partition = Partition(tmp_path)
        alike = [alert("DiskFull", summary=TOLD, pod=f"p{n}") for n in range(3)]
        partition.apply([(0, one) for one in alike])
        (cluster,) = partition.engine.live.by_id
        partition.ask(2, SplitRequest(cluster, (alike[0].fingerprint,)))
        seq = next(iter(partition.engine.constraints.by_seq))
        partition.ask(3, UndoRequest(seq))
        played = play(partition)
        partition.close()

        assert played.demands == []
        assert "constraints" not in replay.report(played)

    def test_alerts_are_named_as_the_replay_names_them(self, tmp_path: Path) -> None:
        partition = Partition(tmp_path)
        alike = [alert("DiskFull", summary=TOLD, pod=f"p{n}", shard="1") for n in range(3)]
        partition.apply([(0, one) for one in alike])
        (cluster,) = partition.engine.live.by_id
        partition.ask(2, SplitRequest(cluster, (alike[0].fingerprint,)))
        played = play(partition, load(None, ["identity.drop_labels=[shard]"]))
        partition.close()

        assert self.told(played)["cannot_link"]["pairs"] == 2


class TestReading:
    """The database is another process's, or nobody's: nothing is written."""

    def test_one_that_nobody_uses_is_left_without_a_new_file(self, tmp_path: Path) -> None:
        partition = Partition(tmp_path)
        partition.apply([(10, alert("A"))])
        partition.close()
        before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
        assert DATABASE_NAME + "-wal" not in before
        played = play(partition)

        assert len(played.lines) == 1
        assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before

    def test_one_that_somebody_begins_to_use_is_not_relied_on(self, tmp_path: Path) -> None:
        partition = Partition(tmp_path)
        partition.apply([(10, alert("A"))])
        partition.close()
        history = History(tmp_path)
        partition.open()
        partition.apply([(20, alert("B"))])

        with pytest.raises(StoreError, match=r"began to use it meanwhile; run this again"):
            list(history.told())
        history.close()
        partition.close()

    def test_an_older_one_is_read(self, tmp_path: Path) -> None:
        partition = Partition(tmp_path)
        partition.apply([(10, alert("A"))])
        partition.close()
        raw = sqlite3.connect(tmp_path / DATABASE_NAME)
        raw.execute("DROP TABLE constraints")
        raw.execute("DELETE FROM _sqlite_migrations WHERE name = '0005_constraints'")
        raw.commit()
        raw.close()

        assert len(play(partition).lines) == 1

    def test_a_newer_one_is_refused(self, tmp_path: Path) -> None:
        Database(tmp_path).close()
        raw = sqlite3.connect(tmp_path / DATABASE_NAME)
        raw.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at)"
            " VALUES ('stormcell', '0999_future', 'x')"
        )
        raw.commit()
        raw.close()

        with pytest.raises(StoreError, match=r"newer Stormcell \(it has 0999_future"):
            replay.run([tmp_path], Config(), EMBEDDER)

    def test_one_that_is_damaged_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / DATABASE_NAME).write_bytes(b"not a database" * 100)

        with pytest.raises(StoreError, match=r"stormcell.db: cannot be read: file is not"):
            replay.run([tmp_path], Config(), EMBEDDER)

    def test_odd_names_of_folders_are_no_trouble(self, tmp_path: Path) -> None:
        partition = Partition(tmp_path / "a?b #%20c")
        partition.apply([(10, alert("A"))])

        assert len(play(partition).lines) == 1
        partition.close()
