"""Every call there is: method, path, who may make it, and what answers. One table for all of it."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass

from aiohttp import web

from receiver.core.errors import StormcellError
from receiver.web.access import Access, Role
from receiver.web.credentials import CREDENTIAL

log = logging.getLogger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Call:
    """One call.

    Attributes:
        method: Of HTTP; `*` for all that no other call takes.
        path: Without the prefix.
        role: Who may make it; None: anybody, or the handler itself sees to it.
        handler: What answers.
        ticket: A ticket in the address will do in place of a token.
    """

    method: str
    path: str
    role: Role | None
    handler: Handler
    ticket: bool = False


Checker = Callable[[], Access]
"""Returns what decides now: a reload makes another."""


def routes(
    calls: Iterable[Call], prefix: str, access: Checker, on_refusal: Callable[[int], None]
) -> Iterator[web.RouteDef]:
    """Yield the routes of *calls* under *prefix*, each behind its role; tell *on_refusal* the statuses."""
    for call in calls:
        handler = _guarded(call, access, on_refusal)
        if call.method == "GET":
            yield web.get(prefix + call.path, handler)
        else:
            yield web.route(call.method, prefix + call.path, handler)


def _guarded(call: Call, access: Checker, on_refusal: Callable[[int], None]) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        ticket = request.query.get("ticket", "") * call.ticket
        try:
            request[CREDENTIAL] = await access().check(request, call.role, ticket=ticket)
        except StormcellError as error:
            # A sender with a wrong token, and who guesses at one, must be seen from here.
            on_refusal(error.status)
            log.warning(
                "access was refused",
                extra={
                    "call": f"{call.method} {call.path}",
                    "code": error.status,
                    "peer": request.remote,
                },
            )
            raise
        return await call.handler(request)

    return handle
