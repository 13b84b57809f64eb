"""Whether what recurs is recognised; `python -m benchmarks.recurrence` runs all ten streams."""

from __future__ import annotations

import os
import statistics
from pathlib import Path
from typing import Any

import pytest

from benchmarks import quality, recurrence, streams
from receiver.config import Config, load
from receiver.embedding import open_embedder
from receiver.embedding.hashing import HashingEmbedder


@pytest.mark.model
@pytest.mark.slow
def test_the_default_links_as_well_as_promised(model_cache: Path) -> None:
    if not streams.folder().is_dir() and not os.environ.get("CI"):
        pytest.skip("the labelled streams are not beside the checkout")
    config = load(None, [f"embedding.cache_dir={model_cache}"])

    found = recurrence.measure(
        config, open_embedder(config.embedding), ["mixed", "hard", "nezha", "itbench"]
    )
    judged = [recurrence.judge(clusters, 0.0) for clusters in found.values()]

    assert statistics.fmean(right / linked for _, linked, right in judged) >= 0.9
    assert statistics.fmean(right / could for could, _, right in judged) >= 0.5


def row(t: float, name: str, truth: str, **labels: str) -> dict[str, Any]:
    return {
        "t": t,
        "status": "firing",
        "labels": {"alertname": name, **labels},
        "annotations": {"summary": "the same words"},
        "startsAt": f"2026-01-01T0{int(t // 3600)}:{int(t % 3600 // 60):02}:00Z",
        "endsAt": f"2026-01-01T0{int(t // 3600)}:{int(t % 3600 // 60) + 5:02}:00Z",
        "truth": truth,
    }


def test_a_second_run_is_later_elsewhere_and_not_complete() -> None:
    rows = [row(60 * n, "Down", "a", pod=f"p{n}", service="s") for n in range(40)]

    both = recurrence.twice(rows)

    first, second = both[:40], both[40:]
    assert first == rows
    assert 20 <= len(second) < 40
    assert all(r["labels"]["pod"].endswith("-again") for r in second)
    assert {r["labels"]["service"] for r in second} == {"s"}
    assert min(r["t"] for r in second) >= rows[-1]["t"] + 2 * 86400
    assert all(r["startsAt"].startswith("2026-01-03") for r in second)


def test_links_are_judged_by_what_most_alerts_are() -> None:
    """Three outages, the third as the first: one had its like before, and it is the one that is linked."""
    places = ("payments", "mail", "payments")
    rows = [
        row(10_000 * n + k, f"{place}{k}", place, service=place)
        for n, place in enumerate(places)
        for k in range(3)
    ]
    played = quality.play(rows, Config(), HashingEmbedder())
    clusters = recurrence.watch(rows, played)

    could, linked, right = recurrence.judge(clusters, 0.0)

    assert could == linked == right > 0
    assert recurrence.judge(clusters, 1.01) == (could, 0, 0)


def test_what_is_one_kind_of_fault_is_known_where_it_is_told() -> None:
    assert recurrence.truth_of({"fault_type": "a", "fault_entity": "b", "truth": "x"}) == "a in b"
    assert recurrence.truth_of({"truth": "noise-2022-08-22-High-x"}) == "noise-High-x"
    assert recurrence.truth_of({"truth": "itbench-1"}) == "itbench-1"


def test_what_it_costs_is_told() -> None:
    assert recurrence.cost(20, dims=8).startswith("20 past clusters: ")
