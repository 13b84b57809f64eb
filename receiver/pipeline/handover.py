"""What was just committed to the inbox, handed on as it was parsed: it need not be read and parsed again.

Bounded: what does not fit is read from the inbox, as is all that was there at the start.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable

from receiver.core.inbox import InboxRow
from receiver.core.payload import Notification

Handed = tuple[InboxRow, Notification | None]
"""A row, and what it says; None where that is only known once it is read again."""

MOST_BYTES = 4 * 2**20
"""Of bodies that wait here: some thousand alerts, by when who takes them has fallen behind anyhow."""


class Handover:
    """Rows of the inbox from the one who commits them to the one who applies them."""

    def __init__(self, after: int, most_bytes: int = MOST_BYTES) -> None:
        """Hold at most *most_bytes*; rows with ids up to *after* are in the inbox alone."""
        self._after = after
        self._most = most_bytes
        self._bytes = 0
        self._rows: deque[Handed] = deque()
        self._lock = threading.Lock()

    def give(self, rows: Iterable[Handed]) -> None:
        """Hand on *rows*, committed, in the order of their ids."""
        with self._lock:
            for row, notification in rows:
                self._bytes += len(row.body)
                self._rows.append((row, notification))
                if self._bytes > self._most:
                    # Those that come later cannot be taken before them.
                    self._leave_to_inbox(row.id)

    def take(self, after: int) -> list[Handed] | None:
        """Return all rows with ids above *after*; None if the inbox has some that are not here."""
        with self._lock:
            if after < self._after:
                return None
            taken = [handed for handed in self._rows if handed[0].id > after]
            if self._rows:
                self._leave_to_inbox(self._rows[-1][0].id)
            return taken

    def _leave_to_inbox(self, last: int) -> None:
        self._rows.clear()
        self._bytes, self._after = 0, last
