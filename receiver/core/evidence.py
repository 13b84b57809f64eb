"""How well an alert fits a cluster: the evidence of text, labels and time, as log-odds that add up.

Each term asks how much likelier something is if the alert belongs than if it starts a problem of its
own among those that are going on. That is why text and labels are compared with the clusters that move
just now, and time with how often new ones open: where all that is going on looks alike, likeness says
nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import NamedTuple

from receiver.core.clusters import Cluster, ClusteringSettings
from receiver.core.habit import Habit
from receiver.core.labels import label_of
from receiver.core.model import Vector
from receiver.core.timestamps import SECOND

# The constants below were found together, by trial over ten labelled streams and thinned copies of these;
# benchmarks/search.py runs them with each a step to either side.

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
"""Clusters that an alert name was in lately for its unlikeness to count half as much: a name that is in
one incident after another (HighErrorRate of this and that service) goes with everything."""

KIND_NEW = 0.05
"""Clusters that a name is counted in that was in none: its likeness counts in full until some twenty
times as many clusters had it."""

LABELS_FOR = 2.0
"""Most that a shared label value counts for, however rare: as much as a shared onset."""

LABELS_AGAINST = -0.5
"""When no telling label value is shared. Little: a problem spreads to other services and nodes."""

DIFFER_AGAINST = -5.0
"""Least for a label that both have with values that differ: what holds clusters apart everywhere else,
a namespace say, outweighs like texts, and not every sign there is."""

TIME_FOR = 2.0
"""Most that time counts for: of all that starts together, not everything is one problem."""

SHARED_TELLS = 1.0
"""From which on a shared value makes up for one that differs: what shares a node is one problem in
however many namespaces."""

TOGETHER_FOR = 3.0
"""Most that known company counts for: as much as a like text."""

HABIT_SHARE = 0.1
"""Share of new problems that begin with just this alert, and of its own firings that begin one at most;
its return is weighed against the lesser rate."""

GAPS_KEPT = 16.0
"""Gaps that a cluster's pace is learned from, older ones fading: a burst thins out as it ends."""

_LEAST = 1e-3
"""Clusters without a value are at least this share: none is so common that another is impossible."""

# Log-odds at which an alert is as likely to belong as not, and how much makes it e times likelier: a
# logistic curve through ten labelled streams, fitted by benchmarks/calibration.py.
EVIDENCE_AT_HALF = -0.36
EVIDENCE_SCALE = 1.9


def _nobody(_: Iterable[int]) -> tuple[float, int]:
    return 0.0, 0


@dataclass(frozen=True, slots=True)
class Probe:
    """What an alert is compared by.

    Attributes:
        vector: Of its text, shape (dims,), unit length; None if it has none.
        fingerprint: Of the alert; a cluster may wait for it alone.
        weights: Telling weight by label value.
        onset: startsAt, nanoseconds.
        shares: Share of alerts with it lately, by label value, above 0 and below 1.
        constancy: Share of pairs in one cluster that have the same value, by label name, 0 to 1.
        name: alertname; may be empty.
        seen: Clusters that had an alert of this name lately, fading.
        opened: Clusters that opened lately, fading.
        habit: How it came back so far.
        companions: Ids of the texts that its own has begun with.
        company: Gives, for the ids of texts of a cluster, how much likelier it is to begin with one
            of these than by chance, log-odds, and with which.
    """

    vector: Vector | None
    weights: Mapping[str, float]
    onset: int
    shares: Mapping[str, float]
    constancy: Mapping[str, float] = field(default_factory=dict)
    name: str = ""
    seen: float = 0.0
    opened: float = 0.0
    habit: Habit = Habit()
    companions: AbstractSet[int] = frozenset()
    company: Callable[[Iterable[int]], tuple[float, int]] = _nobody
    fingerprint: str = ""

    def is_at_home(self, cluster: Cluster) -> bool:
        """Whether *cluster* waits for it alone."""
        return cluster.patience > 0 and cluster.only == self.fingerprint


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
        evidence_text, evidence_labels, evidence_time, evidence_together, evidence_habit: Log-odds; above
            0 speaks for the cluster.
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
    evidence_together: float = 0.0
    evidence_habit: float = 0.0
    nearest: tuple[tuple[str, float], ...] = ()

    @property
    def at_home(self) -> bool:
        """Whether this is the cluster that waits for the alert to come back."""
        return self.evidence_habit != 0.0

    @property
    def evidence(self) -> float:
        """All terms together, in log-odds."""
        return (
            self.evidence_text
            + self.evidence_labels
            + self.evidence_time
            + self.evidence_together
            + self.evidence_habit
        )

    @property
    def likeness(self) -> float:
        """The evidence as it stands, 0 to 1; the confidence is this, fitted to what was right."""
        return _logistic(self.evidence)


