"""A copy of the database as it is at one moment, made while a server may go on writing."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path

from receiver.core.errors import StoreError
from receiver.store.source import Source


def backup(source: Path, target: Path) -> int:
    """Copy the database file *source* to *target*; return its size, bytes.

    All pages are of one read transaction, so it is no torn copy, and the server waits for nothing. It is
    written beside *target*, reaches the disk, and takes the name only then: what bears the name is whole.

    Raises:
        StoreError: *source* cannot be read, or *target* cannot be written.
    """
    if target.exists() and source.exists() and target.samefile(source):
        raise StoreError(f"{target}: this is the database itself, expected a place for its copy")
    if target.is_dir():
        raise StoreError(f"{target}: got a directory, expected a file")
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    opened = Source(source)
    try:
        with opened.reading():
            _copy(opened.db, part)
        size = part.stat().st_size
        part.replace(target)
        _sync(target.parent)
    except OSError as error:
        raise StoreError(f"{target}: cannot be written: {error.strerror}") from error
    finally:
        opened.close()
        part.unlink(missing_ok=True)
    return size


def _copy(database: sqlite3.Connection, part: Path) -> None:
    # Of an own making, with these rights: what is in it is nobody else's concern.
    os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    with contextlib.closing(sqlite3.connect(part)) as copy:
        # At once: in steps it would begin anew whenever something is written.
        database.backup(copy, pages=-1)
        # Whole without a log beside it, and readable where nothing may be written.
        copy.execute("PRAGMA journal_mode = DELETE")
    _sync(part)


def _sync(path: Path) -> None:
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
