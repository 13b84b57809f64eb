"""Builds alerts, bodies and engines for tests; short forms of what a sender writes in full."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from receiver.core import identity
from receiver.core.clusters import Cluster, ClusteringSettings
from receiver.core.core_settings import CoreSettings
from receiver.core.engine import Engine
from receiver.core.evolution import Event
from receiver.core.intake import sightings
from receiver.core.live import LiveClusters
from receiver.core.model import Alert, Input, Recall, Sighting, Status
from receiver.core.timestamps import SECOND, render
from receiver.embedding.hashing import HashingEmbedder

START = 1_767_225_600 * SECOND
"""2026-01-01T00:00:00Z"""

EMBEDDER = HashingEmbedder()


def at(seconds: float) -> int:
    """Return the nanoseconds of a moment *seconds* after START."""
    return START + round(seconds * SECOND)


def alert(
    name: str = "DiskFull",
    *,
    starts: float = 0,
    ends: float | None = None,
    until: float | None = None,
    resolved: bool = False,
    replica: str = "",
    summary: str = "",
    **labels: str,
) -> Alert:
    """Return an alert; with *ends* or *resolved* a resolved one, with *until* one vouched for."""
    kept = dict(sorted({"alertname": name, **labels}.items()))
    sent = kept | ({"prometheus_replica": replica} if replica else {})
    over = resolved or ends is not None
    return Alert(
        fingerprint=identity.fingerprint(kept),
        sender_fingerprint=identity.fingerprint(sent),
        status=Status.RESOLVED if over else Status.FIRING,
        labels=kept,
        annotations={"summary": summary} if summary else {},
        starts_at=at(starts),
        ends_at=at(told) if (told := until if ends is None else ends) is not None else None,
    )


def entry(name: str = "DiskFull", *, starts: float = 0, **changed: Any) -> dict[str, Any]:
    """Return an alert as the sender writes it, with the fields *changed*."""
    return {
        "status": "firing",
        "labels": {"alertname": name, "instance": "db-1", "severity": "warning"},
        "annotations": {"summary": f"{name} on db-1"},
        "startsAt": render(at(starts)),
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus.example/graph",
        "fingerprint": "0000000000000000",
    } | changed


def body(*entries: Any, **changed: Any) -> bytes:
    """Return a webhook body that holds *entries*, with the envelope's fields *changed*."""
    document = {
        "receiver": "stormcell",
        "status": "firing",
        "alerts": list(entries),
        "groupLabels": {},
        "commonLabels": {},
        "commonAnnotations": {},
        "externalURL": "http://alertmanager.example",
        "version": "4",
        "groupKey": "{}:{}",
        "truncatedAlerts": 0,
    }
    return json.dumps(document | changed).encode() + b"\n"


def settings(**changed: Any) -> CoreSettings:
    """Return core settings with clustering settings *changed*."""
    return CoreSettings(clustering=replace(ClusteringSettings(), **changed))


def engine(core: CoreSettings | None = None) -> Engine:
    """Return an empty engine."""
    return Engine(core or CoreSettings(), EMBEDDER.dims)


class Site:
    """An engine that is told of alerts at moments, in seconds after START."""

    def __init__(self, core: CoreSettings | None = None) -> None:
        self.engine = engine(core)
        self.events: list[Event] = []
        self.inputs: list[Input] = []

    def receive(self, seconds: float, *alerts: Alert) -> list[Event]:
        """Let *alerts* be received together; return what happened."""
        inputs, _, _ = sightings(self.engine, [(at(seconds), a) for a in alerts], EMBEDDER.embed)
        return self.feed(inputs)

    def feed(self, inputs: Sequence[Input]) -> list[Event]:
        """Feed *inputs*; return what happened."""
        events = self.engine.step(inputs)
        self.events += events
        self.inputs += inputs
        return events

    def why(self, of: Alert) -> Any:
        """Return the terms of the decision on the alert's latest episode, not yet drained."""
        return self.engine.state.changed.whys[self.engine.episodes[of.fingerprint].id]

    def types(self, events: Iterable[Event] | None = None) -> list[str]:
        """Return the types of *events*, or of all so far."""
        return [e.type.value for e in (self.events if events is None else events)]

    def cluster_of(self, of: Alert) -> Cluster:
        """Return the live cluster of the alert's latest episode."""
        cluster_id = self.engine.episodes[of.fingerprint].cluster_id
        assert cluster_id is not None
        return self.engine.live.by_id[cluster_id]


def without_vectors(item: Input) -> Any:
    """Return *item* in a form that can be compared: arrays cannot."""
    if isinstance(item, Sighting):
        vector = None if item.vector is None else item.vector.tobytes()
        return (item.time, item.alert.fingerprint, item.text, vector)
    return "recall" if isinstance(item, Recall) else item


def state_of(engine: Engine) -> dict[str, Any]:
    """Return all state that matters of *engine*, in a form that can be compared."""
    return {
        "counters": {n: getattr(engine.counters, n) for n in type(engine.counters).__slots__},
        "episodes": {f: _fields(e) for f, e in sorted(engine.episodes.items())},
        "clusters": {c: _fields(cluster) for c, cluster in sorted(engine.live.by_id.items())},
        "texts": sorted(engine.texts._ids.items()),
        "uses": [(text, engine.texts._days[text]) for text in engine.texts._digests],
        "labels": list(engine.frequencies.rows()),
        "stability": list(engine.stability._latest),
        "flapping": sorted(engine.flapping),
        "constraints": dict(engine.constraints.by_seq),
        "kinds": list(engine.kinds.rows()),
        "vocabulary": vars(engine.frequencies.vocabulary).copy(),
        "companions": list(engine.companions.rows()),
        "company": list(engine.companions._by_text),
        "found by": _indexes(engine.live),
        "past": sorted(
            (past.id, past.told(), sorted(past.signature.items), past.signature.center.tobytes())
            for past in engine.past.by_id.values()
            if past.signature.center is not None
        ),
        "storms": [engine.storms.dump(), engine.storms._baseline.dump()],
    }


def _indexes(live: LiveClusters) -> dict[str, Any]:
    """Return by what clusters are found: texts, label values, recency, the alert waited for."""
    return {
        "texts": {text_id: set(found) for text_id, found in live._by_text.items()},
        "tokens": {token: set(found) for token, found in live._by_token.items()},
        "recent": list(live._recent),
        "homes": {fingerprint: set(found) for fingerprint, found in live._homes.items()},
    }


def _fields(thing: Any) -> dict[str, Any]:
    shown = {}
    for name in type(thing).__slots__:
        value = getattr(thing, name)
        if name in ("matrix_cache", "names_cache"):
            continue
        if name == "exemplars":
            value = {key: _fields(exemplar) for key, exemplar in value.items()}
        elif name in ("center", "vector") and value is not None:
            value = value.tobytes()
        shown[name] = value
    return shown
