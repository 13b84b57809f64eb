"""The soak: `python -m benchmarks.soak [--minutes 60] [--write]`.

The real receiver as a process, with the real model; senders, readers, operators and clients of the stream
at once; and a fault each minute, drawn by a seed. What must hold is known outside: every alert that was
answered 200 is kept once and in the state last told, events have no gap and no repeat for any client,
counters add up to the last alert, what was refused was refused for a fault, each fault has its line and its
metric, and `check-db` finds nothing. Exit code 1 if any of it does not hold.

Not as in life: clock and model are made to fail from within (see `inside`); the full disk is a limit on
the size of files.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import findings, machine
from benchmarks.soak import report
from benchmarks.soak.faults import KINDS
from benchmarks.soak.run import Plan, Soak

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "reliability.md"


def options(arguments: Sequence[str]) -> argparse.Namespace:
    """Return the command line, read."""
    head = (__doc__ or "").partition("\n")[0]
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=head)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--every", type=float, default=60.0, help="seconds from fault to fault")
    parser.add_argument("--rate", type=float, default=30.0, help="alerts a second")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=(), help="these in this order")
    parser.add_argument("--hashing", action="store_true", help="without the real model")
    parser.add_argument("--keep", type=Path, help="folder for all files and logs, kept")
    parser.add_argument("--json", type=Path, default=findings.FOLDER / "soak.json")
    parser.add_argument(
        "--write", action="store_true", help="put the figures into docs/reliability.md"
    )
    parser.add_argument("--found", type=Path, help="run nothing, take these figures")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str]) -> int:
    """Run it, or take what was found; return the exit code."""
    wanted = options(arguments)
    if wanted.found:
        found = json.loads(wanted.found.read_text(encoding="utf-8"))
    else:
        found = _run(wanted)
        wanted.json.parent.mkdir(parents=True, exist_ok=True)
        wanted.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(report.text(found))
    if wanted.write:
        text = DOCUMENT.read_text(encoding="utf-8")
        DOCUMENT.write_text(report.into(text, found), encoding="utf-8")
    return 1 if found["wrong"] else 0


def _run(wanted: argparse.Namespace) -> dict[str, Any]:
    plan = Plan(
        seconds=wanted.minutes * 60,
        every_seconds=wanted.every,
        rate=wanted.rate,
        seed=wanted.seed,
        real_model=not wanted.hashing,
        kinds=tuple(wanted.kinds),
    )
    machine.allow_open_files()
    where = machine.machine(datetime.now(UTC))
    with _folder(wanted.keep) as folder:
        found = asyncio.run(Soak(plan, folder, lambda line: print(line, flush=True)).run())
    return {"machine": where, **found}


@contextlib.contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    if keep is not None:
        yield keep
        return
    with tempfile.TemporaryDirectory(prefix="stormcell-soak-") as temporary:
        yield Path(temporary)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
