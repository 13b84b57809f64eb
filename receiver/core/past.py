"""The clusters that are over, and which of them one that goes on is like.

Only what it takes to find and to tell of one is held: its centre, its kinds of alert, the label values
that most of it had. None of it depends on texts, so it is found again when these have made room.

    weight(x)  = log((n + 10) / (h + 1/2))         x a kind of alert or a label value that h of n past
                                                   clusters had
    overlap    = 2 · Σ weight(shared) / (Σ weight(one's) + Σ weight(other's) + 1)
    similarity = sqrt(cosine of the centres · overlap)

The cosine alone finds a past cluster for nearly everything: alerts of one site are worded alike. What
tells incidents apart is which alerts fired and where, and of these that which few incidents have: that
HighErrorRate fired in both says little where it fires in each. The overlap is Dice's (1945), weighted
by inverse document frequency (Spärck Jones 1972). Measured by benchmarks/recurrence.py.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import takewhile
from sys import intern
from typing import Any

from receiver.core.clusters import Cluster
from receiver.core.index import VectorIndex
from receiver.core.labels import kind, label_of, tokens
from receiver.core.model import Vector
from receiver.core.text import display
from receiver.core.timestamps import render, render_optional, seconds

MOST_ITEMS = 32
"""Kinds of alert, and as many label values, that are kept of a cluster, those of most members first:
more are found in the largest only, and the rarest tell the least of what it was."""

LOOK_AGAIN = 4
"""A cluster looks for its like when it is proven and whenever it has grown to so many times: three alerts
can be the beginning of many things, and a dozen of fewer."""

_BEFORE = 10.0
"""Past clusters taken to have been there before the first, with nothing in common: what recurs three
times on a new site is not for that what everything has."""

_DOUBT = 1.0
"""Weight that speaks against any likeness: a single thing in common, and a common one, is not enough."""

_NEAREST = 32
"""Past clusters looked at by their centres."""

_RAREST, _HOLDERS = 4, 16
"""Past clusters looked at by what they share: of each of the rarest items, the latest that had it."""

_LONGEST_NAME, _LONGEST_VALUE = 60, 80
"""Characters of a name and a value in the sentence of how a cluster ended."""


@dataclass(frozen=True, slots=True)
class Signature:
    """What a cluster is compared by.

    Attributes:
        center: Of its texts, shape (dims,), unit length; None if it had none.
        items: Its kinds of alert and label values, as `labels.kind` and `labels.token` write them.
    """

    center: Vector | None
    items: frozenset[str] = frozenset()

    @classmethod
    def of(cls, cluster: Cluster) -> Signature:
        """Return that of *cluster* as it stands."""
        items = [*map(kind, most(cluster.names)), *most(cluster.tokens)]
        # The same strings come again in one past cluster after another, and from the store each anew.
        return cls(cluster.center, frozenset(map(intern, items)))


def most(counts: Mapping[str, int]) -> dict[str, int]:
    """Return those of *counts* that are part of a signature; of its own result, all."""
    ranked = sorted(counts, key=lambda key: (-counts[key], key))
    return {key: counts[key] for key in ranked[:MOST_ITEMS]}


@dataclass(frozen=True, slots=True)
class PastCluster:
    """What is remembered of a cluster that is no longer live; fields as of `Cluster`."""

    id: int
    size: int
    opened_at: int
    resolved_at: int | None
    signature: Signature
    title: str = ""
    ended: str = ""
    only: str = ""

    @classmethod
    def of(cls, cluster: Cluster) -> PastCluster:
        """Return what is remembered of *cluster*."""
        return cls(
            id=cluster.id,
            size=cluster.size,
            opened_at=cluster.opened_at,
            resolved_at=cluster.resolved_at,
            signature=Signature.of(cluster),
            title=cluster.title,
            ended=cluster.ended,
            only=cluster.only,
        )

    def told(self) -> dict[str, Any]:
        """Return when it was, how long, and how it ended, as people are told."""
        duration = None
        if self.resolved_at is not None:
            duration = seconds(self.resolved_at - self.opened_at)
        return {
            "title": self.title,
            "opened_at": render(self.opened_at),
            "resolved_at": render_optional(self.resolved_at),
            "duration_seconds": duration,
            "ended": self.ended or None,
        }

    def reopened(self, vector: Vector | None) -> dict[str, Any]:
        """Return the `recurs` of a cluster founded by an alert of this one, whose text has *vector*."""
        center = self.signature.center
        similarity = None
        if vector is not None and center is not None:
            similarity = round(float((vector * center).sum()), 4)
        reason = "one of its alerts fires again under the same startsAt"
        return {"cluster_id": self.id, "similarity": similarity, **self.told(), "reason": reason}


@dataclass(frozen=True, slots=True)
class Likeness:
    """How much one cluster is like another.

    Attributes:
        similarity: 0 to 1.
        text: Cosine of the centres, 0 to 1.
        kinds, of_kinds: Kinds of alert in common, and how many the one had.
        values, of_values: Label values in common, and how many the one had.
    """

    similarity: float
    text: float
    kinds: int = 0
    of_kinds: int = 0
    values: int = 0
    of_values: int = 0

    def sentence(self) -> str:
        """Return why, in a few words."""
        return (
            f"texts {self.text:.2f} alike, {self.kinds} of {self.of_kinds} kinds of alert and"
            f" {self.values} of {self.of_values} label values in common"
        )


class PastClusters:
    """The latest clusters that ended, found by what they were."""

    def __init__(self, limit: int, index: VectorIndex) -> None:
        """Remember at most *limit*; *index*, empty, finds their centres."""
        self.by_id: dict[int, PastCluster] = {}
        self._limit = limit
        self._index = index
        # Most items have one holder, a pod of then: a tuple takes a quarter of the room of a set.
        self._holders: dict[str, tuple[int, ...]] = {}
        self._gone: set[int] = set()

    def __len__(self) -> int:
        return len(self.by_id)

    def add(self, past: PastCluster) -> None:
        """Take in *past*, which has just ended; one without a centre cannot be found, and is not kept.

        Past the limit the one that ended first is forgotten.
        """
        center = past.signature.center
        if center is None:
            return
        self.by_id[past.id] = past
        self._index.add([past.id], center.reshape(1, -1))
        for item in past.signature.items:
            self._holders[item] = (*self._holders.get(item, ()), past.id)
        if len(self.by_id) > self._limit:
            self._forget(self._first_ended())

    def restore(self, past: Iterable[PastCluster]) -> None:
        """Take back *past*, the first to end first."""
        for each in past:
            self.add(each)

    def _first_ended(self) -> PastCluster:
        # They come as they end; of several that end at once the order may be another after a restart.
        first = next(iter(self.by_id.values()))
        at_once = takewhile(lambda p: p.resolved_at == first.resolved_at, self.by_id.values())
        return min(at_once, key=lambda past: past.id)

    def _forget(self, past: PastCluster) -> None:
        del self.by_id[past.id]
        for item in past.signature.items:
            left = tuple(holder for holder in self._holders.pop(item) if holder != past.id)
            if left:
                self._holders[item] = left
        # Removal walks over the whole index, so it is done for many at once; none of them is found.
        self._gone.add(past.id)
        if len(self._gone) > self._limit // 100:
            self._index.remove(list(self._gone))
            self._gone.clear()

    def retitle(self, cluster: Cluster) -> None:
        """Take over the title of *cluster*, if it is remembered."""
        if cluster.id in self.by_id:
            self.by_id[cluster.id] = PastCluster.of(cluster)

    # -- likeness --------------------------------------------------------------------------------

    def weight(self, items: Iterable[str]) -> float:
        """Return how much it tells to have *items* in common."""
        # Exact, as else it would depend on the order of a set, and that on the process.
        return math.fsum(map(self._weight, items))

    def _weight(self, item: str) -> float:
        holders = len(self._holders.get(item, ()))
        return math.log((len(self.by_id) + _BEFORE) / (holders + 0.5))

    def likeness(self, one: Signature, other: Signature) -> Likeness:
        """Return how much *one* is like *other*; both ways the same, but for the counts."""
        if one.center is None or other.center is None:
            return Likeness(0.0, 0.0)
        text = min(1.0, max(0.0, float((one.center * other.center).sum())))
        shared = one.items & other.items
        both = self.weight(one.items) + self.weight(other.items)
        overlap = 2.0 * self.weight(shared) / (both + _DOUBT)
        kinds = {item for item in one.items if not label_of(item)[0]}
        return Likeness(
            similarity=round(math.sqrt(text * overlap), 4),
            text=text,
            kinds=len(kinds & shared),
            of_kinds=len(kinds),
            values=len(shared - kinds),
            of_values=len(one.items - kinds),
        )

    def sharing(self, one: Signature, least: float = 0.0) -> list[tuple[PastCluster, Likeness]]:
        """Return the past cluster most like *one* of those that share its rarest items; [] if none does.

        What has little in common is not like it, however near its text: nothing is searched for, and the
        cost does not grow with the past. Nor is anything looked at closer than it takes to see that no
        similarity is *least* or more; one that is less may be returned all the same.
        """
        weights = self._weights(one)
        known = math.fsum([weights[item] for item in one.items if item in self._holders])
        # None is nearer than one that had all that is known here, and nothing else.
        ours = math.fsum(weights.values()) + _DOUBT
        if _at_most(1.0, 2.0 * known / (ours + known)) < least:
            return []
        return self._likest(one, weights, self._sharing(one), 1, least)

    def like(self, one: Signature, count: int = 1) -> list[tuple[PastCluster, Likeness]]:
        """Return the up to *count* past clusters most like *one*, best first, of equals the latest."""
        among = self._sharing(one) | self._near(one, max(_NEAREST, count))
        return self._likest(one, self._weights(one), among, count)

    def _likest(
        self,
        one: Signature,
        weights: Mapping[str, float],
        candidates: Iterable[int],
        count: int,
        least: float = 0.0,
    ) -> list[tuple[PastCluster, Likeness]]:
        overlaps = self._overlaps(one, weights, [self.by_id[past_id] for past_id in candidates])
        found: list[tuple[PastCluster, Likeness]] = []
        for overlap, past_id in sorted(overlaps, reverse=True):
            if len(found) >= count:
                least = found[count - 1][1].similarity
            if _at_most(1.0, overlap) < least:
                break
            past = self.by_id[past_id]
            if _at_most(_cosine(one, past.signature), overlap) >= least:
                found.append((past, self.likeness(one, past.signature)))
                found.sort(key=lambda pair: (-pair[1].similarity, -pair[0].id))
                del found[count:]
        return found

    def _weights(self, one: Signature) -> dict[str, float]:
        return {item: self._weight(item) for item in one.items}

    def _overlaps(
        self, one: Signature, weights: Mapping[str, float], others: Iterable[PastCluster]
    ) -> list[tuple[float, int]]:
        """Return what the overlap of *one* and each of *others* is at most, and the other's id.

        As if the other had nothing that is not shared; that is found out in a tenth of the time.
        """
        ours, found = math.fsum(weights.values()) + _DOUBT, []
        for other in others:
            shared = math.fsum([weights[item] for item in one.items & other.signature.items])
            found.append((2.0 * shared / (ours + shared), other.id))
        return found

    def nearest(self, center: Vector, count: int) -> list[tuple[PastCluster, float]]:
        """Return up to *count* past clusters with the nearest centres, nearest first, and the cosine."""
        hits = self._index.search(center, count + len(self._gone))
        found = [(self.by_id[key], cosine) for key, cosine in hits if key not in self._gone]
        return found[:count]

    def _near(self, one: Signature, count: int) -> set[int]:
        if one.center is None:
            return set()
        found = self.nearest(one.center, count)
        if len(found) < len(self.by_id):
            # Of those that are as near as the last, which are among them is chance: it depends on how
            # the index was filled. What is chronic has hundreds of equals, and is found by its labels.
            last = found[-1][1]
            found = [(past, cosine) for past, cosine in found if cosine > last]
        return {past.id for past, _ in found}

    def _sharing(self, one: Signature) -> set[int]:
        ids: set[int] = set()
        if one.center is None:
            return ids
        held = [item for item in one.items if item in self._holders]
        held.sort(key=lambda item: (len(self._holders[item]), item))
        for item in held[:_RAREST]:
            ids.update(heapq.nlargest(_HOLDERS, self._holders[item]))
        return ids


def _cosine(one: Signature, other: Signature) -> float:
    """Return the cosine of both centres, 0 to 1, in single precision; *other* has one if *one* has."""
    assert one.center is not None
    assert other.center is not None
    return max(0.0, float(one.center @ other.center))


def _at_most(cosine: float, overlap: float) -> float:
    """Return what the similarity is at most, of such a *cosine* and at most such an *overlap*."""
    # A little more, as what is compared with it is rounded, and its terms are summed otherwise.
    return math.sqrt(cosine * overlap) + 0.001


def recurrence(
    cluster: Cluster, past: PastClusters, threshold: float
) -> tuple[dict[str, Any] | None, str]:
    """Return the `recurs` of *cluster* by what it is now, and the reason for people.

    None where no past cluster has a similarity of *threshold*.
    """
    for found, likeness in past.sharing(Signature.of(cluster), threshold):
        if likeness.similarity >= threshold:
            reason = likeness.sentence()
            recurs = {"cluster_id": found.id, "similarity": likeness.similarity, **found.told()}
            return {**recurs, "reason": reason}, f"like cluster {found.id}: {reason}"
    return None, "like no earlier cluster any more"


def ending(
    cluster: Cluster, labels: Mapping[str, str], *, resolved: bool, severity_label: str
) -> str:
    """Return how *cluster* would have ended with the alert of *labels*, which fires no more."""
    name = display(labels.get("alertname", ""))[:_LONGEST_NAME] or "an alert"
    told = tokens(labels, severity_label)
    # Where: what tells it from the other members. What all have is where the whole cluster was.
    rarest = min(told, key=lambda token: (cluster.tokens.get(token, 0), token), default="")
    if cluster.tokens.get(rarest, 0) < cluster.size and rarest:
        label, value = (display(part)[:_LONGEST_VALUE] for part in label_of(rarest))
        name = f"{name} ({label} {value})"
    return f"{name} resolved" if resolved else f"{name} went stale"
