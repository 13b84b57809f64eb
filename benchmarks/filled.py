"""A storage directory with a history, made once for each size and kept in a temporary folder.

Real: the store that writes it, the engine that makes its live clusters, the model that embedded the 2,000
texts that all vectors come from. Made, as in `benchmarks.cost`: the other vectors, each one of those turned
by some 20 degrees, as to embed half a million takes far longer; the clusters that are over; how often
label values and alert names were seen. All bounds of memory are full, those of 500,000 vectors ten times
the default.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import cost, machine, texts
from benchmarks.cost import CASES, Case, Rule
from receiver import config as configuration
from receiver.config import Config
from receiver.core import changes
from receiver.core.changes import Changes, Restored, Text
from receiver.core.clusters import Cluster, ClusterState
from receiver.core.core_settings import CoreSettings
from receiver.core.engine import Engine
from receiver.core.labels import label_of
from receiver.core.past import PastCluster
from receiver.embedding import open_embedder
from receiver.embedding.prepare import prepare
from receiver.store import database, rows, schema
from receiver.store.database import Database
from tests.support.processes import ReceiverProcess

__all__ = ["CASES", "Case", "Filled", "copied", "filled"]

FIRST_NEW = 100_000
"""Number of the first text in `texts` that no storage holds."""

_BASES = 2000
"""Texts that are embedded."""

_ROWS = 10_000
"""Texts written in one transaction."""

_BATCH = 64
"""Alerts of a live cluster committed together."""


class Filled:
    """A storage directory, and what serves it needs."""

    def __init__(self, directory: Path, case: Case, clock: int) -> None:
        """Describe *directory*, filled as *case* says up to the time *clock*, nanoseconds."""
        self.directory = directory
        self.case = case
        self.set_back = time.time_ns() - clock

    def now(self) -> int:
        """Return the time for who serves it, nanoseconds."""
        return time.time_ns() - self.set_back

    @property
    def overrides(self) -> list[str]:
        """The settings with which it is full, as for `--set`."""
        memory = asdict(cost.settings_for(self.case).memory)
        return [f"memory.{name}={value}" for name, value in memory.items()]


class FilledReceiver(ReceiverProcess):
    """A Stormcell in a process of its own that serves *filled* with the real model."""

    def __init__(self, filled: Filled, folder: Path) -> None:
        """Describe it; its log goes to *folder*."""
        settings = dict(entry.split("=", 1) for entry in filled.overrides)
        super().__init__(folder, settings={**settings, "embedding.backend": "onnx"})
        self.storage = filled.directory
        self.now = filled.now
        self.command[1:3] = ["-m", "benchmarks.later", str(filled.set_back)]
        self.command = [
            f"--storage.path={filled.directory}" if part.startswith("--storage.path=") else part
            for part in self.command
        ]


def real_config(overrides: Sequence[str] = ()) -> Config:
    """Return the defaults with *overrides*, the model of which is prepared."""
    config = configuration.load(None, list(overrides))
    prepare(config.embedding, report=lambda line: print(line, file=sys.stderr))
    return config


def rules() -> list[Rule]:
    """Return the rules whose texts stand behind all vectors, embedded once and kept."""
    drawn = [texts.distinct(number) for number in range(_BASES)]
    path = _folder() / f"bases-{_key()}.npy"
    if not path.exists():
        embedder = open_embedder(real_config().embedding)
        try:
            vectors = embedder.embed([one.text for one in drawn])
        finally:
            embedder.close()
        np.save(path, vectors)
    vectors = np.load(path)
    return [
        Rule(d.labels["alertname"], d.labels["service"], d.labels["severity"], d.text, vector)
        for d, vector in zip(drawn, vectors, strict=True)
    ]


@contextmanager
def copied(case: Case) -> Iterator[Filled]:
    """Give a copy of the storage for *case*, to be written to, and remove it after."""
    made = filled(case)
    with tempfile.TemporaryDirectory(prefix="stormcell-filled-") as folder:
        directory = Path(folder) / "storage"
        shutil.copytree(made.directory, directory)
        yield Filled(directory, case, made.now())


def filled(case: Case) -> Filled:
    """Return the storage for *case*, made now if it was not made before; not to be written to."""
    directory = _folder() / f"{case.vectors}-{_key()}"
    mark = directory / "filled.json"
    if not mark.exists():
        shutil.rmtree(directory, ignore_errors=True)
        print(f"filling a storage with {case.vectors:,} vectors", file=sys.stderr, flush=True)
        mark.write_text(json.dumps({"clock": _fill(directory, case)}))
    return Filled(directory, case, json.loads(mark.read_text())["clock"])


def _folder() -> Path:
    folder = Path(tempfile.gettempdir()) / "stormcell-benchmarks"
    folder.mkdir(exist_ok=True)
    return folder


def _key() -> str:
    """Return what changes when what would be made does: our code, and how the store keeps things."""
    ours: tuple[Callable[..., Any], ...] = (
        *(rules, over, _fill, _write_history, _write_live, texts.distinct),
        *(cost.Texts, cost.Stream, cost.settings_for, cost.restored, cost.paced, cost.warming_up),
    )
    kept = [module.__file__ or "" for module in (changes, schema, rows, database)]
    sources = [inspect.getsource(one) for one in ours]
    sources += [Path(file).read_text(encoding="utf-8") for file in kept]
    return hashlib.sha256("".join(sources).encode()).hexdigest()[:12]


def _fill(directory: Path, case: Case) -> int:
    """Fill *directory* as *case* says; return the time up to which it goes."""
    known = rules()
    settings = cost.settings_for(case)
    made = cost.Texts(known)
    store = Database(directory)
    try:
        store.set_embedder(_identity())
        _write_history(store, cost.restored(case, settings, made, len(known[0].vector)), made)
        return _write_live(store, case, settings, known, made)
    finally:
        store.close()


def _identity() -> str:
    embedder = open_embedder(real_config().embedding)
    try:
        return embedder.identity
    finally:
        embedder.close()


def _write_history(store: Database, history: Restored, made: cost.Texts) -> None:
    assert history.vectors is not None
    for first in range(0, len(history.texts), _ROWS):
        part = history.texts[first : first + _ROWS]
        written = [
            Text(text_id, digest, made.text(text_id - 1), history.vectors[text_id - 1])
            for text_id, digest, _ in part
        ]
        used = [(text_id, used_at) for text_id, _, used_at in part]
        _commit(store, Changes(history.counters, texts=written, used_texts=used))
    _commit(
        store,
        Changes(
            history.counters,
            clusters=[over(past) for past in history.past],
            label_counts=list(history.label_counts),
            kinds=list(history.kinds),
            companions=list(history.companions),
        ),
    )


def over(past: PastCluster) -> Cluster:
    """Return the cluster that *past* is remembered of."""
    cluster = Cluster(
        id=past.id,
        state=ClusterState.RESOLVED,
        accepting=False,
        opened_at=past.opened_at,
        updated_at=past.resolved_at or past.opened_at,
        closed_at=past.resolved_at,
        resolved_at=past.resolved_at,
        size=past.size,
        title=f"Cluster {past.id}",
        center=past.signature.center,
    )
    for item in past.signature.items:
        label, value = label_of(item)
        if label:
            cluster.tokens[item] = past.size
        else:
            cluster.names[value] = past.size
    return cluster


def _write_live(
    store: Database,
    case: Case,
    settings: CoreSettings,
    known: Sequence[Rule],
    made: cost.Texts,
) -> int:
    """Let the live clusters come to be, each alert committed as it would be."""
    restored = store.restore(
        settings.clustering.stability_window, settings.memory.max_past_clusters
    )
    assert restored is not None
    engine = Engine(settings, len(known[0].vector))
    engine.restore(restored)
    stream = cost.Stream(known, made, case.vectors, engine.vector_of_text, seed=1)
    coming = cost.warming_up(case, engine, cost.paced(case, engine, stream))
    while batch := list(islice(coming, _BATCH)):
        inputs = [sighting for sighting, _ in batch]
        events = [event for _, happened in batch for event in happened]
        store.commit(inputs, events, engine.drain(), text_id=engine.text_id)
    return engine.counters.clock


def _commit(store: Database, written: Changes) -> None:
    store.commit([], [], written, text_id=lambda text: 0)


def main() -> None:
    """Make all that are not made yet."""
    for case in CASES:
        began = time.monotonic()
        made = filled(case)
        took = time.monotonic() - began
        size = sum(path.stat().st_size for path in made.directory.iterdir()) / 1e6
        print(
            f"{made.directory}: {size:.0f} MB, {took:.1f} s, {machine.memory_mb('self', 'VmHWM')} MB"
        )


if __name__ == "__main__":
    main()
