"""Results as tables, for a terminal and for the docs."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Result = Mapping[str, Any]
"""Of one method on one stream: `method`, `stream`, and figures by name; None for what was not measured."""


def _mean(values: Sequence[float]) -> float:
    return statistics.fmean(values)


def _median(values: Sequence[float]) -> float:
    return statistics.median(values)


@dataclass(frozen=True, slots=True)
class Column:
    """A figure, its heading, how it is written, and how those of many streams become one."""

    key: str
    head: str
    form: str
    over_streams: Callable[[Sequence[float]], float] = _mean

    def write(self, value: float | None) -> str:
        """Return *value* as text; "" for one that was not measured."""
        if value is None or math.isnan(value):
            return ""
        return "never" if math.isinf(value) else format(value, self.form)


COLUMNS = (
    Column("score", "score", ".3f"),
    Column("f1", "F1", ".3f"),
    Column("b_cubed", "B3", ".3f"),
    Column("b_cubed_precision", "B3 prec", ".3f"),
    Column("b_cubed_recall", "B3 recall", ".3f"),
    Column("hidden", "hidden", ".0f", sum),
    Column("outvoted", "outvoted", ".0f", sum),
    Column("over_merged", "over-merge", ".2f"),
    Column("singletons", "singletons", ".2f"),
    Column("compression", "compression", ".1f"),
    Column("churn", "churn", ".3f"),
    Column("first_correct_p50", "correct s p50", ".0f", _median),
    Column("first_correct_p90", "correct s p90", ".0f", _median),
    Column("never_correct", "never correct", ".0f", sum),
    Column("delivered", "delivered", ".3f"),
    Column("shuffled", "shuffled", ".3f"),
    Column("order", "order", ".3f"),
    Column("repeat_same", "repeat same", ".0%"),
    Column("microseconds", "us/alert", ".0f", _median),
)


def over_streams(results: Sequence[Result]) -> list[dict[str, Any]]:
    """Return one result a method, of all its streams: means, sums or medians, as the columns say."""
    found = []
    for method in dict.fromkeys(result["method"] for result in results):
        own = [result for result in results if result["method"] == method]
        row: dict[str, Any] = {"stream": f"all {len(own)}", "method": method}
        for column in COLUMNS:
            values = [r[column.key] for r in own if r.get(column.key) is not None]
            row[column.key] = column.over_streams(values) if len(values) == len(own) else None
        found.append(row)
    return found


def cells(results: Sequence[Result], lead: str) -> list[list[str]]:
    """Return head and rows of *results*, *lead* (a key) first; columns that are empty are left out."""
    columns = [c for c in COLUMNS if any(r.get(c.key) is not None for r in results)]
    rows = [[lead, *(column.head for column in columns)]]
    rows += [[r[lead], *(column.write(r.get(column.key)) for column in columns)] for r in results]
    return rows


def by_stream(results: Sequence[Result], key: str) -> list[list[str]]:
    """Return head and rows of one figure, *key*: a method a row, a stream a column, and all."""
    column = next(column for column in COLUMNS if column.key == key)
    names = list(dict.fromkeys(result["stream"] for result in results))
    rows = [["method", *names, "all"]]
    for method in dict.fromkeys(result["method"] for result in results):
        own = {r["stream"]: r[key] for r in results if r["method"] == method}
        told = [own[name] for name in names if name in own]
        whole = column.over_streams(told) if len(told) == len(names) else None
        rows.append([method, *(column.write(own.get(name)) for name in names), column.write(whole)])
    return rows


def text(rows: Sequence[Sequence[str]]) -> str:
    """Return *rows*, the first being the head, in columns for a terminal."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if i else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def markdown(rows: Sequence[Sequence[str]]) -> str:
    """Return *rows*, the first being the head, as a table of Markdown."""
    head, *body = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([head, "|---" * len(rows[0]) + "|", *body])


def replace_blocks(path: Path, bodies: Mapping[str, str]) -> None:
    """Write into the file at *path* those of *bodies*, by name, for which it has a place.

    Raises:
        ValueError: It has none for any.
    """
    document = path.read_text(encoding="utf-8")
    names = [name for name in bodies if _start(name) in document]
    if not names:
        raise ValueError(f"{path}: has no place for any of {', '.join(map(repr, bodies))}")
    for name in names:
        replace_block(path, name, bodies[name])


def _start(name: str) -> str:
    return f"<!-- {name}: written by a command, not by hand -->\n"


def replace_block(path: Path, name: str, body: str) -> None:
    """Write *body* between the marks of *name* in the file at *path*.

    Raises:
        ValueError: The marks are not there, once each and in order.
    """
    start, end = _start(name), f"<!-- end of {name} -->"
    document = path.read_text(encoding="utf-8")
    before, found, rest = document.partition(start)
    _, found_end, after = rest.partition(end)
    if not found or not found_end:
        raise ValueError(
            f"{path}: has no place for {name!r}: expected {start.strip()!r} and {end!r}"
        )
    path.write_text(f"{before}{start}\n{body}\n\n{end}{after}", encoding="utf-8")
