"""One alert against the clusters it may belong to: what all comparisons share is worked out once.

Few are compared whole. The search for candidates told how near their texts can be, and which labels they
share: what the evidence is at most is known before anything is compared, and those that cannot be
among the best are left out.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
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
    """What the search for candidates tells of them.

    Attributes:
        nearest: Cosine and ids of the candidates that hold it, of each text that was found; the nearest
            text last.
        beyond: Cosine that the texts which were not found have at most.
        sharing: Ids of those that have it, by label value of the alert.
    """

    nearest: Sequence[tuple[float, Collection[int]]]
    beyond: float
    sharing: Mapping[str, Collection[int]]


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
        self._lifts = evidence.lifts(probe, background)
        self._differences = evidence.differences(probe, background)
        self._by_labels: dict[tuple[int, frozenset[str]], tuple[list[str], float]] = {}
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

        Labels and time are as they are, text is taken for as near as the nearest, and company, where
        there is any, for the most that it counts for.
        """
        texts, far = self._texts_at_most(reach)
        shared = self._shared(reach.sharing)
        probe, new_rate = self._probe, self._background.new_rate
        times = evidence.times(self._candidates, probe.onset, new_rate, self._settings)
        found = []
        for cluster, at_most in zip(self._candidates, times, strict=True):
            if cluster.patience and probe.is_at_home(cluster):
                found.append((math.inf, cluster))
                continue
            at_most += texts.get(cluster.id, far) + _ROUNDING
            at_most += self._labels(cluster, shared.get(cluster.id, 0))[1]
            if not probe.companions.isdisjoint(cluster.exemplars):
                at_most += evidence.TOGETHER_FOR
            found.append((at_most, cluster))
        found.sort(key=_BOUND, reverse=True)
        return found

    def _texts_at_most(self, reach: Reach) -> tuple[dict[int, float], float]:
        """Return what texts say at most, by cluster, and of those clusters that are not in there."""
        usual = self._usual_of_others - _SEARCHED
        texts: dict[int, float] = {}
        # The nearest last: it stays where a cluster has several.
        for cosine, holders in reach.nearest:
            texts.update(dict.fromkeys(holders, self._text_at_most(cosine - usual)))
        for cluster_id in self._recent:
            nearest = max(self._similarities[cluster_id])
            texts[cluster_id] = self._text_at_most(nearest - self._usual(cluster_id))
        return texts, self._text_at_most(reach.beyond - usual)

    def _text_at_most(self, nearer: float) -> float:
        """Return what texts say at most of which the nearest is *nearer* than those of the others.

        All its texts as near as the nearest, and their names as telling as can be.
        """
        says = evidence.TEXT_SLOPE * self._rarity * (nearer - evidence.TEXT_MARGIN)
        return self._text_scale * min(evidence.TEXT_FOR, max(0.0, says))

    def _shared(self, sharing: Mapping[str, Collection[int]]) -> dict[int, int]:
        """Return which label values clusters share, as `_labels` takes it, by id; of none in no entry."""
        shared: dict[int, int] = {}
        for place, token in enumerate(self._lifts):
            for cluster_id in sharing[token]:
                shared[cluster_id] = shared.get(cluster_id, 0) | 1 << place
        return shared

    def _labels(self, cluster: Cluster, shared: int) -> tuple[list[str], float]:
        """Return which label values *cluster* shares, and what the labels say.

        Most candidates share the same few, and have the same labels: those are looked at once.

        Args:
            cluster: Which.
            shared: Of the alert's label values in their order those that it has too, a bit each.
        """
        key = shared, cluster.label_names
        told = self._by_labels.get(key)
        if told is None:
            tokens = [token for place, token in enumerate(self._lifts) if shared >> place & 1]
            says = evidence.label_evidence(self._lifts, self._differences, tokens, cluster)
            told = self._by_labels[key] = tokens, self._label_scale * says
        return told

    def score(self, cluster: Cluster) -> Score:
        """Return how well the alert fits *cluster*."""
        self._compare_texts([cluster])
        probe, gap = self._probe, cluster.gap_to(self._probe.onset)
        if probe.is_at_home(cluster):
            return evidence.at_home(probe, cluster, gap, self._background, self._settings)
        held = cluster.tokens
        shared, labels = self._labels(
            cluster, sum(1 << place for place, token in enumerate(self._lifts) if token in held)
        )
        usual, similarities = self._usual(cluster.id), self._similarities.get(cluster.id, ())
        text = self._text_scale * evidence.text_evidence(probe, cluster, similarities, usual)
        time = evidence.time_evidence(cluster, gap, self._background.new_rate, self._settings)
        together = min(evidence.TOGETHER_FOR, probe.company(cluster.exemplars)[0])
        weights = probe.weights
        return Score(
            cluster_id=cluster.id,
            confidence=evidence.confidence_of(text + labels + time + together),
            text=evidence.share(self._mean(cluster.id)),
            usual=evidence.share(usual),
            labels=sum(weights[t] for t in shared) / self._total_weight if shared else 0.0,
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
            nearest = heapq.nsmallest(3, ((-similarity, e.fingerprint) for e, similarity in told))
            score.nearest = tuple((fingerprint, -negative) for negative, fingerprint in nearest)
        return found
