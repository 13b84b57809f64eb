"""What a benchmark found: figures by name and tables, on the terminal and as a JSON file.

`benchmarks.results` makes one document of all the files; nothing in it is typed by hand.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import machine, measures, tables

FOLDER = Path("build/benchmarks")
SHORT, LONG = "short", "long"


@dataclass
class Findings:
    """What one run found.

    Attributes:
        figures: By name, the unit at its end; what targets are held against.
        tables: Heading and rows, the first row being the head.
        notes: Sentences on what was made and what was real.
        curve: Points to be drawn, if any.
    """

    figures: dict[str, float] = field(default_factory=dict)
    tables: list[tuple[str, list[list[str]]]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    curve: list[Mapping[str, float]] = field(default_factory=list)


def parser(doc: str | None, name: str) -> argparse.ArgumentParser:
    """Return the options that every benchmark has."""
    made = argparse.ArgumentParser(description=(doc or "").partition("\n")[0])
    made.add_argument("--short", action="store_true", help="the short form")
    made.add_argument(
        "--json", type=Path, default=FOLDER / f"{name}.json", help="where the results go"
    )
    return made


def record(
    name: str, options: argparse.Namespace, measure: Callable[[], Findings]
) -> dict[str, Any]:
    """Run *measure*; print what it found and write it where *options* say."""
    where = machine.machine(datetime.now(UTC))
    began = time.monotonic()
    found = measure()
    document = {
        "benchmark": name,
        "form": SHORT if options.short else LONG,
        "machine": where,
        "busy_at_end": machine.busy(),
        "seconds": round(time.monotonic() - began, 1),
        **asdict(found),
    }
    for head, rows in found.tables:
        print(f"{head}\n{tables.text(rows)}\n")
    for note in found.notes:
        print(note)
    print(f"{document['seconds']} s; {said(where)}")
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    return document


def said(where: Mapping[str, Any]) -> str:
    """Return a machine as a line."""
    return ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in where.items())


def spread(values: Sequence[float]) -> dict[str, float]:
    """Return mean, p50, p95, p99 and the largest of *values*; of none, nothing."""
    if not values:
        return {}
    cuts = {f"p{share}": measures.percentile(values, share / 100) for share in (50, 95, 99)}
    return {"mean": sum(values) / len(values), **cuts, "max": max(values)}


def cells(lead: Sequence[str], values: Mapping[str, float], form: str) -> list[str]:
    """Return a row: *lead*, then *values* written as *form* says."""
    return [*lead, *(format(value, form) for value in values.values())]
