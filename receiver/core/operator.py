"""What an operator may say of a cluster: its title, that it is pinned or taken, a note.

Only what is well-formed becomes a command; a command is an input like an alert, and is journalled.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from receiver.core import titles
from receiver.core.envelope import shown
from receiver.core.errors import SenderError
from receiver.core.text import display

MAX_NAME = 100
"""Characters of who has taken a cluster."""

MAX_NOTE = 4000
"""Characters of a note: some screens full; more belongs in a document that the note links."""


def read_update(document: object) -> dict[str, Any]:
    """Return the fields that *document*, parsed JSON, sets; at least one.

    Raises:
        SenderError: It is no object, or a field is unknown or cannot be used.
    """
    if not isinstance(document, Mapping):
        raise SenderError(f"body: got {shown(document)}, expected an object")
    for name in document:
        if name not in _FIELDS:
            expected = "one of " + ", ".join(_FIELDS)
            raise SenderError(
                f"{ascii(name)[:100]}: unknown field, expected {expected}", field=str(name)
            )
    if not document:
        raise SenderError("body: got {}, expected at least one of " + ", ".join(_FIELDS))
    return {name: _FIELDS[name](name, value) for name, value in document.items()}


def _title(name: str, value: object) -> str:
    text = _line(name, value)
    if len(text.encode()) > titles.MAX_BYTES:
        raise _refuse(name, value, f"at most {titles.MAX_BYTES} bytes")
    return text


def _who(name: str, value: object) -> str:
    text = _line(name, value)
    if len(text) > MAX_NAME:
        raise _refuse(name, value, f"at most {MAX_NAME} characters")
    return text


def _line(name: str, value: object) -> str:
    """Return *value*, one line that reads as it is written."""
    text = value.strip() if isinstance(value, str) else None
    if text is None or display(text) != text:
        raise _refuse(name, value, "one line of text without control or bidi characters")
    return text


def _note(name: str, value: object) -> str:
    if not isinstance(value, str) or len(value) > MAX_NOTE:
        raise _refuse(name, value, f"a text of at most {MAX_NOTE} characters")
    if not _is_text(value):
        raise _refuse(name, value, "a text without NUL and lone surrogates")
    return value.strip()


def _is_text(value: str) -> bool:
    """Whether *value* can be stored and shown: NUL ends a text in SQLite, half a pair is no text."""
    return "\0" not in value and not any("\ud800" <= c <= "\udfff" for c in value)


def _flag(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise _refuse(name, value, "true or false")
    return value


def _refuse(name: str, value: object, expected: str) -> SenderError:
    return SenderError(f"{name}: got {shown(value)}, expected {expected}", field=name)


_FIELDS: dict[str, Callable[[str, object], Any]] = {
    "title": _title,
    "pinned": _flag,
    "acked_by": _who,
    "note": _note,
}
