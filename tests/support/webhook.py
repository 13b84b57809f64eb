"""Webhook bodies made by hand, for tests that need many of them and full control.

They stand in for Alertmanager and leave out its grouping, its retries and its order: for those,
run the real one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

FIRING_ENDS_AT = "0001-01-01T00:00:00Z"
"""What Alertmanager writes for an alert that has not ended."""


def alert(
    labels: Mapping[str, str],
    *,
    starts_at: str,
    ends_at: str | None = None,
    summary: str = "",
) -> dict[str, Any]:
    """Return one alert of a body: resolved if *ends_at* is given, else firing."""
    return {
        "status": "firing" if ends_at is None else "resolved",
        "labels": dict(labels),
        "annotations": {"summary": summary} if summary else {},
        "startsAt": starts_at,
        "endsAt": FIRING_ENDS_AT if ends_at is None else ends_at,
        "generatorURL": "",
    }


def body(alerts: Sequence[Mapping[str, Any]]) -> bytes:
    """Return a body of version 4 with *alerts* in it."""
    fires = any(entry["status"] == "firing" for entry in alerts)
    document = {
        "version": "4",
        "groupKey": "{}:{}",
        "truncatedAlerts": 0,
        "status": "firing" if fires else "resolved",
        "receiver": "stormcell",
        "groupLabels": {},
        "commonLabels": {},
        "commonAnnotations": {},
        "externalURL": "http://alertmanager.example:9093",
        "alerts": list(alerts),
    }
    return json.dumps(document).encode() + b"\n"
