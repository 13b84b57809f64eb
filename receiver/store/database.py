"""The database: one connection that writes, and what it writes.

Public methods are transactions. The calling thread is always the same one, the writer's; readers have
connections of their own (`queries`).
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import secrets
import sqlite3
from collections.abc import Container, Iterator, Sequence
from pathlib import Path
from urllib.parse import quote

from receiver.core import survey
from receiver.core.changes import Changes, Merged, Restored
from receiver.core.clusters import Cluster
from receiver.core.constraints import Kind
from receiver.core.errors import StoreError
from receiver.core.evolution import Event, EventType
from receiver.core.inbox import InboxRow
from receiver.core.memory import MemorySettings
from receiver.core.model import Alert, Episode, Input, Member
from receiver.core.past import PastCluster
from receiver.core.payload import DeadLetter
from receiver.core.room import Size, Trimmed
from receiver.store import journal, restoring, retention, rows, schema
from receiver.store.retention import Retention

FILE_NAME = "stormcell.db"
_LOG_BYTES = 64 * 2**20
"""The log is cut to this when it begins anew: what one large transaction took is not kept for ever."""
_EMPTY = '{"notifications":0,"dead_letters":0}'


def connect(path: Path, *, read_only: bool, immutable: bool = False) -> sqlite3.Connection:
    """Open the database file at *path*.

    Args:
        path: Of the file.
        read_only: Whether it is only read.
        immutable: Whether nobody writes it meanwhile; then no file is made beside it either.
    """
    if read_only:
        mode = "mode=ro&immutable=1" if immutable else "mode=ro"
        connection = sqlite3.connect(
            f"file:{quote(str(path))}?{mode}",
            uri=True,
            check_same_thread=False,
            isolation_level=None,
        )
    else:
        connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA busy_timeout = 5000")
    connection.execute("PRAGMA cache_size = -8192")
    return connection


class Database:
    """The store of one partition."""

    def __init__(self, directory: Path) -> None:
        """Open the database in *directory*, made if missing, and bring its schema up to date.

        Raises:
            StoreError: The directory cannot be used, another process uses it, or a newer version
                wrote it. The text says what to do.
        """
        self.path = directory / FILE_NAME
        try:
            # Alerts tell of a site what its neighbours on this machine need not know.
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = (directory / "lock").open("a")
        except FileExistsError as error:
            raise StoreError(
                f"--storage.path {directory}: got a file, expected a directory"
            ) from error
        except OSError as error:
            raise StoreError(f"--storage.path {directory}: {error.strerror}") from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._lock.close()
            raise StoreError(f"--storage.path {directory}: another stormcell uses it") from error
        try:
            self._open()
        except sqlite3.Error as error:
            self._lock.close()
            raise StoreError(f"{self.path}: {error}") from error
        except StoreError:
            self._lock.close()
            raise

    def _open(self) -> None:
        schema.check_file(self.path, connect)
        self._db = connect(self.path, read_only=False)
        # Only an empty file takes this setting; with it, room can be given back piece by piece.
        self._db.execute("PRAGMA auto_vacuum = INCREMENTAL")
        self._db.execute("PRAGMA journal_mode = WAL")
        # FULL, because 200 means it survives power loss; group commit makes that affordable.
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.execute(f"PRAGMA journal_size_limit = {_LOG_BYTES}")
        try:
            schema.migrate(self._db)
            with self._transaction():
                self._db.execute(
                    "INSERT OR IGNORE INTO meta VALUES ('epoch', ?), ('ledger', ?)",
                    (secrets.token_hex(8), _EMPTY),
                )
        except BaseException:
            self._db.close()
            raise
        self._use_no = self._one(
            "SELECT coalesce(max(used_no), 0) FROM texts WHERE vector IS NOT NULL"
        )
        self._last_episode = self._one("SELECT coalesce(max(id), 0) FROM episodes")
        self._retention = Retention(self._db)
        self.size: Size = retention.size_of(self._db)

    def close(self) -> None:
        """Close the connection and let go of the directory."""
        self._db.close()
        self._lock.close()

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        """All or nothing, kept when this returns; sqlite3.Error says it was not."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    def _one(self, sql: str, *parameters: object) -> int:
        value: int = self._db.execute(sql, parameters).fetchone()[0]
        return value

    # -- meta ------------------------------------------------------------------------------------

    def _meta(self, key: str) -> str | None:
        row = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return None if row is None else row["value"]

    @property
    def epoch(self) -> str:
        """The database's id: another one is another history."""
        return self._meta("epoch") or ""

    @property
    def clock(self) -> int:
        """When the last step was, nanoseconds; 0 for never."""
        counters = self._meta("counters")
        return 0 if counters is None else rows.counters_of(counters).clock

    @property
    def embedder(self) -> str | None:
        """What made the vectors in here; None while there are none."""
        return self._meta("embedder")

    def set_embedder(self, identity: str) -> None:
        """Note what makes the vectors."""
        with self._transaction():
            self._db.execute("INSERT OR REPLACE INTO meta VALUES ('embedder', ?)", (identity,))

    # -- inbox -----------------------------------------------------------------------------------

    def add_to_inbox(self, received_at: int, bodies: Sequence[tuple[bytes, int]]) -> list[int]:
        """Commit *bodies* (body, number of alerts in it), received at *received_at*.

        Returns:
            The ids of their rows.
        """
        ids = []
        with self._transaction():
            for body, alerts in bodies:
                cursor = self._db.execute(
                    "INSERT INTO inbox (received_at, alerts, body) VALUES (?, ?, ?)",
                    (received_at, alerts, body),
                )
                ids.append(cursor.lastrowid or 0)
        return ids

    def inbox(self, after: int, limit_bytes: int) -> list[InboxRow]:
        """Return rows with ids above *after*, in order: the first, and more up to *limit_bytes*."""
        found: list[InboxRow] = []
        total = 0
        partial, applied = self._progress()
        for row in self._db.execute("SELECT * FROM inbox WHERE id > ? ORDER BY id", (after,)):
            total += len(row["body"])
            if found and total > limit_bytes:
                break
            done = applied if row["id"] == partial else 0
            found.append(InboxRow(row["id"], row["received_at"], row["alerts"], done, row["body"]))
        return found

    def pending(self) -> list[tuple[int, int, int]]:
        """Return (id, received_at, alerts not yet applied) of each row, in order."""
        partial, applied = self._progress()
        return [
            (row["id"], row["received_at"], row["alerts"] - applied * (row["id"] == partial))
            for row in self._db.execute("SELECT id, received_at, alerts FROM inbox ORDER BY id")
        ]

    def _progress(self) -> tuple[int, int]:
        """Return which row is partly applied, and how many of its alerts: only the first can be."""
        row_id, _, applied = (self._meta("progress") or "0:0").partition(":")
        return int(row_id), int(applied)

    # -- commit ----------------------------------------------------------------------------------

    def commit(
        self,
        inputs: Sequence[Input],
        events: Sequence[Event],
        changes: Changes,
        *,
        text_id: journal.TextId,
        applied: Sequence[tuple[InboxRow, int]] = (),
        dead_letters: Sequence[tuple[int, DeadLetter]] = (),
        journal_before: int | None = None,
    ) -> None:
        """Keep one step: its inputs, its events, and the state after it, in one transaction.

        Args:
            inputs: What the step was fed.
            events: What it gave.
            changes: What it changed.
            text_id: Gives the id of an input's text.
            applied: Inbox rows, and how many of their alerts are now applied.
            dead_letters: (received_at, letter) of those rows.
            journal_before: Journal rows older than this are dropped, nanoseconds.
        """
        with self._transaction():
            self._write_regrouped(changes)
            self._write_episodes(changes)
            self._db.executemany(_UPSERT_CLUSTER, map(rows.cluster_row, changes.clusters))
            self._db.executemany(_INSERT_EVENT, map(rows.event_row, events))
            self._write_texts(changes)
            self._db.executemany(
                "INSERT OR REPLACE INTO label_counts VALUES (?, ?, ?)", changes.label_counts
            )
            self._db.executemany(
                "DELETE FROM label_counts WHERE token = ?",
                [(token,) for token in changes.labels_forgotten],
            )
            self._db.executemany("INSERT OR REPLACE INTO kinds VALUES (?, ?, ?, ?)", changes.kinds)
            self._db.executemany(
                "DELETE FROM kinds WHERE key = ?", [(key,) for key in changes.kinds_forgotten]
            )
            self._db.executemany(
                "INSERT OR REPLACE INTO companions VALUES (?, ?, ?, ?, ?, ?)",
                map(rows.company_row, changes.companions),
            )
            self._db.executemany(
                "DELETE FROM companions WHERE text_id = ?",
                [(text_id,) for text_id in changes.companions_forgotten],
            )
            self._write_storms(changes)
            self._write_constraints(changes)
            self._db.execute(
                "INSERT OR REPLACE INTO meta VALUES ('counters', ?)",
                (rows.counters_row(changes.counters),),
            )
            self._write_inbox(applied, dead_letters)
            kept = journal.encode(inputs, text_id)
            if kept is not None:
                self._db.execute(
                    "INSERT INTO journal (time, inputs) VALUES (?, ?)",
                    (changes.counters.clock, kept),
                )
            if journal_before is not None:
                self._db.execute("DELETE FROM journal WHERE time < ?", (journal_before,))
        self._use_no += len(changes.used_texts)
        self._last_episode = changes.counters.episode_id
        self.size = retention.size_of(self._db)

    def _write_regrouped(self, changes: Changes) -> None:
        """Move the episodes kept; those new with this commit are written with their cluster."""
        for told in changes.regrouped:
            if isinstance(told, Merged):
                self._db.executemany(
                    "DELETE FROM merged_episodes WHERE seq = ? AND episode_id IN"
                    " (SELECT id FROM episodes WHERE cluster_id = ?)",
                    [(seq, told.gone) for seq in told.released],
                )
                self._db.execute(
                    "INSERT INTO merged_episodes SELECT ?, id FROM episodes WHERE cluster_id = ?",
                    (told.seq, told.gone),
                )
                self._db.execute(
                    "UPDATE episodes SET cluster_id = ? WHERE cluster_id = ?",
                    (told.into, told.gone),
                )
            else:
                self._db.executemany(
                    "UPDATE episodes SET cluster_id = ? WHERE id = ?",
                    [(told.into, episode) for episode in told.episodes],
                )
                self._db.executemany(
                    "DELETE FROM merged_episodes WHERE seq = ? AND episode_id = ?",
                    [(seq, episode) for seq in told.released for episode in told.episodes],
                )
                if told.seq:
                    self._db.executemany(
                        "INSERT INTO merged_episodes VALUES (?, ?)",
                        [(told.seq, episode) for episode in told.episodes]
                        + [(told.seq + 1, episode) for episode in told.stayed],
                    )

    def _write_constraints(self, changes: Changes) -> None:
        # In this order: of one that names fewer alerts now, the old row goes first.
        self._db.executemany(
            "DELETE FROM constraints WHERE seq = ?", [(seq,) for seq in changes.lifted]
        )
        self._db.executemany(
            "INSERT INTO constraints VALUES (?, ?, ?, ?, ?, ?)",
            map(rows.constraint_row, changes.constraints),
        )

    def _write_episodes(self, changes: Changes) -> None:
        every = [*changes.episodes, *changes.ended]
        self._db.executemany(
            "INSERT OR IGNORE INTO alerts VALUES (?, ?)",
            # Labels are what a fingerprint stands for: a changed episode has them there already.
            [
                (episode.fingerprint, rows.dump(dict(episode.labels)))
                for episode in every
                if episode.id > self._last_episode
            ],
        )
        self._db.executemany(
            "INSERT OR IGNORE INTO alerts VALUES (?, ?)",
            [(key, rows.dump(dict(labels))) for key, labels in changes.heartbeats.items()],
        )
        self._db.executemany(_INSERT_ENDED, map(rows.episode_row, changes.ended))
        self._db.executemany(_UPSERT_EPISODE, map(rows.episode_row, changes.episodes))
        self._db.executemany(
            "UPDATE episodes SET why = ? WHERE id = ?",
            [(rows.dump(why), episode_id) for episode_id, why in changes.whys.items()],
        )
        self._db.executemany(
            "UPDATE episodes SET annotations = ?, generator_url = ?, links = ?,"
            " sender_fingerprint = ? WHERE id = ?",
            [(*rows.told_row(alert), episode_id) for episode_id, alert in changes.told.items()],
        )

    def _write_texts(self, changes: Changes) -> None:
        self._db.executemany(
            "INSERT INTO texts VALUES (?, ?, ?, ?, 0, 0)",
            [(t.id, t.digest, t.text, t.vector.tobytes()) for t in changes.texts],
        )
        self._db.executemany(
            "UPDATE texts SET used_no = ?, used_at = ? WHERE id = ?",
            [
                (number, used_at, text_id)
                for number, (text_id, used_at) in enumerate(
                    changes.used_texts, start=self._use_no + 1
                )
            ],
        )
        self._db.executemany(
            "UPDATE texts SET vector = NULL WHERE id = ?",
            [(text,) for text in changes.forgotten_texts],
        )
        # Of some the episodes went before.
        retention.delete_texts(self._db, changes.forgotten_texts)

    def _write_storms(self, changes: Changes) -> None:
        self._db.executemany(
            "INSERT OR REPLACE INTO storms VALUES (?, ?)",
            [(storm["id"], rows.dump(storm)) for storm in changes.storms],
        )
        self._db.executemany(
            "INSERT OR REPLACE INTO meta VALUES (?, ?)",
            [(key, rows.dump(value)) for key, value in changes.storm_memory.items()],
        )

    def _write_inbox(
        self,
        applied: Sequence[tuple[InboxRow, int]],
        dead_letters: Sequence[tuple[int, DeadLetter]],
    ) -> None:
        finished = [(row.id,) for row, count in applied if count >= row.alerts]
        notifications = len(finished) - sum(survey.is_survey(row.body) for row, _ in applied)
        self._db.executemany("DELETE FROM inbox WHERE id = ?", finished)
        for row, count in applied:
            if count < row.alerts:
                # Not in the row itself: to change it is to copy its body, which may be megabytes.
                self._db.execute(
                    "INSERT OR REPLACE INTO meta VALUES ('progress', ?)", (f"{row.id}:{count}",)
                )
        self._db.executemany(
            "INSERT INTO dead_letters (received_at, field, reason, raw) VALUES (?, ?, ?, ?)",
            [(at, letter.field, letter.reason, letter.raw) for at, letter in dead_letters],
        )
        self._db.execute(
            "UPDATE meta SET value = json_set(value,"
            " '$.notifications', json_extract(value, '$.notifications') + ?,"
            " '$.dead_letters', json_extract(value, '$.dead_letters') + ?) WHERE key = 'ledger'",
            (notifications, len(dead_letters)),
        )

    # -- room ------------------------------------------------------------------------------------

    def trim(
        self,
        limit_bytes: int,
        remembered: Container[int],
        assignments: int,
        most: int = retention.ROWS,
    ) -> Trimmed:
        """Do one small step towards a database of at most *limit_bytes*.

        The engine must hold no episode that is over (`Engine.forget`): it may go.

        Args:
            limit_bytes: Of the file, its log aside.
            remembered: Ids of the clusters that are over and that the engine remembers.
            assignments: How many of the latest assignments `restore` will be asked for.
            most: Rows deleted in this step, about.
        """
        done = Trimmed()
        if self.size.used > limit_bytes - limit_bytes // retention.LOW:
            with self._transaction():
                done = self._retention.trim(remembered, assignments, most)
        elif self.size.file > limit_bytes:
            # What is free is taken before the file grows: only what the cap does not allow is given back.
            self._db.execute(f"PRAGMA incremental_vacuum({retention.PAGES})").fetchall()
            before, self.size = self.size, retention.size_of(self._db)
            done.pages = before.file - self.size.file
        self.size = retention.size_of(self._db)
        return done

    # -- start -----------------------------------------------------------------------------------

    def restore(
        self, assignments: int, past_clusters: int = MemorySettings.max_past_clusters
    ) -> Restored | None:
        """Return all that an engine needs to go on; None if nothing was ever committed.

        On a connection of its own, so that bodies are committed to the inbox meanwhile: any thread may
        call it, as long as no step is committed before it returns.

        Args:
            assignments: How many of the latest assignments are wanted.
            past_clusters: How many of the clusters that ended last.
        """
        with contextlib.closing(connect(self.path, read_only=True)) as db:
            return restoring.restored(db, assignments, past_clusters)

    def recall(self, fingerprints: Sequence[str]) -> tuple[list[Episode], list[PastCluster]]:
        """Return the latest episodes of *fingerprints*, and the clusters they were in."""
        wanted = json.dumps(list(fingerprints))
        episodes = restoring.latest_episodes(
            self._db, "e.fingerprint IN (SELECT value FROM json_each(?))", wanted
        )
        ids = json.dumps(sorted({e.cluster_id for e in episodes if e.cluster_id is not None}))
        past = [
            rows.past_of(row)
            for row in self._db.execute(
                f"SELECT {', '.join(rows.PAST_COLUMNS)} FROM clusters"
                " WHERE id IN (SELECT value FROM json_each(?))"
                " AND state IN ('resolved', 'merged')",
                (ids,),
            )
        ]
        return episodes, past

    def given_up(self, fingerprints: Sequence[str]) -> list[tuple[Episode, Alert]]:
        """Return the latest episodes of *fingerprints* that may have been given up, and what was last told.

        They are stale, or ended in another way than that their sender said so.
        """
        return restoring.given_up(self._db, fingerprints)

    def find_cluster(self, cluster_id: int) -> Cluster | None:
        """Return a cluster as it is kept, or the one it was merged into; None if there is none."""
        row = rows.survivor(self._db, cluster_id)
        return None if row is None else rows.cluster_of(row)

    # -- what a command needs --------------------------------------------------------------------

    def members(self, cluster_id: int) -> list[Member]:
        """Return all episodes of a cluster, in the order in which they came."""
        found = self._db.execute(
            "SELECT e.*, a.labels FROM episodes e JOIN alerts a USING (fingerprint)"
            " WHERE e.cluster_id = ? ORDER BY e.id",
            (cluster_id,),
        )
        return [rows.member_of(row) for row in found]

    def names(self, cluster_id: int, limit: int) -> list[str]:
        """Return the fingerprints of at most *limit* alerts of a cluster, the last to come first."""
        found = self._db.execute(
            "SELECT fingerprint FROM episodes WHERE cluster_id = ? GROUP BY fingerprint"
            " ORDER BY max(id) DESC LIMIT ?",
            (cluster_id, limit),
        )
        return [row["fingerprint"] for row in found]

    def merged_episodes(self, seq: int) -> list[int]:
        """Return the ids of the episodes that the merge or split of the event *seq* moved.

        Of a split, those that stayed are under the seq after it.
        """
        found = self._db.execute(
            "SELECT episode_id FROM merged_episodes WHERE seq = ? ORDER BY episode_id", (seq,)
        )
        return [row["episode_id"] for row in found]

    def holders(self, seq: int) -> list[int]:
        """Return the clusters of the episodes of `merged_episodes`, most first.

        What a later split moved that still holds counts last.
        """
        found = self._db.execute(
            "SELECT e.cluster_id FROM merged_episodes m JOIN episodes e ON e.id = m.episode_id"
            " WHERE m.seq = ? GROUP BY e.cluster_id ORDER BY count(*) FILTER (WHERE NOT EXISTS"
            " (SELECT 1 FROM constraints c JOIN merged_episodes l ON l.seq = c.seq"
            " AND l.episode_id = m.episode_id WHERE c.seq > m.seq AND c.kind = 'cannot_link')) DESC,"
            " count(*) DESC, e.cluster_id",
            (seq,),
        )
        return [row["cluster_id"] for row in found]

    def heir(self, cluster_id: int) -> int | None:
        """Return the cluster that a merged one is part of, or if that was undone, what it is again."""
        merge = self._db.execute(
            "SELECT seq FROM events WHERE type = 'operator_command'"
            " AND json_extract(detail, '$.command') = 'merge' AND json_extract(detail, '$.from') = ?",
            (cluster_id,),
        ).fetchone()
        undo = (
            merge
            and self._db.execute(
                "SELECT json_extract(detail, '$.into') AS id FROM events WHERE type = 'operator_command'"
                " AND seq > ? AND json_extract(detail, '$.undoes') = ?",
                (merge["seq"], merge["seq"]),
            ).fetchone()
        )
        if undo and undo["id"] is not None:
            again: int = undo["id"]
            return again
        row = self._db.execute(
            "SELECT merged_into FROM clusters WHERE id = ?", (cluster_id,)
        ).fetchone()
        into: int | None = row and row["merged_into"]
        return into

    def command_event(self, seq: int) -> tuple[Event, int | None] | None:
        """Return the event of an operator's command, and the seq of that which undid it, if one did.

        None if *seq* is of no operator's command.
        """
        row = self._db.execute(
            "SELECT *, NULL AS labels FROM events WHERE seq = ? AND type = 'operator_command'",
            (seq,),
        ).fetchone()
        if row is None:
            return self._demand(seq)
        undone = self._db.execute(
            "SELECT max(seq) AS seq FROM events WHERE type = 'operator_command' AND seq > ?"
            " AND json_extract(detail, '$.undoes') = ?",
            (seq, seq),
        ).fetchone()
        return rows.event_of(row), undone["seq"]

    def _demand(self, seq: int) -> tuple[Event, int | None] | None:
        """Return the command of the event *seq*, which is kept no more, if what it demands still holds."""
        row = self._db.execute("SELECT * FROM constraints WHERE seq = ?", (seq,)).fetchone()
        if row is None:
            return None
        constraint = rows.constraint_of(row)
        command = "merge" if constraint.kind is Kind.MUST else "split"
        event = Event(
            seq=seq,
            time=constraint.time,
            type=EventType.OPERATOR_COMMAND,
            cluster_id=constraint.target if constraint.kind is Kind.MUST else constraint.source,
            cluster_size=0,
            cluster_firing=0,
            total_clusters=0,
            detail={"command": command, "from": constraint.source, "into": constraint.target},
        )
        return event, None

    # -- the journal -----------------------------------------------------------------------------

    def inputs(self) -> Iterator[Input]:
        """Yield the inputs of the journal, in order."""
        for batch in journal.batches(self._db):
            yield from batch


