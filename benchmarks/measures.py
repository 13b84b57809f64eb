"""What a grouping is judged by, beside its agreement with the truth; nothing in here groups.

Position i of every list is firing alert i, in the order of arrival.
"""

from __future__ import annotations

import math
import statistics
from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from receiver.core.scores import Agreement, agreement


@dataclass(frozen=True, slots=True)
class Grouping:
    """What a method made of a stream.

    Attributes:
        assigned: The cluster an alert got when it arrived.
        final: The cluster it is in at the end, after merges and splits.
        seconds: Seconds spent on it, embedding excluded; empty where that cannot be told apart.
    """

    assigned: Sequence[Hashable]
    final: Sequence[Hashable]
    seconds: Sequence[float] = ()


@dataclass(frozen=True, slots=True)
class Measures:
    """All that is said of one grouping of one stream.

    Attributes:
        agreement: With the truth, at the end.
        outvoted: True groups that are the most frequent one in no cluster: `hidden` for a reader who
            takes the commonest group of a cluster for the whole, even if it is no majority.
        churn: Share of alerts whose cluster changed after assignment, 0 to 1.
        first_correct_p50, first_correct_p90: Over the true groups of two or more, seconds from the
            first alert to the first cluster shown that is right; infinite if it never came.
        never_correct: True groups of two or more for which it never came.
        microseconds: Median time an alert took, embedding excluded; NaN if unknown.
    """

    agreement: Agreement
    outvoted: int
    churn: float
    first_correct_p50: float
    first_correct_p90: float
    never_correct: int
    microseconds: float


def measure(times: Sequence[float], truth: Sequence[Hashable], grouping: Grouping) -> Measures:
    """Return what is to be said of *grouping*, of alerts that came at *times* (seconds)."""
    waits = first_correct(times, truth, grouping.assigned)
    return Measures(
        agreement=agreement(truth, grouping.final),
        outvoted=outvoted(truth, grouping.final),
        churn=churn(grouping.assigned, grouping.final),
        first_correct_p50=percentile(waits, 0.5),
        first_correct_p90=percentile(waits, 0.9),
        never_correct=sum(math.isinf(wait) for wait in waits),
        microseconds=statistics.median(grouping.seconds) * 1e6 if grouping.seconds else math.nan,
    )


def outvoted(truth: Sequence[Hashable], found: Sequence[Hashable]) -> int:
    """Return how many groups of *truth* are the most frequent in no cluster of *found*.

    Of equally frequent ones the one that came first counts: one title, one group seen.
    """
    holds: defaultdict[Hashable, Counter[Hashable]] = defaultdict(Counter)
    for group, cluster in zip(truth, found, strict=True):
        holds[cluster][group] += 1
    seen = {groups.most_common(1)[0][0] for groups in holds.values()}
    return len(set(truth) - seen)


def churn(assigned: Sequence[Hashable], final: Sequence[Hashable]) -> float:
    """Return the share of alerts whose cluster changed after assignment, 0 to 1."""
    moved = sum(a != b for a, b in zip(assigned, final, strict=True))
    return moved / len(final)


def first_correct(
    times: Sequence[float], truth: Sequence[Hashable], assigned: Sequence[Hashable]
) -> list[float]:
    """Return how long each true group was not yet seen, in seconds, infinite if it never was.

    From the group's first alert until a cluster, as it stands at that moment, holds two of its
    alerts or more, and these are most of the cluster. Groups of one are left out: they have no
    cluster to find. Merges and splits count for nothing here: clusters are as they were assigned.
    """
    sizes = Counter(truth)
    began: dict[Hashable, float] = {}
    found: dict[Hashable, float] = {}
    clusters: Counter[Hashable] = Counter()
    cells: Counter[tuple[Hashable, Hashable]] = Counter()
    for at, group, cluster in zip(times, truth, assigned, strict=True):
        began.setdefault(group, at)
        clusters[cluster] += 1
        cells[group, cluster] += 1
        inside = cells[group, cluster]
        if inside >= 2 and 2 * inside > clusters[cluster]:
            found.setdefault(group, at)
    return [
        found[group] - first if group in found else math.inf
        for group, first in began.items()
        if sizes[group] > 1
    ]


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest of *values* that *share* of them do not exceed; NaN if there are none."""
    if not values:
        return math.nan
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def likeness(one: Sequence[Hashable], other: Sequence[Hashable]) -> float:
    """Return how alike two groupings of the same alerts are, 0 to 1; 1 if they are the same.

    The score of the one with the other as the truth; which is which makes no difference.
    """
    return agreement(one, other).score


def same(one: Sequence[Hashable], other: Sequence[Hashable]) -> bool:
    """Whether two groupings of the same alerts put the same ones together, whatever their ids."""
    pairs = set(zip(one, other, strict=True))
    return len(pairs) == len(set(one)) == len(set(other))
