"""How well recurring problems are recognised: `python -m benchmarks.recurrence [--set key=value]`.

Each labelled stream is played, and two days later once more, with pods and instances renamed and a
quarter of the alerts left out. The stream of real faults that recur within two months (boerste_gaia) is
played once. A link from a cluster to an earlier one is right if most alerts of both are of one true
group (of boerste_gaia: one kind of fault in one place), or if half of what fired in each, pods and
instances aside, also fired in the other: which of two causes it was that set off the same alerts,
alerts cannot tell. Links are those that stand when a cluster ends.

One table a threshold (`clustering.recurs_from`): clusters that had an earlier one like them, those that
were linked, the links that were right; precision and recall.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import statistics
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import quality, streams, tables
from receiver import config as configuration
from receiver import replay
from receiver.config import Config
from receiver.core import timestamps
from receiver.core.embedder import Embedder
from receiver.core.evolution import EventType
from receiver.core.index import VectorIndex
from receiver.core.labels import kind, token
from receiver.core.past import PastCluster, PastClusters, Signature
from receiver.embedding import open_embedder
from receiver.embedding.prepare import prepare

_PAUSE = 2 * 86400
"""Seconds from the end of a stream to its second run."""

_LEFT_OUT = 0.25
_RENAMED = ("pod", "instance")
_THRESHOLDS = (0.5, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9)
_NO_TIME = "0001-"


@dataclass(slots=True)
class Seen:
    """What a cluster was, by what is known of its alerts."""

    opened_no: int = 0
    ended_no: int | None = None
    truths: Counter[str] = field(default_factory=Counter)
    alerts: set[tuple[tuple[str, str], ...]] = field(default_factory=set)
    recurs: Mapping[str, Any] | None = None

    def like(self, other: Seen) -> bool:
        """Whether both are one problem, or showed themselves in the same way."""
        if self.truths.most_common(1)[0][0] == other.truths.most_common(1)[0][0]:
            return True
        shared = len(self.alerts & other.alerts)
        return 2 * shared >= max(len(self.alerts), len(other.alerts))


def twice(rows: list[streams.Row]) -> list[streams.Row]:
    """Return *rows*, and again what is left of them, later and elsewhere."""
    rows = sorted(rows, key=lambda row: row["t"])
    later = rows[-1]["t"] - rows[0]["t"] + _PAUSE
    return rows + [_again(row, later) for row in rows if _chance(row["labels"]) >= _LEFT_OUT]


def _chance(labels: Mapping[str, str]) -> float:
    """Return a number from 0 to 1 that only depends on *labels*."""
    digest = hashlib.sha256(json.dumps(labels, sort_keys=True).encode()).digest()
    return int.from_bytes(digest[:4], "big") / 2**32


def _again(row: streams.Row, later: float) -> streams.Row:
    labels = {k: f"{v}-again" if k in _RENAMED else v for k, v in row["labels"].items()}
    times = {
        key: row[key] if row[key].startswith(_NO_TIME) else _moved(row[key], later)
        for key in ("startsAt", "endsAt")
    }
    return row | times | {"labels": labels, "t": row["t"] + later}


def _moved(text: str, later: float) -> str:
    return timestamps.render((timestamps.parse(text) or 0) + timestamps.nanoseconds(later))


def truth_of(row: streams.Row) -> str:
    """Return of which true group *row* is: one that may come again, where that is known."""
    if "fault_type" in row:
        return f"{row['fault_type']} in {row['fault_entity']}"
    truth: str = row["truth"]
    # The day a chronic alert of nezha was seen is no part of what it is.
    return "noise" + truth[len("noise-2022-08-22") :] if truth.startswith("noise-") else truth


_HEAD = ["stream", "had one before", "linked", "right", "precision", "recall"]


def watch(rows: list[streams.Row], played: replay.Replay) -> dict[int, Seen]:
    """Return what each cluster of *played*, a replay of *rows*, was."""
    kinds = {row["truth"]: truth_of(row) for row in rows}
    truths = {
        line.episode.id: kinds[line.truth]
        for line in played.lines
        if line.episode is not None and line.truth is not None
    }
    found: dict[int, Seen] = defaultdict(Seen)
    for event in played.events:
        if event.cluster_id is None:
            continue
        seen = found[event.cluster_id]
        seen.opened_no = seen.opened_no or event.seq
        if event.type is EventType.ALERT_ASSIGNED and event.alert is not None:
            told = event.alert.labels
            seen.alerts.add(tuple((k, v) for k, v in told.items() if k not in _RENAMED))
            if event.alert.episode_id in truths:
                seen.truths[truths[event.alert.episode_id]] += 1
        elif event.type is EventType.CLUSTER_RESOLVED:
            seen.ended_no = event.seq
        elif event.type is EventType.CLUSTER_STATE_CHANGED and "recurs" in event.detail:
            # Not of one that was created as a re-opened: that is known, and not found.
            seen.recurs = event.detail["recurs"]
    return {number: seen for number, seen in found.items() if seen.truths}


def judge(found: dict[int, Seen], threshold: float) -> tuple[int, int, int]:
    """Return how many of *found* had their like before, were linked, and were linked rightly."""
    could = linked = right = 0
    over = [seen for seen in found.values() if seen.ended_no is not None]
    for seen in found.values():
        had = any((o.ended_no or 0) < seen.opened_no and o.like(seen) for o in over)
        recurs = seen.recurs
        if recurs is not None and recurs["similarity"] >= threshold:
            linked += 1
            good = seen.like(found[recurs["cluster_id"]])
            right += good
            # It may have ended when this one was open already.
            had = had or good
        could += had
    return could, linked, right


def measure(config: Config, embedder: Embedder, names: Sequence[str]) -> dict[str, dict[int, Seen]]:
    """Return what the clusters of each of *names* were, with and without namespace labels."""
    embedder = replay.Remembering(embedder)
    found = {}
    for label, rows in streams.variants(names):
        played = rows if "fault_type" in rows[0] else twice(rows)
        found[label] = watch(played, quality.play(played, config, embedder))
    return found


def cost(count: int, dims: int = 384) -> str:
    """Return what it takes to hold *count* past clusters, and to find the likest."""
    resident = _resident_kib()
    draw = np.random.default_rng(1)
    vectors = draw.normal(size=(count + 100, dims)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    signatures = [
        Signature(
            vector,
            frozenset(
                # As on a site of hundreds of rules and services; eight pods each that come once.
                [kind(f"Rule{n}") for n in draw.integers(500, size=4).tolist()]
                + [token("service", f"service-{n}") for n in draw.integers(300, size=3).tolist()]
                + [token("pod", f"pod-{number}-{n}") for n in range(8)]
            ),
        )
        for number, vector in enumerate(vectors)
    ]
    past = PastClusters(count, VectorIndex(dims))
    for number, signature in enumerate(signatures[:count]):
        past.add(PastCluster(number, 1, 0, number, signature))
    held = _resident_kib() - resident
    took = []
    for signature in signatures[count:]:
        started = time.thread_time()
        past.sharing(signature)
        took.append((time.thread_time() - started) * 1000)
    return (
        f"{count} past clusters: {held / 1024:.0f} MiB; the likest is found in"
        f" {statistics.median(took):.2f} ms of processor, at most {max(took):.2f} ms"
    )


def _resident_kib() -> int:
    with open("/proc/self/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--set", dest="overrides", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--stream", action="append", choices=list(streams.NAMES))
    parser.add_argument("--write", type=Path, help="write the tables to this document")
    parser.add_argument("--cost", type=int, metavar="PAST", help="what so many cost, and no more")
    options = parser.parse_args()
    if options.cost:
        print(cost(options.cost))
        return
    if not streams.folder().is_dir():
        raise SystemExit(f"{streams.folder()}: the labelled streams are not there")
    # The best of what is held, however unlike: thresholds are tried on that.
    config = configuration.load(None, [*options.overrides, "clustering.recurs_from=0"])
    if config.embedding.backend == "onnx":
        prepare(config.embedding, report=lambda line: print(line, file=sys.stderr))
    found = measure(config, open_embedder(config.embedding), options.stream or list(streams.NAMES))
    by_threshold = [(threshold, figures(found, threshold)) for threshold in _THRESHOLDS]
    for threshold, rows in by_threshold:
        print(f"\nrecurs_from {threshold}\n{tables.text([_HEAD, *rows])}")
    if options.write:
        usual = configuration.load(None, options.overrides).clustering.recurs_from
        tables.replace_block(options.write, "recurrence", _document(by_threshold, usual))


def figures(found: dict[str, dict[int, Seen]], threshold: float) -> list[list[str]]:
    """Return a row of cells a stream, and one of means, for links from *threshold* on."""
    rows, shares = [], []
    for label, clusters in found.items():
        could, linked, right = judge(clusters, threshold)
        precision, recall = right / linked if linked else 1.0, right / max(1, could)
        shares.append((precision, recall))
        rows.append(
            [label, str(could), str(linked), str(right), f"{precision:.2f}", f"{recall:.2f}"]
        )
    means = [f"{statistics.fmean(column):.3f}" for column in zip(*shares, strict=True)]
    return [*rows, ["mean", "", "", "", *means]]


def _document(by_threshold: Sequence[tuple[float, list[list[str]]]], usual: float) -> str:
    streams_at_usual = next(rows for threshold, rows in by_threshold if threshold == usual)
    means = [rows[-1] for _, rows in by_threshold]
    thresholds = [
        ["recurs_from", *(f"{threshold:g}" for threshold, _ in by_threshold)],
        ["precision", *(mean[-2] for mean in means)],
        ["recall", *(mean[-1] for mean in means)],
    ]
    return f"{tables.markdown([_HEAD, *streams_at_usual])}\n\n{tables.markdown(thresholds)}"


if __name__ == "__main__":
    main()
