"""A database that is read and never written, whoever else uses it.

Beside a running server this is one more reader. A database that nobody uses is opened as unchanging, as
even a reader would leave the log's files beside it, and a server of another user could not open them.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from receiver.core.errors import StoreError
from receiver.store.database import FILE_NAME, connect


def file_of(place: Path) -> Path:
    """Return the database of *place*, which is a --storage.path or the file itself, such as a backup."""
    return place / FILE_NAME if place.is_dir() else place


class Source:
    """A connection, and whether what it gives can be relied on.

    Attributes:
        path: Of the database file.
        db: The connection.
    """

    def __init__(self, path: Path) -> None:
        """Open the database file at *path*.

        Raises:
            StoreError: It cannot be read.
        """
        self.path = path
        self._log = path.with_name(path.name + "-wal")
        self._unchanging = not self._log.exists()
        self._before = self._stamp()
        with self.reading():
            self.db = connect(path, read_only=True, immutable=self._unchanging)

    def close(self) -> None:
        """Close the connection."""
        self.db.close()

    @contextlib.contextmanager
    def reading(self) -> Iterator[None]:
        """Say which file it is that cannot be read.

        What is read as unchanging must not have changed: then nothing read can be relied on.
        """
        try:
            yield
        except sqlite3.Error as error:
            self._check_unchanged()
            raise StoreError(f"{self.path}: cannot be read: {error}") from error
        self._check_unchanged()

    def _check_unchanged(self) -> None:
        if self._unchanging and (self._log.exists() or self._stamp() != self._before):
            raise StoreError(f"{self.path}: a stormcell began to use it meanwhile; run this again")

    def _stamp(self) -> tuple[int, int]:
        try:
            told = self.path.stat()
        except OSError as error:
            raise StoreError(f"{self.path}: {error.strerror}") from error
        return told.st_mtime_ns, told.st_size
