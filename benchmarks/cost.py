"""What clustering costs: `python -m benchmarks.cost [--json FILE] [--write] [--only N]`.

Each column is an engine with so many texts held and so many live clusters, nearly all of which take
members, fed with new alerts one at a time. Processor time of `Engine.step` is measured; vectors are
given. The last has ten times the history of the one before: texts, clusters that are over, label
values, companions and alert names, all at their bounds, and the bounds ten times the default.

Made: a site of 1,000 services in 200 namespaces on 500 nodes in four regions. Problems of three alerts on
average come at such a pace that so many clusters stay live; a tenth of the alerts are chronic ones that
fire again and again. Real: names and texts, those of published alerting rules. A text varies as if a
namespace stood in it, its vector being the rule's, turned by some 20 degrees, as embedding half a
million would take an hour. Episodes are not let go of in between, as the pipeline does after a commit.

Two passes, one after the other: of the whole step, and with a stopwatch around each stage, which takes
time itself; its figures are scaled to the first. Beside the machine stands what a million additions in a
loop took meanwhile, as other work on it slows everything.
"""

from __future__ import annotations

import argparse
import gc
import gzip
import json
import math
import os
import platform
import random
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, replace
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks import streams, tables
from benchmarks.machine import additions
from benchmarks.stages import Place, Stages
from receiver import config as configuration
from receiver.core import assigning, placing
from receiver.core.changes import Counters, Restored
from receiver.core.clusters import Cluster
from receiver.core.companions import Companions
from receiver.core.core_settings import CoreSettings
from receiver.core.engine import Engine
from receiver.core.evolution import Event
from receiver.core.identity import fingerprint
from receiver.core.index import VectorIndex
from receiver.core.labels import kind, token
from receiver.core.live import LiveClusters
from receiver.core.lives import Lives
from receiver.core.memory import MemorySettings
from receiver.core.model import Alert, Sighting, Status, Vector
from receiver.core.past import PastCluster, Signature
from receiver.core.state import State
from receiver.core.text import digest, masked_text
from receiver.core.timestamps import SECOND, nanoseconds
from receiver.embedding import open_embedder

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "clustering.md"

_RULES = 2000
"""Rules whose texts are embedded: half a minute."""

_VARIES = 0.36
"""Length of what is added to a vector of length 1: 20 degrees."""

_NEW_TEXTS = 0.05
"""Share of alerts with a text never seen."""

_CHRONIC = 0.1
"""Share of alerts that are chronic."""

_SIZE = 3.0
"""Alerts of a problem, on average."""

_BATCH = 32
"""Alerts after which changes are taken, as for one commit."""

START = 1_700_000_000 * SECOND


@dataclass(frozen=True, slots=True)
class Case:
    """An engine to measure: what it holds.

    Attributes:
        vectors: Texts held.
        clusters: Live ones.
        history: Share of the default bounds of memory that is there and full.
    """

    vectors: int
    clusters: int
    history: float


CASES = (Case(5_000, 200, 0.1), Case(50_000, 2_000, 1.0), Case(500_000, 2_000, 10.0))


@dataclass(frozen=True, slots=True)
class Rule:
    """An alerting rule, and the vector of its text."""

    name: str
    component: str
    severity: str
    text: str
    vector: Vector


