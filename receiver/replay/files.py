"""Sources that are files: labelled streams, webhook bodies, dumps of Alertmanager's API."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from receiver.core import timestamps
from receiver.core.model import Tick
from receiver.replay.arrivals import Arrival
from receiver.replay.documents import documents
from receiver.replay.errors import ReplayError
from receiver.replay.intake import Intake, time_of


class File:
    """A file of documents: alerts, webhook bodies, or lists of alerts."""

    def __init__(self, path: Path, *, strict: bool = True) -> None:
        """Read the file at *path*.

        Args:
            path: Of the file.
            strict: Whether JSON that holds no alerts is refused; else it is left out with a remark.
        """
        self.name = str(path)
        self._path = path
        self._strict = strict
        self._spent = False

    def read(self, intake: Intake, place: dict[str, Any]) -> Iterator[Arrival | Tick]:
        """Yield what arrives, in order.

        Raises:
            ReplayError: It cannot be read; a pipe can be once.
        """
        if self._spent:
            raise ReplayError(f"{self.name}: a pipe is read once; give a file, or --no-diff")
        self._spent = not self._path.is_file()
        for number, document in documents(self._path):
            where = {"line": number, **place}
            if isinstance(document, ValueError):
                intake.refuse(where, str(document))
            elif not self._strict and not _holds_alerts(document):
                intake.remarks.append(
                    f"{self.name}: neither a webhook body nor alerts; it was left out"
                )
            else:
                yield from _read(document, where, intake)


def _holds_alerts(document: object) -> bool:
    if isinstance(document, list):
        return not document or any(isinstance(e, Mapping) and "labels" in e for e in document)
    return isinstance(document, Mapping) and ("alerts" in document or "labels" in document)


def _read(document: object, place: dict[str, Any], intake: Intake) -> Iterator[Arrival]:
    if isinstance(document, list):
        intake.notifications += 1
        yield from _dump(document, place, intake)
    elif not isinstance(document, Mapping):
        intake.refuse(place, "neither a JSON object nor a list of them")
    elif isinstance(document.get("alerts"), list):
        intake.notifications += 1
        yield from _body(document, place, intake)
    else:
        intake.notifications += 1
        yield from _dump([document], place, intake, alone=True)


def _body(document: Mapping[str, Any], place: dict[str, Any], intake: Intake) -> Iterator[Arrival]:
    """Yield the alerts of a webhook body, which arrive together.

    Without a `t` that is when the latest of what it tells happened: it was not sent before.
    """
    told = [
        intake.entry(_object(entry), {**place, "alert": index})
        for index, entry in enumerate(document["alerts"])
    ]
    arrivals = [arrival for arrival in told if arrival is not None]
    at = time_of(document)
    if at is None:
        at = max((arrival.at for arrival in arrivals), default=0)
    for arrival in arrivals:
        yield replace(arrival, at=at)


def _dump(
    entries: Sequence[object], place: dict[str, Any], intake: Intake, *, alone: bool = False
) -> Iterator[Arrival]:
    """Yield alerts of a list, or one that stands *alone*, each at a time of its own, in order of these.

    Those of `/api/v2/alerts` come in the order of fingerprints, and what their status tells is not
    whether they fire: all do, except one that had ended when the dump was taken. An end ahead of that
    only says how long Alertmanager will wait for the next word.
    """
    taken_at = max((_updated_at(entry) for entry in entries), default=0)
    arrivals = []
    for index, entry in enumerate(entries):
        told, repeated_until = _object(entry), None
        if isinstance(told.get("status"), Mapping):
            told = {**told, "status": "firing"}
            if (_time(told.get("endsAt")) or taken_at + 1) > taken_at:
                told["endsAt"], repeated_until = None, taken_at
        where = place if alone else {**place, "alert": index}
        arrival = intake.entry(told, where, repeated_until)
        if arrival is not None:
            arrivals.append(arrival)
    yield from sorted(arrivals, key=lambda arrival: arrival.at)


def _object(entry: object) -> dict[str, Any]:
    return dict(entry) if isinstance(entry, Mapping) else {"status": entry}


def _updated_at(entry: object) -> int:
    return _time(entry.get("updatedAt")) if isinstance(entry, Mapping) else 0


def _time(value: object) -> int:
    """Return the nanoseconds of *value*; 0 if it is no time."""
    try:
        return (timestamps.parse(value) if isinstance(value, str) else None) or 0
    except ValueError:
        return 0
