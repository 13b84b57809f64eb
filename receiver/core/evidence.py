"""How well an alert fits a cluster: the evidence of text, labels and time, as log-odds that add up.

Each term asks how much likelier something is if the alert belongs than if it starts a problem of its
own among those that are going on. That is why text and labels are compared with the clusters that move
just now, and time with how often new ones open: where all that is going on looks alike, likeness says
nothing.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from receiver.core.clusters import Cluster, ClusteringSettings
from receiver.core.model import Vector

# The constants below were found together, by trial in a replica of this decision over ten labelled
# streams; of 61 settings around them the means lay between .777 and .812 (docs/clustering.md).
# benchmarks/search.py runs the streams with each of them a step to either side.

TEXT_SLOPE = 20.0
"""Log-odds for each 1.0 of cosine; alerts of one component differ by some tenths only."""

TEXT_MARGIN = 0.25
"""By how much a text must be nearer to a cluster than to the others that are going on."""

TEXT_USUAL = 0.5
"""Cosine to expect of a cluster where no other is going on to compare with; counts as one of them."""

TEXT_AGAINST, TEXT_FOR = -5.0, 3.0
"""An unlike text outweighs a shared onset and a rare label together, by a little; a like one does not
outweigh a long gap."""

KIND_KNOWN = 0.3
"""Clusters that an alert name was in lately for its wording to tell half as much: a name that is in
one incident after another (HighErrorRate of this and that service) says little about which."""

LABELS_FOR = 2.0
"""Most that a shared label value counts for, however rare: as much as a shared onset."""

LABELS_AGAINST = -0.5
"""When no label value is shared. Little: a problem spreads to other services and nodes."""

TIME_FOR = 2.0
"""Most that time counts for: of all that starts together, not everything is one problem."""

GAPS_KEPT = 16.0
"""Gaps that a cluster's pace is learned from, older ones fading: a burst thins out as it ends."""

# Log-odds at which an alert is as likely to belong as not, and how much makes it e times likelier: a
# logistic curve through ten labelled streams, fitted by benchmarks/calibration.py.
EVIDENCE_AT_HALF = -0.38
EVIDENCE_SCALE = 2.4


@dataclass(frozen=True, slots=True)
class Probe:
    """What an alert is compared by.

    Attributes:
        vector: Of its text, shape (dims,), unit length; None if it has none.
        weights: Telling weight by label value.
        onset: startsAt, nanoseconds.
        shares: Share of alerts with it lately, by label value, above 0 and below 1.
        name: alertname; may be empty.
        seen: Clusters that had an alert of this name lately, fading.
    """

    vector: Vector | None
    weights: Mapping[str, float]
    onset: int
    shares: Mapping[str, float]
    name: str = ""
    seen: float = 0.0


@dataclass(frozen=True, slots=True)
class Background:
    """What is going on when the alert comes, whichever cluster it belongs to.

    Attributes:
        accepting: How many clusters take members.
        holders: How many of these have it, by label value of the alert.
        recent: Ids of those that moved last; a bounded number, all among the candidates.
        new_rate: Clusters opened per second, lately.
    """

    accepting: int
    holders: Mapping[str, int]
    recent: Collection[int]
    new_rate: float


@dataclass(slots=True)
class Score:
    """How well an alert fits one cluster, with every term of it.

    Attributes:
        cluster_id: Which.
        confidence: The evidence as a probability, 0 to 1.
        text: Mean cosine to the texts of the cluster, 0 to 1.
        usual: The same to the other clusters that are going on, 0 to 1.
        labels: Weighted share of the alert's label values that the cluster has, 0 to 1.
        gap_seconds: From the cluster's onsets to the alert's.
        evidence_text, evidence_labels, evidence_time: Log-odds; above 0 speaks for the cluster.
        nearest: Fingerprint and similarity of the members nearest in text, nearest first; only of
            the best two clusters, which are all that is shown.
    """

    cluster_id: int
    confidence: float
    text: float
    usual: float
    labels: float
    gap_seconds: float
    evidence_text: float
    evidence_labels: float
    evidence_time: float
    nearest: tuple[tuple[str, float], ...] = ()

    @property
    def evidence(self) -> float:
        """All terms together, in log-odds."""
        return self.evidence_text + self.evidence_labels + self.evidence_time

    @property
    def likeness(self) -> float:
        """The evidence as it stands, 0 to 1; the confidence is this, fitted to what was right."""
        return _logistic(self.evidence)


def telling(seen: float) -> float:
    """Return how much the wording of an alert tells whose name *seen* clusters had, 0 to 1."""
    return KIND_KNOWN / (KIND_KNOWN + max(0.0, seen))


