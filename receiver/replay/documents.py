"""Files of JSON: a document a line, or one document over many lines; gzip is unpacked on the way."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from receiver.replay.errors import ReplayError

MAX_DOCUMENT = 256 * 2**20
"""Characters of one document: four times the largest body that is taken over HTTP by default."""

_GZIP = b"\x1f\x8b"


def documents(path: Path) -> Iterator[tuple[int, Any]]:
    """Yield the documents of the file at *path*, each with the number of its first line, from 1.

    A line that is no JSON yields ValueError as its document. One at a time is in memory.

    Raises:
        ReplayError: The file cannot be read, or a document is too long.
    """
    try:
        with _open(path) as file:
            yield from _documents(path, file)
    except (OSError, EOFError, zlib.error) as error:
        raise ReplayError(f"{path}: cannot be read: {_why(error)}") from error


def _open(path: Path) -> IO[str]:
    packed = path.suffix == ".gz"
    if not packed and path.is_file():
        # Not of a pipe, which would lack what was looked at.
        with path.open("rb") as peeked:
            packed = peeked.read(len(_GZIP)) == _GZIP
    opener = gzip.open if packed else open
    opened: IO[str] = opener(path, "rt", encoding="utf-8-sig", errors="surrogateescape")
    return opened


def _why(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)


def _documents(path: Path, file: IO[str]) -> Iterator[tuple[int, Any]]:
    for number, text in enumerate(_lines(path, file), start=1):
        if not text.strip():
            continue
        document = _parse(text)
        if isinstance(document, ValueError) and text.lstrip()[0] in "[{":
            # It may be the beginning of a document that is laid out for people.
            rest = file.read(MAX_DOCUMENT - len(text) + 1)
            if len(text) + len(rest) > MAX_DOCUMENT:
                raise ReplayError(
                    f"{path}: line {number}: {document}; if it begins a document of many lines, that"
                    f" is longer than {MAX_DOCUMENT} characters"
                )
            yield from _laid_out(path, number, text, rest)
            return
        yield number, document


def _lines(path: Path, file: IO[str]) -> Iterator[str]:
    while text := file.readline(MAX_DOCUMENT + 1):
        if len(text) > MAX_DOCUMENT:
            raise ReplayError(f"{path}: a line is longer than {MAX_DOCUMENT} characters")
        yield text


def _laid_out(path: Path, number: int, first: str, rest: str) -> Iterator[tuple[int, Any]]:
    document = _parse(first + rest)
    if not isinstance(document, ValueError):
        yield number, document
        return
    if first.strip() in ("[", "{", "[{"):
        raise ReplayError(f"{path}: from line {number} on: {document}")
    for further, text in enumerate([first, *rest.splitlines()], start=number):
        if text.strip():
            yield further, _parse(text)


def _parse(text: str) -> Any:
    """Return the document that *text* is, or the error if it is none."""
    try:
        return json.loads(text)
    except RecursionError:
        return ValueError("nested too deeply to be read")
    except ValueError as error:
        return ValueError(f"not JSON: {error}")
