"""Whether a database is whole: its pages, its tables, its events, its numbers, and what its journal gives.

And what lies in it that nobody sees otherwise: dead letters.

It is only read, in one transaction: a server may go on meanwhile.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from receiver.core import wire
from receiver.core.core_settings import CoreSettings
from receiver.core.engine import Engine
from receiver.core.errors import StoreError
from receiver.core.text import display
from receiver.core.timestamps import render
from receiver.store import journal, retention, rows, schema
from receiver.store.source import Source
from receiver.store.told import ToldEpisodes

_DIMS = 384
"""Of an engine that is given no vector; then it does not matter."""

_SHOWN = 5
"""Faults of a kind that are told of, and dead letters."""

_LETTER = 500
"""Characters of a dead letter that are shown."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one question came to.

    Attributes:
        name: Of the question.
        good: Whether it is as it must be; None: that cannot be told.
        text: Says so, in a sentence.
    """

    name: str
    good: bool | None
    text: str


def check(path: Path, settings: CoreSettings) -> Iterator[Finding]:
    """Yield what is found of the database file at *path*.

    Args:
        path: Of the file; a copy will do.
        settings: That it was written with, for the replay.

    Raises:
        StoreError: There is none, or it changed although nobody was to use it.
    """
    try:
        source = Source(path)
    except StoreError as error:
        if not isinstance(error.__cause__, sqlite3.Error):
            raise
        yield Finding("pages", False, str(error))
        return
    try:
        with source.reading():
            yield from _findings(source.db, settings)
    finally:
        source.close()


def _findings(db: sqlite3.Connection, settings: CoreSettings) -> Iterator[Finding]:
    for name, question in (
        ("pages", _pages),
        ("schema", _schema),
        ("events", _events),
        ("numbers", _numbers),
        ("letters", _letters),
        ("replay", lambda db: _replay(db, settings)),
    ):
        finding = _ask(name, question, db)
        yield finding
        if finding.good is False and name in ("pages", "schema"):
            # What is read from there on means nothing.
            return


def _ask(
    name: str,
    question: Callable[[sqlite3.Connection], tuple[bool | None, str]],
    db: sqlite3.Connection,
) -> Finding:
    try:
        good, text = question(db)
    except (sqlite3.Error, StoreError) as error:
        return Finding(name, False, str(error))
    return Finding(name, good, text)


def _pages(db: sqlite3.Connection) -> tuple[bool, str]:
    # What follows is asked of the same moment.
    db.execute("BEGIN")
    faults = [row[0] for row in db.execute(f"PRAGMA integrity_check({_SHOWN})")]
    if faults != ["ok"]:
        return False, " ".join("; ".join(faults).split())
    (pages,) = db.execute("PRAGMA page_count").fetchone()
    return True, f"{pages:,} pages, all readable, every index complete"


def _schema(db: sqlite3.Connection) -> tuple[bool, str]:
    applied = [name for (name,) in db.execute(schema.APPLIED)]
    schema.check(applied)
    missing = [name for name in schema.NAMES if name not in applied]
    if missing:
        return True, f"{applied[-1]}; the next start adds {', '.join(missing)}"
    with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as fresh:
        schema.migrate(fresh)
        told, known = _tables(db), _tables(fresh)
    if told != known:
        differ = sorted({name for name, _ in told.items() ^ known.items()})
        return False, f"{', '.join(differ)}: not as the migrations make them"
    return True, f"{applied[-1]}, the latest"


def _tables(db: sqlite3.Connection) -> dict[str, str]:
    found = db.execute(
        "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'"
        " AND name NOT LIKE '%_sqlite_migrations%'"
    )
    return {name: " ".join(sql.split()) for name, sql in found}


def _events(db: sqlite3.Connection) -> tuple[bool, str]:
    count, first, last = db.execute(
        "SELECT count(*), coalesce(min(seq), 1), coalesce(max(seq), 0) FROM events"
    ).fetchone()
    # Old ones go from the first on, and the last stays.
    if count != last - first + 1 or (first > 1 and not retention.kept_from(db)):
        return False, f"{count:,} events from {first} to {last}: some are missing"
    counters = _counters(db)
    if counters is not None and counters.seq != last:
        return False, f"the last is {last}, expected {counters.seq}"
    since = f" from {first:,} on; those before were deleted to make room" if first > 1 else ""
    return True, f"{count:,}, without a gap{since}"


def _counters(db: sqlite3.Connection) -> Any:
    row = db.execute("SELECT value FROM meta WHERE key = 'counters'").fetchone()
    return None if row is None else rows.counters_of(row["value"])


_CLUSTERS = """
SELECT c.id, c.size, c.firing, c.stale, count(e.id) AS members,
       coalesce(sum(e.state = 'open'), 0) AS open, coalesce(sum(e.state = 'stale'), 0) AS told_stale
FROM clusters c LEFT JOIN episodes e ON e.cluster_id = c.id
WHERE c.state <> 'merged' GROUP BY c.id
HAVING c.firing <> open
    OR (c.size <> members AND NOT (c.state = 'resolved' AND c.updated_at < ? AND members < c.size))
    OR (c.stale <> told_stale AND NOT (c.state = 'resolved' AND told_stale < c.stale)) LIMIT 5
