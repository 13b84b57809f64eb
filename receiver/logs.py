"""Log lines as Alertmanager writes them: logfmt on stderr, one line each, nothing hostile in them."""

from __future__ import annotations

import json
import logging
import time
from typing import Any

LEVELS = ("debug", "info", "warn", "error")
FORMATS = ("logfmt", "json")
_STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}


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


def configure(level: str, form: str) -> None:
    """Send all logs to stderr, from *level* (one of LEVELS) on, in *form* (one of FORMATS)."""
    handler = logging.StreamHandler()
    formatter = _Formatter(form)
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel({"warn": "WARNING"}.get(level, level.upper()))
    # One line a request tells nothing that the metrics do not.
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)
