"""POST /api/v1/webhook: read, parse, commit, answer 200. Nothing else is on this way.

POST /api/v2/alerts, as Alertmanagers have it, is the same for a list of alerts from Prometheus. Never
429 (the sender drops what it gets that for), never a redirect (it turns a POST into a GET), and never
200 before the commit.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from aiohttp import web

from receiver.config import IntakeSettings
from receiver.core import payload
from receiver.core.errors import StormcellError, TooLarge, TryLater
from receiver.core.identity import IdentitySettings
from receiver.core.payload import Notification
from receiver.web import errors
from receiver.web.parts import Intake, Metrics, Room

_Parse = Callable[[bytes], Notification]

log = logging.getLogger(__name__)

_SMALL = 4 * 1024
"""Bytes parsed where they are: under a millisecond, less than a trip to another thread is worth."""

_CHUNK = 256 * 1024
_GROUPS = 10_000
"""Sender's groups whose missing alerts are remembered."""


class Webhook:
    """Takes notifications in."""

    def __init__(
        self,
        settings: IntakeSettings,
        identity: IdentitySettings,
        *,
        intake: Intake,
        room: Room,
        metrics: Metrics,
        clock: Callable[[], int],
    ) -> None:
        """Commit to *intake* what fits into *room*."""
        self._clock = clock
        self.settings = settings
        self._identity = identity
        self._intake = intake
        self._room = room
        self._metrics = metrics
        self._missing: dict[tuple[str, str, str], int] = {}
        self._parsers = ThreadPoolExecutor(max_workers=1, thread_name_prefix="parser")

    def missing(self) -> int:
        """Return how many alerts senders said they cut from their latest notifications."""
        return sum(self._missing.values())

    def close(self) -> None:
        """End the parser's thread."""
        self._parsers.shutdown(wait=False, cancel_futures=True)

    async def post(self, request: web.Request) -> web.Response:
        """Answer a notification as the sender needs it answered."""
        notification = await self._counted(request, self._notification)
        return web.json_response(
            {
                "accepted": len(notification.alerts),
                "dead_letters": [
                    {"alert": d.index, "field": d.field, "reason": d.reason}
                    for d in notification.dead_letters[:10]
                ],
            }
        )

    async def post_alerts(self, request: web.Request) -> web.Response:
        """Answer a list of alerts from Prometheus as an Alertmanager would."""
        await self._counted(request, self._posted)
        return web.Response()

    def _notification(self, body: bytes) -> Notification:
        return payload.parse(body, self._identity)

    def _posted(self, body: bytes) -> Notification:
        # Read again once committed, with the time of that; what is refused is so at any time.
        return payload.parse_posted(body, self._identity, self._clock())

    async def _counted(self, request: web.Request, parse: _Parse) -> Notification:
        """Take *request* in, which *parse* can read, and count how it is answered."""
        started = time.perf_counter()
        code = "500"
        try:
            notification = await self._take(request, parse)
            code = "200"
        except StormcellError as error:
            code = str(error.status)
            log.warning(
                "a webhook was refused",
                extra={"err": error.message, "code": code, "peer": request.remote},
            )
            raise
        except asyncio.CancelledError:
            # Nobody reads the answer; 499 is what proxies log for a client that has gone.
            code = "499"
            raise
        finally:
            self._metrics.answered(code, time.perf_counter() - started)
        return notification

    async def refuse(self, request: web.Request) -> web.Response:
        """Answer any method but POST; never by a redirect, which would turn a POST into a GET."""
        self._metrics.answered("405", 0.0)
        raise web.HTTPMethodNotAllowed(request.method, ["POST"])

    async def _take(self, request: web.Request, parse: _Parse) -> Notification:
        if request.content_length is not None:
            self._check_size(request.content_length)
        taken = 0
        try:
            received = bytearray()
            async with asyncio.timeout(self.settings.read_timeout):
                # Room is taken for what has come and not for what is announced: who announces
                # much and sends nothing keeps nobody out.
                async for chunk in request.content.iter_chunked(_CHUNK):
                    self._check_size(len(received) + len(chunk))
                    await self._room.take(len(chunk))
                    taken += len(chunk)
                    received += chunk
            body = bytes(received)
            del received
            notification = await self._read(body, parse)
            await self._intake.commit(
                body,
                len(notification.alerts),
                lambda: _has_gone(request),
                said=notification if parse == self._notification else None,
            )
        except TimeoutError:
            raise TryLater("the body did not arrive in time") from None
        except MemoryError:
            raise TryLater("out of memory") from None
        except web.RequestPayloadError as error:
            raise errors.unreadable(request, error) from error
        finally:
            self._room.give_back(taken)
        self._note(notification)
        return notification

    def _check_size(self, size: int) -> None:
        limit = self.settings.max_body_bytes
        if size > limit:
            raise TooLarge(
                f"body of {size} bytes, expected at most {limit} (intake.max_body_bytes)"
            )

    async def _read(self, body: bytes, parse: _Parse) -> Notification:
        if len(body) <= _SMALL:
            return parse(body)
        return await asyncio.get_running_loop().run_in_executor(self._parsers, parse, body)

    def _note(self, notification: Notification) -> None:
        for letter in notification.dead_letters[:10]:
            log.warning(
                "an alert goes to the dead letters",
                extra={"alert": letter.index, "err": letter.reason},
            )
        key = (notification.external_url, notification.receiver, notification.group_key)
        if notification.truncated:
            self._metrics.cut()
            if key in self._missing or len(self._missing) < _GROUPS:
                self._missing[key] = notification.truncated
        else:
            self._missing.pop(key, None)


def _has_gone(request: web.Request) -> bool:
    return request.transport is None or request.transport.is_closing()
