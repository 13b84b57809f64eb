"""Whether what ended has recovered, or whether its source only went quiet.

A Prometheus vouches for a firing alert until four re-sends ahead. One that dies says nothing more, and
minutes later Alertmanager tells all its alerts resolved, as nobody vouches for them any longer. So does
it tell of the heartbeat, which never ends by itself: what ended when that did may not have recovered.

`words` is, by fingerprint, until when the word of each heartbeat holds, nanoseconds; one that fires
without an end to its word is not in it.
"""

from __future__ import annotations

from receiver.core.model import Alert, Status
from receiver.core.timestamps import SECOND, render

_BEFORE = 60 * SECOND
"""Words were last given within the minute in which Prometheus re-sends, so they run out within one."""

_AFTER = 1200 * SECOND
"""A rule evaluated each five minutes is vouched for twenty, the heartbeat for four at least."""

_REMEMBERED = 86_400 * SECOND
"""A source that is gone for so long was taken away."""

_MOST = 64
"""Heartbeats remembered: one a Prometheus."""


def hear(words: dict[str, int], heartbeat: Alert, now: int) -> int | None:
    """Note in *words* what *heartbeat*, received at *now*, says; return when it ended, if it did."""
    words.pop(heartbeat.fingerprint, None)
    over = heartbeat.status is Status.RESOLVED
    until = heartbeat.ends_at
    if over:
        # By a clock that is ahead of ours it would have yet to end.
        until = now if until is None else min(until, now)
    if until is not None:
        words[heartbeat.fingerprint] = until
    for fingerprint in [f for f, at in words.items() if at < now - _REMEMBERED]:
        del words[fingerprint]
    while len(words) > _MOST:
        del words[next(iter(words))]
    return until if over else None


def quiet_at(words: dict[str, int], now: int) -> int | None:
    """Return by when a source had gone quiet that is so at *now*, the last of them; None if none is."""
    return max((at for at in words.values() if at <= now), default=None)


def may_explain(ran_out: int, end: int) -> bool:
    """Return whether an alert that ended at *end* may have ended as the heartbeat did, at *ran_out*."""
    return ran_out - _BEFORE <= end <= ran_out + _AFTER


def explanation(words: dict[str, int], end: int, now: int) -> int | None:
    """Return when the heartbeat ended that may explain an *end* known at *now*; None if none does."""
    found = (at for at in words.values() if at <= now and may_explain(at, end))
    return max(found, default=None)


def sentence(at: int) -> str:
    """Return, for people, that a source was quiet by *at*."""
    return f"its source had gone quiet by {render(at)}: that may be no recovery"
