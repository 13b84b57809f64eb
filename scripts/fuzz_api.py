"""Has schemathesis call a running receiver by what its own openapi.json says, and against it.

`python -m scripts.fuzz_api --seconds 300` takes the extra `fuzz`. It is done without tokens and with:
no call may be answered as the document does not say, none with 5xx but the 503 it tells of, and
with tokens none that lacks one. The streams, which never end, are not called.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.support.processes import ReceiverProcess

TOKEN = "the-token-of-all-roles"

CONFIG = Path(__file__).with_suffix(".toml")


def settings(folder: Path, with_tokens: bool) -> dict[str, str]:
    """Return those of a receiver, one that knows TOKEN or knows none."""
    if not with_tokens:
        return {}
    file = folder / "token"
    file.write_text(TOKEN + "\n")
    told = json.dumps([str(file)])
    return {f"web.{role}_token_files": told for role in ("webhook", "operator")}


def run(command: str, folder: Path, seconds: int, seed: int, with_tokens: bool) -> int:
    """Have *command* call a receiver for some *seconds*; return its exit code."""
    receiver = ReceiverProcess(folder, settings=settings(folder, with_tokens))
    header = ["-H", f"Authorization: Bearer {TOKEN}"] if with_tokens else []
    receiver.start()
    try:
        told = [command, f"--config-file={CONFIG}", "run"]
        told += [f"{receiver.url}/api/v1/openapi.json", *header]
        told += ["--exclude-path-regex", "/api/v1/stream"]
        if not with_tokens:
            # The document says what a receiver with tokens asks for; this one asks for nothing.
            told += ["--exclude-checks", "ignored_auth"]
        told += ["--phases", "examples,coverage,fuzzing", "--max-time", str(seconds)]
        told += ["--seed", str(seed), "--continue-on-failure", "--warnings", "off"]
        return subprocess.run(told, cwd=folder, check=False).returncode
    finally:
        print(f"the receiver ended with {receiver.stop()}")


def main() -> int:
    """Call a receiver without tokens, and one with; return how many were at fault."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=300, help="of both together")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--command", default=shutil.which("st") or "", help="schemathesis' own")
    parser.add_argument("--only", choices=("open", "guarded"))
    options = parser.parse_args()
    if not options.command:
        print("schemathesis is not installed: pip install '.[fuzz]'", file=sys.stderr)
        return 2
    wanted = [options.only] if options.only else ["open", "guarded"]
    failed = 0
    for name in wanted:
        with tempfile.TemporaryDirectory() as folder:
            print(f"== {name}", flush=True)
            share = max(1, options.seconds // len(wanted))
            args = (Path(folder), share, options.seed, name == "guarded")
            failed += run(options.command, *args) != 0
    return failed


if __name__ == "__main__":
    raise SystemExit(main())
