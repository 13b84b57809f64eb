"""What ends a replay before it has begun, or in its midst."""

from __future__ import annotations


class ReplayError(Exception):
    """The input cannot be read; the text says which part of it and why."""
