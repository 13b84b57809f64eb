"""What the pipeline needs of a store. Another log may take the database's place behind it."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from typing import Protocol

from receiver.core.changes import Changes, Restored
from receiver.core.evolution import Event
from receiver.core.inbox import InboxRow
from receiver.core.model import Alert, Episode, Input
from receiver.core.past import PastCluster
from receiver.core.payload import DeadLetter
from receiver.core.room import Size, Trimmed
from receiver.pipeline.desk import Past


class Store(Past, Protocol):
    """Keeps what is received and what became of it.

    All calls come from one thread, one at a time. Each is a transaction: when it returns, its effect
    survives power loss; when it raises `sqlite3.Error`, it had none and may be tried again. `restore`
    alone may be called from another thread meanwhile.
    """

    @property
    def embedder(self) -> str | None:
        """What made the vectors in here; None while there are none."""
        ...

    def set_embedder(self, identity: str) -> None:
        """Note what makes the vectors."""
        ...

    def add_to_inbox(self, received_at: int, bodies: Sequence[tuple[bytes, int]]) -> list[int]:
        """Keep *bodies* (body, alerts in it); return their ids, which ascend for ever."""
        ...

    def inbox(self, after: int, limit_bytes: int) -> list[InboxRow]:
        """Return rows with ids above *after*, in order: the first, and more up to *limit_bytes*."""
        ...

    def pending(self) -> list[tuple[int, int, int]]:
        """Return (id, received_at, alerts not yet applied) of each row of the inbox, in order."""
        ...

    def commit(
        self,
        inputs: Sequence[Input],
        events: Sequence[Event],
        changes: Changes,
        *,
        text_id: Callable[[str], int],
        applied: Sequence[tuple[InboxRow, int]] = (),
        dead_letters: Sequence[tuple[int, DeadLetter]] = (),
        journal_before: int | None = None,
    ) -> None:
        """Keep one step: its inputs, its events, the state after it, and how far the inbox is done."""
        ...

    def restore(self, assignments: int, past_clusters: int) -> Restored | None:
        """Return all that an engine needs to go on; None if nothing was ever committed."""
        ...

    def recall(self, fingerprints: Sequence[str]) -> tuple[list[Episode], list[PastCluster]]:
        """Return the latest episodes of *fingerprints*, and the clusters over that they were in."""
        ...

    def given_up(self, fingerprints: Sequence[str]) -> list[tuple[Episode, Alert]]:
        """Return the latest episodes of *fingerprints* that may have been given up, and what was last told.

        They are stale, or ended in another way than that their sender said so.
        """
        ...

    @property
    def size(self) -> Size:
        """How large it is after the last call that changed it; may be read from any thread."""
        ...

    def trim(self, limit_bytes: int, remembered: Container[int], assignments: int) -> Trimmed:
        """Do one small step towards a size of at most *limit_bytes*; the oldest that is over goes.

        What a restored engine would hold stays: of clusters that are over those *remembered*, and as
        many of the latest *assignments*. The running engine must hold no episode that is over.
        """
        ...

    def close(self) -> None:
        """Let go of everything."""
        ...
