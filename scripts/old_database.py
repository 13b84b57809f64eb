"""Makes a database as an earlier commit wrote it, for the tests of upgrades.

`python -m scripts.old_database COMMIT FILE` starts that commit's receiver, posts bodies as Alertmanager
sends them, stops it, and keeps its database. Run once for the last commit of each schema, before a
migration is added to it; the files are in tests/store/schemas and are never made again. There is none of
0002_storms: no commit had it without 0003_operator.
"""

from __future__ import annotations

import gzip
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from tests.support.waiting import wait_until

ROOT = Path(__file__).resolve().parents[1]
BODIES = sorted((ROOT / "tests" / "captures").glob("[0-3]*.json"))
LARGE = 100_000


def main() -> None:
    """Make one."""
    commit, target = sys.argv[1], Path(sys.argv[2])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        subprocess.run(
            f"git -C {ROOT} archive {commit} | tar -x -C {folder}", shell=True, check=True
        )
        _run(folder, folder / "data")
        target.write_bytes(gzip.compress((folder / "data" / "stormcell.db").read_bytes(), mtime=0))


def _run(folder: Path, storage: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    server = subprocess.Popen(
        [
            *(sys.executable, "-m", "receiver", "serve", f"--storage.path={storage}"),
            f"--web.listen-address={address}",
            "--set=embedding.backend=hashing",
        ],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
    )
    try:
        wait_until("it to be ready", lambda: b"ready" in _ask(f"http://{address}/-/ready"))
        for path in BODIES:
            if path.stat().st_size < LARGE and b'"alerts"' in path.read_bytes():
                _ask(f"http://{address}/api/v1/webhook", path.read_bytes())
        wait_until(
            "all to be applied",
            lambda: b"\nstormcell_pending_alerts 0.0" in _ask(f"http://{address}/metrics"),
        )
        time.sleep(1)
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait()


def _ask(url: str, body: bytes | None = None) -> bytes:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body), timeout=10) as answer:
            found: bytes = answer.read()
            return found
    except urllib.error.HTTPError as error:
        return error.read()
    except OSError:
        return b""


if __name__ == "__main__":
    main()
