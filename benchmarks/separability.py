"""Whether what alerts tell can separate the true groups at all, whatever decides.

For each alert of a group of two or more: is the alert most like it, of all that came within some minutes
before or after, of its own group? In hindsight and with nothing to choose, so no order, threshold or
candidate stands in the way. Where even the nearest is of another problem, an online method has less.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

WINDOW_SECONDS = 300.0
"""Before and after; what lies further off is told apart by time already."""

Likeness = Callable[[int, NDArray[np.int_]], NDArray[np.float64]]
"""Alert and others, by number; how like each of the others is to it, the more the higher."""


def nearest_share(times: Sequence[float], truth: Sequence[Hashable], likeness: Likeness) -> float:
    """Return the share of alerts whose most alike neighbour in time is of their own group, 0 to 1.

    Of several most alike ones each counts its part. *times* ascend. Alerts with nothing around them,
    and groups of one, are left out; NaN if nothing is left.
    """
    sizes = Counter(truth)
    shares = []
    for i, at in enumerate(times):
        low = bisect_left(times, at - WINDOW_SECONDS)
        high = bisect_right(times, at + WINDOW_SECONDS)
        others = np.array([j for j in range(low, high) if j != i])
        if sizes[truth[i]] < 2 or not len(others):
            continue
        found = likeness(i, others)
        nearest = others[found >= found.max() - 1e-9]
        shares.append(sum(truth[j] == truth[i] for j in nearest) / len(nearest))
    return sum(shares) / len(shares) if shares else math.nan


def by_text(vectors: NDArray[np.float32]) -> Likeness:
    """Return the cosine of *vectors*, shape (alerts, dims), unit length."""

    def likeness(i: int, others: NDArray[np.int_]) -> NDArray[np.float64]:
        return np.asarray(vectors[others] @ vectors[i], dtype=np.float64)

    return likeness


def by_labels(tokens: Sequence[frozenset[str]]) -> Likeness:
    """Return the overlap of *tokens*, each weighted by how rare it is in the whole stream, 0 to 1."""
    counts = Counter(token for own in tokens for token in own)
    weights = {token: math.log(1.0 + len(tokens) / count) for token, count in counts.items()}

    def likeness(i: int, others: NDArray[np.int_]) -> NDArray[np.float64]:
        whole = math.fsum(weights[token] for token in tokens[i]) or 1.0
        shared = [math.fsum(weights[t] for t in tokens[i] & tokens[j]) for j in others]
        return np.array(shared) / whole

    return likeness


def by_time(times: Sequence[float]) -> Likeness:
    """Return nearness in time, 0 to 1: an e-th for each 60 s."""
    at = np.array(times)

    def likeness(i: int, others: NDArray[np.int_]) -> NDArray[np.float64]:
        return np.asarray(np.exp(-np.abs(at[others] - at[i]) / 60.0), dtype=np.float64)

    return likeness


def by_all(parts: Sequence[Likeness]) -> Likeness:
    """Return the mean of *parts*."""

    def likeness(i: int, others: NDArray[np.int_]) -> NDArray[np.float64]:
        return np.asarray(np.mean([part(i, others) for part in parts], axis=0), dtype=np.float64)

    return likeness
