"""Where a cluster is, in words: what its members share, and how far it has spread."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from receiver.core.labels import label_of, token
from receiver.core.names import stem
from receiver.core.text import display, looks_generated

_PLACES = {
    "service": 1.0, "app": 1.0, "node": 1.0, "host": 1.0, "deployment": 0.9, "statefulset": 0.9,
    "daemonset": 0.9, "namespace": 0.8, "instance": 0.7, "pod": 0.7, "container": 0.6, "device": 0.6,
    "cluster": 0.5, "region": 0.5, "zone": 0.5,
}  # fmt: skip
"""What the labels count by which people say where: a service or a machine rather than a part of it."""

_OTHER = 0.5
"""What any other label counts: `location` may say where, `caller` and `partition` hardly."""

_GENERATED = 0.25
"""What a value counts that a machine drew: nobody knows a pod by its hash."""

_SAID = 0.25
"""What a value counts that the alert's name has said: "Hermes … in service hermes"."""

_TOO_LONG = 0.5
"""What a value counts that must be cut: an address of a probe, say."""

_SPREAD = ("service", "app", "deployment", "node", "host", "instance", "namespace", "pod")
"""Labels of which is said how many values are hit, where no value is shared by all."""

_ON = frozenset({"node", "host", "instance", "device"})
"""Places that things are on, and not in."""

_MOSTLY, _FEW = 0.8, 5
"""Share of the members with a value from which on the cluster is mostly there, and of how many: of
fewer, "mostly" would be said of one alert."""

_LONGEST = 40
"""Characters of a value that are told."""

_REMEMBERED = 4096
"""Names and values of labels whose words are not worked out anew: each new cluster is given a title."""

_AFFIX = re.compile(r"^(?:exported|kubernetes|k8s)_|_(?:name|id)$")


class _Words(NamedTuple):
    """What can be said of a label value wherever it is found.

    Attributes:
        kind: What people call the label; may be empty.
        value: As it is told; may be empty.
        worth: What it counts by itself, of the weight that it has here.
    """

    kind: str
    value: str
    worth: float


class _Place(NamedTuple):
    kind: str
    value: str
    worth: float
    mostly: bool
    everywhere: bool

    @property
    def words(self) -> str:
        return f"{self.kind} {self.value}"


@lru_cache(maxsize=_REMEMBERED)
def kind_of(label: str) -> str:
    """Return what people call the *label*: `service_name` is a service."""
    plain = _AFFIX.sub("", label.lower()) or label
    return {"hostname": "host", "svc": "service"}.get(
        plain, display(plain.replace("_", " ")).strip()[:30]
    )


def where(
    tokens: Mapping[str, int],
    size: int,
    said: frozenset[str],
    standing: Callable[[str], tuple[float, bool]],
    most: int,
) -> str:
    """Return where a cluster is, with its preposition; empty if nothing tells.

    Args:
        tokens: Members by label value.
        size: Members of which these were counted.
        said: Stems of the words that are told already.
        standing: Gives how rare a label value is here, above 0, and whether it is on nearly all alerts
            here, and so tells nothing if anything else does.
        most: Bytes; what is beyond is not begun.
    """
    values: dict[str, dict[str, int]] = {}
    for each, count in tokens.items():
        label, value = label_of(each)
        told = _words(label, value)
        # A label without a value, or with its own name for one, tells nothing.
        if told.value and told.kind and value != label:
            values.setdefault(label, {})[value] = count
    places = _shared(values, size, said, standing)
    spread = _spread(values, size)
    if not places or (spread and places[0].everywhere):
        return next((told for told in spread if len(told.encode()) <= most), "")
    best, *rest = places
    here = f"{'mostly ' if best.mostly else ''}{_in(best.kind)} {best.words}"
    more = [words.split(" ", 1)[1] for words in spread]
    more += [place.words for place in rest[:1] if not spread and _adds(place, best)]
    return next((t for t in (f"{here}, {m}" for m in more) if len(t.encode()) <= most), here)


def _in(kind: str) -> str:
    return "on" if kind in _ON else "in"


def _shared(
    values: Mapping[str, Mapping[str, int]],
    size: int,
    said: frozenset[str],
    standing: Callable[[str], tuple[float, bool]],
) -> list[_Place]:
    """Return the places that all members share, or most, the most telling first."""
    found = []
    for label, counts in values.items():
        value = max(counts, key=lambda v: (counts[v], v)) if len(counts) > 1 else next(iter(counts))
        mostly = counts[value] < size
        if mostly and (size < _FEW or counts[value] < _MOSTLY * size):
            continue
        told, (weight, everywhere) = _words(label, value), standing(token(label, value))
        worth = weight * told.worth * (_SAID if _stems(value) <= said else 1.0)
        found.append(_Place(told.kind, told.value, worth, mostly, everywhere))
    return _without_ports(_ranked(found))


def _ranked(places: Iterable[_Place]) -> list[_Place]:
    return sorted(places, key=lambda p: (p.everywhere, p.mostly, -p.worth, p.kind, p.value))


def _without_ports(places: Sequence[_Place]) -> list[_Place]:
    """Return each value of *places* once, and a machine for what is only a port of it; by rank, both."""
    kept: dict[str, _Place] = {}
    for place in places:
        kept.setdefault(place.value, place)
    ports = [p for p in kept.values() if p.value.rpartition(":")[0] in kept]
    for place in ports:
        machine = kept.get(place.value.rpartition(":")[0])
        if machine is not None:
            del kept[place.value]
            kept[machine.value] = machine._replace(worth=max(machine.worth, place.worth))
    return _ranked(kept.values()) if ports else list(kept.values())


@lru_cache(maxsize=_REMEMBERED)
def _words(label: str, value: str) -> _Words:
    kind = kind_of(label)
    worth = _PLACES.get(kind, _OTHER)
    worth *= _GENERATED if looks_generated(value) else 1.0
    worth *= _TOO_LONG if len(value) > _LONGEST else 1.0
    return _Words(kind, _short(value), worth)


@lru_cache(maxsize=_REMEMBERED)
def _stems(value: str) -> frozenset[str]:
    return frozenset(stem(word) for word in re.split(r"\W+|_", value) if word)


@lru_cache(maxsize=_REMEMBERED)
def _short(value: str) -> str:
    told = " ".join(display(value).split())
    return told if len(told) <= _LONGEST else told[: _LONGEST - 1].rstrip() + "…"


def _adds(place: _Place, told: _Place) -> bool:
    """Whether *place* says more than what is *told* does: pod db-0 and service db say one thing."""
    return not (
        place.mostly or place.everywhere or place.value in told.value or told.value in place.value
    )


def _spread(values: Mapping[str, Mapping[str, int]], size: int) -> list[str]:
    """Return how far it has spread, the better words first; nothing where it has not."""
    if max(map(len, values.values()), default=0) < 2:
        return []
    # Of two labels for one kind, `service` and `service_name`, the one that came first.
    by_kind = {kind_of(label): counts for label, counts in reversed(list(values.items()))}
    for kind in _SPREAD:
        counts = by_kind.get(kind, {})
        # What few of the members tell is not how far the cluster has spread.
        if len(counts) > 1 and 2 * sum(counts.values()) >= size:
            number = f"{_in(kind)} {len(counts)} {kind}s"
            both = f"{_in(kind)} {kind}s {' and '.join(_short(value) for value in counts)}"
            named = len(counts) == 2 and not any(map(looks_generated, counts))
            return [both, number] if named else [number]
    return []
