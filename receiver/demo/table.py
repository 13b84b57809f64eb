"""Draws clusters as a table of text lines. Pure: knows no terminal."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from receiver.core.text import display

_RESET = "\x1b[0m"
_DIM = "\x1b[2m"
_COLOURS = {"critical": "\x1b[31m", "warning": "\x1b[33m", "info": "\x1b[36m"}
_LEAST_LAST = 12
"""Columns that the last cell has at least, however narrow the table must be."""

Cluster = dict[str, Any]


@dataclass(frozen=True)
class Column:
    """One column: its heading, its text, its greatest width (0: the last, takes what is left)."""

    heading: str
    text: Callable[[Cluster], str]
    widest: int
    right: bool = False


def clock(offset: float) -> str:
    """Return *offset* (seconds) as minutes and seconds."""
    whole = max(0, round(offset))
    return f"{whole // 60:02d}:{whole % 60:02d}"


def columns(opened: Callable[[Cluster], float], last: Column | None = None) -> list[Column]:
    """Return the columns of a table of clusters.

    Args:
        opened: Gives the scenario seconds at which a cluster was opened.
        last: Stands in the place of the title, if given.
    """
    return [
        Column("id", lambda c: str(c["id"]), 5, right=True),
        Column("state", lambda c: c["state"], 9),
        Column("severity", lambda c: c["severity"] or "-", 10),
        Column("size", lambda c: str(c["size"]), 6, right=True),
        Column("firing", lambda c: str(c["firing"]), 6, right=True),
        Column("opened", lambda c: clock(opened(c)), 6, right=True),
        last or Column("title", lambda c: c["title"], 0),
    ]


def shown(clusters: Sequence[Cluster], rows: int) -> list[Cluster]:
    """Return the *rows* clusters that matter most: live before over, then the largest; by id."""
    held = [c for c in clusters if c["state"] != "merged"]
    held.sort(key=lambda c: (c["state"] == "resolved", -c["size"], c["id"]))
    return sorted(held[:rows], key=lambda c: int(c["id"]))


def draw(
    clusters: Sequence[Cluster], shape: Sequence[Column], *, width: int, rows: int, colour: bool
) -> list[str]:
    """Return the lines of a table, the heading first; none is wider than *width*."""
    chosen = shown(clusters, rows)
    cells = [[display(column.text(c)) for column in shape] for c in chosen]
    widths = [
        min(column.widest, max([cell_width(column.heading), *(cell_width(r[i]) for r in cells)]))
        for i, column in enumerate(shape[:-1])
    ]
    widths.append(max(_LEAST_LAST, width - sum(widths) - 2 * len(widths)))
    lines = [_line([column.heading for column in shape], shape, widths, width)]
    for cluster, row in zip(chosen, cells, strict=True):
        line = _line(row, shape, widths, width)
        lines.append(_coloured(line, cluster) if colour else line)
    hidden = sum(c["state"] != "merged" for c in clusters) - len(chosen)
    if hidden:
        lines.append(cut(f"  … and {hidden} smaller or over", width))
    return lines


def _line(row: Sequence[str], shape: Sequence[Column], widths: Sequence[int], width: int) -> str:
    padded = []
    for text, column, room in zip(row, shape, widths, strict=True):
        fitted = cut(text, room)
        space = " " * (room - cell_width(fitted))
        padded.append(space + fitted if column.right else fitted + space)
    return cut("  ".join(padded).rstrip(), width)


def _coloured(line: str, cluster: Cluster) -> str:
    code = _DIM if cluster["state"] == "resolved" else _COLOURS.get(cluster["severity"], "")
    return f"{code}{line}{_RESET}" if code else line


def cell_width(text: str) -> int:
    """Return how many columns of a terminal *text*, free of control characters, takes."""
    return sum(_width(character) for character in text)


def _width(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def cut(text: str, width: int) -> str:
    """Return *text* in at most *width* columns."""
    if cell_width(text) <= width:
        return text
    kept, room = "", width - 1
    for character in text:
        room -= _width(character)
        if room < 0:
            break
        kept += character
    return kept + "…"
