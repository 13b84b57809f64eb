"""The clusters that are going on, and the indexes that find those an alert may belong to.

Candidates come from nearest texts, shared label values and recent movement, each bounded, so that the
cost of an alert does not grow with how many clusters there are or ever were.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from receiver.core.clusters import Cluster, ClusteringSettings
from receiver.core.index import VectorIndex
from receiver.core.model import Vector
from receiver.core.timestamps import seconds

PER_SOURCE = 16
"""Clusters taken from one text, one label value, or recent movement: the latest that moved."""

COMMON = 256
"""A label value in more accepting clusters than this tells nothing, and is no source."""

# Likeness at which an alert is as likely to belong as not, and how fast that changes around it: a
# logistic curve through ten labelled streams, fitted by benchmarks/calibration.py. It is flat: even
# great likeness is wrong in one case of six, where incidents of one component start together.
LIKENESS_AT_HALF = 0.33
LIKENESS_SCALE = 0.40


@dataclass(frozen=True, slots=True)
class Probe:
    """What an alert is compared by.

    Attributes:
        vector: Of its text, shape (dims,), unit length; None if it has none.
        weights: Telling weight by label value.
        onset: startsAt, nanoseconds.
    """

    vector: Vector | None
    weights: Mapping[str, float]
    onset: int


@dataclass(frozen=True, slots=True)
class Score:
    """How well an alert fits one cluster, with every term of it.

    Attributes:
        cluster_id: Which.
        likeness: Of text and labels, faded by the gap, 0 to 1.
        confidence: Likeness as a probability, 0 to 1.
        text: Greatest cosine to a text of the cluster, 0 to 1.
        labels: Weighted share of the alert's label values that the cluster has, 0 to 1.
        gap_seconds: From the cluster's onsets to the alert's.
        nearest: Fingerprint and similarity of the members nearest in text, nearest first.
    """

    cluster_id: int
    likeness: float
    confidence: float
    text: float
    labels: float
    gap_seconds: float
    nearest: tuple[tuple[str, float], ...]


class LiveClusters:
    """Live clusters by id, with the indexes over those that accept members."""

    def __init__(self, texts: VectorIndex) -> None:
        """Start with none; *texts*, empty, finds their texts."""
        self.by_id: dict[int, Cluster] = {}
        self.texts = texts
        self._by_text: dict[int, set[int]] = {}
        self._by_token: dict[str, set[int]] = {}
        self._recent: dict[int, None] = {}

    def __len__(self) -> int:
        return len(self.by_id)

    def uses(self, text_id: int) -> bool:
        """Whether an accepting cluster holds the text *text_id*."""
        return text_id in self._by_text

    def add(self, cluster: Cluster) -> None:
        """Take in a new or restored *cluster*; those restored come in the order of `moved_no`."""
        self.by_id[cluster.id] = cluster
        if cluster.accepting:
            self.index(cluster, cluster.exemplars, cluster.tokens)

    def index(self, cluster: Cluster, text_ids: Iterable[int], tokens: Iterable[str]) -> None:
        """Make *cluster*, which moved, found by those of *text_ids* and *tokens* that it holds."""
        for text_id in cluster.exemplars.keys() & set(text_ids):
            if text_id not in self._by_text:
                self.texts.add([text_id], cluster.exemplars[text_id].vector.reshape(1, -1))
            self._by_text.setdefault(text_id, set()).add(cluster.id)
        for token in cluster.tokens.keys() & set(tokens):
            self._by_token.setdefault(token, set()).add(cluster.id)
        self._recent.pop(cluster.id, None)
        self._recent[cluster.id] = None

    def unindex(self, cluster: Cluster, text_ids: Iterable[int], tokens: Iterable[str]) -> None:
        """Make *cluster* no longer found by *text_ids* and *tokens*."""
        unused = []
        for text_id in text_ids:
            holders = self._by_text.get(text_id, set())
            holders.discard(cluster.id)
            if not holders and self._by_text.pop(text_id, None) is not None:
                unused.append(text_id)
        self.texts.remove(unused)
        for token in tokens:
            holders = self._by_token.get(token, set())
            holders.discard(cluster.id)
            if not holders:
                self._by_token.pop(token, None)

    def close(self, cluster: Cluster) -> None:
        """*cluster* takes no more members."""
        self.unindex(cluster, cluster.exemplars, cluster.tokens)
        self._recent.pop(cluster.id, None)

    def remove(self, cluster: Cluster) -> None:
        """*cluster*, closed before, is no longer live."""
        self.by_id.pop(cluster.id, None)

    def candidates(self, probe: Probe, neighbors: int) -> list[Cluster]:
        """Return the accepting clusters that *probe* may belong to, by id."""
        found: set[int] = set()
        if probe.vector is not None:
            for text_id, _ in self.texts.search(probe.vector, neighbors):
                found.update(self._latest(self._by_text[text_id]))
        for token in probe.weights:
            holders = self._by_token.get(token, set())
            if len(holders) <= COMMON:
                found.update(self._latest(holders))
        recent = reversed(self._recent)
        found.update(cluster_id for cluster_id, _ in zip(recent, range(PER_SOURCE), strict=False))
        return [self.by_id[cluster_id] for cluster_id in sorted(found)]

    def _latest(self, cluster_ids: set[int]) -> Iterable[int]:
        if len(cluster_ids) <= PER_SOURCE:
            return cluster_ids
        return heapq.nlargest(PER_SOURCE, cluster_ids, key=lambda c: self.by_id[c].moved_no)


def rank(probe: Probe, candidates: Sequence[Cluster], settings: ClusteringSettings) -> list[Score]:
    """Return how well *probe* fits each of *candidates*, best first, ties by the older id.

    likeness = (w·text + (1 - w)·labels)·exp(-gap / time_scale), and from it, by a logistic curve, the
    confidence. Sums go along rows, so that a score never depends on the other candidates.
    """
    scores = []
    total = sum(probe.weights.values())
    with_text = [c for c in candidates if c.exemplars] if probe.vector is not None else []
    similarities = {}
    if probe.vector is not None and with_text:
        rows = np.concatenate([cluster.matrix for cluster in with_text])
        products = (rows * probe.vector).sum(axis=1).tolist()
        start = 0
        for cluster in with_text:
            similarities[cluster.id] = products[start : start + len(cluster.exemplars)]
            start += len(cluster.exemplars)
    for cluster in candidates:
        members = zip(cluster.exemplars.values(), similarities.get(cluster.id, ()), strict=False)
        nearest = heapq.nsmallest(3, ((-similarity, e.fingerprint) for e, similarity in members))
        text = min(1.0, max(0.0, -nearest[0][0])) if nearest else 0.0
        shared = sum(w for token, w in probe.weights.items() if token in cluster.tokens)
        labels = shared / total if total else 0.0
        gap = seconds(max(0, cluster.first_onset - probe.onset, probe.onset - cluster.last_onset))
        if probe.vector is None or not total:
            fused = labels if total else text
        else:
            fused = settings.text_weight * text + (1.0 - settings.text_weight) * labels
        likeness = fused * math.exp(-gap / settings.time_scale)
        scores.append(
            Score(
                cluster_id=cluster.id,
                likeness=likeness,
                confidence=confidence_of(likeness),
                text=text,
                labels=labels,
                gap_seconds=gap,
                nearest=tuple((fingerprint, -negative) for negative, fingerprint in nearest),
            )
        )
    scores.sort(key=lambda score: (-score.confidence, score.cluster_id))
    return scores


def confidence_of(likeness: float) -> float:
    """Return the probability that an alert of such *likeness* (0 to 1) belongs, 0 to 1."""
    return 1.0 / (1.0 + math.exp(-(likeness - LIKENESS_AT_HALF) / LIKENESS_SCALE))
