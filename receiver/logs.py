"""Log lines as Alertmanager writes them: logfmt on stderr, one line each, nothing hostile in them.

What is said again and again is said a few times and then counted: a fault in a storm must not fill the
disk that the alerts need.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

LEVELS = ("debug", "info", "warn", "error")
FORMATS = ("logfmt", "json")
_STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}

_WINDOW_SECONDS = 10.0
_LINES = 10
"""Lines of one kind in a window; further ones are counted and left out."""

_KINDS = 1000
"""Kinds that are known at once; a line in which values stand where words should is a kind each time."""


class Repeats(logging.Filter):
    """Lets a kind of line pass a few times in a window, and says with the next how many it left out.

    A kind is the logger, the level and the words, not the values.
    """

    def __init__(self, seconds: Callable[[], float] = time.monotonic) -> None:
        """Nothing was said yet; *seconds* is a clock for durations."""
        super().__init__()
        self._seconds = seconds
        self._lock = threading.Lock()
        self._kinds: OrderedDict[tuple[str, int, str], list[float]] = OrderedDict()
        self.left_out = 0

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether *record* is to be written."""
        kind, now = (record.name, record.levelno, str(record.msg)), self._seconds()
        with self._lock:
            began, lines = self._kinds.get(kind, (now, 0.0))
            if now - began < _WINDOW_SECONDS:
                self._note(kind, began, lines + 1)
                self.left_out += lines >= _LINES
                return lines < _LINES
            self._note(kind, now, 1)
            if lines > _LINES:
                record.left_out = int(lines) - _LINES
            return True

    def _note(self, kind: tuple[str, int, str], began: float, lines: float) -> None:
        self._kinds[kind] = [began, lines]
        self._kinds.move_to_end(kind)
        if len(self._kinds) > _KINDS:
            self._kinds.popitem(last=False)


class _Formatter(logging.Formatter):
    def __init__(self, form: str) -> None:
        super().__init__(datefmt="%Y-%m-%dT%H:%M:%S")
        self._form = form

    def format(self, record: logging.LogRecord) -> str:
        fields: dict[str, Any] = {
            "ts": f"{self.formatTime(record, self.datefmt)}.{int(record.msecs):03d}Z",
            "level": "warn" if record.levelname == "WARNING" else record.levelname.lower(),
            "component": record.name.removeprefix("receiver."),
            "msg": record.getMessage(),
        }
        fields |= {k: v for k, v in record.__dict__.items() if k not in _STANDARD}
        if record.exc_info:
            fields["err"] = self.formatException(record.exc_info)
        if self._form == "json":
            return json.dumps(fields, default=str)
        return " ".join(f"{key}={_quoted(value)}" for key, value in fields.items())


def _quoted(value: object) -> str:
    """Return *value* as logfmt; JSON's escapes keep line breaks and terminal codes out of the log."""
    text = str(value)
    plain = text.isascii() and text.isprintable() and not set(text) & set(' ="\\')
    return text if plain and text else json.dumps(text)


_repeats = Repeats()


def left_out() -> int:
    """Return how many lines were left out, since the start."""
    return _repeats.left_out


def configure(level: str, form: str) -> None:
    """Send all logs to stderr, from *level* (one of LEVELS) on, in *form* (one of FORMATS)."""
    handler = logging.StreamHandler()
    formatter = _Formatter(form)
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    handler.addFilter(_repeats)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel({"warn": "WARNING"}.get(level, level.upper()))
    # One line a request tells nothing that the metrics do not.
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)
