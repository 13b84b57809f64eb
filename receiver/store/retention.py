"""What goes when the database has outgrown its cap: the oldest of what is over, a few rows at a time.

Rule 1: what an engine that is restored would hold is never deleted: what goes on, clusters that are
remembered, constraints, what operators may still undo of these, texts whose vectors are held. So a deletion
is no input of the fold: an engine that runs on and one that is restored know the same. Rule 2: events go
from the first on, so what is left has no gap. Rule 3: what is left refers to nothing that is gone, but for
ids of clusters in what was said of others.

All that ended before one moment goes, table by table, before the moment moves on.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Container, Iterator, Sequence

from receiver.core.room import Size, Trimmed
from receiver.core.timestamps import render
from receiver.store import rows

ROWS = 250
"""Rows deleted in one transaction: half take 25 ms with their fsync, none over 132 on two busy processors
(benchmarks/disk.py). So long the next webhook may have to wait."""

PAGES = 256
"""Pages given back to the file system at once: 1 MiB, to be moved within the file before."""

LOW = 64
"""Deletion goes on until one part in so many of the cap is free, so that it does not begin anew with each
batch."""

KEPT_FROM = "kept_from"
"""Key in `meta`: nanoseconds; what was over before that may be gone."""


def size_of(db: sqlite3.Connection) -> Size:
    """Return how large the database is."""
    page, pages, free = (
        db.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("page_size", "page_count", "freelist_count")
    )
    return Size(page * pages, page * (pages - free))


def kept_from(db: sqlite3.Connection) -> int:
    """Return what was over before when may be gone, nanoseconds; 0 if nothing is."""
    row = db.execute("SELECT value FROM meta WHERE key = ?", (KEPT_FROM,)).fetchone()
    return 0 if row is None else int(row["value"])


class Retention:
    """Deletes; the caller opens the transaction."""

    def __init__(self, db: sqlite3.Connection) -> None:
        """Delete from *db*."""
        self._db = db

    def trim(self, remembered: Container[int], assignments: int, most: int) -> Trimmed:
        """Delete about *most* rows, the oldest that may go.

        Args:
            remembered: Ids of clusters that are over and must stay.
            assignments: How many of the latest assignments must stay.
            most: Rows; a cluster's end takes along what only it referred to.
        """
        done, before = Trimmed(), kept_from(self._db)
        protected = _Protected(self._db, remembered, assignments)
        while True:
            for delete in (
                self._events,
                self._journal,
                self._dead_letters,
                self._storms,
                self._episodes,
                self._clusters,
                self._merged_episodes,
            ):
                left = most - sum(done.rows.values())
                if left <= 0:
                    return done
                delete(before, left, protected, done)
            following = self._later(before, most)
            if following is None:
                # These depend on no event, and refer to none: a flood of them alone must not fill the disk.
                self._journal(_NEVER, most, protected, done)
                self._dead_letters(_NEVER, most, protected, done)
                done.exhausted = not done.rows
                return done
            before = following
            self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (KEPT_FROM, str(before)))

    def _later(self, before: int, most: int) -> int | None:
        """Return a moment after *before*, *most* events on; None if there is none but the last."""
        for question, parameters in (
            ("seq >= (SELECT min(seq) FROM events) + ? ORDER BY seq", (most,)),
            ("seq = (SELECT max(seq) FROM events)", ()),
        ):
            row = self._db.execute(
                f"SELECT time FROM events WHERE {question} LIMIT 1", parameters
            ).fetchone()
            if row is not None:
                break
        else:
            return None
        if row["time"] <= before:
            # So many at once: on to the next moment, if there is one.
            row = self._db.execute(
                "SELECT time FROM events WHERE time > ? ORDER BY time LIMIT 1", (before,)
            ).fetchone()
        return None if row is None else row["time"]

    # -- one table each --------------------------------------------------------------------------

    def _delete(self, done: Trimmed, table: str, sql: str, *parameters: object) -> None:
        done.count(table, self._db.execute(f"DELETE FROM {table} {sql}", parameters).rowcount)

    def _events(self, before: int, most: int, protected: _Protected, done: Trimmed) -> None:
        # The last one stays: from it the next seq is known to readers.
        self._delete(
            done,
            "events",
            "WHERE seq < (SELECT min(seq) FROM events) + ? AND seq < coalesce((SELECT seq FROM events"
            " WHERE time >= ? ORDER BY time, seq LIMIT 1), (SELECT max(seq) FROM events))",
            most,
            before,
        )

    def _journal(self, before: int, most: int, protected: _Protected, done: Trimmed) -> None:
        self._delete(
            done,
            "journal",
            "WHERE position IN (SELECT position FROM journal WHERE time < ? ORDER BY time LIMIT ?)",
            before,
            most,
        )

    def _dead_letters(self, before: int, most: int, protected: _Protected, done: Trimmed) -> None:
        first = self._db.execute(
            "SELECT id, received_at FROM dead_letters ORDER BY id LIMIT ?", (most,)
        )
        self._delete_ids(
            done,
            "dead_letters",
            _while(row["id"] if row["received_at"] < before else None for row in first),
        )

    def _storms(self, before: int, most: int, protected: _Protected, done: Trimmed) -> None:
        first = self._db.execute(
            "SELECT id, json_extract(document, '$.ended_at') AS ended_at FROM storms ORDER BY id LIMIT ?",
            (most,),
        )
        moment = render(before)
        self._delete_ids(
            done,
            "storms",
            _while(row["id"] if (row["ended_at"] or moment) < moment else None for row in first),
        )

    def _delete_ids(self, done: Trimmed, table: str, ids: Sequence[int]) -> None:
        if ids:
            sql = "WHERE id IN (SELECT value FROM json_each(?))"
            self._delete(done, table, sql, json.dumps(ids))

    def _episodes(self, before: int, most: int, protected: _Protected, done: Trimmed) -> None:
        for question in (_OF_CLUSTERS_OVER, _OF_NONE):
            if most <= 0:
                return
            found = self._db.execute(
                question, {"before": before, "latest": protected.episode_id, "most": most}
            ).fetchall()
            most -= len(found)
            self._delete_ids(done, "episodes", [row["id"] for row in found])
            clustered = sum(row["cluster_id"] is not None for row in found)
            if clustered:
                self._db.execute(
                    "UPDATE meta SET value = json_set(value, '$.episodes_deleted',"
                    " coalesce(json_extract(value, '$.episodes_deleted'), 0) + ?) WHERE key = 'ledger'",
                    (clustered,),
                )
            self._let_go(found, protected, done)

    def _let_go(self, found: Sequence[sqlite3.Row], protected: _Protected, done: Trimmed) -> None:
        """Delete alerts and texts that only the episodes *found* referred to."""
        alerts = {row["fingerprint"] for row in found} - protected.fingerprints
        self._delete(
            done,
            "alerts",
            "WHERE fingerprint IN (SELECT value FROM json_each(?)) AND NOT EXISTS"
            " (SELECT 1 FROM episodes e WHERE e.fingerprint = alerts.fingerprint)",
            json.dumps(sorted(alerts)),
        )
        texts = {row["text_id"] for row in found if row["text_id"]}
        done.count("texts", delete_texts(self._db, sorted(texts)))

    def _clusters(self, before: int, most: int, protected: _Protected, done: Trimmed) -> None:
        """Delete clusters that have no episodes any more, and those that were merged into them."""
        found = self._db.execute(_EMPTY, {"before": before})
        going = (row["id"] for row in found if row["id"] not in protected)
        ids = [cluster_id for _, cluster_id in zip(range(most), going, strict=False)]
        if ids:
            self._delete(done, "clusters", _WITH_MERGED, json.dumps(ids))

    def _merged_episodes(
        self, before: int, most: int, protected: _Protected, done: Trimmed
    ) -> None:
        """Delete what it took to undo merges and splits that cannot be undone any more."""
        self._delete(
            done,
            "merged_episodes",
            "WHERE (seq, episode_id) IN (SELECT seq, episode_id FROM merged_episodes"
            " WHERE seq < (SELECT min(seq) FROM events) AND seq NOT IN (SELECT seq FROM constraints)"
            # Of a split, those that stayed.
            " AND seq - 1 NOT IN (SELECT seq FROM constraints)"
            " ORDER BY seq LIMIT ?)",
            most,
        )


def delete_texts(db: sqlite3.Connection, ids: Sequence[int]) -> int:
    """Delete those texts of *ids* whose vectors are not held and that no episode has; return how many."""
    return db.execute(
        "DELETE FROM texts WHERE id IN (SELECT value FROM json_each(?)) AND vector IS NULL"
        " AND NOT EXISTS (SELECT 1 FROM episodes e WHERE e.text_id = texts.id AND e.text_id > 0)",
        (json.dumps(ids),),
    ).rowcount


class _Protected:
    """What must stay although it is over.

    Attributes:
        episode_id: From which on episodes stay.
        fingerprints: Of alerts that constraints name.
    """

    def __init__(
        self, db: sqlite3.Connection, remembered: Container[int], assignments: int
    ) -> None:
        row = db.execute(
            "SELECT min(id) AS id FROM (SELECT id FROM episodes WHERE confidence IS NOT NULL"
            " ORDER BY id DESC LIMIT ?)",
            (assignments,),
        ).fetchone()
        self.episode_id: int = _NEVER if row["id"] is None else row["id"]
        self.fingerprints: set[str] = set()
        self._remembered = remembered
        self._named: set[int] = set()
        for constraint in map(rows.constraint_of, db.execute("SELECT * FROM constraints")):
            self.fingerprints.update(*constraint.sides)
            # To undo it, they are asked for.
            for cluster_id in (constraint.source, constraint.target):
                survivor = rows.survivor(db, cluster_id)
                if survivor is not None:
                    self._named.add(survivor["id"])

    def __contains__(self, cluster_id: int) -> bool:
        return cluster_id in self._named or cluster_id in self._remembered


def _while(ids: Iterator[int | None]) -> list[int]:
    """Return *ids* up to the first None."""
    return list(iter(lambda: next(ids, None), None))


_NEVER = 2**63 - 1

# An operator may have spoken of a cluster long after it ended, and a stale member may have been heard of.
_OVER = "FROM clusters c WHERE c.state = 'resolved' AND c.resolved_at < :before AND c.updated_at < :before"

_OF_CLUSTERS_OVER = f"""
SELECT e.id, e.fingerprint, e.text_id, e.cluster_id
FROM (SELECT c.id {_OVER} ORDER BY c.resolved_at, c.id) c CROSS JOIN episodes e ON e.cluster_id = c.id
WHERE e.last_seen < :before AND e.id < :latest AND e.state NOT IN ('open', 'suppressed') LIMIT :most
"""

_OF_NONE = """
SELECT id, fingerprint, text_id, cluster_id FROM episodes
WHERE cluster_id IS NULL AND last_seen < :before AND id < :latest AND state NOT IN ('open', 'suppressed')
ORDER BY last_seen LIMIT :most
"""

_EMPTY = f"""
SELECT c.id {_OVER} AND NOT EXISTS (SELECT 1 FROM episodes e WHERE e.cluster_id = c.id)
ORDER BY c.resolved_at, c.id
"""

_WITH_MERGED = """
WHERE id IN (WITH RECURSIVE gone (id) AS (
    SELECT value FROM json_each(?) UNION SELECT c.id FROM clusters c JOIN gone ON c.merged_into = gone.id
) SELECT id FROM gone)
"""
