"""What another setting does to the clusters of the same alerts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from receiver.core import scores
from receiver.replay.errors import ReplayError
from receiver.replay.run import Replay


class Fate(StrEnum):
    """What becomes of clusters; the transitions of MONIC (Spiliopoulou et al. 2006), at one half.

    A cluster becomes another if more than half of either is what both share.
    """

    APPEARED = "appeared"
    """Nothing became it."""
    VANISHED = "vanished"
    """It became nothing."""
    MERGED = "merged"
    """Several became it."""
    SPLIT = "split"
    """It became several."""
    RESIZED = "resized"
    """One became one, with other alerts in it."""
    SAME = "same"
    """One became one, with the same alerts."""


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that becomes of clusters.

    Attributes:
        fate: What.
        before: Clusters it happens to; of one that appeared, those that its alerts were in.
        after: What they become; of one that vanished, where its alerts are.
        alerts: How many alerts it is about.
    """

    fate: Fate
    before: tuple[int, ...]
    after: tuple[int, ...]
    alerts: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two groupings of the same firing periods.

    Attributes:
        alerts: Firing periods that both have in a cluster.
        agreement: Of the second with the first, as if that were the truth; None without alerts.
        same_company: Alerts that are with exactly the same others.
        changed_company: Alerts of whose company, themselves included, not even half is in both:
            those they are with in both, over those they are with in either, is below 1/2.
        pairs: Pairs of alerts that are together: in the first, in the second, in both.
        before, after: Alerts of each cluster, by its id.
        changes: All that becomes of clusters, what is about the most alerts first.
    """

    alerts: int
    agreement: scores.Agreement | None
    same_company: int
    changed_company: int
    pairs: tuple[int, int, int]
    before: Counter[int]
    after: Counter[int]
    changes: tuple[Change, ...]

    def count(self, fate: Fate) -> int:
        """Return how often *fate* befell."""
        return sum(change.fate is fate for change in self.changes)


def compare(first: Replay, second: Replay) -> Comparison:
    """Compare two replays of the same input, by the firing periods of the first.

    Raises:
        ReplayError: It was not the same.
    """
    if len(first.lines) != len(second.lines):
        raise ReplayError("the input changed between the two runs; run this again, or --no-diff")
    pairs: dict[int, tuple[int, int]] = {}
    for one, other in zip(first.lines, second.lines, strict=True):
        if one.episode is None or other.episode is None:
            continue
        before, after = one.episode.cluster_id, other.episode.cluster_id
        if before is not None and after is not None:
            pairs.setdefault(one.episode.id, (before, after))
    return compare_groups(list(pairs.values()))


def compare_groups(pairs: Sequence[tuple[int, int]]) -> Comparison:
    """Compare two groupings, of which *pairs* gives the clusters of each alert."""
    before = Counter(b for b, _ in pairs)
    after = Counter(a for _, a in pairs)
    cells = Counter(pairs)
    same = sum(n for (b, a), n in cells.items() if n == before[b] == after[a])
    changed = sum(n for (b, a), n in cells.items() if 2 * n < before[b] + after[a] - n)
    return Comparison(
        alerts=len(pairs),
        agreement=scores.agreement([b for b, _ in pairs], [a for _, a in pairs]) if pairs else None,
        same_company=same,
        changed_company=changed,
        pairs=(_together(before), _together(after), _together(cells)),
        before=before,
        after=after,
        changes=tuple(
            sorted(_changes(before, after, cells), key=lambda c: (-c.alerts, c.before, c.after))
        ),
    )


def _together(sizes: Counter[int] | Counter[tuple[int, int]]) -> int:
    return sum(n * (n - 1) // 2 for n in sizes.values())


def _changes(
    before: Counter[int], after: Counter[int], cells: Counter[tuple[int, int]]
) -> Iterator[Change]:
    met_after: dict[int, list[int]] = {b: [] for b in before}
    met_before: dict[int, list[int]] = {a: [] for a in after}
    becomes: dict[int, list[int]] = {b: [] for b in before}
    made_of: dict[int, list[int]] = {a: [] for a in after}
    for (b, a), n in sorted(cells.items()):
        met_after[b].append(a)
        met_before[a].append(b)
        if 2 * n > min(before[b], after[a]):
            becomes[b].append(a)
            made_of[a].append(b)
    for b, size in before.items():
        if not becomes[b]:
            yield Change(Fate.VANISHED, (b,), tuple(met_after[b]), size)
        elif len(becomes[b]) > 1:
            yield Change(Fate.SPLIT, (b,), tuple(becomes[b]), size)
        elif len(made_of[becomes[b][0]]) == 1:
            (a,) = becomes[b]
            same = cells[b, a] == size == after[a]
            yield Change(Fate.SAME if same else Fate.RESIZED, (b,), (a,), max(size, after[a]))
    for a, size in after.items():
        if not made_of[a]:
            yield Change(Fate.APPEARED, tuple(met_before[a]), (a,), size)
        elif len(made_of[a]) > 1:
            yield Change(Fate.MERGED, tuple(made_of[a]), (a,), size)
