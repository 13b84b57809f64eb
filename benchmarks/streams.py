"""The labelled streams, plain, without namespace labels, and as they may come in another way.

As Alertmanager would deliver them, shuffled by small delays, and each line repeated.

The streams lie outside the project, in ../shared/data or where STORMCELL_DATA says.
"""

from __future__ import annotations

import gzip
import json
import os
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from receiver.core import timestamps

Row = dict[str, Any]

NAMES = {
    "mixed": "mixed_permissive_dev.jsonl",
    "hard": "hard_same_component_dev.jsonl",
    "nezha": "nezha_dev.jsonl",
    "itbench": "itbench_dev.jsonl",
    "boerste_gaia": "boerste_gaia.jsonl.gz",
}
"""The streams that grouping is judged by, whole files."""

_NAMESPACE_LABELS = ("namespace", "app")
_OPEN = "0001-01-01T00:00:00Z"


def folder() -> Path:
    """Return where the streams are, whether they are there or not."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    return Path(os.environ.get("STORMCELL_DATA", beside))


def read(name: str) -> list[Row]:
    """Return the lines of the stream *name*, a key of NAMES."""
    path = folder() / NAMES[name]
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def without_namespaces(rows: list[Row]) -> list[Row]:
    """Return *rows* as of a site without Kubernetes: no namespace, no app."""
    return [
        row | {"labels": {k: v for k, v in row["labels"].items() if k not in _NAMESPACE_LABELS}}
        for row in rows
    ]


def variants(names: Sequence[str]) -> Iterator[tuple[str, list[Row]]]:
    """Yield label and rows of each of *names*, as it is and without namespace labels."""
    for name in names:
        rows = read(name)
        yield name, rows
        yield f"{name} -ns", without_namespaces(rows)


def write(rows: list[Row], path: Path) -> None:
    """Write *rows* to *path*, one a line."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def firing(rows: Sequence[Row]) -> list[Row]:
    """Return the firing ones of *rows*."""
    return [row for row in rows if row["status"] == "firing"]


def numbered(rows: Sequence[Row]) -> list[Row]:
    """Return *rows*, each with a `number` to find it again by in whatever order it comes."""
    return [row | {"number": number} for number, row in enumerate(rows)]


def repeated(rows: Sequence[Row]) -> list[Row]:
    """Return *rows*, each twice in its place, as of a pair of senders."""
    return [row for row in rows for _ in range(2)]


def shuffled(rows: Sequence[Row], seed: int, *, within: float = 5.0) -> list[Row]:
    """Return *rows* as they arrive if each is late by up to *within* seconds, drawn by *seed*.

    Messages of one alert do not overtake each other: its later one arrives no sooner.
    """
    random_ = random.Random(seed)
    arrived: dict[str, float] = {}
    late = []
    for row in rows:
        key = _identity(row)
        at = max(row["t"] + within * random_.random(), arrived.get(key, 0.0))
        arrived[key] = at
        late.append(row | {"t": at})
    return sorted(late, key=lambda row: row["t"])


def thinned(rows: Sequence[Row], seed: int, *, dropped: float = 0.15) -> list[Row]:
    """Return *rows* without a share *dropped* of the firings, drawn by *seed*, and without their ends.

    What a setting gains on a stream and loses on its thinned copies it gained by luck.
    """
    random_ = random.Random(seed)
    gone: set[str] = set()
    kept = []
    for row in rows:
        key = _identity(row)
        if row["status"] == "firing":
            if random_.random() < dropped:
                gone.add(key)
                continue
            gone.discard(key)
        elif key in gone:
            continue
        kept.append(row)
    return kept


def _identity(row: Row) -> str:
    return json.dumps(row["labels"], sort_keys=True)


@dataclass(slots=True)
class _Alert:
    row: Row
    fired_at: float
    ended_at: float | None
    sent: bool = False


def delivered(
    rows: list[Row], *, group_wait: float = 30.0, group_interval: float = 300.0
) -> list[Row]:
    """Return *rows* with the arrival times of a simulated Alertmanager, group_by [alertname].

    The first flush of a group comes *group_wait* seconds after its first alert, then one every
    *group_interval* while something in it fires. An alert that ends before its flush is never told.
    Left out: the repetition of what was sent before (it changes nothing), and the wait that is
    skipped for alerts that started long ago.
    """
    groups: dict[str, list[_Alert]] = {}
    for alert in _alerts(rows):
        groups.setdefault(alert.row["labels"].get("alertname", ""), []).append(alert)
    sent = [
        row for alerts in groups.values() for row in _flushes(alerts, group_wait, group_interval)
    ]
    return sorted(sent, key=lambda row: row["t"])


def _alerts(rows: list[Row]) -> list[_Alert]:
    """Return the firing rows with when they end, by their own endsAt or a later resolved row."""
    alerts: list[_Alert] = []
    latest: dict[str, _Alert] = {}
    for row in sorted(rows, key=lambda row: row["t"]):
        key = _identity(row)
        if row["status"] == "firing":
            ends = row["endsAt"]
            alert = _Alert(row, row["t"], None if ends == _OPEN else _seconds(ends))
            latest[key] = alert
            alerts.append(alert)
        elif key in latest:
            latest[key].ended_at = row["t"]
    return alerts


def _seconds(text: str) -> float:
    return timestamps.seconds(timestamps.parse(text) or 0)


def _flushes(alerts: list[_Alert], group_wait: float, group_interval: float) -> Iterator[Row]:
    waiting, active = list(alerts), list[_Alert]()
    flush = 0.0
    while waiting or active:
        flush = flush + group_interval if active else waiting[0].fired_at + group_wait
        while waiting and waiting[0].fired_at <= flush:
            active.append(waiting.pop(0))
        for alert in active:
            over = alert.ended_at is not None and alert.ended_at <= flush
            if not alert.sent and not over:
                alert.sent = True
                yield alert.row | {"t": flush, "endsAt": _OPEN}
            elif alert.sent and over:
                ended_at = _render(alert.ended_at or flush)
                yield alert.row | {"t": flush, "status": "resolved", "endsAt": ended_at}
        active = [a for a in active if a.ended_at is None or a.ended_at > flush]
        if all(a.ended_at is None for a in active) and active:
            # Nothing known to end: only new alerts matter from here.
            if not waiting:
                return
            steps = max(0, int((waiting[0].fired_at - flush) // group_interval))
            flush += steps * group_interval


def _render(at: float) -> str:
    return timestamps.render(timestamps.nanoseconds(at))
