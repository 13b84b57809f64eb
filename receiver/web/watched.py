"""What files hold, read again when they change; no restart and no signal is needed for that."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Generic, TypeVar

from receiver.core.settings import ConfigError

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
"""How often files are looked at: what is changed counts within a second."""

T = TypeVar("T")
_Stamp = tuple[int, int, int] | None


class Watched(Generic[T]):
    """The value that some files stand for.

    What cannot be used is logged, and the value before stays; so nobody is let in by a slip of the pen,
    and nobody shut out.
    """

    def __init__(
        self,
        what: str,
        path: Path,
        read: Callable[[], tuple[T, Sequence[Path]]],
        *,
        gone: Callable[[T], T],
    ) -> None:
        """Read it for the first time.

        Args:
            what: What it is, for the log.
            path: Of the file that says all, or where the rest is.
            read: Returns the value, and all files it was read from, *path* among them.
            gone: Given the last value, returns what counts when *path* is no more.

        Raises:
            ConfigError: It cannot be used.
        """
        self._what = what
        self._path = path
        self._read = read
        self._gone = gone
        self._files: tuple[Path, ...] = (path,)
        self._stamps: list[_Stamp] = []
        self._looked_at = 0.0
        self._value = self._load()

    def value(self, now: float) -> T:
        """Return the value, read again if its files have changed; *now* in seconds."""
        if now - self._looked_at >= LOOK_SECONDS:
            self._looked_at = now
            if [_stamp(file) for file in self._files] != self._stamps:
                self._look()
        return self._value

    def read_again(self, now: float) -> None:
        """Read it now, also if it was looked at just before; *now* in seconds.

        Raises:
            ConfigError: It cannot be used; the value before stays, or is that of a file that is gone.
        """
        self._looked_at = now
        if _stamp(self._path) is None:
            self._look()
        self._value = self._load()

    def _look(self) -> None:
        if _stamp(self._path) is None:
            log.error("a file is gone", extra={"what": self._what, "file": str(self._path)})
            self._files, self._stamps = (self._path,), [None]
            self._value = self._gone(self._value)
            return
        try:
            self._value = self._load()
            log.info("read again", extra={"what": self._what, "file": str(self._path)})
        except ConfigError as error:
            log.error(  # noqa: TRY400 - said in a line
                "a file cannot be used, what it said before stays",
                extra={"what": self._what, "err": str(error)},
            )

    def _load(self) -> T:
        while True:
            # Before they are read: what changes meanwhile is seen at the next look.
            self._stamps = [_stamp(file) for file in self._files]
            value, files = self._read()
            if set(files) == set(self._files):
                return value
            self._files = tuple(files)


def _stamp(path: Path) -> _Stamp:
    try:
        told = path.stat()
    except OSError:
        return None
    return told.st_mtime_ns, told.st_size, told.st_ino
