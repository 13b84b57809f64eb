"""Runs a file of alerts through the same core, with the file's clock; touches no live store.

A line is an alert (`status`, `labels`, `annotations`, `startsAt`, `endsAt`, and `t`, the unix seconds
of its arrival) or a whole webhook body. Every other key is for scoring and never reaches the core.
"""

from __future__ import annotations

import gzip
import heapq
import json
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from receiver.config import Config
from receiver.core import payload, scores
from receiver.core.engine import Engine
from receiver.core.errors import SenderError
from receiver.core.evolution import Event, EventType
from receiver.core.intake import sightings
from receiver.core.model import Alert, Episode, Status
from receiver.core.timestamps import SECOND, nanoseconds
from receiver.embedding import Embedder

_ALERT_KEYS = ("status", "labels", "annotations", "startsAt", "endsAt", "generatorURL")
_AHEAD = 512
"""Lines read before they are applied, so that their texts are embedded together."""


class ReplayError(Exception):
    """A file cannot be replayed."""


@dataclass(slots=True)
class Line:
    """What became of one firing alert of the input, or of a line that was refused."""

    place: dict[str, Any]
    episode: Episode | None = None
    assigned: int | None = None
    error: str = ""
    fingerprint: str | None = None
    starts_at: str | None = None
    truth: str | None = None


@dataclass(frozen=True, slots=True)
class _Arrival:
    at: int
    alert: Alert
    ends_at: int | None
    line: Line | None


@dataclass(slots=True)
class Replay:
    """A finished replay."""

    engine: Engine
    lines: list[Line] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    notifications: int = 0
    refused: int = 0
    storms: dict[int, dict[str, Any]] = field(default_factory=dict)

    def agreement(self) -> scores.Agreement | None:
        """Return the agreement with the truth on the lines; None if they carry none."""
        told = [line for line in self.lines if line.truth is not None and line.episode is not None]
        if not told:
            return None
        return scores.agreement(
            [line.truth for line in told],
            [line.episode.cluster_id for line in told if line.episode is not None],
        )

    def count(self, kind: EventType) -> int:
        """Return how many events of *kind* there were."""
        return sum(event.type is kind for event in self.events)


def run(paths: Iterable[Path], config: Config, embedder: Embedder) -> Replay:
    """Replay the files at *paths*, one after the other.

    Raises:
        ReplayError: A file cannot be read.
    """
    files = list(paths)
    engine = Engine(config.core, embedder.dims)
    replay = Replay(engine)
    known: dict[tuple[str, int], Episode] = {}
    for batch in _batches(_arrivals(files, config, replay)):
        # Texts of resolves due in between are not needed, so the batch can be prepared at once.
        inputs, _, _ = sightings(engine, [(a.at, a.alert) for a in batch], embedder.embed)
        for arrival, sighting in zip(batch, inputs, strict=True):
            replay.events += engine.step([sighting])
            if arrival.line is not None:
                _note(arrival, engine, known)
        replay.storms.update((storm["id"], storm) for storm in engine.drain().storms)
    return replay


def _note(arrival: _Arrival, engine: Engine, known: dict[tuple[str, int], Episode]) -> None:
    line, alert = arrival.line, arrival.alert
    latest = engine.episodes.get(alert.fingerprint)
    key = (alert.fingerprint, alert.starts_at)
    if latest is not None and latest.starts_at <= alert.starts_at:
        known[key] = latest
    if line is not None:
        line.episode = known.get(key) or latest
        line.assigned = line.episode.cluster_id if line.episode else None


def _batches(arrivals: Iterator[_Arrival]) -> Iterator[list[_Arrival]]:
    batch: list[_Arrival] = []
    for arrival in arrivals:
        batch.append(arrival)
        if len(batch) == _AHEAD:
            yield batch
            batch = []
    if batch:
        yield batch