def telling(seen: float) -> float:
    """Return how much unlikeness tells of an alert whose name *seen* other clusters had, 0 to 1."""
    return KIND_KNOWN / (KIND_KNOWN + max(0.0, seen))


def rarity(seen: float, opened: float) -> float:
    """Return how much likeness tells of an alert whose name *seen* of *opened* others had, 0 to 1.

    As surprising as it is that a new problem has this name, log(1 / share), against the most that text
    counts for.
    """
    share = (max(0.0, seen) + KIND_NEW) / (opened + 1.0)
    return min(1.0, max(0.0, -math.log(share) / TEXT_FOR))


def text_evidence(
    probe: Probe, cluster: Cluster, similarities: Sequence[float], usual: float
) -> float:
    """Return what the text says: is it nearer to *cluster* than what else is going on?

    Half by the cluster's nearest text, which tells best of several incidents of one component which it
    is, and half by the mean, so that one odd member does not chain two problems together. Each text
    counts as much as both alert names tell.
    """
    if not similarities:
        return 0.0
    expected = usual + TEXT_MARGIN
    seen = probe.seen - (probe.name in cluster.names)
    own_telling, own_rarity = telling(seen), rarity(seen, probe.opened)
    nearer = []
    for similarity, exemplar in zip(similarities, cluster.exemplars.values(), strict=True):
        by = similarity - expected
        told = own_rarity * exemplar.rarity if by > 0.0 else own_telling * exemplar.telling
        nearer.append(by * told)
    says = (max(nearer) + sum(nearer) / len(nearer)) / 2.0
    return min(TEXT_FOR, max(TEXT_AGAINST, TEXT_SLOPE * says))


def label_evidence(
    lifts: Sequence[tuple[float, str]], differences: Sequence[Difference], cluster: Cluster
) -> float:
    """Return what the labels say, for and against.

    For: how rare is the most telling shared value where it matters? Among the other clusters that take
    members; where these are few, among the alerts of late. Against: the label that holds clusters
    apart the most of those that both have, with no value in common; at most as much as a telling value
    that is shared speaks for it. The most telling in each case and not the sum: pod, node and instance
    often say one thing three times.

    Args:
        lifts: What `lift` says of each label value of the alert, 0 or more, the most telling first.
        differences: As `differences` gives them.
        cluster: Which.
    """
    if not lifts:
        return 0.0
    held, names = cluster.tokens, cluster.label_names
    found = against = 0.0
    for says, token in lifts:
        if token in held:
            found = says
            break
    for says, name, values in differences:
        if name in names and held.keys().isdisjoint(values):
            against = says
            break
    if found >= SHARED_TELLS:
        against = max(against, -found)
    return min(LABELS_FOR, LABELS_AGAINST + found) + max(DIFFER_AGAINST, against)


class Difference(NamedTuple):
    """A label of which it speaks against a cluster that this has other values.

    Attributes:
        says: Log-odds, below 0.
        name: Of the label.
        values: Its label values, as tokens.
    """

    says: float
    name: str
    values: tuple[str, ...]


def differences(tokens: Iterable[str], probe: Probe, background: Background) -> list[Difference]:
    """Return what speaks against a cluster without any of *tokens* of a label, the most telling first."""
    by_name: dict[str, list[str]] = {}
    for token in tokens:
        by_name.setdefault(label_of(token)[0], []).append(token)
    says = (
        Difference(min(_differs(name, t, probe, background) for t in values), name, tuple(values))
        for name, values in by_name.items()
    )
    return sorted(difference for difference in says if difference.says < 0.0)


