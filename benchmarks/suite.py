"""Runs every benchmark, then writes the results: `python -m benchmarks.suite [--short [--growth]]`.

One after the other, each in a process of its own. One that fails leaves its results out, and the rest
goes on.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Sequence

from benchmarks import results
from benchmarks.cost import CASES
from benchmarks.findings import FOLDER


def main(arguments: Sequence[str]) -> int:
    """Run all; 1 if one failed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--short", action="store_true", help="the short form of all")
    parser.add_argument("--only", action="append", choices=results.NAMES, default=[])
    parser.add_argument(
        "--growth", action="store_true", help="with --short: half a million vectors, too"
    )
    options = parser.parse_args(arguments)
    began, failed = time.monotonic(), []
    for name in options.only or results.NAMES:
        print(f"\n=== {name}", flush=True)
        path = FOLDER / f"{name}.json"
        for earlier in FOLDER.glob(f"{name}*.json"):
            # It would be taken for one of this run.
            earlier.unlink()
        form = ["--short"] if options.short else []
        if options.growth and name == "realtime_performance":
            form += [f"--only={case.vectors}" for case in CASES]
        command = [sys.executable, "-m", f"benchmarks.{name}", *form, "--json", str(path)]
        if subprocess.run(command, check=False).returncode:
            failed.append(name)
    print(f"\n=== results, after {time.monotonic() - began:.0f} s")
    results.main([])
    if failed:
        print(f"failed: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
