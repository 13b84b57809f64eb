"""The rules that made the alerts: how often they are evaluated, and the texts that alerts carry.

Prometheus records of an alert its labels and no annotations, and what an alert says matters most for
where it belongs; so its texts are made from the rule as it stands now. Of a template only labels
are filled in. What it computes is left out: mostly numbers, which are masked before a text is
compared anyway.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

_TEMPLATE = re.compile(r"\{\{-?\s*(.*?)\s*-?\}\}", re.DOTALL)
_LABEL = re.compile(r"(?:\$labels|\.Labels)\.(\w+)")


@dataclass(frozen=True, slots=True)
class Rule:
    """An alerting rule.

    Attributes:
        labels: That it gives its alerts, those of a fixed value.
        annotations: Templates, by name.
        hold: Its `for`, milliseconds.
        interval: Between two evaluations, milliseconds.
    """

    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    hold: int
    interval: int

    def texts(self, labels: Mapping[str, str]) -> dict[str, str]:
        """Return the annotations of its alert with *labels*."""
        return {name: _filled(text, labels) for name, text in self.annotations.items()}


def _filled(text: str, labels: Mapping[str, str]) -> str:
    def fill(match: re.Match[str]) -> str:
        label = _LABEL.match(match[1])
        return labels.get(label[1], "") if label else ""

    return _TEMPLATE.sub(fill, text)


class Rules:
    """All rules of a Prometheus, by the names of their alerts."""

    def __init__(self, groups: Iterable[Mapping[str, Any]]) -> None:
        """Take them from *groups* as its API tells them; what cannot be read is left out."""
        self._by_name: dict[str, list[Rule]] = {}
        for group in groups:
            interval = _milliseconds(group.get("interval"))
            for told in group.get("rules") or ():
                if isinstance(told, Mapping) and isinstance(told.get("name"), str):
                    labels = {k: v for k, v in _texts(told.get("labels")).items() if "{{" not in v}
                    rule = Rule(
                        labels,
                        _texts(told.get("annotations")),
                        _milliseconds(told.get("duration")),
                        interval,
                    )
                    self._by_name.setdefault(told["name"], []).append(rule)

    def shortest_interval(self) -> int | None:
        """Return the shortest time between two evaluations of one, milliseconds; None if unknown."""
        told = [rule.interval for rules in self._by_name.values() for rule in rules]
        return min((interval for interval in told if interval > 0), default=None)

    def of(self, labels: Mapping[str, str]) -> Rule | None:
        """Return the rule that made the alert with *labels*: of several, the one that fixes most."""
        fitting = [
            rule
            for rule in self._by_name.get(labels.get("alertname", ""), ())
            if rule.labels.items() <= labels.items()
        ]
        return max(fitting, key=lambda rule: len(rule.labels), default=None)


def _texts(value: object) -> dict[str, str]:
    if not isinstance(value, Mapping):
        return {}
    return {k: v for k, v in value.items() if isinstance(k, str) and isinstance(v, str)}


def _milliseconds(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0
    return round(value * 1000)