def _differs(name: str, token: str, probe: Probe, background: Background) -> float:
    """Return how much likelier a value other than *token* is in one problem than in two, log-odds.

    log((1 - m) / (1 - u)), with m the share of pairs in one cluster that agree in the label *name*, and u
    that of the others that have this very value (Fellegi and Sunter 1969).
    """
    constancy = probe.constancy.get(name, 0.0)
    return math.log((1.0 - constancy) / max(_LEAST, 1.0 - _held(token, probe, background)))


def lift(token: str, probe: Probe, background: Background) -> float:
    """Return how much likelier two share *token* in one problem than in two, as log-odds."""
    return min(LABELS_FOR - LABELS_AGAINST, -math.log(_held(token, probe, background, besides=1)))


def _held(token: str, probe: Probe, background: Background, besides: int = 0) -> float:
    """Return the share of the clusters, *besides* so many, that have *token*; above 0, at most 1."""
    others = max(0, background.holders.get(token, 0) - besides)
    return min(1.0, (others + probe.shares[token]) / max(1, background.accepting))


def time_evidence(
    cluster: Cluster, gap: float, new_rate: float, settings: ClusteringSettings
) -> float:
    """Return what the onset says: does the cluster's next alert come now, or does a new problem?

    The density of *gap* seconds, if gaps are exponential at a rate known only from the cluster's own
    gaps and one of `time_scale` (a Lomax density), over the rate of new clusters.
    """
    shape = 1.0 + cluster.gap_count
    scale = settings.time_scale + cluster.gap_sum
    return min(TIME_FOR, _lomax(gap, shape, scale) - math.log(new_rate))


def times(
    clusters: Iterable[Cluster], onset: int, new_rate: float, settings: ClusteringSettings
) -> list[float]:
    """Return `time_evidence` of an alert that began at *onset* (nanoseconds) for each of *clusters*.

    Written out: of all that is asked of each candidate it takes the longest, and half of that in calls.
    """
    log, log1p, time_scale, opening = math.log, math.log1p, settings.time_scale, math.log(new_rate)
    found = []
    for cluster in clusters:
        gap = onset - cluster.last_onset
        if gap < 0:
            gap = max(0, cluster.first_onset - onset)
        shape, scale = 1.0 + cluster.gap_count, time_scale + cluster.gap_sum
        says = log(shape / scale) - (shape + 1.0) * log1p(gap / SECOND / scale) - opening
        found.append(says if says < TIME_FOR else TIME_FOR)
    return found


def _lomax(gap: float, shape: float, scale: float) -> float:
    """Return the log of the density of *gap* seconds."""
    return math.log(shape / scale) - (shape + 1.0) * math.log1p(gap / scale)


def at_home(
    probe: Probe,
    cluster: Cluster,
    gap: float,
    background: Background,
    settings: ClusteringSettings,
) -> Score:
    """Return how well an alert fits the cluster that waits for it: does it come back, or begin anew?

    Text and labels are its own and say nothing; its gaps so far say when it was to be expected.
    """
    shape, scale = 1.0 + probe.habit.gaps, settings.time_scale + probe.habit.gap_sum
    # It begins no more problems than it fires. Without this, many chronic alerts would each take the
    # clusters of the others for new problems, and open one each time for ever.
    begins = HABIT_SHARE * min(background.new_rate, shape / scale)
    habit = min(TIME_FOR, _lomax(gap, shape, scale) - math.log(begins))
    return Score(
        cluster_id=cluster.id,
        confidence=confidence_of(habit),
        text=1.0,
        usual=1.0,
        labels=1.0,
        gap_seconds=gap,
        evidence_text=0.0,
        evidence_labels=0.0,
        evidence_time=0.0,
        evidence_habit=habit,
    )


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


def share(x: float) -> float:
    """Return *x*, held to 0 and 1."""
    return min(1.0, max(0.0, x))
