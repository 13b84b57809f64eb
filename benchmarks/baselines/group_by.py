"""What one line of Alertmanager's configuration does: alerts with the same values of some labels.

An alert joins the group of its values if that had an alert within the gap; else the group begins
anew, as an incident that comes back is another one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import product

from benchmarks.baselines.method import Arrived, Method

GAPS = (60.0, 120.0, 300.0, 600.0, 1800.0, 7200.0)
"""Seconds; the long ones for chronic alerts, which come back for hours."""

LABELS: tuple[tuple[str, ...], ...] = (
    (),
    ("alertname",),
    ("namespace",),
    ("namespace", "alertname"),
    ("service",),
    ("namespace", "service"),
    ("app",),
    ("app", "service"),
    ("alertname", "service"),
    ("service", "node"),
    ("pod",),
    ("node",),
)
"""What people group by. Without any label it is the time gap alone."""


def group(labels: Sequence[str], gap: float, alerts: Sequence[Arrived]) -> Iterator[int]:
    """Yield the group of each of *alerts*, by the values of *labels*, a missing one counting as ""."""
    latest: dict[tuple[str, ...], tuple[int, float]] = {}
    opened = 0
    for alert in alerts:
        key = tuple(alert.labels.get(label, "") for label in labels)
        known = latest.get(key)
        if known is None or alert.at - known[1] > gap:
            opened += 1
            known = (opened, alert.at)
        latest[key] = (known[0], alert.at)
        yield known[0]


def method(labels: Sequence[str], gap: float) -> Method:
    """Return the method that groups by *labels* with *gap* seconds."""
    what = f"group_by {'+'.join(labels)}" if labels else "time gap only"
    return Method(f"{what}, {gap:g} s", partial(group, labels, gap))


def grid() -> list[Method]:
    """Return every combination of LABELS and GAPS."""
    return [method(labels, gap) for labels, gap in product(LABELS, GAPS)]
