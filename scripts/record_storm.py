"""Records the series that the rules are tested with from `stormcell demo`: prints promtool's input_series.

The demo plays 23 minutes fifteen times as fast as life and is scraped each second: a sample is 15 s of it.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from itertools import groupby

from prometheus_client.parser import text_string_to_metric_families

from receiver.demo.draft import DURATION

SPEED = 15
NAMES = (
    "stormcell_build_info",
    "stormcell_storm_active",
    "stormcell_storm_intensity_ratio",
    "stormcell_storm_firing_alerts",
    "stormcell_storm_clusters",
    "stormcell_storm_start_timestamp_seconds",
    "stormcell_cluster_firing_alerts",
    "stormcell_cluster_in_storm",
    "stormcell_cluster_info",
    "stormcell_cluster_place_info",
    "stormcell_cluster_spread_values",
    "stormcell_cluster_spread_start_timestamp_seconds",
    "stormcell_cluster_novel",
)
TARGET = {"job": "stormcell", "instance": "10.0.0.7:9783"}

Series = tuple[str, tuple[tuple[str, str], ...]]


def scrapes(url: str, demo: subprocess.Popen[bytes]) -> Iterator[str]:
    """Yield the exposition at *url* each second, from when it first tells of storms until *demo* ends."""
    due, begun = time.monotonic(), False
    while demo.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/metrics", timeout=5) as answer:
                text = answer.read().decode()
        except OSError:
            text = ""
        begun = begun or "stormcell_storm_active" in text
        if begun and text:
            yield text
        due += 1
        time.sleep(max(0.0, due - time.monotonic()))


def samples(texts: Iterator[str]) -> dict[Series, list[float | None]]:
    """Return the values of each series, None where it was absent; times in seconds of life."""
    told: dict[Series, list[float | None]] = {}
    began = time.time()  # noqa: TID251 - of the first scrape, to which timestamps are told
    for place, text in enumerate(texts):
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                if sample.name not in NAMES:
                    continue
                value = sample.value
                if "timestamp" in sample.name and value:
                    value = max(0, (value - began) * SPEED)
                values = told.setdefault((sample.name, tuple(sorted(sample.labels.items()))), [])
                values.extend([None] * (place - len(values)))
                values.append(round(value, 1))
    longest = max(map(len, told.values()))
    return {key: values + [None] * (longest - len(values)) for key, values in told.items()}


def notation(values: Sequence[float | None]) -> str:
    """Return *values* as promtool reads them; a series that ends is stale, once."""
    words, before = [], None
    for value, run in groupby(values):
        count = len(list(run))
        if value is None and before is not None:
            words.append("stale")
            count -= 1
        if value is None:
            words += [f"_x{count}"] if count else []
        else:
            words.append(f"{value:g}" if count == 1 else f"{value:g}+0x{count - 1}")
        before = value
    return " ".join(words)


def main() -> None:
    """Play the demo and print what Prometheus would have scraped."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--port", type=int, default=9789)
    port = options.parse_args().port
    command = [
        sys.executable,
        "-m",
        "receiver",
        "demo",
        "--once",
        f"--seconds={DURATION / SPEED:g}",
    ]
    command.append(f"--web.listen-address=127.0.0.1:{port}")
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as demo:
        told = samples(scrapes(f"http://127.0.0.1:{port}", demo))
    for (name, labels), values in sorted(told.items(), key=lambda item: NAMES.index(item[0][0])):
        shown = ", ".join(f'{k}="{v}"' for k, v in {**TARGET, **dict(labels)}.items())
        print(f"      - series: '{name}{{{shown}}}'\n        values: '{notation(values)}'")


if __name__ == "__main__":
    main()
