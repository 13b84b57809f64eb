"""Millions of labels, no two alike: what they take in memory, on disk, and in /metrics.

`python -m benchmarks.labels` posts alerts to a running receiver, each with fifty names and values that no
other has, lets them resolve, and tells every now and then what the process takes.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from benchmarks import tables
from receiver.core.timestamps import SECOND, render
from tests.builders import START, body
from tests.support.processes import ReceiverProcess

LABELS = 50
AT_ONCE = 100


def notification(first: int, *, over: bool) -> bytes:
    """Return AT_ONCE alerts from the number *first* on, as they fire or as they are *over*."""
    entries = []
    for number in range(first, first + AT_ONCE):
        starts_at = START + number * SECOND // 10
        entries.append(
            {
                "status": "resolved" if over else "firing",
                "labels": {
                    "alertname": f"Alert{number % 200}",
                    **{f"l{number:x}x{n}": f"v{number:x}x{n}" for n in range(LABELS)},
                },
                "annotations": {"summary": f"Something of kind {number % 200} is wrong"},
                "startsAt": render(starts_at),
                "endsAt": render(starts_at + 5 * SECOND) if over else None,
            }
        )
    return body(*entries)


def resident_mib(pid: int) -> float:
    """Return what the process *pid* has in memory."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * 4096 / 2**20


def measure(labels: int, folder: Path, rows: int) -> list[list[str]]:
    """Post so many *labels*; return as many *rows* of what it took."""
    receiver = ReceiverProcess(folder)
    receiver.start()
    found = []
    alerts = labels // LABELS
    began = time.perf_counter()
    step = max(AT_ONCE, alerts // rows // AT_ONCE * AT_ONCE)
    try:
        for first in range(0, alerts, AT_ONCE):
            for over in (False, True):
                assert receiver.post(notification(first, over=over)).status == 200
                receiver.settle()
            if (first + AT_ONCE) % step == 0:
                series = receiver.get("/metrics").body.count(b"\n")
                found.append(
                    [
                        f"{(first + AT_ONCE) * LABELS:,}",
                        f"{resident_mib(receiver.pid):.0f}",
                        f"{receiver.metric('stormcell_storage_size_bytes') / 2**20:.0f}",
                        f"{series}",
                        f"{time.perf_counter() - began:.0f}",
                    ]
                )
                print(" ".join(found[-1]), flush=True)
    finally:
        receiver.stop()
    return found


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--labels", type=int, default=3_000_000)
    parser.add_argument("--rows", type=int, default=6)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = measure(options.labels, Path(folder), options.rows)
    head = ["labels", "resident MiB", "on disk MiB", "lines of /metrics", "seconds"]
    print(tables.markdown([head, *rows]))


if __name__ == "__main__":
    main()
