"""What ends a replay before it has begun, or in its midst."""

from __future__ import annotations

from receiver.core.errors import StormcellError


class ReplayError(StormcellError):
    """The input cannot be read; the text says which part of it and why."""