def rules(count: int) -> list[Rule]:
    """Return *count* published rules, those of whole components."""
    path = streams.folder() / "rules.jsonl.gz"
    with gzip.open(path, "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file][:count]
    texts = [masked_text({"alertname": r["alertname"]}, r["annotations"]) for r in rows]
    embedder = open_embedder(configuration.load(None, []).embedding)
    try:
        vectors = np.concatenate(
            [embedder.embed(texts[at : at + 256]) for at in range(0, len(texts), 256)]
        )
    finally:
        embedder.close()
    return [
        Rule(r["alertname"], r["component"] or "", r["severity"] or "warning", text, vector)
        for r, text, vector in zip(rows, texts, vectors, strict=True)
    ]


class Texts:
    """Texts by number, each a variant of a rule's, with a vector near to that."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        """Vary the texts of *rules*."""
        self._rules = rules
        self._bases = np.stack([rule.vector for rule in rules])

    def text(self, number: int) -> str:
        """Return the text *number*, 0 or more."""
        return f"{self._rules[number % len(self._rules)].text} variant {number}"

    def vectors(self, numbers: Sequence[int]) -> NDArray[np.float32]:
        """Return the vectors of *numbers*, shape (len(numbers), dims)."""
        dims = self._bases.shape[1]
        noise = np.random.default_rng(numbers[0]).standard_normal((len(numbers), dims), np.float32)
        noise *= _VARIES / np.linalg.norm(noise, axis=1, keepdims=True)
        moved = self._bases[[n % len(self._rules) for n in numbers]] + noise
        found: NDArray[np.float32] = moved / np.linalg.norm(moved, axis=1, keepdims=True)
        return found.astype(np.float32)


class Stream:
    """Alerts as they come: problems that begin, grow and overlap, and chronic alerts among them."""

    def __init__(
        self,
        rules: Sequence[Rule],
        texts: Texts,
        known: int,
        vector_of: Callable[[str], Vector | None],
        seed: int,
    ) -> None:
        """Draw by *seed* from *rules*; of *known* texts *vector_of* gives the vectors held."""
        self._vector_of = vector_of
        self._rules, self._texts, self._known = rules, texts, known
        self._random = random.Random(seed)
        by_component: dict[str, list[int]] = defaultdict(list)
        for number, rule in enumerate(rules):
            by_component[rule.component].append(number)
        self._components = sorted(by_component.items())
        self._fresh = known
        self._chronic = [self._problem(f"chronic{n}")[:1] for n in range(200)]
        self._due: list[tuple[float, dict[str, str], int]] = []

    def _problem(self, salt: str) -> list[tuple[float, dict[str, str], int]]:
        """Return delay, labels and rule of each alert of a problem."""
        draw = self._random
        _, own = draw.choice(self._components)
        kinds = draw.sample(own, min(len(own), draw.randint(1, 4)))
        service = draw.randrange(1000)
        namespace, node = service % 200, draw.randrange(500)
        alerts, delay = [], 0.0
        for number in range(1 + int(draw.expovariate(1.0 / (_SIZE - 1.0)))):
            rule = self._rules[chosen := draw.choice(kinds)]
            at = node if draw.random() < 0.5 else draw.randrange(500)
            labels = {
                "alertname": rule.name,
                "cluster": "production",
                "instance": f"10.{at}.0.{number % 4}:9100",
                "namespace": f"namespace-{namespace}",
                "node": f"node-{at}",
                "pod": f"service-{service}-{salt}-{number}",
                "region": f"region-{at % 4}",
                "service": f"service-{service}",
                "severity": rule.severity,
            }
            alerts.append((delay, labels, chosen))
            delay += draw.expovariate(1.0 / 15.0)
        return alerts

    def alert(self, now: float, opens: Callable[[], float], next_at: list[float]) -> Sighting:
        """Return the next alert after *now*, seconds.

        Args:
            now: When the last one came.
            opens: Gives the seconds to the next problem.
            next_at: When that begins; moved on.
        """
        draw = self._random
        if draw.random() < _CHRONIC:
            _, labels, rule = draw.choice(self._chronic)[0]
            return self._sighting(now + 0.001, labels, rule)
        while not self._due or next_at[0] <= self._due[0][0]:
            salt = f"{draw.getrandbits(40):010x}"
            self._due += [(next_at[0] + d, la, r) for d, la, r in self._problem(salt)]
            self._due.sort(key=lambda entry: entry[0])
            next_at[0] += opens()
        at, labels, rule = self._due.pop(0)
        return self._sighting(max(at, now + 0.001), labels, rule)

    def _sighting(self, at: float, labels: dict[str, str], rule: int) -> Sighting:
        draw, count = self._random, len(self._rules)
        if draw.random() < _NEW_TEXTS:
            # The next number that is a variant of the rule.
            self._fresh += count
            number = self._fresh - self._fresh % count + rule
        else:
            # The same few variants of a rule come in one place.
            place = hash_of(labels["namespace"]) % max(1, self._known // count)
            number = place * count + rule
        time_ns = START + round(at * 1e9)
        mark = fingerprint(labels)
        alert = Alert(mark, mark, Status.FIRING, labels, {}, time_ns)
        return Sighting(time_ns, alert, self._texts.text(number), self._texts.vectors([number])[0])


def hash_of(name: str) -> int:
    """Return a number for *name*, the same in each process."""
    return int.from_bytes(digest(name)[:4], "big")


# -- an engine with a history --------------------------------------------------------------------


def settings_for(case: Case) -> CoreSettings:
    """Return the settings with bounds of memory that *case* fills."""
    usual = MemorySettings()

    def scaled(count: int) -> int:
        return round(count * case.history)

    memory = MemorySettings(
        max_vectors=case.vectors,
        max_past_clusters=scaled(usual.max_past_clusters),
        max_alert_names=scaled(usual.max_alert_names),
        max_companions=scaled(usual.max_companions),
        max_label_values=scaled(usual.max_label_values),
    )
    return replace(CoreSettings(), memory=memory)


def restored(case: Case, settings: CoreSettings, texts: Texts, dims: int) -> Restored:
    """Return a history that fills all memory."""
    memory, now, numbers = settings.memory, START - 3600 * SECOND, range(case.vectors)
    vectors = np.empty((case.vectors, dims), np.float32)
    for at in range(0, case.vectors, 10_000):
        part = numbers[at : at + 10_000]
        vectors[at : at + len(part)] = texts.vectors(part)
    values = memory.max_label_values - 2
    # Problems have begun at this pace for a day, or they would be taken for one.
    opened = case.clusters / settings.clustering.close_after * 0.5 * 86_400 / math.log(2.0)
    past = [
        PastCluster(
            id=number + 1,
            size=5,
            opened_at=now - 7200 * SECOND,
            resolved_at=now - 3600 * SECOND + number,
            signature=Signature(
                vectors[number % case.vectors],
                frozenset(
                    {token("pod", f"gone-{number}-{n}") for n in range(5)}
                    | {token("service", f"service-{number % 1000}")}
                    | {token("namespace", f"namespace-{number % 200}"), kind(f"Name{number % 999}")}
                ),
            ),
        )
        for number in range(memory.max_past_clusters)
    ]
    counters = Counters(
        seq=1, episode_id=10**6, cluster_id=len(past) + 1, text_id=case.vectors, clock=now
    )
    return Restored(
        counters=counters,
        texts=[(number + 1, digest(texts.text(number)), now) for number in numbers],
        vectors=vectors,
        label_counts=[
            ("", _SIZE * opened, now),
            ("opened", opened, now),
            ("since", 0.5, now),
            *((token("pod", f"gone-{number}"), 0.5, now) for number in range(values)),
        ],
        kinds=[(kind(f"Name{number}"), 0, 0, now) for number in range(memory.max_alert_names)],
        companions=[
            (0, 1e4, now, now, 1, {0: 3e4}),
            *(
                (n + 1, 5.0, now, now, n + 2, {(n + 7 * k) % case.vectors + 1: 1.0 for k in range(1, 17)})
                for n in range(min(case.vectors, memory.max_companions))
            ),
        ],
        past=past,
    )  # fmt: skip


# -- measuring -----------------------------------------------------------------------------------


PLACES: tuple[Place, ...] = (
    ("step", Engine, "step"),
    ("drain", Engine, "drain"),
    ("candidates", LiveClusters, "candidates"),
    ("search", VectorIndex, "search"),
    ("rank", placing, "rank_best"),
    ("companions", Companions, "observe"),
    ("learn", Cluster, "learn"),
    ("learn", LiveClusters, "index"),
    ("learn", LiveClusters, "unindex"),
    ("explain", assigning, "explain"),
    ("emit", State, "emit"),
    ("title", Lives, "title_for"),
    ("recurrence", Lives, "_look_back"),
)

STAGES = {
    "candidates": "find candidates",
    "search": "search texts",
    "rank": "rank",
    "companions": "companions",
    "learn": "learn",
    "explain": "explain",
    "title": "title",
    "recurrence": "recurrence",
    "emit": "events",
    "step": "the rest",
    "drain": "drain",
}


@dataclass
class Result:
    """What an alert costs, microseconds of processor time.

    Attributes:
        live, accepting, live_texts: Clusters, and texts of them, on average.
        candidates: Clusters compared, on average.
        addition: What a million additions took, milliseconds: how fast the machine was.
        mean, p50, p99: Of `Engine.step`, without `drain`.
        stages: Mean by stage, `drain` too.
    """

    case: Case
    alerts: int
    live: float
    accepting: float
    live_texts: float
    candidates: float
    addition: float
    mean: float = 0.0
    p50: float = 0.0
    p99: float = 0.0
    stages: dict[str, float] = field(default_factory=dict)


def paced(case: Case, engine: Engine, stream: Stream) -> Iterator[Sighting]:
    """Yield alerts of *stream* at the pace that keeps as many clusters of *engine* live as *case* says."""
    waits = engine.settings.clustering.close_after
    # Not kept: clusters of a problem each, that close after so long.
    next_at, now = [0.0], 0.0

    def opens() -> float:
        # The fuller, the slower: the number of clusters depends on how they are grouped.
        full = len(engine.live) / case.clusters
        return float(waits / case.clusters * min(4.0, max(0.25, full**12)))

    while True:
        sighting = stream.alert(now, opens, next_at)
        now = (sighting.time - START) / 1e9
        yield sighting


def warming_up(
    case: Case, engine: Engine, coming: Iterator[Sighting]
) -> Iterator[tuple[Sighting, list[Event]]]:
    """Feed *engine* what is *coming* until nearly all clusters of *case* are live.

    Yields each alert and what came of it; who takes it drains the engine.
    """
    longest = START + 2 * nanoseconds(engine.settings.clustering.close_after)
    for sighting in coming:
        if len(engine.live) >= 0.9 * case.clusters or sighting.time >= longest:
            return
        yield sighting, engine.step([sighting])


def measure(case: Case, rules: Sequence[Rule], alerts: int) -> Result:
    """Return what *alerts* new alerts cost an engine as *case* has it."""
    texts, settings = Texts(rules), settings_for(case)
    dims = len(rules[0].vector)
    engine = Engine(settings, dims)
    engine.restore(restored(case, settings, texts, dims))
    gc.freeze()  # as the receiver does
    stream = Stream(rules, texts, case.vectors, engine.vector_of_text, seed=1)
    coming = paced(case, engine, stream)
    for _ in warming_up(case, engine, coming):
        engine.drain()
    took, counts, stages = [], [], Stages()
    addition = additions()
    for timed in (False, True):
        for start in range(0, alerts, _BATCH):
            batch = list(islice(coming, min(_BATCH, alerts - start)))
            with stages.watched(PLACES) if timed else ExitStack():
                for sighting in batch:
                    began = time.process_time_ns()
                    engine.step([sighting])
                    if not timed:
                        took.append((time.process_time_ns() - began) / 1e3)
                whys = engine.drain().whys
            if not timed:
                *_, last = whys.values()
                counts.append(
                    (
                        len(engine.live),
                        sum(c.accepting for c in engine.live.by_id.values()),
                        len(engine.live.texts),
                        last["candidates"],
                    )
                )
    addition = (addition + additions()) / 2
    live, accepting, live_texts, candidates = (
        statistics.fmean(column) for column in zip(*counts, strict=True)
    )
    cuts = statistics.quantiles(took, n=100)
    result = Result(
        case, alerts, live, accepting, live_texts, candidates, addition,
        statistics.fmean(took), cuts[49], cuts[98],
    )  # fmt: skip
    step = sum(ns for name, ns in stages.nanoseconds.items() if name != "drain")
    scale = result.mean / step
    result.stages = {name: stages.nanoseconds[name] * scale for name in STAGES}
    return result


def cells(results: Sequence[Result]) -> list[list[str]]:
    """Return the figures as rows, a result a column."""
    rows = [
        [
            "microseconds an alert",
            *(f"{r.case.vectors:,} vectors, {r.case.clusters:,} clusters" for r in results),
        ]
    ]
    for name, attribute in (("**step, mean**", "mean"), ("median", "p50"), ("99 %", "p99")):
        rows.append([name, *(f"{getattr(r, attribute):.0f}" for r in results)])
    for stage, label in STAGES.items():
        rows.append([label, *(f"{r.stages[stage]:.0f}" for r in results)])
    for name, attribute in (
        ("live clusters", "live"),
        ("of these taking members", "accepting"),
        ("distinct texts of these", "live_texts"),
        ("candidates an alert", "candidates"),
        ("a million additions, ms", "addition"),
    ):
        rows.append([name, *(f"{getattr(r, attribute):,.0f}" for r in results)])
    return rows


def main(arguments: Sequence[str]) -> int:
    """Measure, print, and write where asked to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--alerts", type=int, default=5000, help="measured in each pass")
    parser.add_argument("--only", type=int, action="append", help="number of the case, from 1")
    parser.add_argument("--json", type=Path, help="write the results as JSON")
    parser.add_argument("--write", action="store_true", help=f"write the table to {DOCUMENT.name}")
    options = parser.parse_args(arguments)
    known = rules(_RULES)
    cases = [CASES[n - 1] for n in options.only] if options.only else CASES
    results = [measure(case, known, options.alerts) for case in cases]
    rows = cells(results)
    print(tables.text(rows))
    machine = f"{os.cpu_count()} CPUs, {platform.machine()}, Python {platform.python_version()}"
    print(machine)
    if options.json:
        document = {"machine": machine, "results": [asdict(result) for result in results]}
        options.json.write_text(json.dumps(document, indent=2) + "\n")
    if options.write:
        tables.replace_block(DOCUMENT, "cost", f"{tables.markdown(rows)}\n\nOn {machine}.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