def _arrivals(files: list[Path], config: Config, replay: Replay) -> Iterator[_Arrival]:
    """Yield what arrives, in order, with the ends that firing lines tell of as resolves in between.

    The ends wait in a queue of the replay and not in the core, which must not see them earlier.
    """
    ends: list[tuple[int, int, Alert]] = []
    pending: dict[str, tuple[int, int]] = {}
    now = 0
    for order, arrival in enumerate(_read(files, config, replay)):
        at, told = max(now, arrival.at), arrival.alert
        while ends and ends[0][0] < at:
            ends_at, _, alert = heapq.heappop(ends)
            if pending.get(alert.fingerprint) == (alert.starts_at, ends_at):
                del pending[alert.fingerprint]
                now = max(now, ends_at)
                yield _Arrival(now, _resolved(alert, ends_at), None, None)
        now = at
        yield _Arrival(at, told, None, arrival.line)
        # One end an alert: that of its latest firing, and the latest told of that.
        starts_at, ends_at = pending.get(told.fingerprint, (told.starts_at, told.starts_at - 1))
        if told.status is Status.RESOLVED or told.starts_at > starts_at:
            pending.pop(told.fingerprint, None)
            ends_at = told.starts_at - 1
        if (
            arrival.ends_at is not None
            and told.starts_at >= starts_at
            and arrival.ends_at > ends_at
        ):
            pending[told.fingerprint] = (told.starts_at, arrival.ends_at)
            heapq.heappush(ends, (arrival.ends_at, order, told))


def _resolved(alert: Alert, ends_at: int) -> Alert:
    # An end later than the start tells a resolve of this episode from one of an older.
    return Alert(
        fingerprint=alert.fingerprint,
        sender_fingerprint=alert.sender_fingerprint,
        status=Status.RESOLVED,
        labels=alert.labels,
        annotations=alert.annotations,
        starts_at=alert.starts_at,
        ends_at=max(ends_at, alert.starts_at + 1),
    )


def _read(files: list[Path], config: Config, replay: Replay) -> Iterator[_Arrival]:
    for path in files:
        for number, text in _lines(path):
            place: dict[str, Any] = {"line": number}
            if len(files) > 1:
                place["file"] = str(path)
            yield from _read_line(text, place, config, replay)


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rt", encoding="utf-8-sig", errors="surrogateescape") as file:
            for number, text in enumerate(file, start=1):
                if text.strip():
                    yield number, text
    except (OSError, EOFError, zlib.error) as error:
        raise ReplayError(f"{path}: cannot be read: {error}") from error


def _read_line(
    text: str, place: dict[str, Any], config: Config, replay: Replay
) -> Iterator[_Arrival]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        _refuse(replay, place, "not a JSON object")
        return
    replay.notifications += 1
    entries = [(place, document)]
    if isinstance(document.get("alerts"), list):
        entries = [
            ({**place, "alert": index}, {**_object(entry), "t": document.get("t")})
            for index, entry in enumerate(document["alerts"])
        ]
    for where, entry in entries:
        arrival = _read_alert(entry, where, config, replay)
        if arrival is not None:
            yield arrival


def _object(entry: object) -> dict[str, Any]:
    return entry if isinstance(entry, dict) else {"status": entry}


def _read_alert(
    entry: dict[str, Any], place: dict[str, Any], config: Config, replay: Replay
) -> _Arrival | None:
    try:
        told = {key: entry[key] for key in _ALERT_KEYS if key in entry}
        alert = payload.read_one(told, config.identity)
        ends_at = _end_told(told) if alert.status is Status.FIRING else None
    except SenderError as error:
        _refuse(replay, place, error.message)
        return None
    t = entry.get("t")
    given = isinstance(t, int | float) and not isinstance(t, bool) and abs(t) < 9e9
    at = nanoseconds(t) if given else alert.starts_at  # type: ignore[arg-type]
    if alert.status is Status.RESOLVED:
        return _Arrival(at, alert, None, None)
    truth = entry.get("truth")
    line = Line(
        place,
        fingerprint=alert.fingerprint,
        starts_at=entry["startsAt"],
        truth=truth if isinstance(truth, str) else None,
    )
    replay.lines.append(line)
    return _Arrival(at, alert, ends_at, line)


