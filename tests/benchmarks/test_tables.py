from __future__ import annotations

import math
from pathlib import Path

import pytest

from benchmarks import tables

RESULTS = [
    {"stream": "s", "method": "A", "score": 0.5, "hidden": 1, "first_correct_p50": math.inf},
    {"stream": "t", "method": "A", "score": 0.7, "hidden": 2, "first_correct_p50": 3.0},
    {"stream": "s", "method": "B", "score": 0.25, "hidden": 0},
]


def test_over_all_streams_scores_are_averaged_and_counts_are_summed() -> None:
    whole = tables.over_streams(RESULTS)

    assert tables.cells(whole, "method") == [
        ["method", "score", "hidden", "correct s p50"],
        ["A", "0.600", "3", "never"],
        ["B", "0.250", "0", ""],
    ]


def test_a_method_that_was_not_run_on_all_streams_has_no_figure_for_all() -> None:
    assert tables.by_stream(RESULTS, "score") == [
        ["method", "s", "t", "all"],
        ["A", "0.500", "0.700", "0.600"],
        ["B", "0.250", "", ""],
    ]


def test_a_table_is_aligned_for_a_terminal_and_barred_for_the_docs() -> None:
    rows = [["m", "score"], ["long", "1"]]

    assert tables.text(rows) == "m     score\nlong      1"
    assert tables.markdown(rows) == "| m | score |\n|---|---|\n| long | 1 |"


def test_a_block_is_replaced_and_what_is_around_it_stays(tmp_path: Path) -> None:
    path = tmp_path / "x.md"
    path.write_text(
        "before\n<!-- q: written by a command, not by hand -->\nold\n<!-- end of q -->\nafter\n"
    )

    tables.replace_block(path, "q", "new")
    once = path.read_text()
    tables.replace_block(path, "q", "new")

    assert once.startswith("before\n")
    assert once.endswith("-->\n\nnew\n\n<!-- end of q -->\nafter\n")
    assert "old" not in once
    assert path.read_text() == once


def test_a_document_without_a_place_for_it_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "x.md"
    path.write_text("nothing")

    with pytest.raises(ValueError, match="no place for 'q'"):
        tables.replace_block(path, "q", "new")
    assert path.read_text() == "nothing"
