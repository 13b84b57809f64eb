"""What a cluster is called: what fires, and where."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from receiver.core.text import display

MAX_BYTES = 120
_PLACES = ("service", "app", "namespace", "node", "instance", "pod", "cluster", "region")
"""Labels that people use to say where, best first; any other common label is as good as the rest."""


_COUNTED = ("service", "namespace")
"""Labels of which a title says how many values are hit, where not all members share one."""


def title(
    names: Mapping[str, int],
    labels: Mapping[str, str],
    place_labels: frozenset[str],
    affected: Mapping[str, Mapping[str, int]] = MappingProxyType({}),
) -> str:
    """Return a title of at most MAX_BYTES bytes, on one line, safe to show.

    Args:
        names: Members by alert name.
        labels: Pairs common to all members.
        place_labels: Names of the labels that tell where.
        affected: Members by value, of each label that tells who and what is affected.
    """
    ranked = sorted(names, key=lambda name: (-names[name], name))
    what = display(ranked[0]) if ranked and ranked[0] else "Alert"
    if len(ranked) > 1:
        what += f" and {len(ranked) - 1} more"
    where = [name for name in _PLACES if name in labels]
    where += sorted(labels.keys() & place_labels - set(where))
    places = [f"{name} {display(labels[name])}" for name in where]
    many = [f"{len(affected[n])} {n}s" for n in _COUNTED if len(affected.get(n, ())) > 1]
    # How far it has spread comes first, as the rest is the same for all of it.
    told = [*many[:1], *places][:2]
    return _cut(what + (" in " + ", ".join(told) if told else ""))


def _cut(text: str) -> str:
    encoded = text.encode()
    if len(encoded) <= MAX_BYTES:
        return text
    return encoded[: MAX_BYTES - 3].decode(errors="ignore").rstrip() + "…"
