"""A year of 10,000 alerts a day: `python -m benchmarks.year [--short] [--minutes M]`.

The engine and the database as the receiver uses them, in this process, as fast as they go, each day's
alerts with that day's times. It begins with all bounds of memory full (`benchmarks.filled`), so that from
the first day on something is let go for all that comes. Half of what is told are ends. Of what fires, 60 %
are one of 4,000 alerts that come again and again, 35 % a known text in a new place, 5 % a text never seen;
problems of four alerts on average, in one namespace. The database may grow to 2 GiB, some weeks of it, and
not to 16 as by default: what is older goes, as it does in the receiver. Told each ten days: the cost of an
alert, deleting and committing with it, what is resident, what is on disk.

Left out: HTTP, the inbox, and the model (the vector of a new text is another's, turned by some 20 degrees);
SQLite does not wait for the disk. `--minutes` ends it early; the days that were played are told.
"""

from __future__ import annotations

import gc
import random
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from benchmarks import cost, findings, texts
from benchmarks.filled import CASES, FIRST_NEW, Filled, copied, rules
from benchmarks.findings import Findings
from benchmarks.machine import memory_mb
from benchmarks.texts import Drawn
from receiver.core import payload
from receiver.core.engine import Engine
from receiver.core.identity import IdentitySettings
from receiver.core.intake import sightings
from receiver.core.model import Alert, Recall, Vector
from receiver.core.room import Trimmed
from receiver.core.timestamps import SECOND
from receiver.pipeline.trimming import Trimming
from receiver.store.database import Database

P = ParamSpec("P")
R = TypeVar("R")

_CASE = CASES[1]
_DAY = 86_400
_A_DAY = 10_000
_USUAL, _USUAL_SHARE, _NEW_SHARE = 4_000, 0.60, 0.05
_KNOWN = 2_000
"""Texts that come in ever new places."""

_SIZE = 4.0
_SPREAD_SECONDS, _LASTS_SECONDS = 60.0, 1800.0
_BATCH, _BATCH_SECONDS = 64, 30.0
"""Alerts, and seconds, of what is committed together."""

_JOURNAL_SECONDS = 3 * _DAY
_LIMIT_BYTES = 2 * 2**30


@dataclass(frozen=True, slots=True, order=True)
class Told:
    """One alert as it comes: when, in seconds, and since when it fires; `over` tells its end."""

    at: float
    number: int
    since: float
    over: bool


class Site:
    """What comes to be told, a day after the other."""

    def __init__(self, seed: int) -> None:
        """Draw by *seed*."""
        self._draw = random.Random(seed)
        self._drawn: dict[int, Drawn] = {}
        self._left: list[Told] = []
        self._next, self._fresh = 0, FIRST_NEW
        self._usual = [self._named(texts.distinct(n), n % 97) for n in range(_USUAL)]

    def day(self, number: int) -> Iterator[tuple[Told, Drawn]]:
        """Yield what day *number*, from 0, brings, in order."""
        draw, begin = self._draw, number * _DAY
        coming, count = self._left, 0
        while count < _A_DAY // 2:
            at, namespace = begin + draw.uniform(0, _DAY), draw.randrange(200)
            for _ in range(1 + int(draw.expovariate(1.0 / (_SIZE - 1.0)))):
                drawn = self._one(namespace)
                self._next += 1
                self._drawn[self._next] = drawn
                coming.append(Told(at, self._next, at, over=False))
                end = at + 60.0 + draw.expovariate(1.0 / _LASTS_SECONDS)
                coming.append(Told(end, self._next, at, over=True))
                at += draw.expovariate(1.0 / _SPREAD_SECONDS)
                count += 1
        coming.sort()
        self._left = [told for told in coming if told.at >= begin + _DAY]
        for told in coming[: len(coming) - len(self._left)]:
            yield told, self._drawn.pop(told.number) if told.over else self._drawn[told.number]

    def _one(self, namespace: int) -> Drawn:
        kind = self._draw.random()
        if kind < _USUAL_SHARE:
            return self._draw.choice(self._usual)
        if kind < 1.0 - _NEW_SHARE:
            known = texts.distinct(self._draw.randrange(_KNOWN))
            return self._named(known.elsewhere(self._draw.getrandbits(24)), namespace)
        self._fresh += 1
        return self._named(texts.distinct(self._fresh % texts.COUNT), namespace)

    def _named(self, drawn: Drawn, namespace: int) -> Drawn:
        return Drawn({**drawn.labels, "namespace": f"namespace-{namespace}"}, drawn.annotations)


