from __future__ import annotations

import argparse
import json
from pathlib import Path

from benchmarks import findings, results, targets
from benchmarks.findings import Findings


def _run(folder: Path, name: str, found: Findings) -> None:
    options = argparse.Namespace(short=True, json=folder / f"{name}.json")
    findings.record(name, options, lambda: found)


def test_what_a_benchmark_found_is_read_back(tmp_path: Path) -> None:
    found = Findings({"accepts_s": 0.5}, [("Head", [["a", "b"], ["1", "2"]])], ["A note."])
    _run(tmp_path, "restart", found)

    (document,) = results.read(tmp_path)

    assert (document["benchmark"], document["form"]) == ("restart", "short")
    assert document["figures"] == {"accepts_s": 0.5}
    assert document["machine"]["million_additions_ms"] > 0


def test_the_document_tells_targets_tables_notes_and_what_was_not_run(tmp_path: Path) -> None:
    found = Findings({"accepts_s": 0.5}, [("Head", [["a", "b"], ["1", "2"]])], ["A note."])
    _run(tmp_path, "restart", found)
    documents = results.read(tmp_path)

    text = results.document(documents, targets.check(targets.flat(documents)))

    assert "accepts 0.5 s" in text
    assert "**Head**\n\n| a | b |" in text
    assert "A note." in text
    assert "Not run: realtime_performance, memory, load, stream, index, stability, limits." in text


def test_parts_that_were_run_apart_are_all_read(tmp_path: Path) -> None:
    _run(tmp_path, "load", Findings({"spike_s": 1.0}))
    (tmp_path / "load.json").rename(tmp_path / "load-spike.json")
    _run(tmp_path, "load", Findings({"calm_s": 2.0}))

    figures = targets.flat(results.read(tmp_path))

    assert figures == {"load.spike_s": 1.0, "load.calm_s": 2.0}


def test_the_curve_is_drawn_and_the_same_points_give_the_same_file(tmp_path: Path) -> None:
    from benchmarks import plot

    points = [
        {"vectors": size, "new_ms": 4.0, "known_ms": 2.0, "storm_cpu_ms": 0.5}
        for size in (5_000, 50_000)
    ]
    files = [tmp_path / "one.svg", tmp_path / "other.svg"]
    for file in files:
        plot.draw(points, file, "a machine")

    assert files[0].read_bytes() == files[1].read_bytes()
    assert b"<svg" in files[0].read_bytes()


def test_a_spread_is_that_of_the_values() -> None:
    told = findings.spread([4.0, 1.0, 2.0, 3.0])

    assert told == {"mean": 2.5, "p50": 2.0, "p95": 4.0, "p99": 4.0, "max": 4.0}
    assert findings.spread([]) == {}


def test_files_are_written_as_json(tmp_path: Path) -> None:
    _run(tmp_path / "deep", "memory", Findings())

    assert json.loads((tmp_path / "deep" / "memory.json").read_text())["figures"] == {}
