"""What a replay asks of a Prometheus, over its HTTP API; reads only."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, unquote, urlencode, urlsplit, urlunsplit

from receiver.replay.errors import ReplayError

MAX_ANSWER = 16 * 2**20
"""Bytes of one answer: read into objects it is some ten times as much."""

_TIMEOUT = 150.0
"""Seconds; Prometheus itself gives up a query after two minutes by default."""

_TOO_MUCH = (422, 503, 504)
"""What Prometheus, or a proxy before it, answers to a query that loads too much or takes too long."""


class TooMuch(Exception):
    """The answer would be too large or took too long; a shorter range may do."""


@dataclass(frozen=True, slots=True)
class Series:
    """One series of a range.

    Attributes:
        labels: With the name.
        samples: (milliseconds, value) in order.
    """

    labels: dict[str, str]
    samples: list[tuple[int, float]]


class PromApi:
    """The API of one Prometheus, or of something that answers as one does."""

    def __init__(self, url: str) -> None:
        """Ask the one at *url*, its path prefix included; a name and password in it are sent along.

        Raises:
            ReplayError: It is no http address.
        """
        parts = _split(url)
        self._headers = {"Accept": "application/json", "User-Agent": "stormcell-replay"}
        if parts.username is not None:
            told = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            self._headers["Authorization"] = f"Basic {base64.b64encode(told.encode()).decode()}"
        host = parts.netloc.rpartition("@")[2]
        self.url = urlunsplit((parts.scheme, host, parts.path.rstrip("/"), "", ""))
        self.queries = 0

    def now(self) -> int:
        """Return its clock, milliseconds: what it recorded is by that, and not by ours."""
        told = self._get("query", {"query": "time()"})
        try:
            return round(float(told["result"][1]) * 1000)
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise self._strange("query") from error

    def alert_groups(self) -> list[dict[str, Any]]:
        """Return the groups of alerting rules that it has now."""
        groups = self._get("rules", {"type": "alert"}).get("groups")
        return [group for group in groups or () if isinstance(group, dict)]

    def range(self, query: str, start: int, end: int, step: int) -> list[Series]:
        """Return what *query* gives from *start* to *end*, both inclusive, each *step*; milliseconds.

        Raises:
            TooMuch: A shorter range may do.
            ReplayError: It does not answer, or refuses.
        """
        told = self._get(
            "query_range",
            {"query": query, "start": _time(start), "end": _time(end), "step": _time(step)},
        )
        try:
            return [
                Series(
                    dict(series["metric"]),
                    [(round(float(at) * 1000), float(value)) for at, value in series["values"]],
                )
                for series in told["result"]
            ]
        except (KeyError, TypeError, ValueError) as error:
            raise self._strange("query_range") from error

    # -- HTTP ------------------------------------------------------------------------------------

    def _get(self, path: str, parameters: Mapping[str, str]) -> dict[str, Any]:
        address = f"{self.url}/api/v1/{path}?{urlencode(parameters)}"
        self.queries += 1
        request = urllib.request.Request(address, headers=self._headers)
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT) as answer:
                body = answer.read(MAX_ANSWER + 1)
        except urllib.error.HTTPError as error:
            with error:
                told = _error_in(error.read(4096))
            if error.code in _TOO_MUCH:
                raise TooMuch(f"{self.url}: {error.code} {told}") from error
            raise ReplayError(f"{self.url}: answered {error.code} {told}".rstrip()) from error
        except TimeoutError as error:
            raise TooMuch(f"{self.url}: no answer within {_TIMEOUT:.0f} s") from error
        except urllib.error.URLError as error:
            if isinstance(error.reason, TimeoutError):
                raise TooMuch(f"{self.url}: no answer within {_TIMEOUT:.0f} s") from error
            raise ReplayError(f"{self.url}: cannot be reached: {error.reason}") from error
        except (OSError, http.client.HTTPException) as error:
            raise ReplayError(f"{self.url}: the answer broke off: {error}") from error
        if len(body) > MAX_ANSWER:
            raise TooMuch(f"{self.url}: an answer is larger than {MAX_ANSWER >> 20} MiB")
        return self._data(path, body)

    def _data(self, path: str, body: bytes) -> dict[str, Any]:
        try:
            data = json.loads(body)["data"]
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise self._strange(path) from error
        if not isinstance(data, dict):
            raise self._strange(path)
        return data

    def _strange(self, path: str) -> ReplayError:
        return ReplayError(
            f"{self.url}: /api/v1/{path} does not answer as Prometheus does: is it one, and is the"
            " path prefix right?"
        )


def _split(url: str) -> SplitResult:
    """Return the parts of *url*, or raise ReplayError if it is no http address."""
    with contextlib.suppress(ValueError):
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname)
        if good and not (parts.query or parts.fragment) and (parts.port or 1) > 0:
            return parts
    raise ReplayError(f"--prometheus: got {url!r}, expected http://host[:port][/path]")


def _time(milliseconds: int) -> str:
    return f"{milliseconds // 1000}.{milliseconds % 1000:03d}"


def _error_in(body: bytes) -> str:
    """Return what an error's *body* says, for people."""
    try:
        return str(json.loads(body)["error"])
    except (ValueError, KeyError, TypeError):
        return " ".join(body.decode(errors="replace").split())[:200]
