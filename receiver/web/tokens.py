"""Files of bearer tokens; of a token only its digest is kept."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Iterable
from pathlib import Path

from receiver.core.settings import HIDDEN, ConfigError
from receiver.web.watched import Watched

_LEAST_LENGTH = 16
"""Characters of a token; a shorter one can be guessed."""


class TokenFile:
    """A file with a token on each line; several are good at once, so that they can be rotated."""

    def __init__(self, path: Path, known_as: str) -> None:
        """Read the file at *path*, which people know by the name *known_as*.

        Raises:
            ConfigError: It cannot be read, has something that is no token, or has none: one that loses
                its last token later has taken them all back.
        """
        self._path = path
        self._known_as = known_as
        self._watched: Watched[dict[bytes, int]] = Watched(
            "tokens", path, lambda: (self._read(), [path]), gone=lambda before: {}
        )
        if not self.digests(0.0):
            raise ConfigError(f"{path}: expected a token, one on each line")

    def _read(self) -> dict[bytes, int]:
        """Return the line of each token, by digest."""
        lines = {}
        try:
            text = self._path.read_text(encoding="utf-8", errors="replace")
        except OSError as error:
            raise ConfigError(f"{_shown(self._path)}: cannot be read: {error.strerror}") from None
        for number, line in enumerate(text.splitlines(), start=1):
            token = line.strip()
            if not token or token.startswith("#"):
                continue
            if len(token) < _LEAST_LENGTH or not token.isascii() or not token.isprintable():
                raise ConfigError(
                    f"{self._path}, line {number}: expected a token of at least {_LEAST_LENGTH}"
                    " printable ASCII characters"
                )
            lines[digest_of(token)] = number
        return lines

    def look(self, now: float) -> None:
        """Have it read again if it has changed; *now* in seconds."""
        self._watched.value(now)

    def digests(self, now: float) -> Collection[bytes]:
        """Return the digests of its tokens, read again if it has changed; *now* in seconds."""
        return self._watched.value(now).keys()

    def name(self, digest: bytes, now: float) -> str:
        """Return file and line of the token of *digest*, `operator.token:2`; empty if it is not here."""
        line = self._watched.value(now).get(digest)
        return f"{self._known_as}:{line}" if line else ""


def short_names(paths: Iterable[Path]) -> dict[Path, str]:
    """Return by what each of *paths* is told from the others: as few of its last parts as will do."""
    different = set(paths)
    return {path: _short_name(path, different - {path}) for path in different}


def _short_name(path: Path, others: Collection[Path]) -> str:
    for count in range(1, len(path.parts)):
        end = path.parts[-count:]
        if all(other.parts[-count:] != end for other in others):
            return str(Path(*end))
    return str(path)


def _shown(path: Path) -> str:
    """Return *path* if it is one beyond doubt: a token may have been written in place of it."""
    folder = path.parent
    # Not by pathlib, which raises for what is too long to be one.
    is_path = os.path.exists(path) or (bool(folder.name) and os.path.exists(folder))
    return str(path) if is_path else HIDDEN


def digest_of(token: str) -> bytes:
    """Return by what *token* is known."""
    return hashlib.sha256(token.encode(errors="surrogateescape")).digest()
