"""Feeds the parsers with what atheris thinks of, and tells what became of it.

`python -m scripts.fuzz --seconds 600` takes the extra `fuzz`. Each target of tests/hostile/targets.py
has its share of the time, in a process of its own. What breaks a promise is written to `crash-…`
files in the folder `--keep`, from where it belongs into tests/hostile/corpus once it is mended.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from pathlib import Path

CORPUS = Path(__file__).resolve().parents[1] / "tests" / "hostile" / "corpus"
NAMES = ("webhook", "orders", "query", "frame", "settings", "words")

_LONGEST = {"settings": 256}
"""Bytes of an input, by target: PyYAML takes minutes for some that are nested, which are its owner's."""

_LONGEST_ELSE = 8192
"""What large ones do is tried by tests/hostile/test_attacks.py."""


def run(name: str, seconds: int, keep: Path) -> None:
    """Fuzz the target *name*; ends the process."""
    import atheris

    with atheris.instrument_imports(include=["receiver", "json", "urllib.parse"]):
        from tests.hostile.targets import TARGETS

    found = keep / name
    found.mkdir(parents=True, exist_ok=True)
    longest = _LONGEST.get(name, _LONGEST_ELSE)
    told = [sys.argv[0], f"-max_total_time={seconds}", f"-max_len={longest}", "-timeout=60"]
    told += [f"-artifact_prefix={found}/", "-print_final_stats=1", str(found)]
    told += [str(CORPUS / name)]
    atheris.Setup(told, TARGETS[name])
    atheris.Fuzz()


def main() -> int:
    """Fuzz all targets, or one; return 1 if one failed."""
    options = _options()
    if options.target and options.child:
        run(options.target, options.seconds, options.keep)
    names = [options.target] if options.target else list(NAMES)
    failed = 0
    for name in names:
        share = max(1, options.seconds // len(names))
        told = ["--child", "--target", name, "--seconds", str(share), "--keep", str(options.keep)]
        ended = subprocess.run(
            [sys.executable, "-m", "scripts.fuzz", *told], stderr=subprocess.PIPE, check=False
        )
        said = ended.stderr.decode(errors="replace")
        runs = re.search(r"stat::number_of_executed_units:\s*(\d+)", said)
        verdict = "holds" if ended.returncode == 0 else "FAILS"
        print(f"{name:10} {int(runs[1]) if runs else 0:>12,} inputs in {share} s  {verdict}")
        if ended.returncode:
            failed = 1
            print(said[-4000:], file=sys.stderr)
    return failed


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=600, help="of all targets together")
    parser.add_argument("--target", choices=NAMES, help="only this one")
    parser.add_argument("--keep", type=Path, default=Path(".cache/fuzz"))
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
