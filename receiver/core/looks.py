"""Second looks: are two clusters one problem, and is one cluster two? Pure arithmetic on what is held.

Both questions are one: how well would the alerts of the one side fit the other, were they to come now?
Two are merged from `ONE` on and one is split below `TWO`, far apart so that nothing goes to and fro.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from receiver.core import evidence, regroup
from receiver.core.clusters import Cluster, ClusteringSettings, Exemplar
from receiver.core.evidence import Background, Probe
from receiver.core.explain import Placement
from receiver.core.labels import LabelFrequencies, label_of
from receiver.core.live import LiveClusters
from receiver.core.model import Member, Vector
from receiver.core.regroup import Rebuilding
from receiver.core.timestamps import seconds

ONE = 1.0
"""Least evidence (log-odds) for a merge, looked at only where an alert fits both. One cluster more is a
line to read, a wrong merge hides an incident: over ten streams as many are hidden from 1.0 on as from 1.5
on, and the mean score is .008 higher; from 0.8 on, one more was hidden."""

TWO = -4.0
"""Most evidence (log-odds) for a split: unlike texts, and set apart by time or a label besides. Over ten
streams the evidence within one incident went down to -3.1."""

UNLIKE = -2.0
"""Most evidence of texts alone, of -5 to 3, at which the members of a cluster are asked for: these are
read from the store, for nothing if the texts are alike."""

MOST_ASKED = 16
"""Clusters that wait for their members, 0.1 s of reading each at most; one left out is looked at when it
has doubled."""

LOOKS_PER_DOUBLING = 4
"""How often a cluster is held against another while its size doubles. In a storm every alert fits both
halves of what was torn; a cluster of 5,000 has looked some forty times and not five thousand."""

PROVEN = 8
"""Members from which on a cluster may be two: fewer fall into two by chance."""

SIDE = 3
"""Members of each side, as of a cluster that is proven: what is fewer may be a stray alert or two."""

_MOST = 0.5
"""Share of the members with a label value that then stands for the cluster."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What there is to see at one moment.

    Attributes:
        live: Live clusters.
        frequencies: Of label values.
        settings: How clusters are formed.
        new_rate: Clusters opened per second, lately.
        now: Nanoseconds.
    """

    live: LiveClusters
    frequencies: LabelFrequencies
    settings: ClusteringSettings
    new_rate: float
    now: int


# -- are two one? ------------------------------------------------------------------------------------


def twin(cluster: Cluster, placement: Placement, sight: Sight) -> tuple[Cluster, float] | None:
    """Return the cluster that is one problem with *cluster*, and the evidence; None for most.

    Only that which the alert just placed fits too is looked at. One that waits for its chronic
    alert is nobody else's, and what was split is not put together again by itself.
    """
    if placement.cluster_id is None or not _is_due(cluster.size):
        return None
    other = _bridged(placement, sight)
    if other is None or cluster.patience or cluster.id == other.id:
        return None
    if cluster.split_from == other.id or other.split_from == cluster.id:
        return None
    less, more = sorted((cluster, other), key=lambda each: (each.size, -each.id))
    found = oneness(less, more, sight, {less.id, more.id})
    return (other, found) if found >= ONE else None


def _is_due(size: int) -> bool:
    step = max(1, (1 << (size.bit_length() - 1)) // LOOKS_PER_DOUBLING)
    return size % step == 0


def _bridged(placement: Placement, sight: Sight) -> Cluster | None:
    """Return the cluster that an alert would have joined if not for the one that it joined."""
    for score in placement.scores[:2]:
        if score.cluster_id != placement.cluster_id:
            other = sight.live.by_id[score.cluster_id]
            fits = score.confidence >= sight.settings.threshold
            return other if fits and not other.patience else None
    return None


# -- is one two? -------------------------------------------------------------------------------------


def may_be_two(cluster: Cluster, sight: Sight) -> bool:
    """Whether the texts of *cluster* are so unlike that its members are worth a look.

    Once for each doubling of its size, as the members are read from the store.
    """
    size = cluster.size
    if not PROVEN <= size <= sight.settings.max_split_members or size & (size - 1):
        return False
    if cluster.patience or not cluster.accepting:
        return False
    one, other = halves(cluster)
    if min(sum(exemplar.count for exemplar in side) for side in (one, other)) < SIDE:
        return False
    return _texts(one, other, _around(sight, {cluster.id})) <= UNLIKE


def halves(cluster: Cluster) -> tuple[list[Exemplar], list[Exemplar]]:
    """Return the texts of *cluster* in two groups around the two that are least alike; one may be empty."""
    held = _by_id(cluster.exemplars.values())
    if len(held) < 2:
        return held, []
    alike = _products(held, held)
    one, other = divmod(int(alike.argmin()), len(held))
    nearer = (alike[:, one] >= alike[:, other]).tolist()
    return (
        [exemplar for exemplar, first in zip(held, nearer, strict=True) if first],
        [exemplar for exemplar, first in zip(held, nearer, strict=True) if not first],
    )


def division(
    cluster: Cluster, members: Sequence[Member], sight: Sight, how: Rebuilding
) -> tuple[list[int], float] | None:
    """Return which of *members* (ids) are another problem, the fewer, and the evidence; None for most.

    Args:
        cluster: Which.
        members: All of it.
        sight: What else there is.
        how: Settings, and the vectors of texts.
    """
    one, other = halves(cluster)
    if not other:
        return None
    first, second = _mean(one), _mean(other)
    sides: tuple[list[int], list[int]] = [], []
    for member in members:
        held = cluster.exemplars.get(member.text_id)
        vector = held.vector if held else how.vector_of(member.text_id)
        # What is not held any more stays with the texts held first.
        goes = vector is not None and float(((second - first) * vector).sum()) > 0.0
        sides[goes].append(member.id)
    moved = min(sides, key=len)
    if len(moved) < SIDE:
        return None
    rest, made = regroup.sides(cluster, members, set(moved), cluster.id, sight.now, how)
    found = oneness(made, rest, sight, {cluster.id})
    return (moved, found) if found <= TWO else None


# -- in words ----------------------------------------------------------------------------------------


def sureness(found: float) -> float:
    """Return the confidence of a merge on the evidence *found*, 0 to 1."""
    return round(evidence.confidence_of(found), 6)


def why_one(found: float) -> str:
    """Return the reason for a merge on the evidence *found*, for people."""
    return (
        f"an alert fits both, and by texts, labels and times they are one ({sureness(found):.2f})"
    )


def why_two(found: float) -> str:
    """Return the reason for a split on the evidence *found*, for people."""
    return f"by texts, labels and times they are two problems ({1.0 - sureness(found):.2f})"


# -- the evidence ------------------------------------------------------------------------------------


def oneness(less: Cluster, more: Cluster, sight: Sight, ids: Collection[int]) -> float:
    """Return the evidence (log-odds) that *less* and *more* are one problem.

    Company is left out: all that goes on at once has been in company since, whether or not it is one
    problem.

    Args:
        less: The one.
        more: The other, by which nothing is decided but how ties in labels are read.
        sight: What else there is.
        ids: Those live clusters that they are, two, or one of which they are halves.
    """
    settings = sight.settings
    told = [token for token, count in less.tokens.items() if count >= _MOST * less.size]
    background = sight.live.background(told, sight.new_rate)
    gap = seconds(max(0, less.first_onset - more.last_onset, more.first_onset - less.last_onset))
    time = min(evidence.time_evidence(each, gap, sight.new_rate, settings) for each in (less, more))
    text = _texts(
        _by_id(less.exemplars.values()), _by_id(more.exemplars.values()), _around(sight, ids)
    )
    labels = _labels(less, more, told, background, sight, len(ids))
    return 2.0 * settings.text_weight * text + 2.0 * (1.0 - settings.text_weight) * labels + time


def _labels(
    less: Cluster,
    more: Cluster,
    told: Sequence[str],
    background: Background,
    sight: Sight,
    count: int,
) -> float:
    """Return the evidence of labels, each shared value by the share of pairs of members that have it."""
    names = {label_of(token)[0] for token in told}
    probe = Probe(
        vector=None,
        weights={},
        onset=0,
        shares={token: sight.frequencies.share(token, sight.now) for token in told},
        constancy={name: sight.frequencies.constancy(name, sight.now) for name in names},
    )
    # Both together are one holder, as is a cluster that an alert is compared with.
    holders = {token: held - count + 1 for token, held in background.holders.items()}
    others = Background(background.accepting, holders, (), background.new_rate)
    lifts = []
    for token in told:
        shares = (min(1.0, c.tokens.get(token, 0) / c.size) for c in (less, more))
        lifts.append((math.prod(shares) * evidence.lift(token, probe, others), token))
    lifts.sort(reverse=True)
    differences = evidence.differences(told, probe, background)
    return evidence.label_evidence(lifts, differences, more)


def _texts(one: Sequence[Exemplar], other: Sequence[Exemplar], around: Sequence[Vector]) -> float:
    """Return the evidence of texts: the mean over all pairs, each as that of an alert for one text.

    Nothing depends on the order in which texts are held, which a restart may change.
    """
    if not one or not other:
        return 0.0
    means = [_mean(side) for side in (one, other)]
    going_on = [float((mean * each).sum()) for mean in means for each in around]
    usual = math.fsum([2.0 * evidence.TEXT_USUAL, *going_on]) / (2.0 + len(going_on))
    by = _products(one, other) - (usual + evidence.TEXT_MARGIN)
    rare = np.outer([each.rarity for each in one], [each.rarity for each in other])
    telling = np.outer([each.telling for each in one], [each.telling for each in other])
    nearer = math.fsum((by * np.where(by > 0.0, rare, telling)).ravel().tolist()) / by.size
    return min(evidence.TEXT_FOR, max(evidence.TEXT_AGAINST, evidence.TEXT_SLOPE * nearer))


def _around(sight: Sight, ids: Collection[int]) -> list[Vector]:
    """Return the mean texts of the clusters that moved last, less those of *ids*."""
    moved = [sight.live.by_id[each] for each in sight.live.background((), 0.0).recent]
    return [
        _mean(_by_id(each.exemplars.values()))
        for each in moved
        if each.exemplars and each.id not in ids
    ]


def _by_id(exemplars: Collection[Exemplar]) -> list[Exemplar]:
    return sorted(exemplars, key=lambda exemplar: exemplar.text_id)


def _mean(exemplars: Sequence[Exemplar]) -> Vector:
    mean: Vector = np.stack([exemplar.vector for exemplar in exemplars]).mean(axis=0)
    return mean


def _products(one: Sequence[Exemplar], other: Sequence[Exemplar]) -> NDArray[np.float64]:
    rows = np.stack([exemplar.vector for exemplar in one])
    columns = np.stack([exemplar.vector for exemplar in other])
    found: NDArray[np.float64] = (
        (rows[:, None, :] * columns[None, :, :]).sum(axis=2).astype(np.float64)
    )
    return found
