"""Fits the confidence: `python -m benchmarks.calibration`.

For every firing alert of the labelled streams it takes the evidence for the best candidate, and whether
that candidate was right: whether most alerts that its cluster had by then are of the alert's true group.
A logistic curve through these (Platt 1999) gives the constants in core/evidence.py.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import quality, streams
from receiver import config as configuration
from receiver import replay
from receiver.embedding import open_embedder
from receiver.embedding.prepare import prepare


def observe(played: replay.Replay) -> list[tuple[float, bool]]:
    """Return (evidence for the best candidate, whether it was right) of each episode of *played*."""
    truths: dict[int, Counter[str]] = {}
    seen: set[int] = set()
    found = []
    for line in played.lines:
        episode = line.episode
        if episode is None or line.truth is None or episode.id in seen:
            continue
        seen.add(episode.id)
        why: Any = played.whys.get(episode.id)
        if why is not None and why["best"] is not None:
            holds = truths.get(why["best"]["cluster_id"], Counter())
            evidence = sum(why["best"]["evidence"].values())
            found.append((evidence, 2 * holds[line.truth] > holds.total()))
        if line.assigned is not None:
            truths.setdefault(line.assigned, Counter())[line.truth] += 1
    return found


def fit(observed: list[tuple[float, bool]], weights: NDArray[np.float64]) -> tuple[float, float]:
    """Return evidence at half and scale of the logistic curve, by Newton's method."""
    x = np.array([evidence for evidence, _ in observed])
    y = np.array([float(right) for _, right in observed])
    design = np.column_stack([x, np.ones_like(x)])
    parameters = np.array([1.0, 0.0])
    for _ in range(50):
        p = 1.0 / (1.0 + np.exp(-(design @ parameters)))
        gradient = design.T @ (weights * (y - p))
        curvature = (design * (weights * p * (1 - p))[:, None]).T @ design
        parameters = parameters + np.linalg.solve(curvature + 1e-9 * np.eye(2), gradient)
    slope, offset = parameters
    return float(-offset / slope), float(1.0 / slope)


def main() -> None:
    """Fit and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--set", dest="overrides", action="append", default=[], metavar="KEY=VALUE")
    options = parser.parse_args()
    config = configuration.load(None, options.overrides)
    if config.embedding.backend == "onnx":
        prepare(config.embedding, report=lambda line: print(line, file=sys.stderr))
    embedder = replay.Remembering(open_embedder(config.embedding))
    observed: list[tuple[float, bool]] = []
    weights: list[float] = []
    for _, rows in streams.variants(list(streams.NAMES)):
        found = observe(quality.play(rows, config, embedder))
        observed += found
        # Each stream counts the same, however long it is.
        weights += [1.0 / len(found)] * len(found)
    half, scale = fit(observed, np.array(weights))
    print(f"EVIDENCE_AT_HALF = {half:.3f}\nEVIDENCE_SCALE = {scale:.3f}")
    print("evidence      share right   confidence   alerts")
    for low in range(-8, 8):
        inside = [(w, r) for (x, r), w in zip(observed, weights, strict=True) if low <= x < low + 1]
        if inside:
            share = sum(w * r for w, r in inside) / sum(w for w, _ in inside)
            said = 1.0 / (1.0 + math.exp(-(low + 0.5 - half) / scale))
            print(f"{low:4} to {low + 1:4}  {share:11.2f}   {said:10.2f}   {len(inside):6}")


if __name__ == "__main__":
    main()
