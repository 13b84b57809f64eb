"""What is received and not yet applied, as the store hands it to the pipeline."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class InboxRow:
    """A webhook body that is committed and not wholly applied.

    Attributes:
        id: Ascends in the order of receipt.
        received_at: Nanoseconds.
        alerts: How many it holds.
        applied: How many of them, from the first, are applied.
        body: As received.
    """

    id: int
    received_at: int
    alerts: int
    applied: int
    body: bytes
