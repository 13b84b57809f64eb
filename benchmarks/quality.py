"""How well the shipped default groups: `python -m benchmarks.quality [--set key=value] [--json FILE]`.

One row a stream: the score, (pairwise F1 + B-cubed F1) / 2 over firing alerts, as they happened and as
a simulated Alertmanager would have delivered them (group_wait 30 s, group_interval 5 min, group_by
alertname), and what hides behind it.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import streams
from receiver import config as configuration
from receiver import replay
from receiver.config import Config
from receiver.core.embedder import Embedder
from receiver.core.model import Vector
from receiver.core.scores import Agreement
from receiver.embedding import open_embedder
from receiver.embedding.prepare import prepare


class Remembering:
    """An embedder that embeds each text once, for all runs over the same streams."""

    def __init__(self, inner: Embedder) -> None:
        """Ask *inner* for what is not known."""
        self._inner = inner
        self._known: dict[str, Vector] = {}
        self.identity = inner.identity
        self.dims = inner.dims
        self.close = inner.close

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed *texts* as the inner one does, shape (len(texts), dims)."""
        unknown = [text for text in texts if text not in self._known]
        if unknown:
            self._known.update(zip(unknown, self._inner.embed(unknown), strict=True))
        return np.stack([self._known[text] for text in texts])


def play(rows: list[streams.Row], config: Config, embedder: Embedder) -> replay.Replay:
    """Return the replay of *rows*."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "stream.jsonl"
        streams.write(rows, path)
        return replay.run([path], config, embedder)


def run(rows: list[streams.Row], config: Config, embedder: Embedder) -> tuple[Agreement, float]:
    """Return how well *rows* are grouped, and microseconds per alert, embedding of what is new too."""
    started = time.perf_counter()
    played = play(rows, config, embedder)
    took = time.perf_counter() - started
    found = played.agreement()
    if found is None:
        raise SystemExit("the stream carries no truth")
    return found, took / len(played.lines) * 1e6


def measure(config: Config, embedder: Embedder, names: Sequence[str]) -> list[dict[str, Any]]:
    """Return one result for each of *names*, with and without namespace labels."""
    results = []
    embedder = Remembering(embedder)
    for label, variant in streams.variants(names):
        plain, microseconds = run(variant, config, embedder)
        late, _ = run(streams.delivered(variant), config, embedder)
        results.append(
            {
                "stream": label,
                "score": plain.score,
                "delivered": late.score,
                **dataclasses.asdict(plain),
                "b_cubed": plain.b_cubed,
                "microseconds": microseconds,
            }
        )
    return results


def table(results: list[dict[str, Any]]) -> str:
    """Return *results* as text, with the means below."""
    head = (
        f"{'stream':18}{'score':>7}{'delivered':>11}{'F1':>7}{'B3':>7}{'hidden':>8}{'over-merged':>13}"
        f"{'singletons':>12}{'compression':>13}{'us/alert':>10}"
    )
    lines = [head]
    lines += [
        f"{r['stream']:18}{r['score']:>7.3f}{r['delivered']:>11.3f}{r['f1']:>7.3f}{r['b_cubed']:>7.3f}"
        f"{r['hidden']:>8}{r['over_merged']:>13.2f}{r['singletons']:>12.2f}{r['compression']:>13.1f}"
        f"{r['microseconds']:>10.0f}"
        for r in results
    ]
    mean, late = (statistics.fmean(r[key] for r in results) for key in ("score", "delivered"))
    hidden = sum(r["hidden"] for r in results)
    lines.append(f"{'mean':18}{mean:>7.3f}{late:>11.3f}{'':14}{hidden:>8}")
    return "\n".join(lines)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--set", dest="overrides", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--stream", action="append", choices=list(streams.NAMES))
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    if not streams.folder().is_dir():
        raise SystemExit(f"{streams.folder()}: the labelled streams are not there")
    config = configuration.load(None, options.overrides)
    if config.embedding.backend == "onnx":
        prepare(config.embedding, report=lambda line: print(line, file=sys.stderr))
    results = measure(
        config, open_embedder(config.embedding), options.stream or list(streams.NAMES)
    )
    print(table(results))
    if options.json:
        options.json.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
