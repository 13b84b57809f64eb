"""The masked texts whose vectors are held: one vector a text, bounded, the longest unused let go."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice, takewhile
from weakref import WeakValueDictionary

import numpy as np
from numpy.typing import NDArray

from receiver.core.changes import Text
from receiver.core.index import VectorIndex, halved
from receiver.core.model import Vector
from receiver.core.text import digest
from receiver.core.timestamps import SECOND

DAY = 86_400 * SECOND

_ARCHIVING = 0.8
"""Share of the limit from which on what is old is let go of: below, it does no harm to know it."""

_AT_ONCE = 100
"""Each removal may be a walk over the whole index, so it is done for one in so many at once."""


class Texts:
    """Ids and vectors of texts, and what of them a store must write."""

    def __init__(
        self, index: VectorIndex, limit: int, retention_days: int, in_use: Callable[[int], bool]
    ) -> None:
        """Hold at most *limit* texts in *index*.

        Args:
            index: Empty; keeps the vectors, as 16-bit floats. Nothing is decided by what is found in it.
            limit: Texts, beyond which the longest unused goes.
            retention_days: Unused for longer, a text goes when the limit is near.
            in_use: Tells whether the text of an id must stay.
        """
        index.halve()
        self.index = index
        self._limit = limit
        self._retention_days = retention_days
        self._in_use = in_use
        self._ids: dict[bytes, int] = {}
        # In the order of last use.
        self._digests: dict[int, bytes] = {}
        self._days: dict[int, int] = {}
        self._today = 0
        # Read from the index anew each time, each cluster that holds a text had a vector of its own.
        self._shared: WeakValueDictionary[int, Vector] = WeakValueDictionary()
        self._new: list[Text] = []
        self._used: dict[int, int] = {}
        self._forgotten: list[int] = []

    def id_of(self, text: str) -> int:
        """Return the id of *text*; 0 if its vector is not held."""
        return self._ids.get(digest(text), 0) if text else 0

    def vector(self, text_id: int) -> Vector | None:
        """Return the vector under *text_id*, shape (dims,); None if it is not held."""
        if text_id not in self.index:
            return None
        found = self._shared.get(text_id)
        if found is None:
            found = self._shared[text_id] = self.index.vector(text_id)
            found.flags.writeable = False
        return found

    def learn(
        self, text: str, vector: Vector | None, new_id: Callable[[], int], now: int
    ) -> tuple[int, Vector | None]:
        """Return id and vector of *text*, learned at *now* if it is new; (0, None) if it has no vector."""
        key = digest(text)
        text_id = self._ids.get(key)
        if text_id is None:
            if vector is None:
                return 0, None
            text_id = new_id()
            self._make_room(now // DAY)
            # As it will be held: a store must give back this very one.
            vector = halved(vector)
            self.index.add([text_id], vector.reshape(1, -1))
            self._ids[key] = text_id
            self._new.append(Text(text_id, key, text, vector))
        self._use(text_id, key, now)
        self._used.pop(text_id, None)
        self._used[text_id] = now
        return text_id, self.vector(text_id)

    def _use(self, text_id: int, key: bytes, at: int) -> None:
        """Make *text_id* the one used last."""
        self._digests[text_id] = self._digests.pop(text_id, key)
        if at // DAY != self._today:
            # One number for all that are used on it.
            self._today = at // DAY
        self._days[text_id] = self._today

    def _make_room(self, today: int) -> None:
        """Let go of what is unused, if there is too much, or much of it is old."""
        count, part = len(self._digests), self._limit // _AT_ONCE
        among = iter(self._digests)
        if count < _ARCHIVING * self._limit:
            return
        if count < self._limit:
            # Looked at no further: behind what is old and still in use may be more of it.
            oldest = takewhile(lambda t: self._days[t] < today - self._retention_days, among)
            among, excess = islice(oldest, part), count
        else:
            excess = count - (self._limit - part - 1)
        gone = list(islice((t for t in among if not self._in_use(t)), excess))
        self.index.remove(gone)
        for text_id in gone:
            del self._ids[self._digests.pop(text_id)], self._days[text_id]
        self._forgotten += gone

    def changes(self) -> tuple[list[Text], list[tuple[int, int]], list[int]]:
        """Return new texts, (id, when) of those used, in order, and ids forgotten, since the last call."""
        told = self._new, list(self._used.items()), self._forgotten
        self._new, self._used, self._forgotten = [], {}, []
        return told

    def restore(
        self, texts: Sequence[tuple[int, bytes, int]], vectors: NDArray[np.float32] | None
    ) -> None:
        """Take back *texts* (id, digest, when used), the longest unused first, and their *vectors*."""
        if vectors is not None:
            self.index.add([text_id for text_id, _, _ in texts], vectors)
        for text_id, key, used_at in texts:
            self._ids[key] = text_id
            self._use(text_id, key, used_at)
