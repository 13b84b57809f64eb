"""Which kinds of alert are known here, and since when: what it takes to call a cluster novel.

A kind is an alert name; alerts without a name are one kind. It is remembered when each was first and
last seen, whatever became of the alert. What cannot be known is said to be unknown, never novel: a
memory that is young, or that had to forget, reaches back to `since` and no further.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from receiver.core.labels import kind
from receiver.core.timestamps import SECOND

_SINCE = "since"
"""Key of the row that says from when on all is remembered; kinds all have a separator in theirs."""

_RESOLUTION = 3600 * SECOND
"""Nanoseconds between two notes that a kind is still about: against days, hours are fine, and an alert
that is repeated by the second costs one row an hour."""

_STILL_NEW = 3600 * SECOND
"""Nanoseconds for which a kind that has just come up is new to further clusters too: one cause may open
several within a delivery or two, and none of them is old news."""


@dataclass(frozen=True, slots=True)
class Novelty:
    """How new the kinds of alert of a cluster were when it had the first of each.

    Attributes:
        met: Kinds it had; those of clusters merged into it are counted again.
        new: Of these, how many were not seen here for `clustering.novel_after`.
        unknown: How many are not remembered, by a memory that does not reach back so far.
        first_seen: When the first of its kinds was first seen here, nanoseconds; None without members.
    """

    met: int = 0
    new: int = 0
    unknown: int = 0
    first_seen: int | None = None

    @property
    def novel(self) -> bool | None:
        """Whether half of its kinds were new, or more; None if that cannot be known.

        Not any: among the thirty kinds of a large outage one is new now and then. Not all: a fault
        nobody has met before also sets off the error rates that everything sets off.
        """
        if 2 * self.new >= self.met > 0:
            return True
        return None if 2 * (self.new + self.unknown) >= self.met else False

    def __add__(self, other: Novelty) -> Novelty:
        told = [at for at in (self.first_seen, other.first_seen) if at is not None]
        return Novelty(
            self.met + other.met,
            self.new + other.new,
            self.unknown + other.unknown,
            min(told, default=None),
        )


@dataclass(frozen=True, slots=True)
class _Kind:
    """When a kind was first seen, when it last came up after long silence, and when last seen."""

    first_at: int
    back_at: int
    last_at: int


Row = tuple[str, int, int, int]


class Kinds:
    """When each kind of alert was seen; the longest unseen is forgotten first."""

    def __init__(self, limit: int, novel_after: int) -> None:
        """Remember at most *limit* kinds; silence of *novel_after* nanoseconds makes one new again."""
        self._limit = limit
        self._novel_after = novel_after
        self._by_key: dict[str, _Kind] = {}
        self._since: int | None = None
        self._touched: set[str] = set()
        self._dropped: set[str] = set()

    def novelty(self, alert_name: str, now: int) -> Novelty:
        """Return how new *alert_name* is at *now*, nanoseconds; it is not yet `see`n."""
        known = self._by_key.get(kind(alert_name))
        if known is None:
            return self._unseen(now, now)
        if now - known.last_at >= self._novel_after:
            return Novelty(1, 1, 0, known.first_at)
        if now - known.back_at >= _STILL_NEW:
            return Novelty(1, 0, 0, known.first_at)
        if known.back_at > known.first_at:
            return Novelty(1, 1, 0, known.first_at)
        return self._unseen(known.first_at, known.first_at)

    def _unseen(self, at: int, first_seen: int) -> Novelty:
        """Return the novelty of what was never seen until *at*."""
        reaches = self._since is not None and at - self._since >= self._novel_after
        return Novelty(1, int(reaches), int(not reaches), first_seen)

    def see(self, alert_name: str, now: int) -> None:
        """Note that an alert of *alert_name* fires at *now*, nanoseconds."""
        if self._since is None:
            self._remember_since(now)
        key = kind(alert_name)
        known = self._by_key.get(key)
        if known is None:
            self._by_key[key] = _Kind(now, now, now)
        elif now - known.last_at >= self._novel_after:
            self._by_key[key] = replace(known, back_at=now, last_at=now)
        elif now - known.last_at >= _RESOLUTION:
            self._by_key[key] = replace(known, last_at=now)
        else:
            return
        self._touched.add(key)
        if len(self._by_key) > self._limit:
            self._shrink()

    def _remember_since(self, at: int) -> None:
        self._since = at
        self._touched.add(_SINCE)

    def _shrink(self) -> None:
        """Forget the tenth that was not seen for the longest."""
        by_age = sorted(self._by_key, key=lambda key: (self._by_key[key].last_at, key))
        gone = by_age[: max(1, self._limit // 10)]
        # Of what was last seen by then, nothing is known any more.
        self._remember_since(max(self._since or 0, self._by_key[gone[-1]].last_at + 1))
        for key in gone:
            del self._by_key[key]
            self._touched.discard(key)
            self._dropped.add(key)

    # What a store needs to keep this and to build it again.

    def changes(self) -> tuple[list[Row], list[str]]:
        """Return the rows changed and the keys dropped since the last call."""
        changed = [self._row(key) for key in sorted(self._touched)]
        # Not a difference of sets, which walks through all that is held.
        dropped = sorted(key for key in self._dropped if key not in self._by_key)
        self._touched.clear()
        self._dropped.clear()
        return changed, dropped

    def restore(self, rows: Iterable[Row]) -> None:
        """Take back the rows that `changes` gave."""
        for key, *times in rows:
            if key == _SINCE:
                self._since = times[0]
            else:
                self._by_key[key] = _Kind(*times)

    def rows(self) -> Iterator[Row]:
        """Yield all there is, as `restore` takes it."""
        if self._since is not None:
            yield self._row(_SINCE)
        for key in sorted(self._by_key):
            yield self._row(key)

    def _row(self, key: str) -> Row:
        if key == _SINCE:
            at = self._since or 0
            return (key, at, at, at)
        known = self._by_key[key]
        return (key, known.first_at, known.back_at, known.last_at)
