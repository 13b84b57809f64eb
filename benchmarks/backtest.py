"""The past of a real Prometheus, replayed: `python -m benchmarks.backtest [--days 10] [--daily 100]`.

Writes a made-up past of alerts into the blocks of a Prometheus, starts it, and rebuilds the past from it:
how long that takes, in how many requests, how much memory it takes, and whether the firing periods
are those that were written.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from receiver import replay
from receiver.config import load
from receiver.embedding.hashing import HashingEmbedder
from tests.support.prometheus import Prometheus

EVALUATED_EVERY = 15.0
_OFFSET = 4.387
"""Seconds; Prometheus spreads its groups over the interval, so evaluations are at odd times."""

Written = tuple[str, float, float]
"""Series labels, first and last evaluation that it fired at, unix seconds."""


def made_up(days: int, daily: int, end: float) -> list[Written]:
    """Return firing periods up to *end*: *daily* a day, of some minutes to hours, and one all the time."""
    random.seed(7)
    last = (end // EVALUATED_EVERY) * EVALUATED_EVERY - EVALUATED_EVERY + _OFFSET
    begin = last - days * 86400
    written = [('alertname="Watchdog",severity="none"', begin, last)]
    for series in range(max(1, days * daily // 20)):
        labels = f'alertname="Rule{series % 60}",namespace="ns{series % 17}",pod="pod-{series}"'
        at = begin + random.uniform(0, days * 86400 / 20)
        while True:
            lasts = random.choice((60, 300, 1200, 7200)) * random.uniform(0.5, 1.5)
            first = begin + ((at - begin) // EVALUATED_EVERY) * EVALUATED_EVERY
            final = first + (lasts // EVALUATED_EVERY) * EVALUATED_EVERY
            if final > last - 600:
                break
            written.append((labels, first, final))
            at = final + 2 * EVALUATED_EVERY + random.expovariate(20 / (days * 86400))
    return written


def write(written: list[Written], path: Path) -> int:
    """Write *written* as OpenMetrics; return how many samples that are."""
    samples = 0
    with path.open("w", encoding="utf-8") as file:
        for name, value in (("ALERTS", None), ("ALERTS_FOR_STATE", 0)):
            file.write(f"# TYPE {name} gauge\n")
            for labels, first, last in sorted(written):
                state = ',alertstate="firing"' if value is None else ""
                told = "1" if value is None else str(int(first))
                for n in range(round((last - first) / EVALUATED_EVERY) + 1):
                    at = first + n * EVALUATED_EVERY
                    file.write(f"{name}{{{labels}{state}}} {told} {at:.3f}\n")
                    samples += 1
        file.write("# EOF\n")
    return samples


def rules() -> str:
    """Return rules of the names that are made up, none of which will fire."""
    named = ["Watchdog", *(f"Rule{n}" for n in range(60))]
    told = [
        {
            "alert": n,
            "expr": "vector(0) > 1",
            "annotations": {"summary": f"{n} of {{{{ $labels.pod }}}}"},
        }
        for n in named
    ]
    return json.dumps({"groups": [{"name": "all", "interval": "15s", "rules": told}]})


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=10)
    parser.add_argument("--daily", type=int, default=100, help="firing periods a day")
    options = parser.parse_args()
    binary = shutil.which("prometheus")
    if binary is None or shutil.which("promtool") is None:
        raise SystemExit("prometheus and promtool are needed")
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(folder), binary, options.days, options.daily)


def measure(folder: Path, binary: str, days: int, daily: int) -> None:
    """Write, serve, replay and print."""
    written = made_up(days, daily, time.time())
    samples = write(written, folder / "past.txt")
    prometheus = Prometheus(
        binary, folder / "prometheus", targets={}, alertmanagers=[], rules={"all.yml": rules()}
    )
    subprocess.run(
        [
            *("promtool", "tsdb", "create-blocks-from", "openmetrics"),
            *(str(folder / "past.txt"), str(folder / "prometheus" / "data")),
        ],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    prometheus.command.append("--storage.tsdb.retention.time=365d")
    prometheus.start()
    try:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        source = replay.Prometheus(prometheus.url, days * 86400)
        started = time.perf_counter()
        played = replay.run([source], load(None), HashingEmbedder())
        first = time.perf_counter() - started
        replay.run([source], load(None), HashingEmbedder())
        second = time.perf_counter() - started - first
    finally:
        prometheus.kill()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"{len(written)} firing periods written, {samples} samples")
    print("\n".join(played.remarks))
    print(replay.summary(played))
    begun = {round(first, 3) for _, first, _ in written[1:]}
    found = {_seconds(line.starts_at) for line in played.lines}
    print(
        f"{len(played.lines)} periods found; of the times at which one began {len(begun & found)}"
    )
    print(f"of {len(begun)} are the same")
    print(f"first run {first:.1f} s, a second run of the same {second:.1f} s")
    print(f"memory at most {peak / 1024:.0f} MB, {before / 1024:.0f} MB before it was read")


def _seconds(text: str | None) -> float:
    from receiver.core.timestamps import parse

    return round((parse(text or "") or 0) / 1e9, 3)


if __name__ == "__main__":
    main()
