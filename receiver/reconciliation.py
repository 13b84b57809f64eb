"""Asks Alertmanagers what they know: the silenced and the inhibited, and ends that were never told.

What is found goes through the inbox, as a notification does. It never stands in the way of one: the
answers are read beside the event loop, piece by piece, and a poll begins when the last one is over.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, Protocol

import aiohttp

from receiver.config import ReconciliationSettings
from receiver.core import envelope, identity, survey, timestamps
from receiver.core.errors import StormcellError
from receiver.core.identity import IdentitySettings
from receiver.core.timestamps import SECOND, nanoseconds, seconds

log = logging.getLogger(__name__)

_HOLD_SECONDS = 600.0
"""What was found suppressed fires again in our eyes if that is not found again in this time."""

_HOLD_INTERVALS = 5
_STATUS_BYTES = 4 * 2**20
"""Of a status, which holds the whole configuration file."""

_CHUNK = 256 * 1024
_ALL = "active=true&silenced=true&inhibited=true&unprocessed=true"


class Intake(Protocol):
    """Commits bodies."""

    async def commit(
        self, body: bytes, alerts: int, gone: Callable[[], bool], *, told: bool = True
    ) -> None:
        """Return when *body*, which holds *alerts* alerts, is committed, or raise TryLater."""
        ...


class _Unusable(Exception):
    """An answer from which nothing can be concluded; the text says why."""


class Reconciliation:
    """Polls; `start` starts it, if there is anyone to ask."""

    def __init__(
        self,
        settings: ReconciliationSettings,
        identities: IdentitySettings,
        intake: Intake,
        *,
        clock: Callable[[], int],
        on_failure: Callable[[], None],
    ) -> None:
        """Prepare.

        Args:
            settings: Whom to ask, and how.
            identities: What identifies an alert.
            intake: Takes what is found.
            clock: Nanoseconds since 1970.
            on_failure: Called for each Alertmanager that gave no usable answer, each time.
        """
        self._settings = settings
        self._intake = intake
        self._clock = clock
        self._on_failure = on_failure
        self._task: asyncio.Task[None] | None = None
        self._reader = _Reader(identities)
        self._troubles: dict[str, str] = {}
        self._hold = nanoseconds(max(_HOLD_SECONDS, _HOLD_INTERVALS * settings.interval))
        self.completed_at = 0

    def start(self) -> None:
        """Ask from now on."""
        if self._settings.urls:
            self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Ask no more."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        timeout = aiohttp.ClientTimeout(total=self._settings.timeout)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            while True:
                try:
                    await self._poll(session)
                except StormcellError as error:
                    log.warning("what was found was not kept", extra={"err": error.message})
                except Exception:
                    log.exception("alertmanagers cannot be asked")
                await asyncio.sleep(self._settings.interval)

    async def _poll(self, session: aiohttp.ClientSession) -> None:
        """Ask all once, and commit what they know; `TryLater` if it cannot be committed."""
        began_at = self._clock()
        answers = await asyncio.gather(*(self._ask(session, url) for url in self._settings.urls))
        self._reader.next_round()
        found = survey.of(began_at, self._hold, answers)
        if found is None:
            return
        body = await asyncio.to_thread(survey.encode, found)
        await self._intake.commit(body, 0, lambda: False, told=False)
        if found.complete:
            self.completed_at = began_at

    async def _ask(self, session: aiohttp.ClientSession, url: str) -> dict[str, int | None] | None:
        """Return what the one at *url* knows, see `_Reader`; None, told and counted, if it is unknown."""
        try:
            known = await self._known(session, url.rstrip("/"))
        except TimeoutError:
            trouble = f"no answer within {self._settings.timeout:g} s (reconciliation.timeout)"
        except (_Unusable, StormcellError, aiohttp.ClientError, OSError, ValueError) as error:
            trouble = str(error) or type(error).__name__
        else:
            if self._troubles.pop(url, ""):
                log.info("an alertmanager answers again", extra={"url": url})
            return known
        self._on_failure()
        # Said once until it changes: a poll each half minute would fill the log.
        if self._troubles.get(url) != trouble:
            self._troubles[url] = trouble
            extra = {"url": url, "err": trouble}
            log.warning("nothing is concluded from an alertmanager", extra=extra)
        return None

    async def _known(self, session: aiohttp.ClientSession, url: str) -> dict[str, int | None]:
        status, now = await self._get(session, f"{url}/api/v2/status", _STATUS_BYTES)
        uptime = await asyncio.to_thread(_uptime, status, now)
        if uptime < self._settings.min_uptime:
            expected = f"at least {self._settings.min_uptime:g} (reconciliation.min_uptime)"
            raise _Unusable(f"started too short ago, expected seconds: {expected}")
        limit = self._settings.max_body_bytes
        alerts, _ = await self._get(session, f"{url}/api/v2/alerts?{_ALL}", limit)
        return await asyncio.to_thread(self._reader.read, alerts)

    async def _get(self, session: aiohttp.ClientSession, url: str, limit: int) -> tuple[bytes, int]:
        """Return the body at *url*, and what time it is there, nanoseconds."""
        headers = await asyncio.to_thread(self._headers)
        async with session.get(url, headers=headers, allow_redirects=False) as response:
            if response.status != 200:
                raise _Unusable(f"GET {url}: answered {response.status}, expected 200")
            body = bytearray()
            async for chunk in response.content.iter_chunked(_CHUNK):
                body += chunk
                if len(body) > limit:
                    raise _Unusable(f"GET {url}: answer of more than {limit} bytes")
            date = response.headers.get("Date")
        now = self._clock() if date is None else round(_date(date).timestamp()) * SECOND
        return bytes(body), now

    def _headers(self) -> dict[str, str]:
        path = self._settings.bearer_token_file
        if not path:
            return {}
        # Read each time: whoever renews it need not restart us.
        return {"Authorization": f"Bearer {Path(path).read_text(encoding='utf-8').strip()}"}


class _Reader:
    """Reads lists of alerts: of each, as we identify it, when it began, or None if it is suppressed.

    One of which a replica is neither silenced nor inhibited is not; the earliest start of those counts.
    """

    def __init__(self, settings: IdentitySettings) -> None:
        self._settings = settings
        self._ours: dict[str, str] = {}
        self._next: dict[str, str] = {}

    def next_round(self) -> None:
        """Forget what no list of the last round had."""
        self._ours, self._next = self._next, {}

    def read(self, body: bytes) -> dict[str, int | None]:
        known: dict[str, int | None] = {}
        for index, entry in enumerate(envelope.read_list(body)):
            try:
                ours = self._fingerprint(entry["labels"], entry["fingerprint"])
                start = _start(entry)
            except (TypeError, KeyError, AttributeError, ValueError):
                expected = "labels, fingerprint, status, startsAt"
                raise _Unusable(f"alerts[{index}]: expected {expected}") from None
            before = known.get(ours)
            known[ours] = (
                before if start is None else min(start, start if before is None else before)
            )
        return known

    def _fingerprint(self, labels: Mapping[str, str], theirs: str) -> str:
        """Return our fingerprint of *labels*, which differs from *theirs* where we drop some."""
        if not any(name in labels for name in self._settings.drop_labels):
            return theirs
        # A hash in Python, of thousands each half minute, were it not remembered.
        ours = self._ours.get(theirs) or identity.fingerprint(
            identity.without(labels, self._settings.drop_labels)
        )
        self._next[theirs] = ours
        return ours


def _start(entry: Mapping[str, Any]) -> int | None:
    """Return when the alert of *entry*, of a list, began, nanoseconds; None if it is suppressed."""
    if entry["status"]["state"] == "suppressed":
        return None
    return timestamps.parse(entry["startsAt"]) or 0


def _uptime(status: bytes, now: int) -> float:
    """Return for how many seconds the sender of *status* is up at *now*, by its own clock."""
    try:
        started = timestamps.parse(json.loads(status)["uptime"])
    except (ValueError, TypeError, KeyError, RecursionError):
        raise _Unusable("status.uptime: expected a time in RFC 3339") from None
    # The time of HTTP has whole seconds: one that started within this one lies in its future.
    return max(0.0, seconds(now - (started or 0)))


def _date(text: str) -> datetime:
    try:
        return parsedate_to_datetime(text)
    except ValueError:
        raise _Unusable(f"Date: got {text[:100]!r}, expected a date of HTTP") from None
