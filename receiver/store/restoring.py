"""What an engine needs to go on, read from the database. Nothing is written in here."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from sys import intern

import numpy as np
from numpy.typing import NDArray

from receiver.core.changes import Restored
from receiver.core.model import Alert, Episode
from receiver.core.past import PastCluster
from receiver.store import rows


def restored(db: sqlite3.Connection, assignments: int, past_clusters: int) -> Restored | None:
    """Return the state in *db*; None if nothing was ever committed.

    Args:
        db: Its rows are `sqlite3.Row`.
        assignments: How many of the latest assignments are wanted.
        past_clusters: How many of the clusters that ended last.
    """
    counters = db.execute("SELECT value FROM meta WHERE key = 'counters'").fetchone()
    if counters is None:
        return None
    texts, vectors = _texts(db)
    ids = {text_id: text_id for text_id, _, _ in texts}
    by_id = rows.Vectors(list(ids), vectors)
    return Restored(
        counters=rows.counters_of(counters["value"]),
        # Two questions: each state has an index that holds no more than it.
        episodes=sorted(
            latest_episodes(db, "e.state = 'open'") + latest_episodes(db, "e.state = 'suppressed'"),
            key=lambda episode: episode.id,
        ),
        clusters=[
            rows.cluster_of(row, by_id)
            for row in db.execute(
                "SELECT * FROM clusters WHERE state NOT IN ('resolved', 'merged') ORDER BY moved_no"
            )
        ],
        texts=texts,
        vectors=vectors,
        label_counts=list(_label_counts(db)),
        kinds=[
            (row["key"], row["first_at"], row["back_at"], row["last_at"])
            for row in db.execute("SELECT * FROM kinds")
        ],
        companions=[rows.company_of(row, ids) for row in db.execute("SELECT * FROM companions")],
        past=_past(db, past_clusters),
        assignments=_assignments(db, assignments),
        storm_memory={
            row["key"]: json.loads(row["value"])
            for row in db.execute(
                "SELECT key, value FROM meta WHERE key IN ('storm_watch', 'storm_baseline')"
            )
        },
        constraints=[
            rows.constraint_of(row) for row in db.execute("SELECT * FROM constraints ORDER BY seq")
        ],
    )


def latest_episodes(db: sqlite3.Connection, where: str, *parameters: object) -> list[Episode]:
    """Return the latest episode of each alert for which *where* is true, in order of ids."""
    return [rows.episode_of(row) for row in _latest(db, where, *parameters)]


def given_up(db: sqlite3.Connection, fingerprints: Sequence[str]) -> list[tuple[Episode, Alert]]:
    """Return the latest episodes of *fingerprints* that may have been given up, and what was last told.

    They are stale, or ended in another way than that their sender said so.
    """
    found = _latest(
        db,
        "e.fingerprint IN (SELECT value FROM json_each(?)) AND (e.state = 'stale'"
        " OR (e.state = 'resolved' AND e.standing IS NOT NULL))",
        json.dumps(fingerprints),
    )
    return [(rows.episode_of(row), rows.alert_of(row)) for row in found]


def _latest(db: sqlite3.Connection, where: str, *parameters: object) -> sqlite3.Cursor:
    return db.execute(
        "SELECT e.*, a.labels FROM episodes e JOIN alerts a USING (fingerprint)"
        f" WHERE {where}"
        " AND NOT EXISTS (SELECT 1 FROM episodes l WHERE l.fingerprint = e.fingerprint"
        " AND (l.starts_at, l.reopen_no) > (e.starts_at, e.reopen_no)) ORDER BY e.id",
        parameters,
    )


def _texts(
    db: sqlite3.Connection,
) -> tuple[list[tuple[int, bytes, int]], NDArray[np.float32] | None]:
    """Return (id, digest, when used) of the texts held, the longest unused first, and their vectors.

    Each vector goes straight to its place: rows and vectors in lists would take three times the room
    at once, and leave a heap of holes behind.
    """
    (count, size) = db.execute(
        "SELECT count(*), max(length(vector)) FROM texts WHERE vector IS NOT NULL"
    ).fetchone()
    if not count:
        return [], None
    texts: list[tuple[int, bytes, int]] = []
    vectors = np.empty((count, size // 4), dtype=np.float32)
    found = db.execute(
        "SELECT id, digest, used_at, vector FROM texts WHERE vector IS NOT NULL ORDER BY used_no"
    )
    for place, (text_id, digest, used_at, vector) in enumerate(found):
        texts.append((text_id, digest, used_at))
        vectors[place] = np.frombuffer(vector, dtype=np.float32)
    return texts, vectors


def _label_counts(db: sqlite3.Connection) -> Iterator[tuple[str, float, int]]:
    """Yield the rows; what was counted with one alert has one time, held once as it was then."""
    shared = 0
    for token, count, at in db.execute("SELECT token, count, at FROM label_counts ORDER BY at"):
        shared = shared if shared == at else at
        yield intern(token), count, shared


def _past(db: sqlite3.Connection, count: int) -> list[PastCluster]:
    latest = db.execute(
        f"SELECT {', '.join(rows.PAST_COLUMNS)} FROM clusters WHERE state = 'resolved'"
        " AND profile IS NOT NULL AND center IS NOT NULL"
        " ORDER BY resolved_at DESC, id DESC LIMIT ?",
        (count,),
    )
    return [rows.past_of(row) for row in latest][::-1]


def _assignments(db: sqlite3.Connection, count: int) -> list[tuple[int, bool, float]]:
    latest = db.execute(
        "SELECT id, founder, confidence FROM episodes WHERE confidence IS NOT NULL"
        " ORDER BY id DESC LIMIT ?",
        (count,),
    ).fetchall()
    return [(row["id"], bool(row["founder"]), row["confidence"]) for row in reversed(latest)]