"""
"""Of what was over before the given moment, members may have been deleted to make room. And stale ones may
have been heard of after their cluster was over, whose numbers are of its end."""

_ORPHANS = {
    "episodes without an alert": "episodes e WHERE NOT EXISTS"
    " (SELECT 1 FROM alerts a WHERE a.fingerprint = e.fingerprint)",
    "episodes of a cluster that there is not": "episodes e WHERE cluster_id IS NOT NULL AND NOT EXISTS"
    " (SELECT 1 FROM clusters c WHERE c.id = e.cluster_id)",
    "events of an episode that there is not": "events v WHERE episode_id IS NOT NULL AND NOT EXISTS"
    " (SELECT 1 FROM episodes e WHERE e.id = v.episode_id)",
}


def _numbers(db: sqlite3.Connection) -> tuple[bool, str]:
    wrong = [
        f"cluster {row['id']} counts {row['size']} members, {row['firing']} firing and {row['stale']}"
        f" stale, and has {row['members']}, {row['open']} and {row['told_stale']}"
        for row in db.execute(_CLUSTERS, (retention.kept_from(db),))
    ]
    for name, where in _ORPHANS.items():
        (count,) = db.execute(f"SELECT count(*) FROM {where}").fetchone()
        if count:
            wrong.append(f"{count:,} {name}")
    if wrong:
        return False, "; ".join(wrong)
    counts = [
        f"{db.execute(f'SELECT count(*) FROM {table}').fetchone()[0]:,} {table}"
        for table in ("alerts", "episodes", "clusters")
    ]
    return True, f"{', '.join(counts)}; sizes add up"


def _letters(db: sqlite3.Connection) -> tuple[bool, str]:
    """Tell of what was refused for its content: a fault of its sender, and none of the database."""
    (count,) = db.execute("SELECT count(*) FROM dead_letters").fetchone()
    if not count:
        return True, "no dead letters"
    latest = db.execute(
        "SELECT received_at, reason, substr(raw, 1, ?) AS raw FROM dead_letters ORDER BY id DESC LIMIT ?",
        (_LETTER, _SHOWN),
    )
    told = [
        f"{render(row['received_at'])} {display(row['reason'])} in {display(row['raw'])}"
        for row in latest
    ]
    return True, f"{count:,} dead letters, the latest: {'; '.join(told)}"


# -- the journal -------------------------------------------------------------------------------------


def _replay(db: sqlite3.Connection, settings: CoreSettings) -> tuple[bool | None, str]:
    """Run the journal through an empty engine, and hold events and state against what is stored."""
    if not {row["name"] for row in db.execute(schema.APPLIED)} >= set(schema.NAMES):
        return None, "not tried: the schema is an earlier one"
    kept_from = retention.kept_from(db)
    if kept_from:
        return None, f"not tried: what ended before {render(kept_from)} was deleted to make room"
    first = db.execute("SELECT position, time FROM journal ORDER BY position LIMIT 1").fetchone()
    if first is None or first["position"] != 1:
        since = "is empty" if first is None else f"goes back to {render(first['time'])} only"
        return None, f"not tried: the journal {since}, and not to the start"
    (gone,) = db.execute("SELECT count(*) FROM texts WHERE vector IS NULL").fetchone()
    if gone:
        return None, f"not tried: {gone:,} vectors that it needs were let go (memory.max_vectors)"
    dims = db.execute(
        "SELECT length(vector) / 4 FROM texts WHERE vector IS NOT NULL LIMIT 1"
    ).fetchone()
    engine = Engine(settings, _DIMS if dims is None else dims[0])
    episodes = ToldEpisodes()
    inputs = seq = 0
    for batch in journal.batches(db):
        inputs += len(batch)
        for event in engine.step(batch):
            seq += 1
            if event.to_json() != _stored(db, seq):
                return False, f"event {seq} differs: {_HINT}"
        episodes.take(engine.drain())
    return _compare(db, engine, episodes, inputs, seq)


_HINT = "the state is not what its inputs give, or other settings were in force (--config.file)"


def _stored(db: sqlite3.Connection, seq: int) -> dict[str, Any] | None:
    row = db.execute(
        "SELECT v.*, a.labels FROM events v LEFT JOIN alerts a USING (fingerprint) WHERE seq = ?",
        (seq,),
    ).fetchone()
    return None if row is None else rows.event_of(row).to_json()


def _compare(
    db: sqlite3.Connection, engine: Engine, episodes: ToldEpisodes, inputs: int, seq: int
) -> tuple[bool, str]:
    (last,) = db.execute("SELECT coalesce(max(seq), 0) FROM events").fetchone()
    if seq != last:
        return False, f"the journal gives {seq} events, {last} are stored: {_HINT}"
    stored = {
        row["id"]: (row["fingerprint"], row["state"], row["cluster_id"], row["reopen_no"])
        for row in db.execute("SELECT * FROM episodes")
    }
    live = {
        row["id"]: wire.cluster_json(rows.cluster_of(row))
        for row in db.execute("SELECT * FROM clusters WHERE state NOT IN ('resolved', 'merged')")
    }
    for kind, one, other in (
        ("episode", episodes.rows(), stored),
        ("cluster", {c.id: wire.cluster_json(c) for c in engine.live.by_id.values()}, live),
    ):
        differ = [key for key in {**one, **other} if one.get(key) != other.get(key)]
        if differ:
            return False, f"{kind} {min(differ)} differs: {_HINT}"
    return True, f"{inputs:,} inputs of the journal give the same {seq:,} events and the same state"
