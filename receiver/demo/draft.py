"""How the scenario is written down: alerts that fire, made from rules and drawn numbers."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from receiver.demo.rules import RULES
from receiver.demo.site import CLUSTER, Site

DURATION = 1380.0
"""Scenario seconds from first to last: 23 minutes."""

WATCHDOG = "Watchdog"
"""Alert that always fires, and incident it counts to: none, it is the heartbeat."""


@dataclass(frozen=True)
class Firing:
    """An alert that fires once.

    Attributes:
        incident: The problem it belongs to: the truth that clusters are compared with.
        at: When it begins to fire, scenario seconds.
        until: When it stops; None if it fires to the end.
        labels, annotations, generator_url: As Prometheus would send them, without a replica label.
    """

    incident: str
    at: float
    until: float | None
    labels: dict[str, str]
    annotations: dict[str, str]
    generator_url: str


@dataclass
class Draft:
    """A scenario being written."""

    rng: random.Random
    site: Site
    firings: list[Firing] = field(default_factory=list)

    def fire(
        self, incident: str, name: str, at: float, until: float | None, /, **labels: str
    ) -> None:
        """Let alert *name* with *labels* fire for *incident* from about *at* to about *until*."""
        rule = RULES[name]
        at += self.rng.uniform(0, 5)
        if until is not None:
            until += self.rng.uniform(0, 5)
        told = {"alertname": name, "cluster": CLUSTER, "severity": rule.severity, "job": rule.job}
        told |= labels
        value = self.rng.uniform(*rule.bounds)
        annotations = {
            "summary": rule.summary.format(**told),
            "description": rule.description.format(value=value, **told),
            "runbook_url": f"https://runbooks.shop.example/{name}",
        }
        query = f"http://prometheus.shop.example/graph?g0.expr=ALERTS%7Balertname%3D%22{name}%22%7D"
        # Sorted, as the sender does; an empty label is the same as none.
        told = {label: told[label] for label in sorted(told) if told[label]}
        self.firings.append(Firing(incident, at, until, told, annotations, query))

    def spread(self, start: float, end: float, count: int) -> list[float]:
        """Return *count* moments from *start* to *end*, in order."""
        return sorted(self.rng.uniform(start, end) for _ in range(count))
