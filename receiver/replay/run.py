"""Runs what sources read through a core of its own, with the input's clock; touches no live store."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from receiver.config import Config
from receiver.core import scores
from receiver.core.changes import Changes
from receiver.core.clusters import TITLE_SETTLES_AFTER
from receiver.core.embedder import Embedder
from receiver.core.engine import Engine
from receiver.core.evolution import Event, EventType
from receiver.core.intake import sightings
from receiver.core.model import Episode, Input, Members, Tick
from receiver.replay.arrivals import Arrival, Line
from receiver.replay.clock import in_time
from receiver.replay.demands import Demand
from receiver.replay.grouping import Grouping
from receiver.replay.intake import Intake
from receiver.replay.sources import Source, open_sources

_AHEAD = 512
"""Arrivals read before they are applied, so that their texts are embedded together."""


@dataclass(slots=True)
class Replay:
    """A finished replay.

    Attributes:
        engine: As it is at the end.
        lines: One for each firing alert of the input and for what was refused, in input order.
        events: All that happened.
        settling: What would happen in the two minutes after the input: titles settle then.
        notifications: How many notifications the input holds.
        refused: How many lines were refused.
        storms: By id, as the API shows them.
        whys: The terms of the decision, by the id of an episode.
        demands: What operators demanded of the alerts, if the input tells.
        remarks: What a person should know of the reading.
    """

    engine: Engine
    lines: list[Line] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    settling: list[Event] = field(default_factory=list)
    notifications: int = 0
    refused: int = 0
    storms: dict[int, dict[str, Any]] = field(default_factory=dict)
    whys: dict[int, Mapping[str, Any]] = field(default_factory=dict)
    demands: list[Demand] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def agreement(self) -> scores.Agreement | None:
        """Return the agreement with the truth on the lines; None if they carry none."""
        return _agreement([(line.truth, line) for line in self.lines if line.truth is not None])

    def agreement_with_store(self) -> scores.Agreement | None:
        """Return the agreement with the clusters in the store it was read from; None if in none."""
        return _agreement([(line.was, line) for line in self.lines if line.was is not None])

    def count(self, kind: EventType) -> int:
        """Return how many events of *kind* there were."""
        return sum(event.type is kind for event in self.events)


def _agreement(told: Iterable[tuple[str | int, Line]]) -> scores.Agreement | None:
    pairs = [(group, line.episode.cluster_id) for group, line in told if line.episode is not None]
    if not pairs:
        return None
    return scores.agreement([group for group, _ in pairs], [cluster for _, cluster in pairs])


def run(inputs: Iterable[Path | Source], config: Config, embedder: Embedder) -> Replay:
    """Replay *inputs*, one after the other.

    Args:
        inputs: Paths of files, of folders of webhook bodies, of storage directories; or sources.
        config: Its core sections steer the replay.
        embedder: Makes the vectors.

    Raises:
        ReplayError, StoreError: An input cannot be read.
    """
    sources = open_sources(inputs)
    intake = Intake(config.identity)
    engine = Engine(config.core, embedder.dims)
    replay = Replay(engine)
    grouping = Grouping()
    known: dict[tuple[str, int], Episode] = {}
    now = 0
    for batch in _batches(in_time(_read(sources, intake))):
        for item, given in zip(batch, _inputs(engine, batch, embedder), strict=True):
            events = engine.step([given])
            grouping.note(events, engine.episodes)
            events += _look_again(engine, grouping, replay)
            replay.events += events
            now = item.at if isinstance(item, Arrival) else item.time
            if isinstance(item, Arrival) and item.line is not None:
                _note(item, item.line, engine, known)
        _take_in(engine.drain(), grouping, replay)
    replay.settling = engine.step([Tick(now + TITLE_SETTLES_AFTER)])
    grouping.apply(line.episode for line in intake.lines if line.episode is not None)
    replay.lines, replay.demands, replay.remarks = intake.lines, intake.demands, intake.remarks
    replay.notifications, replay.refused = intake.notifications, intake.refused
    return replay


def _take_in(changes: Changes, grouping: Grouping, replay: Replay) -> None:
    grouping.regroup(changes.regrouped)
    replay.whys |= changes.whys
    replay.storms.update((storm["id"], storm) for storm in changes.storms)


def _look_again(engine: Engine, grouping: Grouping, replay: Replay) -> list[Event]:
    """Hand *engine* the members it asked for, and return what happened."""
    events: list[Event] = []
    for cluster_id in engine.take_asked():
        _take_in(engine.drain(), grouping, replay)
        members = grouping.members(cluster_id)
        events += engine.step([Members(engine.counters.clock, cluster_id, members)])
    return events


def _read(sources: list[Source], intake: Intake) -> Iterator[Arrival | Tick]:
    for source in sources:
        yield from source.read(intake, {"file": source.name} if len(sources) > 1 else {})


def _batches(items: Iterable[Arrival | Tick]) -> Iterator[list[Arrival | Tick]]:
    batch: list[Arrival | Tick] = []
    for item in items:
        batch.append(item)
        if len(batch) == _AHEAD:
            yield batch
            batch = []
    if batch:
        yield batch


def _inputs(engine: Engine, batch: list[Arrival | Tick], embedder: Embedder) -> list[Input]:
    """Return *batch* as inputs; texts of resolves in between are not needed, so all at once."""
    received = [(item.at, item.alert) for item in batch if isinstance(item, Arrival)]
    told, _, _ = sightings(engine, received, embedder.embed)
    following = iter(told)
    return [item if isinstance(item, Tick) else next(following) for item in batch]


def _note(
    arrival: Arrival, line: Line, engine: Engine, known: dict[tuple[str, int], Episode]
) -> None:
    """Note on *line* which firing period its alert is of, and the cluster of that now."""
    alert = arrival.alert
    latest = engine.episodes.get(alert.fingerprint)
    key = (alert.fingerprint, alert.starts_at)
    if latest is not None and latest.starts_at <= alert.starts_at:
        known[key] = latest
    line.episode = known.get(key) or latest
    line.assigned = line.episode.cluster_id if line.episode else None
