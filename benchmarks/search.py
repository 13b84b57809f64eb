"""Looks for the defaults of clustering: `python -m benchmarks.search`.

Runs every labelled stream with each pair of text_weight and threshold, and prints the mean score and the
incidents hidden. Of the pairs within .01 of the best mean, those that hide fewer incidents are better. Few
settings and wide steps, so that there is little to fit.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import sys
from collections.abc import Sequence

from benchmarks import quality, streams
from receiver import config as configuration
from receiver.embedding import open_embedder
from receiver.embedding.prepare import prepare

TEXT_WEIGHTS = (0.5, 0.6, 0.7)
THRESHOLDS = (0.42, 0.45, 0.48, 0.51)


def main(arguments: Sequence[str] | None = None) -> None:
    """Search and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stream", action="append", choices=list(streams.NAMES))
    parser.add_argument("--set", dest="overrides", action="append", default=[], metavar="KEY=VALUE")
    options = parser.parse_args(arguments)
    base = configuration.load(None, options.overrides)
    if base.embedding.backend == "onnx":
        prepare(base.embedding, report=lambda line: print(line, file=sys.stderr))
    embedder = quality.Remembering(open_embedder(base.embedding))
    variants = list(streams.variants(options.stream or list(streams.NAMES)))
    print("text_weight  threshold   mean  hidden")
    for weight, threshold in itertools.product(TEXT_WEIGHTS, THRESHOLDS):
        pair = [f"clustering.text_weight={weight}", f"clustering.threshold={threshold}"]
        config = configuration.load(None, [*options.overrides, *pair])
        found = [quality.run(rows, config, embedder)[0] for _, rows in variants]
        mean = statistics.fmean(agreement.score for agreement in found)
        hidden = sum(agreement.hidden for agreement in found)
        print(f"{weight:11.2f} {threshold:10.2f} {mean:6.3f} {hidden:7}", flush=True)


if __name__ == "__main__":
    main()
