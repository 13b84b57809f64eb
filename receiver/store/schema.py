"""The tables, as numbered migrations. Add to the end; what has shipped is never edited.

JSON is stored as text without raw control characters, so NUL in a label never reaches SQLite, whose
text functions stop at one.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from receiver.core.errors import StoreError

if TYPE_CHECKING:
    from sqlite_utils import Database

_Change = Callable[["Database"], None]


class _Migrations:
    """The changes in their order. The library that makes them is loaded when there is one to make.

    It takes a tenth of a start, and most find the schema as it should be.
    """

    def __init__(self) -> None:
        self._changes: dict[str, _Change] = {}

    def __call__(self, *, name: str) -> Callable[[_Change], _Change]:
        """Return what adds a change under *name*."""

        def add(change: _Change) -> _Change:
            self._changes[name] = change
            return change

        return add

    @property
    def names(self) -> list[str]:
        """Their names, in their order."""
        return list(self._changes)

    def apply(self, connection: sqlite3.Connection) -> None:
        """Make those that are not made yet, each in a transaction of its own."""
        from sqlite_utils import Database
        from sqlite_utils.migrations import Migrations

        library = Migrations("stormcell")
        for name, change in self._changes.items():
            library(name=name)(change)
        library.apply(Database(connection))


migrations = _Migrations()


class Connect(Protocol):
    """Opens a database file."""

    def __call__(self, path: Path, *, read_only: bool, immutable: bool) -> sqlite3.Connection:
        """Return a connection to the file at *path*."""
        ...


@migrations(name="0001_first")
def first(db: Database) -> None:
    """Create everything."""
    for statement in _FIRST.split(";"):
        if statement.strip():
            db.execute(statement)


@migrations(name="0002_storms")
def storms(db: Database) -> None:
    """Keep storms.

    A storm is read whole and found by its id: what the public sees of it is one document. What the
    core needs to go on is in `meta`.
    """
    db.execute("CREATE TABLE storms (id INTEGER PRIMARY KEY, document TEXT NOT NULL)")


@migrations(name="0003_operator")
def operator(db: Database) -> None:
    """Add what an operator says of a cluster, and what the stream and the timeline need."""
    db.execute("ALTER TABLE events ADD COLUMN cluster_firing INTEGER NOT NULL DEFAULT 0")
    db.execute("ALTER TABLE clusters ADD COLUMN own_title INTEGER NOT NULL DEFAULT 0")
    db.execute("ALTER TABLE clusters ADD COLUMN affected TEXT NOT NULL DEFAULT '{}'")
    # "Which were going on then" without reading all there ever were.
    db.execute("CREATE INDEX clusters_by_end ON clusters (resolved_at)")


@migrations(name="0004_evidence")
def evidence(db: Database) -> None:
    """Keep the pace of each cluster.

    What is learned beside it (how many clusters an alert name was in, how often clusters open) lies in
    `label_counts`, under keys that no label has; an exemplar in `profile` has one more figure.
    """
    db.execute("ALTER TABLE clusters ADD COLUMN gap_count REAL NOT NULL DEFAULT 0")
    db.execute("ALTER TABLE clusters ADD COLUMN gap_sum REAL NOT NULL DEFAULT 0")


@migrations(name="0005_constraints")
def constraints(db: Database) -> None:
    """Keep what operators demand of alerts, and what it takes to undo their commands."""
    for statement in _CONSTRAINTS.split(";"):
        if statement.strip():
            db.execute(statement)


@migrations(name="0006_past")
def past(db: Database) -> None:
    """Keep when each kind of alert was seen, and find the alerts that have a text.

    What is needed of a cluster that is over lies in its `profile`; those that ended before have none.
    """
    db.execute(
        "CREATE TABLE kinds (key TEXT PRIMARY KEY, first_at INTEGER NOT NULL,"
        " back_at INTEGER NOT NULL, last_at INTEGER NOT NULL) WITHOUT ROWID"
    )
    db.execute("CREATE INDEX episodes_by_text ON episodes (text_id) WHERE text_id > 0")


@migrations(name="0007_company")
def company(db: Database) -> None:
    """Keep which texts begin together, and how alerts come back.

    How constant labels are lies in `label_counts`, under keys that no label has.
    """
    db.execute(
        "CREATE TABLE companions (text_id INTEGER PRIMARY KEY, onsets REAL NOT NULL, at INTEGER NOT NULL,"
        " latest INTEGER NOT NULL, order_no INTEGER NOT NULL, met TEXT NOT NULL)"
    )
    db.execute("ALTER TABLE episodes ADD COLUMN habit TEXT")


@migrations(name="0008_standing")
def standing(db: Database) -> None:
    """Keep what else is known of an episode: until when it is vouched for, who lists it, how it ended.

    What a cluster knows of suppressed members and quiet sources lies in its `profile`.
    """
    db.execute("ALTER TABLE episodes ADD COLUMN standing TEXT")
    db.execute("CREATE INDEX episodes_suppressed ON episodes (state) WHERE state = 'suppressed'")


@migrations(name="0009_retention")
def retention(db: Database) -> None:
    """Find what is in no cluster, the longest over first, and keep when texts were used.

    For texts of before that is when an alert with them was last heard of.
    """
    db.execute("CREATE INDEX episodes_apart ON episodes (last_seen) WHERE cluster_id IS NULL")
    db.execute("ALTER TABLE texts ADD COLUMN used_at INTEGER NOT NULL DEFAULT 0")
    db.execute(
        "UPDATE texts SET used_at = coalesce((SELECT max(e.last_seen) FROM episodes e"
        " WHERE e.text_id = texts.id AND e.text_id > 0), 0) WHERE vector IS NOT NULL"
    )
    db.execute("DROP INDEX texts_held")
    # With the time, so that ages are told without reading the vectors.
    db.execute("CREATE INDEX texts_held ON texts (used_no, used_at) WHERE vector IS NOT NULL")


_CONSTRAINTS = """
CREATE TABLE constraints (
    seq    INTEGER PRIMARY KEY,
    kind   TEXT NOT NULL,
    time   INTEGER NOT NULL,
    source INTEGER NOT NULL,
    target INTEGER NOT NULL,
    sides  TEXT NOT NULL
);

