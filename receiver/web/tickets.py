"""Tickets: what a browser's socket, which cannot send a header, shows in its address instead of a token.

What stands in an address is written to logs: so it is good once, and for moments.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable

from receiver.core.errors import TryLater, Unauthorized

_TICKET_SECONDS = 30.0
_MAX_TICKETS = 10_000


class Tickets:
    """Those that are out."""

    def __init__(self, seconds: Callable[[], float]) -> None:
        """Issue none yet; *seconds* is a clock for durations."""
        self._seconds = seconds
        self._until: dict[str, float] = {}

    def issue(self) -> tuple[str, float]:
        """Return a ticket that admits one reader once, and for how many seconds.

        Raises:
            TryLater: Too many are out.
        """
        now = self._seconds()
        self._until = {ticket: until for ticket, until in self._until.items() if until > now}
        if len(self._until) >= _MAX_TICKETS:
            raise TryLater("too many tickets are out")
        ticket = secrets.token_urlsafe(24)
        self._until[ticket] = now + _TICKET_SECONDS
        return ticket, _TICKET_SECONDS

    def redeem(self, ticket: str) -> None:
        """Take *ticket*, which is good no more after this.

        Raises:
            Unauthorized: It is not known, was used, or is too old.
        """
        until = self._until.pop(ticket, None)
        if until is None or until < self._seconds():
            raise Unauthorized("ticket: it is not known, was used, or is too old", field="ticket")
