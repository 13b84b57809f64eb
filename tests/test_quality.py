"""The shipped default on labelled streams, with the real model; `make bench-quality` runs all ten."""

from __future__ import annotations

import os
import statistics
from pathlib import Path

import pytest

from benchmarks import quality, streams
from receiver.config import load
from receiver.embedding import open_embedder

SMALL = ["mixed", "hard", "nezha", "itbench"]


@pytest.mark.model
@pytest.mark.slow
def test_the_default_groups_as_well_as_promised(model_cache: Path) -> None:
    if not streams.folder().is_dir() and not os.environ.get("CI"):
        pytest.skip("the labelled streams are not beside the checkout")
    config = load(None, [f"embedding.cache_dir={model_cache}"])

    results = quality.measure(config, open_embedder(config.embedding), SMALL, seeds=(1,))
    plain, late, shuffled = (
        statistics.fmean(r[key] for r in results) for key in ("score", "delivered", "shuffled")
    )

    assert plain >= 0.68
    assert late >= plain - 0.03
    assert shuffled >= plain - 0.02
    assert [r["stream"] for r in results if not r["repeat_same"]] == []


def test_a_simulated_alertmanager_delivers_late_and_by_group() -> None:
    rows = [
        {"t": t, "status": "firing", "labels": {"alertname": name, "n": str(t)}, "endsAt": ends}
        for t, name, ends in (
            (0, "A", "0001-01-01T00:00:00Z"),
            (40, "A", "0001-01-01T00:00:00Z"),
            (50, "B", "1970-01-01T00:02:00Z"),
            (50, "C", "1970-01-01T00:01:00Z"),
            (2000, "A", "0001-01-01T00:00:00Z"),
        )
    ]

    sent = [(r["t"], r["labels"]["n"], r["status"]) for r in streams.delivered(rows)]

    assert sent == [
        (30, "0", "firing"),
        (80, "50", "firing"),
        (330, "40", "firing"),
        (380, "50", "resolved"),
        (2130, "2000", "firing"),
    ]
