"""What check-db finds, and what a backup is."""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import re
import sqlite3
import stat
import threading
from pathlib import Path

import pytest

from receiver.core.core_settings import CoreSettings
from receiver.core.errors import StoreError
from receiver.core.evolution import EventType
from receiver.core.requests import MergeRequest, SplitRequest, UndoRequest
from receiver.store import DATABASE_NAME, backup, check, file_of
from tests.builders import alert, at, settings
from tests.store.test_restore import QUICK, Partition
from tests.store.test_schema import SCHEMAS

NAMES = ("pages", "schema", "events", "numbers", "letters", "replay")


def fill(partition: Partition, rounds: int = 8, first: int = 0) -> None:
    """Have several clusters open, merge and end."""
    for number in range(first, first + rounds):
        clock = 60.0 * number
        one = alert("Disk", starts=clock, node=f"n{number % 3}", summary="disk is full")
        other = alert("Cert", starts=clock, host=f"h{number}", summary="certificate ends soon")
        partition.apply([(clock + 1, one), (clock + 1, other)])
        partition.apply(
            [(clock + 9, alert("Disk", starts=clock, ends=clock + 8, node=f"n{number % 3}"))]
        )
        partition.tick(clock + 40)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A database that nobody uses any more."""
    partition = Partition(tmp_path)
    fill(partition)
    partition.close()
    return tmp_path / DATABASE_NAME


def found(path: Path, core: CoreSettings = QUICK) -> dict[str, tuple[bool | None, str]]:
    return {finding.name: (finding.good, finding.text) for finding in check(path, core)}


def change(path: Path, *statements: str) -> None:
    """Spoil the database as only a fault or a stranger would."""
    connection = sqlite3.connect(path)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


class TestCheck:
    def test_a_good_one_is_good(self, database: Path) -> None:
        told = found(database)

        assert {name: good for name, (good, _) in told.items()} == dict.fromkeys(NAMES, True)
        assert "give the same" in told["replay"][1]
        assert sorted(each.name for each in database.parent.iterdir()) == ["lock", DATABASE_NAME]

    def test_an_end_of_a_start_that_was_moved_is_an_episode_of_its_own(
        self, tmp_path: Path
    ) -> None:
        partition = Partition(tmp_path)
        for clock, starts, ends in ((10, 9, None), (11, 3, None), (12, 12, None), (13, 9, 10)):
            told = alert("Disk", starts=starts, ends=ends, summary="disk is full")
            partition.apply([(clock, told)])
        partition.close()

        assert found(tmp_path / DATABASE_NAME)["replay"][0] is True

    def test_one_in_use_is_read_as_it_is(self, tmp_path: Path) -> None:
        partition = Partition(tmp_path)
        fill(partition)
        told = found(tmp_path / DATABASE_NAME)
        fill(partition, first=8)
        again = found(tmp_path / DATABASE_NAME)
        partition.close()

        for each in (told, again):
            assert {name: good for name, (good, _) in each.items()} == dict.fromkeys(NAMES, True)
        assert told != again

    @pytest.mark.parametrize("source", SCHEMAS, ids=lambda path: path.name[:-6])
    def test_one_of_an_earlier_schema_is_good(self, source: Path, tmp_path: Path) -> None:
        path = tmp_path / "old.db"
        path.write_bytes(gzip.decompress(source.read_bytes()))
        told = found(path, CoreSettings())

        assert [told[name][0] for name in ("pages", "schema", "events")] == [True] * 3, told

    @pytest.mark.parametrize(
        ("statement", "name", "message"),
        [
            ("DROP INDEX events_by_time", "schema", "events_by_time: not as the migrations"),
            ("DELETE FROM events WHERE seq = 7", "events", "some are missing"),
            (
                "DELETE FROM events WHERE seq = (SELECT max(seq) FROM events)",
                "events",
                "the last is .*, expected",
            ),
            ("UPDATE clusters SET size = size + 1 WHERE id = 1", "numbers", "cluster 1 counts"),
            (
                "UPDATE episodes SET cluster_id = 999 WHERE id = 1",
                "numbers",
                "1 episodes of a cluster",
            ),
            (
                "DELETE FROM alerts WHERE fingerprint = (SELECT fingerprint FROM episodes)",
                "numbers",
                "episodes without an alert",
            ),
            ("UPDATE events SET reason = 'x' WHERE seq = 5", "replay", "event 5 differs"),
            ("UPDATE episodes SET reopen_no = 5 WHERE id = 1", "replay", "episode 1 differs"),
            (
                "UPDATE clusters SET note = 'x' WHERE id = (SELECT max(id) FROM clusters)",
                "replay",
                "cluster .* differs",
            ),
            (
                "DELETE FROM journal WHERE position > 9",
                "replay",
                "the journal gives",
            ),
        ],
    )
    def test_each_fault_is_found(
        self, database: Path, statement: str, name: str, message: str
    ) -> None:
        change(database, statement)
        told = found(database)

        assert told[name][0] is False
        assert re.search(message, told[name][1]), told[name][1]

    def test_dead_letters_are_shown_and_are_no_fault(self, database: Path) -> None:
        assert found(database)["letters"] == (True, "no dead letters")
        letters = [(at(n), "a", f"a: got {n}", json.dumps({"a": n})) for n in range(7)]
        letters.append((at(9), "body", "no", "x\n\x1b[2J" + "y" * 9000))
        with contextlib.closing(sqlite3.connect(database)) as connection, connection:
            connection.executemany(
                "INSERT INTO dead_letters (received_at, field, reason, raw) VALUES (?, ?, ?, ?)",
                letters,
            )
        good, text = found(database)["letters"]

        assert good is True
        latest = "8 dead letters, the latest: 2026-01-01T00:00:09.000Z no in x [2Jyyy"
        assert text.startswith(latest)
        assert '; 2026-01-01T00:00:06.000Z a: got 6 in {"a": 6}; 2026' in text
        assert "got 2" not in text
        assert len(text) < 1000
        assert text.isprintable()

    @pytest.mark.parametrize(
        ("statement", "message"),
        [
            (
                "DELETE FROM journal WHERE position < 4",
                "not tried: the journal goes back to 2026-01-01",
            ),
            ("DELETE FROM journal", "not tried: the journal is empty"),
            ("UPDATE texts SET vector = NULL WHERE id = 1", "1 vectors that it needs were let go"),
        ],
    )
    def test_what_the_journal_cannot_tell_is_said(
        self, database: Path, statement: str, message: str
    ) -> None:
        change(database, statement)
        good, text = found(database)["replay"]

        assert good is None
        assert message in text

    def test_what_was_over_goes_with_a_merge_and_a_split(self, tmp_path: Path) -> None:
        """Of an alert the engine knows the latest episode only: the store moves those before."""
        partition = Partition(tmp_path)
        for clock in (0.0, 60.0):
            partition.apply([(clock + 1, alert("Disk", starts=clock, summary="disk is full"))])
            over = alert("Disk", starts=clock, ends=clock + 8, summary="disk is full")
            partition.apply([(clock + 9, over)])
        partition.apply([(70.0, alert("Cert", starts=70.0, summary="certificate ends soon"))])
        partition.ask(75.0, MergeRequest(1, 2))
        merged = [len(partition.database.members(number)) for number in (1, 2)]
        good_merged, _ = found(tmp_path / DATABASE_NAME)["replay"]
        (command,) = (e.seq for e in partition.events if e.type is EventType.OPERATOR_COMMAND)
        partition.ask(80.0, UndoRequest(command))
        split = [len(partition.database.members(number)) for number in (1, 2, 3)]
        partition.close()
        good_split, _ = found(tmp_path / DATABASE_NAME)["replay"]

        assert (merged, split) == ([0, 3], [0, 1, 2])
        assert (good_merged, good_split) == (True, True)

    def test_what_is_split_and_merged_and_undone_in_another_order_is_good(
        self, tmp_path: Path
    ) -> None:
        partition = Partition(tmp_path)
        for number, name in enumerate(("Disk", "Disk", "Cert")):
            summary = f"all of {name} is broken"
            partition.apply([(1.0, alert(name, starts=0.0, summary=summary, part=f"{number}"))])
        one, _ = partition.database.members(1)
        partition.ask(20.0, SplitRequest(1, (one.fingerprint,)))
        (split,) = (e.seq for e in partition.events if e.type is EventType.OPERATOR_COMMAND)
        partition.ask(21.0, MergeRequest(3, 2))
        assert isinstance(partition.ask(22.0, UndoRequest(split)), dict)
        sizes = [len(partition.database.members(number)) for number in (1, 2, 3, 4)]
        partition.close()
        good, _ = found(tmp_path / DATABASE_NAME)["replay"]

        assert (sizes, good) == ([2, 1, 0, 0], True)

    def test_other_settings_are_seen(self, database: Path) -> None:
        good, text = found(database, settings(threshold=0.99))["replay"]

        assert good is False
        assert "other settings" in text

    @pytest.mark.parametrize("part", [0.0, 0.5])
    def test_a_corrupt_page_is_found(self, database: Path, part: float) -> None:
        """Of all pages, some of which tell which tables there are; and of those with rows only."""
        content = bytearray(database.read_bytes())
        pages = len(content) // 4096
        for page in range(max(1, int(pages * part)), pages, 3):
            content[page * 4096 : page * 4096 + 64] = os.urandom(64)
        database.write_bytes(content)
        told = found(database)

        assert told["pages"][0] is False
        assert "\n" not in told["pages"][1]
        assert "replay" not in told

    def test_what_is_no_database_is_told(self, tmp_path: Path) -> None:
        path = tmp_path / "x"
        path.write_text("no database at all " * 1000)
        ((name, (good, text)),) = found(path).items()

        assert (name, good) == ("pages", False)
        assert "not a database" in text
        with pytest.raises(StoreError, match="No such file"):
            found(tmp_path / "absent")


class TestBackup:
    def test_it_is_whole_and_goes_on(self, database: Path, tmp_path: Path) -> None:
        target = tmp_path / "kept" / DATABASE_NAME
        target.parent.mkdir()
        size = backup(database, target)

        assert size == target.stat().st_size
        assert stat.S_IMODE(target.stat().st_mode) == 0o600
        assert [each.name for each in target.parent.iterdir()] == [DATABASE_NAME]
        assert all(good for good, _ in found(target).values())
        again = Partition(target.parent)
        fill(again, first=8)
        again.close()
        assert all(good for good, _ in found(file_of(target.parent)).values())

    def test_each_copy_made_while_it_is_written_is_whole(self, tmp_path: Path) -> None:
        (tmp_path / "data").mkdir()
        partition = Partition(tmp_path / "data")
        fill(partition, rounds=2)
        stop = threading.Event()
        copies: list[Path] = []

        def copy() -> None:
            while not stop.is_set():
                target = tmp_path / f"copy-{len(copies)}.db"
                backup(tmp_path / "data" / DATABASE_NAME, target)
                copies.append(target)

        thread = threading.Thread(target=copy)
        thread.start()
        rounds = 2
        while len(copies) < 5 or rounds < 20:
            fill(partition, rounds=1, first=rounds)
            rounds += 1
        stop.set()
        thread.join()
        partition.close()

        lengths = set()
        for target in copies:
            told = found(target)
            assert all(good for good, _ in told.values()), told
            lengths.add(told["events"][1])
        assert len(lengths) > 1, "none was made while it was written"

    def test_a_target_that_cannot_be_is_refused(self, database: Path, tmp_path: Path) -> None:
        before = database.read_bytes()
        for target, message in (
            (database, "this is the database itself"),
            (tmp_path, "got a directory"),
            (tmp_path / "absent" / "copy.db", "cannot be written: No such file"),
        ):
            with pytest.raises(StoreError, match=message):
                backup(database, target)
        with pytest.raises(StoreError, match="No such file"):
            backup(tmp_path / "absent.db", tmp_path / "copy.db")

        assert database.read_bytes() == before
        assert not [each for each in tmp_path.iterdir() if each.name.endswith(".part")]

    def test_what_was_there_stays_until_the_new_one_is_whole(
        self, database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        target = tmp_path / "copy.db"
        backup(database, target)
        before = target.read_bytes()

        def full(path: Path) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("receiver.store.backups._sync", full)
        with pytest.raises(StoreError, match=r"copy.db: cannot be written: No space left"):
            backup(database, target)

        assert target.read_bytes() == before
        assert not [each for each in tmp_path.iterdir() if each.name.endswith(".part")]


def test_a_directory_stands_for_the_database_in_it(tmp_path: Path) -> None:
    assert file_of(tmp_path) == tmp_path / DATABASE_NAME
    assert file_of(tmp_path / "x.db") == tmp_path / "x.db"
