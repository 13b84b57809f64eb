"""Where the shipped default goes wrong, and what misled it: every alert judged as it was assigned.

A join is right if most of the cluster was of the alert's true group by then. An opening is right if the
group was not yet most of any cluster. One error often causes the next: the counts tell where to look,
not how much each mending would bring.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """What happened to an alert."""

    RIGHT = "right"
    JOINED_FIRST = "joined: first of its group"
    JOINED_OTHER = "joined: group had a cluster"
    OPENED_BELOW = "opened: right one was best"
    OPENED_OUTDONE = "opened: right one outdone"
    OPENED_UNSEEN = "opened: right one unseen"


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided of an alert, and on what.

    Attributes:
        truth: Its true group.
        cluster: The one it got.
        opened: Whether it opened that.
        best: The likeliest candidate: `cluster_id`, `evidence` by term, `gap_seconds`; None without any.
        runner_up: The next one.
        name: alertname.
        noise: Whether the stream calls it chronic noise.
    """

    truth: Hashable
    cluster: Hashable
    opened: bool
    best: Mapping[str, Any] | None
    runner_up: Mapping[str, Any] | None
    name: str
    noise: bool


@dataclass(frozen=True, slots=True)
class Judged:
    """A decision judged.

    Attributes:
        kind: Of error, or right.
        term: The evidence that spoke most for a wrong join, or most against a right one not made.
        name_known: Whether its name was in another cluster before.
        gap_seconds: From the best candidate's onsets to the alert's; None without a candidate.
        noise: Whether it, or most of the cluster it should not have joined, is chronic noise.
    """

    kind: Kind
    term: str
    name_known: bool
    gap_seconds: float | None
    noise: bool


def judge(decisions: Sequence[Decision]) -> Iterator[Judged]:
    """Yield the judgement of each of *decisions*, which are in the order of arrival."""
    holds: dict[Hashable, Counter[Hashable]] = {}
    noisy: dict[Hashable, int] = {}
    names: set[str] = set()

    def is_of(cluster: Hashable, group: Hashable) -> bool:
        inside = holds.get(cluster, Counter())
        return 2 * inside[group] > inside.total()

    for made in decisions:
        best = made.best
        elsewhere = any(is_of(cluster, made.truth) for cluster in holds)
        kind = Kind.RIGHT
        if not made.opened and not is_of(made.cluster, made.truth):
            kind = Kind.JOINED_OTHER if elsewhere else Kind.JOINED_FIRST
        elif made.opened and elsewhere:
            kind = Kind.OPENED_UNSEEN
            if best is not None and is_of(best["cluster_id"], made.truth):
                kind = Kind.OPENED_BELOW
            elif made.runner_up is not None and is_of(made.runner_up["cluster_id"], made.truth):
                kind = Kind.OPENED_OUTDONE
        inside = holds.setdefault(made.cluster, Counter())
        yield Judged(
            kind=kind,
            term=_misled(kind, made),
            name_known=made.name in names,
            gap_seconds=None if best is None else float(best["gap_seconds"]),
            noise=made.noise or 2 * noisy.get(made.cluster, 0) > inside.total(),
        )
        inside[made.truth] += 1
        noisy[made.cluster] = noisy.get(made.cluster, 0) + made.noise
        names.add(made.name)


def _misled(kind: Kind, made: Decision) -> str:
    """Return the term of evidence that misled most; "" where none can be told."""
    told = made.runner_up if kind is Kind.OPENED_OUTDONE else made.best
    if told is None or kind in (Kind.RIGHT, Kind.OPENED_UNSEEN):
        return ""
    evidence: Mapping[str, float] = told["evidence"]
    joined = kind in (Kind.JOINED_FIRST, Kind.JOINED_OTHER)
    pick = max if joined else min
    return pick(sorted(evidence), key=lambda term: evidence[term])
