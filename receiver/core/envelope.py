"""Reads a webhook body piece by piece, so that no single step of it takes long.

`json.loads` holds the interpreter for its whole run: 27 MB, a size seen in the wild, would stop the
event loop for half a second even from another thread. Here each element of `alerts` is one short
call of the C scanner, and other threads get their turn in between.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from receiver.core.errors import SenderError, TooLarge

MAX_ALERTS = 250_000
"""Elements of `alerts`: more do not fit into the largest body if they are alerts."""

MAX_DEPTH = 100
"""Lists and objects in one another; a sender's are four. Python reads some nine hundred, which depends
on who calls: what one thread could read, another must be able to read again, and to write."""

_MARKS = (b",", b":", b"[", b"{")
_FREE_MARKS = 256 * 1024
_BYTES_A_MARK = 4
"""Each value in JSON has a mark before it. Alerts have one in six bytes and more; empty lists two in
three, and of 64 MiB of those Python makes two gigabytes."""

_MOST_DIGITS = 1000
"""Of a whole number: Python refuses to read one of some thousands, for the time that takes."""

_SPACE = re.compile(r"[ \t\n\r]*")
_LIST = re.compile(rb"[ \t\n\r]*\[")
_SURROGATE = re.compile("[\ud800-\udfff]")


def whole_number(digits: str) -> float:
    """Return the number that *digits* tell; infinity if it has more than a thousand of them.

    It is JSON all the same, and no field of ours: nothing is refused for it that can be read.
    """
    return int(digits) if len(digits) <= _MOST_DIGITS else float(digits)


_SCANNER = json.JSONDecoder(parse_int=whole_number)


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def _value(text: str, at: int) -> tuple[Any, int]:
    try:
        value, end = _SCANNER.raw_decode(text, at)
    except RecursionError as error:
        raise _too_deep() from error
    except ValueError as error:
        raise _not_json(text, getattr(error, "pos", at)) from error
    check_depth(value)
    return value, _skip(text, end)


def check_depth(value: object) -> None:
    """Refuse *value*, parsed JSON, if it is nested too deeply.

    Raises:
        SenderError: It is.
    """
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            inner for each in level for inner in _within(each) if isinstance(inner, dict | list)
        ]
        if not level:
            return
    raise _too_deep()


def _within(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _too_deep() -> SenderError:
    return SenderError(f"body is nested too deeply to be read, expected at most {MAX_DEPTH} levels")


def _not_json(text: str, at: int) -> SenderError:
    return SenderError(f"body is not JSON: unexpected text at character {min(at, len(text))}")


def _expect(text: str, at: int, wanted: str) -> int:
    if not text.startswith(wanted, at):
        raise _not_json(text, at)
    return _skip(text, at + 1)


def _elements(text: str, at: int) -> Iterator[tuple[Any, int]]:
    """Yield each element of the array at *at*, and the place after it; last (None, end)."""
    at = _expect(text, at, "[")
    if text.startswith("]", at):
        yield None, _skip(text, at + 1)
        return
    while True:
        value, at = _value(text, at)
        yield value, at
        if text.startswith("]", at):
            yield None, _skip(text, at + 1)
            return
        at = _expect(text, at, ",")


def read(body: bytes) -> dict[str, Any]:
    """Return the object that *body* holds, as `json.loads` would, a repeated key counting last.

    Raises:
        SenderError: *body* is not UTF-8, not JSON, nested too deeply, or not an object.
        TooLarge: It has far more values than alerts of its size have.
    """
    text = _decoded(body)
    at = _skip(text, 0)
    if not text.startswith("{", at):
        raise _another(text, at, "an object")
    at = _skip(text, at + 1)
    document: dict[str, Any] = {}
    at = _skip(text, at + 1) if text.startswith("}", at) else _members(text, at, document)
    if at != len(text):
        raise _not_json(text, at)
    return document


def is_list(body: bytes) -> bool:
    """Return whether *body* begins as a list does."""
    return _LIST.match(body) is not None


def read_list(body: bytes) -> list[Any]:
    """Return the list that *body* holds, as `json.loads` would.

    Raises:
        SenderError: *body* is not UTF-8, not JSON, nested too deeply, or not a list.
        TooLarge: It has more elements than MAX_ALERTS, or far more values than alerts of its size.
    """
    text = _decoded(body)
    at = _skip(text, 0)
    if not text.startswith("[", at):
        raise _another(text, at, "a list")
    alerts, at = _alerts(_elements(text, at))
    if at != len(text):
        raise _not_json(text, at)
    return alerts


def _decoded(body: bytes) -> str:
    marks = sum(map(body.count, _MARKS))
    if marks > _FREE_MARKS + len(body) // _BYTES_A_MARK:
        most = f"expected at most one in {_BYTES_A_MARK} bytes"
        raise TooLarge(f"body of {len(body)} bytes has some {marks} values, {most}")
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise SenderError(f"body is not UTF-8: byte {error.start} cannot be decoded") from error


def _another(text: str, at: int, expected: str) -> SenderError:
    """Return the error for the value at *at*, which is none *expected*, or no JSON."""
    value, end = _value(text, at)
    if end != len(text):
        return _not_json(text, end)
    return SenderError(f"body is {_kind(value)}, expected {expected}")


def _kind(value: object) -> str:
    """Return what parsed JSON is, in JSON's words."""
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, str):
        return "a text"
    return json.dumps(value) if value is None or isinstance(value, bool) else "a number"


def shown(value: object, most: int = 100) -> str:
    """Return parsed JSON as an error repeats it: as JSON, in ASCII, of *most* characters at most."""
    # What is cut away is not written first: it may be megabytes.
    text = json.dumps(value[:most] if isinstance(value, str) else value, default=str)
    return text if len(text) <= most else text[:most] + "…"


def _alerts(elements: Iterable[tuple[Any, int]]) -> tuple[list[Any], int]:
    """Return the alerts among *elements*, as `_elements` yields them, and the place after them."""
    alerts: list[Any] = []
    at = 0
    for element, end in elements:
        alerts.append(element)
        at = end
        if len(alerts) > MAX_ALERTS:
            raise TooLarge(f"alerts: more than {MAX_ALERTS}", field="alerts")
    alerts.pop()
    return alerts, at


def _members(text: str, at: int, document: dict[str, Any]) -> int:
    """Read the members of the object at *at* into *document*; return the place after its brace."""
    while True:
        if not text.startswith('"', at):
            raise _not_json(text, at)
        key, at = _value(text, at)
        at = _expect(text, at, ":")
        if key == "alerts" and text.startswith("[", at):
            document[key], at = _alerts(_elements(text, at))
        else:
            document[key], at = _value(text, at)
        if text.startswith("}", at):
            return _skip(text, at + 1)
        at = _expect(text, at, ",")


def clean(text: str) -> str:
    """Return *text* with lone surrogates replaced by U+FFFD, as the sender's own decoder does.

    JSON can write them, nothing can encode them again: not the store, not an answer, not /metrics.
    """
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)
