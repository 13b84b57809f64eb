"""A database of every earlier schema opens with all that is in it; one of a later schema is left alone."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import json
import sqlite3
import time
from pathlib import Path

import pytest

from receiver.app import App, running
from receiver.config import load
from receiver.core.errors import StoreError
from receiver.core.query import AlertQuery
from receiver.core.severity import SeveritySettings
from receiver.store import DATABASE_NAME, Database, History, Queries
from receiver.store.schema import NAMES, migrations
from tests.builders import body, engine, entry

SCHEMAS = sorted((Path(__file__).parent / "schemas").glob("*.db.gz"))
TABLES = ("alerts", "episodes", "clusters", "events", "texts", "inbox", "dead_letters")


def unpack(source: Path, folder: Path) -> Path:
    """Put the database *source* where a server looks; return its path."""
    folder.mkdir(exist_ok=True)
    path = folder / DATABASE_NAME
    path.write_bytes(gzip.decompress(source.read_bytes()))
    return path


def rows(path: Path, table: str) -> list[dict[str, object]]:
    """Return what is in *table*, by the names of columns, in order of the first."""
    with sqlite3.connect(path) as database:
        database.row_factory = sqlite3.Row
        found = [dict(row) for row in database.execute(f"SELECT * FROM {table} ORDER BY 1")]
    database.close()
    return found


def test_there_is_one_of_each_schema() -> None:
    """Whoever adds a migration makes a database of the schema before: `python -m scripts.old_database`."""
    kept = [path.name.removesuffix(".db.gz") for path in SCHEMAS]

    assert kept == [name for name in NAMES if name != "0002_storms"]
    assert migrations.names == list(NAMES)


@pytest.mark.parametrize("source", SCHEMAS, ids=lambda path: path.name[:-6])
def test_all_that_was_in_it_is_there_after_the_upgrade(source: Path, tmp_path: Path) -> None:
    path = unpack(source, tmp_path)
    before = {table: rows(path, table) for table in TABLES}
    database = Database(tmp_path)
    epoch, restored = database.epoch, database.restore(1000)
    made = engine()
    assert restored is not None
    made.restore(restored)
    database.close()

    assert len(before["events"]) > 50
    for table, kept in before.items():
        now = rows(path, table)
        assert [{key: row[key] for key in old} for old, row in zip(kept, now, strict=True)] == kept
    assert epoch
    assert made.counters.seq == len(before["events"])
    queries = Queries(path, SeveritySettings())
    alerts, _ = queries.alerts(AlertQuery(), limit=1000, cursor="")
    clusters, _ = queries.clusters(state="all", severity="", text="", limit=1000, cursor="")
    queries.close()
    assert len(alerts) == len(before["episodes"])
    assert len(clusters) == len(before["clusters"])


@pytest.mark.parametrize("source", SCHEMAS, ids=lambda path: path.name[:-6])
async def test_it_goes_on_from_there(source: Path, tmp_path: Path) -> None:
    """A server opens it, answers everything about it, and takes the next alert."""
    path = unpack(source, tmp_path / "data")
    last = rows(path, "events")[-1]["seq"]
    settings = [
        f"storage.path={json.dumps(str(tmp_path / 'data'))}",
        "web.listen_address='127.0.0.1:0'",
        "embedding.backend=hashing",
    ]
    async with running(load(None, settings)) as app:
        await _until_applied(app)
        seqs = [row["seq"] for row in rows(path, "events")]
        for row in rows(path, "clusters"):
            app.queries.cluster(int(str(row["id"])))
        # Of a heartbeat there is no episode.
        for row in rows(path, "episodes"):
            app.queries.alert(str(row["fingerprint"]))

    assert seqs == list(range(1, len(seqs) + 1))
    assert len(seqs) > int(str(last))


async def _until_applied(app: App) -> None:
    await asyncio.to_thread(
        app.writer.call, app.writer.receive, [(body(entry("After the upgrade")), 1, None)]
    )
    app.worker.nudge()
    deadline = time.monotonic() + 30
    while app.writer._pending:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("reader", [Database, History])
def test_a_later_schema_is_refused_and_not_touched(reader: type, tmp_path: Path) -> None:
    path = unpack(SCHEMAS[-1], tmp_path)
    database = sqlite3.connect(path)
    database.execute(
        "INSERT INTO _sqlite_migrations (migration_set, name, applied_at)"
        " VALUES ('stormcell', '9999_future', 'then')"
    )
    database.commit()
    database.close()
    before = hashlib.sha256(path.read_bytes()).hexdigest()
    with pytest.raises(
        StoreError, match=r"written by a newer Stormcell \(it has 9999_future, this one"
    ):
        reader(tmp_path)

    assert hashlib.sha256(path.read_bytes()).hexdigest() == before
    assert not [each for each in tmp_path.iterdir() if each.name.endswith(("-wal", "-shm"))]
