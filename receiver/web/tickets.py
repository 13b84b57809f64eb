"""Tickets: what a browser's socket, which cannot send a header, shows in its address instead of a token.

What stands in an address is written to logs: so it is good once, and for moments.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable

from receiver.core.errors import TryLater, Unauthorized
from receiver.web.credentials import Credential

_TICKET_SECONDS = 30.0
_MAX_TICKETS = 10_000


class Tickets:
    """Those that are out."""

    def __init__(self, seconds: Callable[[], float]) -> None:
        """Issue none yet; *seconds* is a clock for durations."""
        self._seconds = seconds
        self._out: dict[str, tuple[float, Credential]] = {}

    def issue(self, credential: Credential) -> tuple[str, float]:
        """Return a ticket that stands for *credential* once, and for how many seconds.

        Raises:
            TryLater: Too many are out.
        """
        now = self._seconds()
        self._out = {ticket: out for ticket, out in self._out.items() if out[0] > now}
        if len(self._out) >= _MAX_TICKETS:
            raise TryLater("too many tickets are out")
        ticket = secrets.token_urlsafe(24)
        self._out[ticket] = (now + _TICKET_SECONDS, credential)
        return ticket, _TICKET_SECONDS

    def redeem(self, ticket: str) -> Credential:
        """Take *ticket*, which is good no more after this; return what it stands for.

        Raises:
            Unauthorized: It is not known, was used, or is too old.
        """
        out = self._out.pop(ticket, None)
        if out is not None and out[0] >= self._seconds():
            return out[1]
        raise Unauthorized("ticket: it is not known, was used, or is too old", field="ticket")
