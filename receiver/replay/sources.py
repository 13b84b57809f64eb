"""What a replay can read, told by what it finds at a path."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Protocol

from receiver.core.model import Tick
from receiver.replay.arrivals import Arrival
from receiver.replay.errors import ReplayError
from receiver.replay.files import File
from receiver.replay.intake import Intake
from receiver.replay.storage import Storage
from receiver.store import DATABASE_NAME

_SQLITE = b"SQLite format 3\0"


class Source(Protocol):
    """Something that alerts are read from, as often as asked and the same each time."""

    name: str
    """What the lines of several sources are told apart by."""

    def read(self, intake: Intake, place: dict[str, Any]) -> Iterator[Arrival | Tick]:
        """Yield what arrives, in order, each with a line at *place*.

        Raises:
            ReplayError, StoreError: It cannot be read.
        """
        ...


def open_sources(inputs: Iterable[Path | Source]) -> list[Source]:
    """Return the sources that *inputs* are; a folder may hold many.

    Raises:
        ReplayError: There is nothing at a path, or nothing that can be read.
    """
    found: list[Source] = []
    for given in inputs:
        found += _at(given) if isinstance(given, Path) else [given]
    return found


def _at(path: Path) -> list[Source]:
    if path.is_dir():
        if (path / DATABASE_NAME).is_file():
            return [Storage(path)]
        return _folder(path)
    if not path.exists():
        raise ReplayError(f"{path}: no such file")
    if path.is_file() and _begins_with(path, _SQLITE):
        if path.name != DATABASE_NAME:
            raise ReplayError(
                f"{path}: a database, expected one named {DATABASE_NAME}, in its --storage.path"
            )
        return [Storage(path.parent)]
    return [File(path)]


def _folder(path: Path) -> list[Source]:
    names = sorted(
        entry
        for entry in path.iterdir()
        if entry.name.endswith((".json", ".json.gz")) and entry.is_file()
    )
    if not names:
        raise ReplayError(
            f"{path}: expected a --storage.path of Stormcell ({DATABASE_NAME} in it), or a folder of"
            " webhook bodies (*.json, *.json.gz)"
        )
    return [File(name, strict=False) for name in names]


def _begins_with(path: Path, start: bytes) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(start)) == start
    except OSError as error:
        raise ReplayError(f"{path}: cannot be read: {error.strerror}") from error