-- Which episodes a merge moved: the survivor's do not tell. Of a split too, and under the next seq,
-- which is that of the event of the new cluster, those that stayed.
CREATE TABLE merged_episodes (
    seq        INTEGER NOT NULL,
    episode_id INTEGER NOT NULL,
    PRIMARY KEY (seq, episode_id)
) WITHOUT ROWID;

CREATE INDEX events_of_operators ON events (seq) WHERE type = 'operator_command';
CREATE INDEX clusters_merged ON clusters (merged_into) WHERE merged_into IS NOT NULL;
CREATE INDEX clusters_split ON clusters (split_from) WHERE split_from IS NOT NULL;
"""


_FIRST = """
CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE inbox (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    received_at INTEGER NOT NULL,
    alerts      INTEGER NOT NULL,
    body        BLOB NOT NULL
);

CREATE TABLE dead_letters (
    id          INTEGER PRIMARY KEY,
    received_at INTEGER NOT NULL,
    field       TEXT NOT NULL,
    reason      TEXT NOT NULL,
    raw         TEXT NOT NULL
);

CREATE TABLE alerts (
    fingerprint TEXT PRIMARY KEY,
    labels      TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE episodes (
    id            INTEGER PRIMARY KEY,
    fingerprint   TEXT NOT NULL,
    starts_at     INTEGER NOT NULL,
    ends_at       INTEGER,
    state         TEXT NOT NULL,
    reopen_no     INTEGER NOT NULL,
    after         INTEGER,
    received_at   INTEGER NOT NULL,
    last_seen     INTEGER NOT NULL,
    senders       TEXT,
    superseded    INTEGER NOT NULL,
    reopened      INTEGER NOT NULL,
    flaps         INTEGER NOT NULL,
    cluster_id    INTEGER,
    founder       INTEGER NOT NULL,
    confidence    REAL,
    text_id       INTEGER NOT NULL,
    why           TEXT,
    annotations   TEXT NOT NULL DEFAULT '{}',
    generator_url TEXT NOT NULL DEFAULT '',
    links         TEXT NOT NULL DEFAULT '{}',
    sender_fingerprint TEXT NOT NULL DEFAULT '',
    UNIQUE (fingerprint, starts_at, reopen_no)
);
CREATE INDEX episodes_by_cluster ON episodes (cluster_id) WHERE cluster_id IS NOT NULL;
CREATE INDEX episodes_open ON episodes (state) WHERE state = 'open';
CREATE INDEX episodes_by_start ON episodes (starts_at);

CREATE TABLE clusters (
    id                 INTEGER PRIMARY KEY,
    state              TEXT NOT NULL,
    accepting          INTEGER NOT NULL,
    opened_at          INTEGER NOT NULL,
    updated_at         INTEGER NOT NULL,
    closed_at          INTEGER,
    resolved_at        INTEGER,
    size               INTEGER NOT NULL,
    firing             INTEGER NOT NULL,
    stale              INTEGER NOT NULL,
    severity           TEXT NOT NULL,
    title              TEXT NOT NULL,
    titled_at          INTEGER NOT NULL,
    labels             TEXT NOT NULL,
    recurs             TEXT,
    merged_into        INTEGER,
    split_from         INTEGER,
    pinned             INTEGER NOT NULL,
    acked_by           TEXT NOT NULL,
    note               TEXT NOT NULL,
    moved_no           INTEGER NOT NULL,
    joined_at          INTEGER NOT NULL,
    first_onset        INTEGER NOT NULL,
    last_onset         INTEGER NOT NULL,
    member_resolved_at INTEGER,
    idle_since         INTEGER,
    confidence_sum     REAL NOT NULL,
    profile            TEXT,
    center             BLOB
);
CREATE INDEX clusters_live ON clusters (state) WHERE state NOT IN ('resolved', 'merged');

CREATE TABLE events (
    seq            INTEGER PRIMARY KEY,
    time           INTEGER NOT NULL,
    type           TEXT NOT NULL,
    cluster_id     INTEGER,
    cluster_size   INTEGER NOT NULL,
    total_clusters INTEGER NOT NULL,
    episode_id     INTEGER,
    fingerprint    TEXT,
    starts_at      INTEGER,
    confidence     REAL,
    reason         TEXT NOT NULL,
    detail         TEXT
);
CREATE INDEX events_by_time ON events (time);
CREATE INDEX events_by_cluster ON events (cluster_id) WHERE cluster_id IS NOT NULL;

CREATE TABLE texts (
    id      INTEGER PRIMARY KEY,
    digest  BLOB NOT NULL,
    text    TEXT NOT NULL,
    vector  BLOB,
    used_no INTEGER NOT NULL
);
CREATE INDEX texts_held ON texts (used_no) WHERE vector IS NOT NULL;

CREATE TABLE label_counts (
    token TEXT PRIMARY KEY,
    count REAL NOT NULL,
    at    INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE journal (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    time     INTEGER NOT NULL,
    inputs   BLOB NOT NULL
);
CREATE INDEX journal_by_time ON journal (time);
"""


APPLIED = "SELECT name FROM _sqlite_migrations WHERE migration_set = 'stormcell'"
_HAS_ANY = "SELECT 1 FROM sqlite_master WHERE name = '_sqlite_migrations'"


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the schema of a database up to date; `check_file` has been asked before."""
    if not connection.execute(_HAS_ANY).fetchone() or not (
        {name for (name,) in connection.execute(APPLIED)} >= set(NAMES)
    ):
        migrations.apply(connection)


def check_file(path: Path, connect: Connect) -> None:
    """Raise StoreError if a newer Stormcell wrote the file at *path*, which is not touched.

    Even a connection that writes nothing gives the log back to the file when it is closed, and the
    library makes its table when it is asked what is in it.
    """
    if not path.exists() or not path.stat().st_size:
        return
    log = path.with_name(path.name + "-wal")
    with contextlib.closing(connect(path, read_only=True, immutable=not log.exists())) as database:
        if database.execute(_HAS_ANY).fetchone():
            check(name for (name,) in database.execute(APPLIED))


def check(applied: Iterable[str]) -> None:
    """Raise StoreError if a newer Stormcell wrote the database: *applied* holds what this one lacks."""
    newer = sorted(set(applied) - set(NAMES))
    if newer:
        raise StoreError(
            f"the database was written by a newer Stormcell (it has {', '.join(newer)}, this one knows"
            f" up to {NAMES[-1]}): start that version, or give another --storage.path"
        )


# The library ignores applied names that it does not know, and would write into a newer database.
NAMES = (
    "0001_first", "0002_storms", "0003_operator", "0004_evidence", "0005_constraints", "0006_past",
    "0007_company", "0008_standing", "0009_retention",
)  # fmt: skip
