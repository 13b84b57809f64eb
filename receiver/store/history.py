"""What was received, read from a database that may be another process's; it is never written.

Each page is a transaction of its own, so that a running server's log can be given back to the database in
between.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from receiver.core.constraints import Constraint
from receiver.core.evolution import EventType
from receiver.store import rows, schema
from receiver.store.database import FILE_NAME
from receiver.store.source import Source

_PAGE = 1000
"""Rows read in one transaction."""

_KINDS = (EventType.ALERT_ASSIGNED, EventType.ALERT_REOPENED, EventType.ALERT_RESOLVED)


@dataclass(frozen=True, slots=True)
class Told:
    """One word of the sender that changed something.

    Attributes:
        time: When it was applied, nanoseconds.
        resolved: Whether it told of an end.
        fingerprint: Of the alert.
        labels: The alert's.
        annotations: As last told in this firing period.
        starts_at: Of the period, nanoseconds.
        ends_at: Of the period, nanoseconds; None while it fires.
        last_seen: When the period was last heard of, nanoseconds.
        cluster_id: Its cluster by now; None if it is in none.
        superseded: Whether the period's end was concluded, and not told.
    """

    time: int
    resolved: bool
    fingerprint: str
    labels: dict[str, str]
    annotations: dict[str, str]
    starts_at: int
    ends_at: int | None
    last_seen: int
    cluster_id: int | None
    superseded: bool


class History:
    """The past of the database in a directory, up to when it was first opened.

    Attributes:
        path: Of the database file.
        last: Seq of the last event that is read.
    """

    def __init__(self, directory: Path, last: int | None = None) -> None:
        """Open the database in *directory*.

        Args:
            directory: A --storage.path.
            last: As an earlier reading had it, to read the same again.

        Raises:
            StoreError: It cannot be read, or a newer version wrote it.
        """
        self._source = Source(directory / FILE_NAME)
        self.path, self._db = self._source.path, self._source.db
        try:
            with self._reading():
                schema.check(name for (name,) in self._db.execute(schema.APPLIED))
                latest: int = self._db.execute(
                    "SELECT coalesce(max(seq), 0) FROM events"
                ).fetchone()[0]
        except BaseException:
            self._db.close()
            raise
        self.last = latest if last is None else last

    def close(self) -> None:
        """Close the connection."""
        self._source.close()

    def _reading(self) -> contextlib.AbstractContextManager[None]:
        return self._source.reading()

    # -- what was told ---------------------------------------------------------------------------

    def told(self) -> Iterator[Told]:
        """Yield what the senders told of alerts that are clustered, in order; no repeats."""
        after = 0
        while True:
            with self._reading():
                page = self._db.execute(_TOLD, (after, self.last, _PAGE)).fetchall()
            for row in page:
                yield _told(row)
            if len(page) < _PAGE:
                return
            after = page[-1]["seq"]

    def pending(self) -> Iterator[tuple[int, bytes]]:
        """Yield (received_at, body) of what is committed and not wholly applied, in order."""
        after = 0
        while True:
            with self._reading():
                row = self._db.execute(
                    "SELECT * FROM inbox WHERE id > ? ORDER BY id LIMIT 1", (after,)
                ).fetchone()
            if row is None:
                return
            yield row["received_at"], row["body"]
            after = row["id"]

    def notifications(self) -> int:
        """Return how many notifications were applied."""
        with self._reading():
            row = self._db.execute("SELECT value FROM meta WHERE key = 'ledger'").fetchone()
        count: int = json.loads(row["value"])["notifications"]
        return count

    # -- what operators demand -------------------------------------------------------------------

    def constraints(self) -> list[Constraint]:
        """Return the constraints that hold, the oldest first."""
        with self._reading():
            if not self._db.execute(_HAS_CONSTRAINTS).fetchone():
                return []
            found = self._db.execute("SELECT * FROM constraints ORDER BY seq").fetchall()
        return [rows.constraint_of(row) for row in found]

    def labels_of(self, fingerprints: Sequence[str]) -> dict[str, dict[str, str]]:
        """Return the labels of the alerts *fingerprints*, by fingerprint."""
        with self._reading():
            found = self._db.execute(
                "SELECT * FROM alerts WHERE fingerprint IN (SELECT value FROM json_each(?))",
                (json.dumps(list(fingerprints)),),
            ).fetchall()
        return {row["fingerprint"]: json.loads(row["labels"]) for row in found}


def _told(row: sqlite3.Row) -> Told:
    annotations: dict[str, Any] = json.loads(row["annotations"])
    return Told(
        time=row["time"],
        resolved=row["type"] == EventType.ALERT_RESOLVED.value,
        fingerprint=row["fingerprint"],
        labels=json.loads(row["labels"]),
        annotations=annotations,
        starts_at=row["told_at"],
        ends_at=row["ends_at"],
        last_seen=row["last_seen"],
        cluster_id=row["cluster_id"],
        superseded=bool(row["superseded"]),
    )


_HAS_CONSTRAINTS = "SELECT 1 FROM sqlite_master WHERE name = 'constraints'"
_TOLD = (
    "SELECT v.seq, v.time, v.type, v.starts_at AS told_at, e.fingerprint, e.annotations, e.ends_at,"
    " e.last_seen, e.cluster_id, e.superseded, a.labels FROM events v"
    " JOIN episodes e ON e.id = v.episode_id JOIN alerts a ON a.fingerprint = e.fingerprint"
    " WHERE v.seq > ? AND v.seq <= ? AND v.type IN"
    f" ({', '.join(repr(kind.value) for kind in _KINDS)}) ORDER BY v.seq LIMIT ?"
)
