"""Which texts tend to start together here: learned from the stream, bounded, fading.

Two alerts that began within two minutes of each other, again and again, are likely to be of one
problem when they next do, whatever they say and wherever they are. What is common is in everybody's
company, and its company says nothing: counts are held against what chance alone would give.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from heapq import nlargest
from itertools import islice

from receiver.core.timestamps import SECOND

WINDOW = 120 * SECOND
"""Nanoseconds between two onsets that count as together: half of a fault's alerts begin within it."""

APART = 600 * SECOND
"""Nanoseconds after which a text that comes again is counted again: ten pods that say the same within
a minute are one event, and so is an alert that flaps."""

_HALF_LIFE_SECONDS = 14 * 86_400.0
"""A fortnight: what happens once a week is still known, a service that moved is forgotten in months."""

_LOOKED_BACK = 64
"""Texts that a new one is counted with, those that began last: in a storm of hundreds of kinds the
first minute's company says little about any two of them."""

MOST_COMPANIONS = 16
"""Companions remembered of one text, those met most."""

_PRIOR = 1.0
"""Onsets that chance is trusted for: met once of one time says something, once of ten little."""

_LEAST = 1e-9
"""Chance is never taken for less: where all company was decades ago, as senders may tell, it fades to 0."""

Row = tuple[int, float, int, int, int, dict[int, float]]
"""Text id, onsets, when these were counted, its latest onset, order of its latest onset, companions."""


@dataclass(slots=True)
class _Company:
    """What is known of one text.

    Attributes:
        onsets: How often it began, fading.
        at: When that was last brought up to date, nanoseconds; of a text, its last counted onset.
        latest: Its latest onset, counted or not.
        order: Which number its latest onset had among all.
        met: How often each companion had begun shortly before it, fading.
    """

    onsets: float = 0.0
    at: int = 0
    latest: int = 0
    order: int = 0
    met: dict[int, float] = field(default_factory=dict)

    def left(self, now: int) -> float:
        """Return the share of the counts that is left at *now*, above 0 and at most 1."""
        return math.pow(0.5, max(0, now - self.at) / SECOND / _HALF_LIFE_SECONDS)

    def fade(self, now: int) -> None:
        """Bring counts to *now*."""
        if now > self.at:
            left = self.left(now)
            self.onsets *= left
            self.met = {other: count * left for other, count in self.met.items()}
            self.at = now


