"""Placeholder while the demo is written."""

from __future__ import annotations

from receiver.config import Config


async def demo(config: Config, *, seconds: float, stay: bool) -> int:
    """Run the demo."""
    raise NotImplementedError
