"""Alerts to measure with: the texts of our own scenarios, filled with words, or those of a file.

Words and not numbers, as numbers are masked: two alerts here have one text only where that is wanted.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import alertmanager
from receiver.core.text import masked_text
from receiver.core.timestamps import render
from receiver.demo.rules import RULES

_ROLES = (
    *("api", "worker", "cron", "proxy", "cache", "db", "queue", "batch", "edge", "admin"),
    *("sync", "index", "relay", "guard", "store", "render", "audit", "mirror", "pool", "agent"),
)
_PLACES = (
    *("amber", "basalt", "cedar", "dune", "ember", "fjord", "grove", "harbor", "inlet", "juniper"),
    *("kestrel", "lagoon", "meadow", "nectar", "orchid", "prairie", "quarry", "ridge", "summit"),
    *("tundra", "umber", "valley", "willow", "zephyr"),
)
_STRIDE = 300_007
"""Coprime to the number of texts there are, so that a walk by it meets each once, neighbours unlike."""

_NEVER = "0001-01-01T00:00:00Z"
_FIELD = re.compile(r"\{(\w+)(?::[^}]*)?\}")


@dataclass(frozen=True, slots=True)
class Drawn:
    """What an alert says."""

    labels: Mapping[str, str]
    annotations: Mapping[str, str]

    @property
    def text(self) -> str:
        """The masked text."""
        return masked_text(self.labels, self.annotations)

    def elsewhere(self, number: int) -> Drawn:
        """Return one with the same text in another place, which *number* tells: another alert."""
        place = {"instance": f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}:9100"}
        return Drawn({**self.labels, **place}, self.annotations)

    def told(self, at: int, *, ended_at: int | None = None) -> dict[str, Any]:
        """Return it as a webhook tells it, firing since *at*, nanoseconds, or over at *ended_at*."""
        return {
            "status": "firing" if ended_at is None else "resolved",
            "labels": dict(self.labels),
            "annotations": dict(self.annotations),
            "startsAt": render(at),
            "endsAt": _NEVER if ended_at is None else render(ended_at),
            "generatorURL": "http://prometheus.example:9090/graph?g0.expr=up",
            "fingerprint": "0" * 16,
        }


def _templates() -> list[tuple[str, str, str, str]]:
    """Return name, severity, summary and description of each rule there is."""
    shop = [(name, r.severity, r.summary, r.description) for name, r in RULES.items()]
    ours = [
        (name, alertmanager.SEVERITIES[len(name) % 4], text, "")
        for name, text in alertmanager.RULES.items()
    ]
    known = {name for name, *_ in ours}
    return ours + [rule for rule in shop if rule[0] not in known and rule[0] != "Watchdog"]


_TEMPLATES = _templates()
COUNT = len(_TEMPLATES) * len(alertmanager.SERVICES) * len(_ROLES) * len(_PLACES)
"""Distinct ones there are."""


def distinct(number: int) -> Drawn:
    """Return alert *number*, 0 to COUNT - 1; no two have the same text."""
    place = number * _STRIDE % COUNT
    place, rule = divmod(place, len(_TEMPLATES))
    place, service_no = divmod(place, len(alertmanager.SERVICES))
    place_no, role_no = divmod(place, len(_ROLES))
    name, severity, summary, description = _TEMPLATES[rule]
    team, where = f"team-{service_no % 6}", _PLACES[place_no]
    service = f"{alertmanager.SERVICES[service_no]}-{_ROLES[role_no]}"
    words = {
        "service": service,
        "namespace": where,
        "pod": f"{service}-{number:09x}-{number % 100_000:05d}",
        "value": str(number % 97 + 2),
        "instance": f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}:8080",
    }

    def filled(text: str) -> str:
        return _FIELD.sub(lambda found: words.get(found[1], f"{where}-{found[1]}"), text)

    said = f"{filled(summary)} ({service} in {where})"
    labels = {
        "alertname": name,
        "severity": severity,
        "team": team,
        "job": "kubernetes-pods",
        **{key: words[key] for key in ("service", "namespace", "pod", "instance")},
    }
    annotations = {"summary": said, "runbook_url": f"https://runbooks.example.com/{name}"}
    if description:
        annotations["description"] = filled(description)
    return Drawn(labels, annotations)


def from_file(path: Path) -> list[Drawn]:
    """Return the alerts of *path*, JSON lines that may be gzipped, the first of each text."""
    opener = gzip.open if path.suffix == ".gz" else open
    found: dict[str, Drawn] = {}
    with opener(path, "rt", encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            drawn = Drawn(row["labels"], row.get("annotations") or {})
            found.setdefault(drawn.text, drawn)
    return list(found.values())


def source(path: Path | None, first: int = 0) -> Iterator[Drawn]:
    """Yield alerts with distinct texts: those of the file at *path*, or our own from *first* on."""
    if path is not None:
        yield from from_file(path)
    else:
        yield from map(distinct, range(first, COUNT))


def webhook(alerts: list[dict[str, Any]]) -> bytes:
    """Return the body of a notification of *alerts*, as Alertmanager posts it."""
    return json.dumps(
        {
            "version": "4",
            "groupKey": '{}:{alertname="benchmark"}',
            "truncatedAlerts": 0,
            "status": alerts[0]["status"],
            "receiver": "stormcell",
            "groupLabels": {},
            "commonLabels": {},
            "commonAnnotations": {},
            "externalURL": "http://alertmanager.example:9093",
            "alerts": alerts,
        }
    ).encode()