class Companions:
    """Counts which texts begin together."""

    def __init__(self, limit: int) -> None:
        """Remember at most *limit* texts; the one that has not come for longest is forgotten."""
        self._limit = limit
        self._all = _Company()
        self._by_text: OrderedDict[int, _Company] = OrderedDict()
        # By text, which others count it among those that they met: what `met` says, the other way.
        self._met_by: dict[int, set[int]] = {}
        self._touched: set[int] = set()
        self._dropped: set[int] = set()

    def __len__(self) -> int:
        return len(self._by_text)

    def observe(self, text_id: int, onset: int, order: int) -> None:
        """Count that an alert with the text *text_id* began.

        Args:
            text_id: Above 0.
            onset: Nanoseconds.
            order: Grows from call to call.
        """
        known = self._by_text.get(text_id)
        company = known or _Company(at=onset)
        if known is None or onset - company.at >= APART:
            company.fade(onset)
            self._all.fade(onset)
            company.onsets += 1.0
            self._all.onsets += 1.0
            self._meet(text_id, company, onset)
        company.latest, company.order = onset, order
        self._by_text[text_id] = company
        self._by_text.move_to_end(text_id)
        self._touched |= {0, text_id}
        # More than one where the limit was higher before a restart.
        while len(self._by_text) > self._limit:
            gone, theirs = self._by_text.popitem(last=False)
            for other in theirs.met:
                self._part(gone, other)
            self._touched.discard(gone)
            self._dropped.add(gone)

    def _meet(self, text_id: int, company: _Company, onset: int) -> None:
        latest = islice(reversed(self._by_text.items()), _LOOKED_BACK)
        near = [
            other
            for other, theirs in latest
            if -WINDOW <= onset - theirs.latest <= WINDOW and other != text_id
        ]
        before, fresh = company.met, dict.fromkeys(near, 1.0)
        met = {**before, **fresh}
        met |= {other: count + 1.0 for other, count in before.items() if other in fresh}
        for _ in near:
            # One by one, as a product would be rounded otherwise.
            self._all.met[0] = self._all.met.get(0, 0.0) + 1.0
        if len(met) > MOST_COMPANIONS:
            # Most that are met in a storm stay out at once, and are not noted anywhere.
            kept = nlargest(MOST_COMPANIONS, zip(met.values(), met, strict=True))
            ids = {other for _, other in kept}
            met = {other: count for other, count in met.items() if other in ids}
        for other in before.keys() - met.keys():
            self._part(text_id, other)
        for other in met.keys() - before.keys():
            self._met_by.setdefault(other, set()).add(text_id)
        company.met = met

    def _part(self, text_id: int, other: int) -> None:
        """Note that *text_id* counts *other* no more."""
        self._met_by[other].discard(text_id)
        if not self._met_by[other]:
            del self._met_by[other]

    def of(self, text_id: int) -> AbstractSet[int]:
        """Return the texts that *text_id* has begun with, or they with it."""
        own = self._by_text.get(text_id)
        return frozenset() if own is None else own.met.keys() | self._met_by.get(text_id, ())

    def lift(self, text_id: int, others: Iterable[int], now: int = 0) -> tuple[float, int]:
        """Return how much likelier *text_id* is to begin with one of *others* than by chance, at *now*.

        With n(a, b) onsets of both together, n(r) of the rarer and p the chance that the commoner begins
        by any onset: log(((n(a, b) + κp) / (n(r) + κ)) / p), pointwise mutual information (Church and
        Hanks 1990) drawn to none where little was seen.

        Returns:
            The greatest of these log-odds, at least 0, and of which of *others*; 0 of none.
        """
        own = self._by_text.get(text_id)
        best, whose = 0.0, 0
        if own is None or not self._all.met:
            return best, whose
        neighbours = 2.0 * self._all.met[0] / self._all.onsets
        all_onsets = max(_LEAST, self._all.onsets * self._all.left(now))
        own_left = own.left(now)
        met, met_by = own.met, self._met_by.get(text_id, ())
        for other in others:
            if other not in met and other not in met_by:
                continue
            theirs = self._by_text.get(other)
            if theirs is None:
                continue
            left = theirs.left(now)
            together = met.get(other, 0.0) * own_left + theirs.met.get(text_id, 0.0) * left
            rarer, commoner = sorted((own.onsets * own_left, theirs.onsets * left))
            chance = min(1.0, max(_LEAST, neighbours * commoner / all_onsets))
            found = math.log((together + _PRIOR * chance) / ((rarer + _PRIOR) * chance))
            if found > best:
                best, whose = found, other
        return best, whose

    # What a store needs to keep this and to build it again.

    def changes(self) -> tuple[list[Row], list[int]]:
        """Return the rows changed, that of text 0 for all texts together, and the texts dropped."""
        changed = [self._row(text_id) for text_id in sorted(self._touched)]
        # Not a difference of sets, which walks through all that is held.
        dropped = sorted(text_id for text_id in self._dropped if text_id not in self._by_text)
        self._touched.clear()
        self._dropped.clear()
        return changed, dropped

    def restore(self, rows: Iterable[Row]) -> None:
        """Take back the rows that `changes` gave; only for an empty one."""
        for text_id, onsets, at, latest, order, met in sorted(rows, key=lambda row: row[4]):
            company = _Company(onsets, at, latest, order, dict(met))
            if text_id:
                self._by_text[text_id] = company
                for other in met:
                    self._met_by.setdefault(other, set()).add(text_id)
            else:
                self._all = company

    def rows(self) -> Iterator[Row]:
        """Yield all there is, as `restore` takes it."""
        yield self._row(0)
        for text_id in sorted(self._by_text):
            yield self._row(text_id)

    def _row(self, text_id: int) -> Row:
        company = self._by_text[text_id] if text_id else self._all
        return (
            text_id, company.onsets, company.at, company.latest, company.order, dict(company.met),
        )  # fmt: skip
