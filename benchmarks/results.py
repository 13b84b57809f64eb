"""One document of all that was measured: `python -m benchmarks.results [FOLDER]`.

Reads the JSON files that the benchmarks wrote and writes benchmarks/RESULTS.md and the plot in docs/images;
ends with a line a requirement. Nothing in either is written by hand.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks import findings, plot, tables, targets

NAMES = (
    *("realtime_performance", "memory", "load", "stream", "restart", "index", "stability", "limits"),
)  # fmt: skip
"""Those that `benchmarks.suite` runs, in the order of the document."""

APART = ("year",)
"""Those that take too long for it; what they wrote is told, too."""

_ROOT = Path(__file__).resolve().parents[1]
DOCUMENT = _ROOT / "benchmarks" / "RESULTS.md"
PLOT = _ROOT / "docs" / "images" / "cost.svg"


def read(folder: Path) -> list[dict[str, Any]]:
    """Return the documents in *folder* of those benchmarks that were run.

    Parts that were run apart, as `load-spike.json`, stand one after the other.
    """
    paths = [path for name in NAMES + APART for path in sorted(folder.glob(f"{name}*.json"))]
    return [json.loads(path.read_text(encoding="utf-8")) for path in paths]


def document(documents: Sequence[Mapping[str, Any]], verdicts: Sequence[targets.Verdict]) -> str:
    """Return RESULTS.md."""
    missing = [name for name in NAMES if name not in {one["benchmark"] for one in documents}]
    parts = [
        "# Results\n\nWritten by `python -m benchmarks.results`, not by hand; `make bench` runs all of"
        " it in the short form. What each figure means stands at the head of its benchmark.",
        tables.markdown(targets.rows(verdicts)),
        tables.markdown(_runs(documents)),
    ]
    if missing:
        parts.append(f"Not run: {', '.join(missing)}.")
    parts.append(_machine(documents))
    for one in documents:
        parts.append(f"## {one['benchmark']}\n\n`python -m benchmarks.{one['benchmark']}`")
        parts += [f"**{head}**\n\n{tables.markdown(rows)}" for head, rows in one["tables"]]
        parts += one["notes"]
    return "\n\n".join(parts) + "\n"


def _runs(documents: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    """Return when each was run, and how busy the machine was before and after."""
    rows = [["run", "form", "date", "seconds", "load average", "a million additions, ms"]]
    for one in documents:
        busy = (one["machine"], one["busy_at_end"])
        changes = [
            " → ".join(str(at[key]) for at in busy)
            for key in ("load_average", "million_additions_ms")
        ]
        seconds, date = f"{one['seconds']:.0f}", one["machine"]["date"]
        rows.append([one["benchmark"], one["form"], date, seconds, *changes])
    return rows


_VARYING = ("date", "load_average", "million_additions_ms", "open_files")


def _machine(documents: Sequence[Mapping[str, Any]]) -> str:
    """Return what it all ran on, each machine once."""
    same = [{k: v for k, v in one["machine"].items() if k not in _VARYING} for one in documents]
    unlike = [one for place, one in enumerate(same) if one not in same[:place]]
    return "\n\n".join(f"On {findings.said(one)}." for one in unlike)


def draw(documents: Sequence[Mapping[str, Any]]) -> None:
    """Draw the cost of an alert, if that was measured for more than one history, in one run or several."""
    told = [one for one in documents if one["curve"]]
    points = {point["vectors"]: point for one in told for point in one["curve"]}
    if len(points) > 1:
        where = told[-1]["machine"]
        said = f"{told[-1]['form']} form, {where['cores']} cores of {where['cpu']}, {where['date'][:10]}"
        busy = f"load average {where['load_average']}"
        plot.draw([points[size] for size in sorted(points)], PLOT, f"{said}, {busy}")


def main(arguments: Sequence[str]) -> int:
    """Collect, write, and tell how the targets stand."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", nargs="?", type=Path, default=findings.FOLDER)
    documents = read(parser.parse_args(arguments).folder)
    verdicts = targets.check(targets.flat(documents))
    DOCUMENT.write_text(document(documents, verdicts), encoding="utf-8")
    draw(documents)
    for row in targets.rows(verdicts)[1:]:
        what, asked, met, measured, textbook, textbook_met = row
        book = f" [{textbook}: {textbook_met}]" if textbook else ""
        print(f"{met:12}  {what}: {asked}; measured: {measured or 'nothing'}{book}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