def _end_told(entry: dict[str, Any]) -> int | None:
    """Return the end that a firing line tells of, which only the replay's clock may reveal."""
    if entry.get("endsAt") is None:
        return None
    return payload.read_time("endsAt", entry["endsAt"])


def _refuse(replay: Replay, place: dict[str, Any], error: str) -> None:
    replay.refused += 1
    replay.lines.append(Line(place, error=error))


def jsonl(replay: Replay) -> Iterator[str]:
    """Yield the contract's line for each firing input line, in input order."""
    for line in replay.lines:
        document = {
            **line.place,
            "fingerprint": line.fingerprint,
            "startsAt": line.starts_at,
            "assigned": line.assigned,
            "cluster": line.episode.cluster_id if line.episode else None,
            "confidence": line.episode.confidence if line.episode else None,
        }
        if line.error:
            document["error"] = line.error
        yield json.dumps(document)


def report(replay: Replay) -> dict[str, Any]:
    """Return the replay as one document: the noise ledger, outcomes, and scores if truth is told."""
    outcomes = replay.engine.counters.outcomes
    document: dict[str, Any] = {
        "ledger": {
            "notifications": replay.notifications,
            "alerts": sum(outcomes.values()),
            "episodes": replay.count(EventType.ALERT_ASSIGNED),
            "clusters": replay.count(EventType.CLUSTER_CREATED),
            "storms": replay.count(EventType.STORM_STARTED),
        },
        "outcomes": dict(sorted(outcomes.items())),
        "refused": replay.refused,
        "storms": list(replay.storms.values()),
        "stability": replay.engine.stability.report(len(replay.engine.live)),
    }
    found = replay.agreement()
    if found is not None:
        document["scores"] = {
            "score": round(found.score, 4),
            "f1": round(found.f1, 4),
            "b_cubed": round(found.b_cubed, 4),
            "b_cubed_precision": round(found.b_cubed_precision, 4),
            "b_cubed_recall": round(found.b_cubed_recall, 4),
            "hidden": found.hidden,
            "over_merged": round(found.over_merged, 4),
            "singletons": round(found.singletons, 4),
            "compression": round(found.compression, 2),
        }
    return document


def table(replay: Replay, limit: int = 40) -> Iterator[str]:
    """Yield the largest clusters as lines of a table, how many more there are, and the storms."""
    titles = {e.cluster_id: e.detail["title"] for e in replay.events if "title" in e.detail}
    sizes: dict[int, list[Event]] = {}
    for event in replay.events:
        if event.type is EventType.ALERT_ASSIGNED and event.cluster_id is not None:
            sizes.setdefault(event.cluster_id, []).append(event)
    yield f"{'cluster':>7}  {'alerts':>6}  {'opened':20}  {'minutes':>7}  title"
    ranked = sorted(sizes, key=lambda c: (-len(sizes[c]), c))
    for cluster_id in ranked[:limit]:
        first, last = sizes[cluster_id][0], sizes[cluster_id][-1]
        opened = first.to_json()["time"][:19].replace("T", " ")
        minutes = (last.time - first.time) / SECOND / 60
        yield (
            f"{cluster_id:>7}  {len(sizes[cluster_id]):>6}  {opened:20}  {minutes:>7.1f}"
            f"  {titles.get(cluster_id, '')}"
        )
    if len(ranked) > limit:
        rest = sum(len(sizes[c]) for c in ranked[limit:])
        yield f"    and {len(ranked) - limit} more clusters with {rest} alerts"
    for storm in list(replay.storms.values())[:limit]:
        started, clusters = storm["started_at"][:19].replace("T", " "), len(storm["cluster_ids"])
        yield (
            f"storm {storm['id']}: {started}, {storm['episodes']} new alerts in {clusters} clusters,"
            f" at most {storm['peak_intensity']:g} times the usual"
        )
