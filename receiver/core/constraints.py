"""What operators said of which alerts belong together, and which never do: it outlives the clusters.

A merge says that the alerts of both sides belong together (must-link), a split that those of one side
never join those of the other (cannot-link). They are kept by fingerprint, as clusters come and go. A
cluster carries a mark of each constraint of which it has had a member since the constraint was made,
and by these marks alone an alert is drawn to it or kept out: no list of members is needed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from receiver.core.clusters import Cluster
from receiver.core.errors import Conflict
from receiver.core.evidence import Score

MOST_NAMED = 1000
"""Alerts named on one side of a constraint, those that came last: beyond, a few more tell nothing."""


class Kind(StrEnum):
    """What a constraint demands."""

    MUST = "must_link"
    CANNOT = "cannot_link"


@dataclass(frozen=True, slots=True)
class Constraint:
    """One word of an operator on which alerts belong together.

    Attributes:
        seq: Of the event of the command that made it; never reused, and what takes it back.
        kind: What it demands.
        time: When it was made, nanoseconds.
        source: The cluster that was merged into another, or of which members were split off.
        target: The cluster that survived, or that the members split off make.
        sides: Fingerprints of the alerts on each side.
    """

    seq: int
    kind: Kind
    time: int
    source: int
    target: int
    sides: tuple[tuple[str, ...], tuple[str, ...]]

    @property
    def named(self) -> int:
        """How many alerts it names."""
        return len(self.sides[0]) + len(self.sides[1])


@dataclass(frozen=True, slots=True)
class Word:
    """What constraints say of one alert.

    Attributes:
        wanted: Clusters that it must join one of, and the constraint that says so.
        kept_out: Clusters that it never joins, and the constraint that says so.
    """

    wanted: Mapping[int, int]
    kept_out: Mapping[int, int]

    def candidates(
        self, found: list[Cluster], live: Mapping[int, Cluster]
    ) -> tuple[list[Cluster], dict[str, Any] | None]:
        """Return which clusters are to be compared, by id, and what is to be told of it, if anything.

        Args:
            found: Those that would be compared without a word.
            live: Live clusters by id.
        """
        if self is _NOTHING:
            return found, None
        ids = {cluster.id for cluster in found}
        missed = sorted(ids & self.kept_out.keys())
        told = None
        if self.wanted:
            told = _told(Kind.MUST, self.wanted)
        elif missed:
            told = _told(Kind.CANNOT, {c: self.kept_out[c] for c in missed})
        kept = (ids | self.wanted.keys()) - self.kept_out.keys()
        return [live[cluster_id] for cluster_id in sorted(kept)], told

    def wanted_first(self, scores: list[Score]) -> list[Score]:
        """Return *scores*, best first, with that of the best of the wanted clusters at the front."""
        first = [score for score in scores if score.cluster_id in self.wanted][:1]
        return first + [score for score in scores if score not in first]


_NOTHING = Word({}, {})


def _told(kind: Kind, clusters: Mapping[int, int]) -> dict[str, Any]:
    return {
        "kind": kind.value,
        "seq": min(clusters.values()),
        "cluster_ids": sorted(clusters)[:16],
    }


class Constraints:
    """All constraints that hold, by which alert they name."""

    def __init__(self, limit: int) -> None:
        """Name at most *limit* alerts; the oldest constraints leave for new ones."""
        self.by_seq: dict[int, Constraint] = {}
        self._limit = limit
        self._named: dict[str, dict[int, int]] = {}
        self._added: dict[int, Constraint] = {}
        self._gone: set[int] = set()

    @property
    def most_named(self) -> int:
        """How many alerts are named on one side of a new one: it must fit where it is alone."""
        return min(MOST_NAMED, self._limit // 2)

    @property
    def named(self) -> int:
        """How many alerts are named, each as often as it is."""
        return sum(constraint.named for constraint in self.by_seq.values())

    def report(self) -> dict[str, int]:
        """Return the figures as the API shows them."""
        kinds = [constraint.kind for constraint in self.by_seq.values()]
        return {
            "must_link": kinds.count(Kind.MUST),
            "cannot_link": kinds.count(Kind.CANNOT),
            "alerts_named": self.named,
            "max_alerts_named": self._limit,
        }

    # -- what holds ------------------------------------------------------------------------------

    def add(self, constraint: Constraint) -> list[int]:
        """Have *constraint* hold; return the seqs of those that left for it, oldest first."""
        self._insert(constraint)
        self._added[constraint.seq] = constraint
        gone = []
        while self.named > self._limit and (oldest := next(iter(self.by_seq))) != constraint.seq:
            self.lift(oldest)
            gone.append(oldest)
        return gone

    def lift(self, seq: int) -> None:
        """Have the constraint *seq* hold no more, if it does."""
        constraint = self.by_seq.pop(seq, None)
        if constraint is None:
            return
        for fingerprint in {*constraint.sides[0], *constraint.sides[1]}:
            marks = self._named[fingerprint]
            del marks[seq]
            if not marks:
                del self._named[fingerprint]
        if self._added.pop(seq, None) is None:
            self._gone.add(seq)

    def release(self, seq: int, names: Collection[str]) -> None:
        """Have the constraint *seq*, which holds, name none of *names* any more, only the others."""
        constraint = self.by_seq[seq]
        one, other = ([f for f in side if f not in names] for side in constraint.sides)
        for fingerprint in {*constraint.sides[0], *constraint.sides[1]}.intersection(names):
            marks = self._named[fingerprint]
            del marks[seq]
            if not marks:
                del self._named[fingerprint]
        self.by_seq[seq] = left = replace(constraint, sides=(tuple(one), tuple(other)))
        if seq not in self._added:
            # It is written anew.
            self._gone.add(seq)
        self._added[seq] = left

    def _insert(self, constraint: Constraint) -> None:
        self.by_seq[constraint.seq] = constraint
        for side, fingerprints in enumerate(constraint.sides):
            for fingerprint in fingerprints:
                # What must be together is one side.
                mark = side if constraint.kind is Kind.CANNOT else 0
                self._named.setdefault(fingerprint, {})[constraint.seq] = mark

    def changes(self) -> tuple[list[Constraint], list[int]]:
        """Return the constraints added, and the seqs of those that hold no more, since the last call.

        One that names fewer alerts than it did is among both: the old one goes, then the new one comes.
        """
        told = list(self._added.values()), sorted(self._gone)
        self._added, self._gone = {}, set()
        return told

    def restore(self, constraints: Iterable[Constraint]) -> None:
        """Take back *constraints*, the oldest first."""
        for constraint in constraints:
            self._insert(constraint)

    # -- alerts and clusters ---------------------------------------------------------------------

    def marks(self, fingerprints: Iterable[str]) -> dict[int, int]:
        """Return the side by seq of each constraint that names one of *fingerprints*."""
        found: dict[int, int] = {}
        for fingerprint in fingerprints:
            found.update(self._named.get(fingerprint, {}))
        return dict(sorted(found.items()))

    def word_on(self, fingerprint: str, clusters: Iterable[Cluster]) -> Word:
        """Return what is said of the alert *fingerprint* among *clusters*: of most alerts nothing."""
        marks = self._named.get(fingerprint)
        if marks is None:
            return _NOTHING
        wanted: dict[int, int] = {}
        kept_out: dict[int, int] = {}
        for cluster in clusters:
            for seq, side in marks.items():
                if seq not in cluster.links:
                    continue
                if cluster.links[seq] != side:
                    kept_out.setdefault(cluster.id, seq)
                elif self.by_seq[seq].kind is Kind.MUST and cluster.accepting:
                    wanted.setdefault(cluster.id, seq)
        return Word({c: seq for c, seq in wanted.items() if c not in kept_out}, kept_out)

    def check_merge(
        self, gone: Cluster, into: Cluster, named: Iterable[str], *, undoes: int = 0
    ) -> None:
        """Raise Conflict if *gone* and *into*, of which *named* are alerts, never go together.

        Args:
            gone: A cluster.
            into: Another.
            named: Fingerprints of members of both.
            undoes: The constraint that is taken back with it.
        """
        self.check_joining(gone.links, into, undoes=undoes)
        first = {**gone.links, **into.links}
        for fingerprint in named:
            for seq, side in self._named.get(fingerprint, {}).items():
                if first.setdefault(seq, side) != side and seq != undoes:
                    raise self._apart(seq)

    def check_joining(self, links: Mapping[int, int], into: Cluster, *, undoes: int = 0) -> None:
        """Raise Conflict if what has the marks *links* never goes to *into*; see `check_merge`."""
        for seq in links.keys() & into.links.keys():
            if links[seq] != into.links[seq] and seq != undoes:
                raise self._apart(seq)

    def _apart(self, seq: int) -> Conflict:
        constraint = self.by_seq[seq]
        return Conflict(
            f"an operator split alerts of the one from alerts of the other (event {seq}, clusters"
            f" {constraint.source} and {constraint.target}); undo that first"
        )

    def check_split(
        self,
        one: Iterable[str],
        other: Iterable[str],
        *,
        undoes: int = 0,
        links: Collection[int] = (),
    ) -> None:
        """Raise Conflict if an alert of *one* must be with an alert of *other*, fingerprints both.

        Args:
            one: Of the members that stay.
            other: Of those that are split off.
            undoes: The constraint that is taken back with it.
            links: The marks of the cluster that is split.
        """
        built = self.built_upon(undoes, links, one, other)
        for seq in self._demanded(one, other):
            constraint = self.by_seq[seq]
            if seq != undoes and seq not in built:
                raise Conflict(
                    f"an operator merged alerts of both sides (event {seq}, clusters"
                    f" {constraint.source} and {constraint.target}); undo that first"
                )

    def built_upon(
        self, undoes: int, links: Collection[int], one: Iterable[str], other: Iterable[str]
    ) -> list[int]:
        """Return the merges that have *one* and *other* together only for what *undoes* had said.

        They came later, and into the same cluster: who said them found one where two are again, or
        alone what goes back to where it was split from.

        Args:
            undoes: The merge or split that is taken back; 0 for none.
            links: The marks of the cluster that is split.
            one: Of the members that stay, fingerprints.
            other: Of those that are split off.
        """
        return [seq for seq in self._demanded(one, other) if 0 < undoes < seq and seq in links]

    def _demanded(self, one: Iterable[str], other: Iterable[str]) -> list[int]:
        """Return the merges that demand that an alert of *one* be with an alert of *other*."""
        both = self.marks(one).keys() & self.marks(other).keys()
        return [seq for seq in sorted(both) if self.by_seq[seq].kind is Kind.MUST]