class Vectors:
    """In place of the model: any text has a vector near to one of the real ones."""

    def __init__(self) -> None:
        """Turn those of the texts that are embedded."""
        self._texts = cost.Texts(rules())

    def __call__(self, wanted: Sequence[str]) -> list[Vector | None]:
        """Return a vector for each of the texts *wanted*."""
        return [self._texts.vectors([cost.hash_of(text)])[0] for text in wanted]


class Direct:
    """Stands in for the writer's thread: whatever is to be done there is done at once."""

    def __init__(self, store: Database) -> None:
        """Write to *store*."""
        self.store = store

    def call(self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Return what *function* returns."""
        return function(*args, **kwargs)


class Receiver:
    """The engine and its store, and the way of a batch through them, as the worker has it."""

    def __init__(self, store: Database) -> None:
        """Go on with what is in *store*."""
        self._store = store
        self._settings = cost.settings_for(_CASE)
        self._embed = Vectors()
        restored = store.restore(
            self._settings.clustering.stability_window, self._settings.memory.max_past_clusters
        )
        assert restored is not None
        self.engine = Engine(self._settings, len(rules()[0].vector))
        self.engine.restore(restored)
        gc.freeze()
        self._trimmed_at = 0
        self.deleted = 0
        self._trimming = Trimming(Direct(store), lambda: self.engine.counters.clock, self._count)

    def take(self, received: Sequence[tuple[int, Alert]]) -> None:
        """Apply what was *received* (nanoseconds, alert), and commit it."""
        engine, store = self.engine, self._store
        wanted = {a.fingerprint for _, a in received if not engine.remembers(a.fingerprint)}
        if wanted:
            engine.step([Recall(*store.recall(sorted(wanted)))])
        inputs, _, _ = sightings(engine, received, self._embed)
        events = engine.step(inputs)
        now, trim = engine.counters.clock, None
        if now - self._trimmed_at > 3600 * SECOND:
            self._trimmed_at, trim = now, now - _JOURNAL_SECONDS * SECOND
        store.commit(inputs, events, engine.drain(), text_id=engine.text_id, journal_before=trim)
        engine.forget()
        self._trimming.step(engine, _LIMIT_BYTES, self._settings.clustering.stability_window)

    def _count(self, done: Trimmed) -> None:
        self.deleted += sum(done.rows.values())


@dataclass(frozen=True, slots=True)
class Period:
    """What some days were like.

    Attributes:
        last_day: The last of them, from 1.
        alerts: Told in these days, ends too.
        took: Seconds an alert, by `findings.spread`.
        resident_mb, file_mb: In the end; of the file with its log.
        deleted: Rows, in these days.
        live, texts, past, episodes: What the engine holds in the end.
    """

    last_day: int
    alerts: int
    took: Mapping[str, float]
    resident_mb: float
    file_mb: float
    deleted: int
    live: int
    texts: int
    past: int
    episodes: int


def batches(
    site: Site, day: int, origin: int, identity: IdentitySettings
) -> Iterator[list[tuple[int, Alert]]]:
    """Yield what *day* brings as it would be committed; *origin* is when day 0 begins, nanoseconds."""
    batch: list[tuple[int, Alert]] = []
    since = 0.0
    for told, drawn in site.day(day):
        if batch and (len(batch) >= _BATCH or told.at - since > _BATCH_SECONDS):
            yield batch
            batch = []
        if not batch:
            since = told.at
        at, began = (origin + round(moment * SECOND) for moment in (told.at, told.since))
        entry = drawn.told(began, ended_at=at if told.over else None)
        batch.append((at, payload.read_one(entry, identity)))
    if batch:
        yield batch


def play(days: int, each: int, seconds: float) -> tuple[list[Period], dict[str, float]]:
    """Play *days* days, for at most so many *seconds*.

    Returns:
        What each so many days were like, and what the tables take on disk in the end, MB.
    """
    with copied(_CASE) as filled:
        store = Database(filled.directory)
        # Whatever waits for the disk is not what is measured here.
        store._db.execute("PRAGMA synchronous = OFF")
        receiver, site = Receiver(store), Site(seed=7)
        identity = receiver.engine.settings.identity
        origin = receiver.engine.counters.clock + 3600 * SECOND
        periods, until = [], time.monotonic() + seconds
        try:
            for first in range(0, days, each):
                alerts, took, deleted = 0, [], receiver.deleted
                for day in range(first, first + each):
                    for batch in batches(site, day, origin, identity):
                        start = time.perf_counter()
                        receiver.take(batch)
                        took.append((time.perf_counter() - start) / len(batch))
                        alerts += len(batch)
                deleted = receiver.deleted - deleted
                periods.append(_period(first + each, alerts, took, deleted, receiver, filled))
                if time.monotonic() > until:
                    break
            return periods, _by_table(store)
        finally:
            store.close()


def _period(
    day: int, alerts: int, took: Sequence[float], deleted: int, receiver: Receiver, filled: Filled
) -> Period:
    engine = receiver.engine
    return Period(
        last_day=day,
        alerts=alerts,
        took=findings.spread(took),
        resident_mb=memory_mb("self", "VmRSS"),
        file_mb=sum(path.stat().st_size for path in filled.directory.iterdir()) / 1e6,
        deleted=deleted,
        live=len(engine.live),
        texts=len(engine.texts.index),
        past=len(engine.past),
        episodes=len(engine.episodes),
    )


def _by_table(store: Database) -> dict[str, float]:
    """Return what each table takes with its indexes, MB, the largest first; {} if SQLite cannot tell."""
    try:
        found = store._db.execute(
            "SELECT tbl_name, sum(pgsize) / 1e6 FROM dbstat(NULL, 0, 1) AS d JOIN sqlite_master AS m"
            " ON m.name = d.name GROUP BY tbl_name ORDER BY 2 DESC"
        ).fetchall()
    except sqlite3.OperationalError:
        return {}
    return dict(found)


def found(periods: Sequence[Period], by_table: Mapping[str, float]) -> Findings:
    """Return the figures and the table of *periods*."""
    told = Findings()
    first, last = periods[0], periods[-1]
    days = last.last_day - first.last_day
    told.figures = {
        "days": last.last_day,
        "alerts": sum(period.alerts for period in periods),
        "memory_growth_mb": last.resident_mb - first.resident_mb,
        "p99_growth_ratio": last.took["p99"] / first.took["p99"],
        "file_mb_a_day": (last.file_mb - first.file_mb) / days if days else 0.0,
        "file_mb": last.file_mb,
    }
    head = [
        *(
            "day",
            "alerts",
            "ms an alert, mean",
            "p50",
            "p99",
            "resident MB",
            "file MB",
            "rows deleted",
        ),
        *("live clusters", "vectors", "past clusters", "episodes held"),
    ]
    rows = [
        [
            f"{one.last_day}", f"{one.alerts:,}", f"{one.took['mean'] * 1e3:.2f}",
            f"{one.took['p50'] * 1e3:.2f}", f"{one.took['p99'] * 1e3:.2f}", f"{one.resident_mb:.0f}",
            f"{one.file_mb:.0f}", f"{one.deleted:,}", f"{one.live:,}", f"{one.texts:,}", f"{one.past:,}",
            f"{one.episodes:,}",
        ]
        for one in periods
    ]  # fmt: skip
    told.tables = [(f"{last.last_day} days of {_A_DAY:,} alerts", [head, *rows])]
    if by_table:
        sizes = [[name, f"{size:.1f}"] for name, size in by_table.items() if size >= 0.1]
        told.tables.append(("On disk in the end", [["table, with its indexes", "MB"], *sizes]))
    told.notes = [
        "Of a batch that is committed together, the time an alert is the batch's by its alerts."
    ]
    return told


def main(arguments: Sequence[str]) -> int:
    """Measure and tell."""
    parser = findings.parser(__doc__, "year")
    parser.add_argument("--days", type=int, help="default 365, 10 in the short form")
    parser.add_argument("--minutes", type=float, default=1e6, help="end after so many")
    options = parser.parse_args(arguments)
    days = options.days or (10 if options.short else 365)
    each = max(1, min(days // 10, 10))

    def measure() -> Findings:
        return found(*play(days, each, options.minutes * 60.0))

    findings.record("year", options, measure)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
