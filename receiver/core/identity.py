"""What makes two alerts the same alert: their labels, less those that only tell replicas apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from receiver.core.settings import setting

_OFFSET_BASIS = 14695981039346656037
_PRIME = 1099511628211
_MASK = 2**64 - 1


@dataclass(frozen=True)
class IdentitySettings:
    """Which labels identify an alert."""

    drop_labels: tuple[str, ...] = setting(
        ("prometheus_replica",),
        "Labels that do not identify an alert: alerts that differ only in them are one.",
    )


def fingerprint(labels: Mapping[str, str]) -> str:
    """Return Alertmanager's fingerprint of *labels*: 16 hex digits.

    FNV-1a 64 over name, 0xff, value, 0xff of each pair in the order of names
    (prometheus/common, `model.LabelSet.Fingerprint`).
    """
    digest = _OFFSET_BASIS
    for name in sorted(labels):
        for part in (name, labels[name]):
            for byte in part.encode():
                digest = ((digest ^ byte) * _PRIME) & _MASK
            digest = ((digest ^ 0xFF) * _PRIME) & _MASK
    return f"{digest:016x}"


def without(labels: Mapping[str, str], dropped: tuple[str, ...]) -> dict[str, str]:
    """Return *labels* sorted by name, less the *dropped*; all of them if none would be left."""
    kept = {name: labels[name] for name in sorted(labels) if name not in dropped}
    return kept or dict(sorted(labels.items()))
