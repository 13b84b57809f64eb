"""A source that is the storage of a Stormcell, which may be running: it is read, and nothing else."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from receiver.core import identity, payload
from receiver.core.errors import SenderError
from receiver.core.model import Tick
from receiver.replay.arrivals import Arrival
from receiver.replay.demands import Demand
from receiver.replay.intake import Intake
from receiver.store import History
from receiver.store.history import Told


class Storage:
    """Every firing period that was clustered, when it was received, and every end that was told."""

    def __init__(self, directory: Path) -> None:
        """Read the database in *directory*."""
        self.name = str(directory)
        self._directory = directory
        self._last: int | None = None

    def read(self, intake: Intake, place: dict[str, Any]) -> Iterator[Arrival | Tick]:
        """Yield what was received, in the order in which it was applied, then what is pending.

        A line's number is that of the firing told. Repeats are not kept; the sender is taken to have
        repeated an alert until it was last heard of.

        Raises:
            StoreError: The database cannot be read.
        """
        # A second reading ends where the first did, whatever was received since.
        with contextlib.closing(History(self._directory, self._last)) as history:
            self._last = history.last
            yield from self._read(history, intake, place)

    def _read(
        self, history: History, intake: Intake, place: dict[str, Any]
    ) -> Iterator[Arrival | Tick]:
        intake.notifications += history.notifications()
        intake.demands += _demands(history, intake)
        number = 0
        for told in _without_concluded(history.told()):
            number += not told.resolved
            yield _arrival(told, {"line": number, **place}, intake)
        for received_at, body in history.pending():
            try:
                alerts = payload.parse_any(body, intake.settings, received_at).alerts
            except SenderError as error:
                intake.remarks.append(f"{self.name}: a body that is not yet applied: {error}")
                continue
            intake.notifications += 1
            for _, alert in alerts:
                number += 1
                yield intake.told(alert, {"line": number, **place}, at=received_at)


def _arrival(told: Told, place: dict[str, Any], intake: Intake) -> Arrival:
    ends_at = None
    if told.resolved:
        # Of a period that was opened again only the last end is kept.
        ends_at = told.time if told.ends_at is None else min(told.ends_at, told.time)
    alert = intake.alert(
        told.labels, told.annotations, told.starts_at, ends_at, resolved=told.resolved
    )
    repeated_until = None if told.resolved else told.last_seen
    return intake.told(
        alert, place, at=told.time, was=told.cluster_id, repeated_until=repeated_until
    )


def _without_concluded(told: Iterator[Told]) -> Iterator[Told]:
    """Yield *told* without ends that were concluded from the next firing, which comes right after."""
    held: Told | None = None
    for item in told:
        if held is not None:
            follows = not item.resolved and item.fingerprint == held.fingerprint
            if not (follows and item.time == held.time):
                yield held
            held = None
        if item.resolved and item.superseded:
            held = item
        else:
            yield item
    if held is not None:
        yield held


def _demands(history: History, intake: Intake) -> Iterator[Demand]:
    """Yield what operators demand, the alerts named as *intake* names them."""
    for constraint in history.constraints():
        labels = history.labels_of([name for side in constraint.sides for name in side])
        one, other = (
            tuple(
                identity.fingerprint(identity.without(labels[name], intake.settings.drop_labels))
                for name in side
                if name in labels
            )
            for side in constraint.sides
        )
        yield Demand(constraint.kind, constraint.time, (one, other))
