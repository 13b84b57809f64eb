"""What an operator asks for, as it is asked; what it takes to do it is found out later.

Each form is read from the parsed JSON of a request by a function beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from receiver.core.envelope import shown
from receiver.core.errors import SenderError

MOST_ID = 2**63 - 1
"""What SQLite can hold."""


@dataclass(frozen=True, slots=True)
class UpdateRequest:
    """Set fields of a cluster, as `operator.read_update` gives them."""

    cluster_id: int
    update: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class MergeRequest:
    """Make a cluster part of another, which survives."""

    cluster_id: int
    into: int


@dataclass(frozen=True, slots=True)
class SplitRequest:
    """Make of the alerts with these fingerprints a cluster of their own."""

    cluster_id: int
    fingerprints: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class UndoRequest:
    """Take back the command that the event *seq* told of."""

    seq: int


Request = UpdateRequest | MergeRequest | SplitRequest | UndoRequest


def read_merge(cluster_id: int, document: object) -> MergeRequest:
    """Return what *document*, parsed JSON, asks of the cluster.

    Raises:
        SenderError: It cannot be used.
    """
    into = _only(document, "into")
    if isinstance(into, bool) or not isinstance(into, int) or not 1 <= into <= MOST_ID:
        raise SenderError(f"into: got {shown(into)}, expected the id of a cluster", field="into")
    return MergeRequest(cluster_id, into)


def read_split(cluster_id: int, document: object, most: int) -> SplitRequest:
    """Return what *document*, parsed JSON, asks of the cluster: at most *most* fingerprints.

    Raises:
        SenderError: It cannot be used.
    """
    told = _only(document, "fingerprints")
    if (
        not isinstance(told, list)
        or not 1 <= len(told) <= most
        or not all(isinstance(fingerprint, str) for fingerprint in told)
    ):
        raise SenderError(
            f"fingerprints: got {shown(told)}, expected a list of 1 to {most} fingerprints",
            field="fingerprints",
        )
    return SplitRequest(cluster_id, tuple(told))


def _only(document: object, name: str) -> object:
    """Return the one field of *document*, which is called *name*."""
    if not isinstance(document, Mapping) or set(document) != {name}:
        raise SenderError(f'body: got {shown(document)}, expected {{"{name}": …}}', field=name)
    return document[name]
