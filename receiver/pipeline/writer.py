"""The one thread that touches the writing connection, and what is pending in the inbox.

Whoever wants something of the database says so here; a thread of its own keeps fsync away from event
loop and clustering, and makes locks needless.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

from receiver.core.inbox import InboxRow
from receiver.core.payload import Notification
from receiver.pipeline.handover import Handover
from receiver.pipeline.parts import Store

Body = tuple[bytes, int, Notification | None]
"""A body, how many alerts are in it, and what it says; None if that depends on when it is committed."""

P = ParamSpec("P")
R = TypeVar("R")

STORE_ERRORS = (sqlite3.Error, MemoryError)
"""What a database that cannot be used now raises; sqlite3 has no error of its own for no memory."""


class Writer:
    """Runs calls on the store one after the other."""

    def __init__(self, store: Store, clock: Callable[[], int]) -> None:
        """Write to *store*; *clock* gives nanoseconds since 1970."""
        self.store = store
        self._clock = clock
        self._stamped = 0
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="writer")
        self._pending: dict[int, tuple[int, int]] = {}
        self.pending_alerts = 0
        self.errors = 0
        for row_id, received_at, alerts in store.pending():
            self._pending[row_id] = (received_at, alerts)
            self.pending_alerts += alerts
            self._stamped = max(self._stamped, received_at)
        self.handover = Handover(max(self._pending, default=0))

    @property
    def executor(self) -> ThreadPoolExecutor:
        """Where the calls run, for an event loop to wait on."""
        return self._thread

    def call(self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run *function* on the thread and return what it returns; for other threads."""
        future: Future[R] = self._thread.submit(function, *args, **kwargs)
        try:
            return future.result()
        except STORE_ERRORS:
            self.errors += 1
            raise

    def receive(self, bodies: Sequence[Body]) -> int:
        """Commit *bodies* to the inbox and hand them on; runs on the thread.

        Returns:
            When they were received, nanoseconds; never less than at an earlier call, whatever the
            clock does, so that time never falls from input to input.
        """
        self._stamped = max(self._stamped, self._clock())
        try:
            ids = self.store.add_to_inbox(self._stamped, [body[:2] for body in bodies])
        except STORE_ERRORS:
            self.errors += 1
            raise
        for row_id, (_, alerts, _) in zip(ids, bodies, strict=True):
            self._pending[row_id] = (self._stamped, alerts)
            self.pending_alerts += alerts
        self.handover.give(
            (InboxRow(row_id, self._stamped, alerts, 0, body), said)
            for row_id, (body, alerts, said) in zip(ids, bodies, strict=True)
        )
        return self._stamped

    def commit(self, *args: Any, applied: Sequence[Any] = (), **kwargs: Any) -> None:
        """Commit a step, as `Store.commit` does; runs on the thread."""
        self.store.commit(*args, applied=applied, **kwargs)
        for row, count in applied:
            received_at, left = self._pending.pop(row.id)
            self.pending_alerts -= left
            if count < row.alerts:
                self._pending[row.id] = (received_at, row.alerts - count)
                self.pending_alerts += row.alerts - count

    def oldest_pending_at(self) -> int | None:
        """Return when the oldest pending row was received, nanoseconds; None if there is none."""
        try:
            return min(at for at, _ in list(self._pending.values()))
        except ValueError:
            return None

    def close(self) -> None:
        """Finish what was called, then close the database."""
        self._thread.shutdown(wait=True)
        self.store.close()