def rank(
    probe: Probe,
    candidates: Sequence[Cluster],
    background: Background,
    settings: ClusteringSettings,
) -> list[Score]:
    """Return how well *probe* fits each of *candidates*, best first, ties by the older id.

    Sums go along rows, so that a score never depends on candidates that did not move lately.
    """
    similarities = _similarities(probe, candidates)
    means = {c: math.fsum(found) / len(found) for c, found in similarities.items()}
    recent = {c: means[c] for c in background.recent if c in means}
    total_usual = math.fsum([TEXT_USUAL, *recent.values()])
    total_weight = sum(probe.weights.values())
    lifts = {token: lift(token, probe, background) for token in probe.weights}
    text_scale, label_scale = 2.0 * settings.text_weight, 2.0 * (1.0 - settings.text_weight)
    scores = []
    for cluster in candidates:
        usual = (total_usual - recent.get(cluster.id, 0.0)) / (
            1 + len(recent) - (cluster.id in recent)
        )
        shared = [token for token in lifts if token in cluster.tokens]
        gap = cluster.gap_to(probe.onset)
        text = text_evidence(probe, cluster, similarities.get(cluster.id, ()), usual)
        labels = label_evidence(lifts, shared)
        time = time_evidence(cluster, gap, background.new_rate, settings)
        text, labels = text_scale * text, label_scale * labels
        scores.append(
            Score(
                cluster_id=cluster.id,
                confidence=confidence_of(text + labels + time),
                text=_share(means.get(cluster.id, 0.0)),
                usual=_share(usual),
                labels=sum(probe.weights[t] for t in shared) / total_weight if shared else 0.0,
                gap_seconds=gap,
                evidence_text=text,
                evidence_labels=labels,
                evidence_time=time,
            )
        )
    scores.sort(key=lambda score: (-score.confidence, score.cluster_id))
    by_id = {cluster.id: cluster for cluster in candidates}
    for score in scores[:2]:
        members = by_id[score.cluster_id].exemplars.values()
        told = zip(members, similarities.get(score.cluster_id, ()), strict=False)
        nearest = heapq.nsmallest(3, ((-similarity, e.fingerprint) for e, similarity in told))
        score.nearest = tuple((fingerprint, -negative) for negative, fingerprint in nearest)
    return scores


def _similarities(probe: Probe, candidates: Sequence[Cluster]) -> dict[int, list[float]]:
    """Return the cosines of *probe* to the texts of each cluster that has any, by its id."""
    with_text = [c for c in candidates if c.exemplars] if probe.vector is not None else []
    if not with_text:
        return {}
    rows = np.concatenate([cluster.matrix for cluster in with_text])
    products = (rows * probe.vector).sum(axis=1).tolist()
    found, start = {}, 0
    for cluster in with_text:
        found[cluster.id] = products[start : start + len(cluster.exemplars)]
        start += len(cluster.exemplars)
    return found


def text_evidence(
    probe: Probe, cluster: Cluster, similarities: Sequence[float], usual: float
) -> float:
    """Return what the text says: is it nearer to *cluster* than what else is going on?

    The mean over the cluster's texts, and not the nearest, so that one odd member does not chain two
    problems together. Each counts as much as both alert names tell.
    """
    if not similarities:
        return 0.0
    expected = usual + TEXT_MARGIN
    nearer = 0.0
    for similarity, exemplar in zip(similarities, cluster.exemplars.values(), strict=True):
        nearer += (similarity - expected) * exemplar.telling
    own = telling(probe.seen - (probe.name in cluster.names))
    return min(TEXT_FOR, max(TEXT_AGAINST, TEXT_SLOPE * own * nearer / len(similarities)))


def label_evidence(lifts: Mapping[str, float], shared: Sequence[str]) -> float:
    """Return what the labels say: how rare is the most telling *shared* value where it matters?

    Among the other clusters that take members; where these are few, among the alerts of late. The
    most telling and not the sum: pod, node and instance often say one thing three times.
    """
    if not lifts:
        return 0.0
    if not shared:
        return LABELS_AGAINST
    return max([lifts[token] for token in shared])


def lift(token: str, probe: Probe, background: Background) -> float:
    """Return how much likelier two share *token* in one problem than in two, as log-odds."""
    others = max(0, background.holders.get(token, 0) - 1)
    share = (others + probe.shares[token]) / max(1, background.accepting)
    return min(LABELS_FOR, -math.log(min(1.0, share)))


def time_evidence(
    cluster: Cluster, gap: float, new_rate: float, settings: ClusteringSettings
) -> float:
    """Return what the onset says: does the cluster's next alert come now, or does a new problem?

    The density of *gap* seconds, if gaps are exponential at a rate known only from the cluster's own
    gaps and one of `time_scale` (a Lomax density), over the rate of new clusters.
    """
    shape = 1.0 + cluster.gap_count
    scale = settings.time_scale + cluster.gap_sum
    density = math.log(shape / scale) - (shape + 1.0) * math.log1p(gap / scale)
    return min(TIME_FOR, density - math.log(new_rate))


def confidence_of(evidence: float) -> float:
    """Return the probability that an alert with such *evidence* (log-odds) belongs, 0 to 1."""
    return _logistic((evidence - EVIDENCE_AT_HALF) / EVIDENCE_SCALE)


def evidence_for(confidence: float) -> float | None:
    """Return the evidence (log-odds) that gives *confidence*; None where none does, at 0 and at 1."""
    if not 0.0 < confidence < 1.0:
        return None
    return EVIDENCE_AT_HALF + EVIDENCE_SCALE * math.log(confidence / (1.0 - confidence))


def _logistic(x: float) -> float:
    return 1.0 / (1.0 + math.exp(-max(-700.0, min(700.0, x))))


def _share(x: float) -> float:
    return min(1.0, max(0.0, x))