def _upsert(table: str, columns: Sequence[str], key: str) -> str:
    names, marks = ", ".join(columns), ", ".join("?" * len(columns))
    kept = ", ".join(f"{name} = excluded.{name}" for name in columns if name != key)
    return (
        f"INSERT INTO {table} ({names}) VALUES ({marks}) ON CONFLICT ({key}) DO UPDATE SET {kept}"
    )


def _insert(table: str, columns: Sequence[str]) -> str:
    names, marks = ", ".join(columns), ", ".join("?" * len(columns))
    return f"INSERT INTO {table} ({names}) VALUES ({marks})"


_UPSERT_CLUSTER = _upsert("clusters", rows.CLUSTER_COLUMNS, "id")
_UPSERT_EPISODE = _upsert("episodes", rows.EPISODE_COLUMNS, "id")
_INSERT_EVENT = _insert("events", rows.EVENT_COLUMNS)
_INSERT_ENDED = _insert("episodes", rows.EPISODE_COLUMNS) + (
    # Known already: what was superseded had a guessed end, and now gets the true one.
    " ON CONFLICT (fingerprint, starts_at, reopen_no) DO UPDATE SET ends_at ="
    " CASE WHEN superseded THEN excluded.ends_at ELSE max(ends_at, excluded.ends_at) END"
)
