"""What an episode takes on disk, and what it takes to delete one: `python -m benchmarks.disk [--days N]`.

The real engine and the real store are told of 10,000 firings a day, nine of ten of them of one of 3,000
alerts that come back, each for ten minutes and most a problem of its own: that takes the most. Vectors are
hashed, as large as those of the model. Bytes are those of SQLite's own count of pages (dbstat), by table
with its indexes. Then all that may go is deleted, step by step.
"""

from __future__ import annotations

import argparse
import random
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks import texts
from receiver.config import Config
from receiver.core import payload
from receiver.core.engine import Engine
from receiver.core.intake import sightings
from receiver.core.model import Alert, Recall, Tick
from receiver.core.timestamps import SECOND
from receiver.embedding.hashing import HashingEmbedder
from receiver.store import Database

A_DAY, _KNOWN, _LASTS = 10_000, 3_000, 600 * SECOND
_STEP = 86_400 * SECOND // A_DAY
_BEGIN = 1_767_225_600 * SECOND
_BATCH = 16
"""Alerts committed together: what comes in a group."""


def told(days: float) -> Iterator[tuple[int, Alert]]:
    """Yield what is received, and when."""
    drawn, new, firing = random.Random(1), _KNOWN, list[tuple[int, Alert]]()
    settings = Config().identity
    for number in range(round(days * A_DAY)):
        now = _BEGIN + number * _STEP
        while firing and firing[0][0] <= now:
            yield firing.pop(0)
        which = drawn.randrange(_KNOWN)
        if drawn.random() < 0.1:
            which, new = new, new + 1
        document = texts.distinct(which).told(now // SECOND * SECOND)
        yield now, payload.read_one(document, settings)
        firing.append((now + _LASTS, payload.read_one(_over(document, now), settings)))


def _over(document: dict[str, Any], now: int) -> dict[str, Any]:
    ends = texts.distinct(0).told((now + _LASTS) // SECOND * SECOND)["startsAt"]
    return document | {"status": "resolved", "endsAt": ends}


def fill(database: Database, engine: Engine, days: float) -> int:
    """Apply *days*; return how many episodes there are."""
    embedder, batch = HashingEmbedder(), list[tuple[int, Alert]]()
    for received in told(days):
        batch.append(received)
        if len(batch) == _BATCH:
            unknown = sorted(
                {a.fingerprint for _, a in batch if not engine.remembers(a.fingerprint)}
            )
            engine.step([Recall(*database.recall(unknown))])
            inputs, _, _ = sightings(engine, batch, embedder.embed)
            events = engine.step(inputs)
            database.commit(inputs, events, engine.drain(), text_id=engine.text_id)
            engine.forget()
            batch.clear()
    tick = Tick(engine.counters.clock + 2 * 86_400 * SECOND)
    database.commit([tick], engine.step([tick]), engine.drain(), text_id=engine.text_id)
    engine.forget()
    return engine.counters.episode_id


def bytes_by_table(path: Path) -> dict[str, int]:
    """Return the bytes of each table of the database at *path* with its indexes."""
    with sqlite3.connect(path) as db:
        found = db.execute(
            "SELECT m.tbl_name, sum(s.pgsize) FROM dbstat s JOIN sqlite_master m ON m.name = s.name"
            " GROUP BY 1 ORDER BY 2 DESC"
        ).fetchall()
    return dict(found)


def main(arguments: Sequence[str]) -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--days", type=float, default=2.0)
    days = parser.parse_args(arguments).days
    with tempfile.TemporaryDirectory() as name:
        config, database = Config(), Database(Path(name))
        engine = Engine(config.core, HashingEmbedder().dims)
        episodes = fill(database, engine, days)
        tables = bytes_by_table(database.path)
        total = sum(tables.values())
        print(f"{episodes:,} episodes, {engine.counters.seq:,} events, {total:,} bytes")
        for table, taken in tables.items():
            print(f"{table:18} {taken:12,} {taken / episodes:10,.0f} an episode")
        journal, vectors = tables["journal"], 4 * 384 * len(engine.texts.index)
        grows = (total - journal - vectors) / episodes
        print(f"without journal (3 days) and vectors (bounded): {grows:,.0f} an episode,")
        print(f"a year of {A_DAY:,} a day: {grows * A_DAY * 365 / 2**30:.1f} GiB")
        took, rows = [], 0
        while True:
            began = time.perf_counter()
            done = database.trim(1, engine.past.by_id, config.clustering.stability_window)
            if not done:
                break
            took.append((time.perf_counter() - began) * 1000)
            rows += sum(done.rows.values())
        ranked = sorted(took)
        print(
            f"deleted {rows:,} rows in {len(took)} steps: {statistics.median(took):.1f} ms a step, p99"
            f" {ranked[len(ranked) * 99 // 100]:.1f}, at most {ranked[-1]:.1f};"
            f" {database.size.used:,} bytes are left"
        )
        database.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
