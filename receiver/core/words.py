"""Numbers and durations as people say them."""

from __future__ import annotations

_MINUTE = 60.0


def spell(seconds: float) -> str:
    """Return *seconds* in words for people: whole seconds below a minute and a half, then minutes."""
    if seconds < 1.5 * _MINUTE:
        return f"{short(seconds)} seconds"
    return f"{short(round(seconds / _MINUTE, 1))} minutes"


def short(number: float) -> str:
    """Return *number* as people say it: with a fraction only where it is small."""
    return f"{number:.0f}" if number >= 10 else f"{number:.1f}".removesuffix(".0")
