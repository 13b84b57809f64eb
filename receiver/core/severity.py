"""How bad an alert is, as the site's own label and order say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from receiver.core.settings import setting


@dataclass(frozen=True)
class SeveritySettings:
    """Which label tells severity, and in what order."""

    label: str = setting("severity", "Label that tells an alert's severity.")
    order: tuple[str, ...] = setting(
        ("none", "info", "warning", "critical"),
        "Its values from harmless to worst; a value not listed ranks above all of them.",
    )


def of(labels: Mapping[str, str], settings: SeveritySettings) -> str:
    """Return the severity of an alert with *labels*; empty if it tells none."""
    return labels.get(settings.label, "")


def rank(severity: str, settings: SeveritySettings) -> int:
    """Return the place of *severity* in the order: 0 tells none, a value not listed is highest."""
    if not severity:
        return 0
    try:
        return 1 + settings.order.index(severity)
    except ValueError:
        return 1 + len(settings.order)


def worse(one: str, other: str, settings: SeveritySettings) -> str:
    """Return the worse of two severities; *one* where they rank the same."""
    return other if rank(other, settings) > rank(one, settings) else one
