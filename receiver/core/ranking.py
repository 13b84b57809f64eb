"""One alert against the clusters it may belong to: what all comparisons share is worked out once.

Few are compared whole. The search for candidates told how near their texts can be, and which labels they
share: what the evidence is at most is known before anything is compared, and those that cannot be
among the best are left out.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter

import numpy as np

from receiver.core import evidence
from receiver.core.clusters import Cluster, ClusteringSettings
from receiver.core.evidence import Background, Probe, Score

SHOWN = 2
"""Scores that people are shown: where it went, and where it would have gone else."""

_ROUNDING = 1e-9
"""Evidence by which a bound may come out too low, because its terms are summed otherwise."""

_SEARCHED = 1e-5
"""Cosine by which the search may tell less than the comparison: both sum single precision, each in its
own order."""


@dataclass(frozen=True, slots=True)
class Reach:
    """What the search for candidates tells of them; ids of clusters that are none may be among these.

    Attributes:
        nearest: Cosine and ids of the clusters that hold it, of each text that was found; the nearest
            text last.
        beyond: Cosine that the texts which were not found have at most.
        sharing: Ids of those that have it, by label value of the alert.
        met: Ids of those that hold a text which the alert's has begun with.
        homes: Ids of those that wait for the alert alone.
    """

    nearest: Sequence[tuple[float, Iterable[int]]]
    beyond: float
    sharing: Mapping[str, Iterable[int]]
    met: Iterable[int]
    homes: Iterable[int]


def rank(
    probe: Probe,
    candidates: Sequence[Cluster],
    background: Background,
    settings: ClusteringSettings,
) -> list[Score]:
    """Return how well *probe* fits each of *candidates*, best first, ties by the older id.

    Sums go along rows, so that a score never depends on candidates that did not move lately.

    Args:
        probe: The alert.
        candidates: By id.
        background: What goes on.
        settings: How it is weighed.
    """
    ranking = _Ranking(probe, candidates, background, settings)
    return ranking.finished(ranking.score(cluster) for cluster in candidates)


def rank_best(
    probe: Probe,
    candidates: Sequence[Cluster],
    background: Background,
    settings: ClusteringSettings,
    reach: Reach,
    count: int,
) -> list[Score]:
    """Return the *count* best of what `rank` returns, comparing only those that can be among them.

    Args:
        probe: The alert.
        candidates: By id.
        background: What goes on.
        settings: How it is weighed.
        reach: What is known of the candidates.
        count: How many are wanted; at least 1.
    """
    ranking = _Ranking(probe, candidates, background, settings)
    best: list[Score] = []
    least = -math.inf
    for at_most, cluster in ranking.bounds(reach):
        if at_most < least:
            break
        if at_most + ranking.against(cluster) >= least:
            best = sorted([*best, ranking.score(cluster)], key=_order)[:count]
            least = best[-1].evidence if len(best) == count else -math.inf
    return ranking.finished(best)


_BOUND = itemgetter(0)


def _order(score: Score) -> tuple[float, int]:
    return -score.confidence, score.cluster_id


class _Ranking:
    def __init__(
        self,
        probe: Probe,
        candidates: Sequence[Cluster],
        background: Background,
        settings: ClusteringSettings,
    ) -> None:
        self._probe = probe
        self._background = background
        self._settings = settings
        self._candidates = candidates
        self._by_id = {cluster.id: cluster for cluster in candidates}
        self._text_scale = 2.0 * settings.text_weight
        self._label_scale = 2.0 * (1.0 - settings.text_weight)
        self._total_weight = sum(probe.weights.values())
        lifts = [(evidence.lift(token, probe, background), token) for token in probe.weights]
        self._lifts = sorted(lifts, reverse=True)
        self._differences = evidence.differences(probe.weights, probe, background)
        self._by_labels: dict[int, float] = {}
        self._labels_at_most: dict[int, float] = {}
        self._no_labels = self._label_scale * evidence.LABELS_AGAINST if self._lifts else 0.0
        self._similarities: dict[int, list[float]] = {}
        recent = [self._by_id[c] for c in background.recent if c in self._by_id]
        self._compare_texts(recent)
        self._recent = {c.id: self._mean(c.id) for c in recent if c.id in self._similarities}
        self._total_usual = math.fsum([evidence.TEXT_USUAL, *self._recent.values()])
        self._usual_of_others = self._total_usual / (1 + len(self._recent))
        # In a cluster that has the name it is counted in one fewer.
        self._rarity = evidence.rarity(probe.seen - 1.0, probe.opened)

    def bounds(self, reach: Reach) -> list[tuple[float, Cluster]]:
        """Return the evidence that each candidate has at most, the highest first.

        Time is as it is. Texts are taken for as near as the nearest, of labels that differ none counts,
        and company, where there is any, counts for the most.
        """
        texts, far = self._texts_at_most(reach)
        labels = self._labels_at_most
        # The most telling last: it stays where several are shared.
        for lift, token in reversed(self._lifts):
            says = self._label_scale * min(evidence.LABELS_FOR, evidence.LABELS_AGAINST + lift)
            labels.update(dict.fromkeys(reach.sharing[token], says))
        for cluster_id in reach.met:
            texts[cluster_id] = texts.get(cluster_id, far) + evidence.TOGETHER_FOR
        texts |= dict.fromkeys(reach.homes, math.inf)
        unlabelled, new_rate = self._no_labels, self._background.new_rate
        times = evidence.times(self._candidates, self._probe.onset, new_rate, self._settings)
        found = [
            (says + texts.get(c.id, far) + labels.get(c.id, unlabelled) + _ROUNDING, c)
            for c, says in zip(self._candidates, times, strict=True)
        ]
        found.sort(key=_BOUND, reverse=True)
        return found

    def against(self, cluster: Cluster) -> float:
        """Return what labels that differ take from the bound of *cluster*."""
        return self._labels(cluster) - self._labels_at_most.get(cluster.id, self._no_labels)

    def _texts_at_most(self, reach: Reach) -> tuple[dict[int, float], float]:
        """Return what texts say at most, by cluster, and of those clusters that are not in there.

        All texts of a cluster as near as the nearest, and their names as telling as can be.
        """
        steep = self._text_scale * evidence.TEXT_SLOPE * self._rarity
        most, margin = self._text_scale * evidence.TEXT_FOR, evidence.TEXT_MARGIN
        expected = self._usual_of_others - _SEARCHED + margin
        texts: dict[int, float] = {}
        # The nearest last: it stays where a cluster has several.
        for cosine, holders in reach.nearest:
            says = steep * (cosine - expected)
            if says > 0.0:
                texts.update(dict.fromkeys(holders, min(most, says)))
        for cluster_id in self._recent:
            nearest = max(self._similarities[cluster_id])
            says = steep * (nearest - self._usual(cluster_id) - margin)
            texts[cluster_id] = min(most, says) if says > 0.0 else 0.0
        return texts, min(most, max(0.0, steep * (reach.beyond - expected)))

    def _labels(self, cluster: Cluster) -> float:
        """Return what the labels say."""
        told = self._by_labels.get(cluster.id)
        if told is None:
            says = evidence.label_evidence(self._lifts, self._differences, cluster)
            told = self._by_labels[cluster.id] = self._label_scale * says
        return told

    def score(self, cluster: Cluster) -> Score:
        """Return how well the alert fits *cluster*."""
        self._compare_texts([cluster])
        probe, gap = self._probe, cluster.gap_to(self._probe.onset)
        if probe.is_at_home(cluster):
            return evidence.at_home(probe, cluster, gap, self._background, self._settings)
        usual, labels = self._usual(cluster.id), self._labels(cluster)
        similarities = self._similarities.get(cluster.id, ())
        text = self._text_scale * evidence.text_evidence(probe, cluster, similarities, usual)
        time = evidence.time_evidence(cluster, gap, self._background.new_rate, self._settings)
        together = min(evidence.TOGETHER_FOR, probe.company(cluster.exemplars)[0])
        shared = [weight for token, weight in probe.weights.items() if token in cluster.tokens]
        return Score(
            cluster_id=cluster.id,
            confidence=evidence.confidence_of(text + labels + time + together),
            text=evidence.share(self._mean(cluster.id)),
            usual=evidence.share(usual),
            labels=sum(shared) / self._total_weight if shared else 0.0,
            gap_seconds=gap,
            evidence_text=text,
            evidence_labels=labels,
            evidence_time=time,
            evidence_together=together,
        )

    def _usual(self, cluster_id: int) -> float:
        """Return the mean cosine to the clusters that are going on but for this one."""
        own = self._recent.get(cluster_id)
        if own is None:
            return self._usual_of_others
        return (self._total_usual - own) / len(self._recent)

    def _mean(self, cluster_id: int) -> float:
        found = self._similarities.get(cluster_id)
        return math.fsum(found) / len(found) if found else 0.0

    def _compare_texts(self, clusters: Iterable[Cluster]) -> None:
        """Work out the cosines to the texts of those of *clusters* that have any."""
        vector = self._probe.vector
        fresh = [c for c in clusters if c.exemplars and c.id not in self._similarities]
        if vector is None or not fresh:
            return
        one, *others = [cluster.matrix for cluster in fresh]
        rows = np.concatenate([one, *others]) if others else one
        # Each row summed by itself: as a product of matrices it would depend on the rows around it.
        products = np.einsum("ij,j->i", rows, vector).tolist()
        start = 0
        for cluster in fresh:
            end = start + len(cluster.exemplars)
            self._similarities[cluster.id] = products[start:end]
            start = end

    def finished(self, scores: Iterable[Score]) -> list[Score]:
        """Return *scores*, the best first, with the members nearest in text of those that are shown."""
        found = sorted(scores, key=_order)
        for score in found[:SHOWN]:
            members = self._by_id[score.cluster_id].exemplars.values()
            told = zip(members, self._similarities.get(score.cluster_id, ()), strict=False)
            nearest = sorted([(-similarity, e.fingerprint) for e, similarity in told])[:3]
            score.nearest = tuple((fingerprint, -negative) for negative, fingerprint in nearest)
        return found
