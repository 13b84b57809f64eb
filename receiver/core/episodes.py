"""What a received alert means for the episode we know of it: the state machine, as one table.

Rows and outcomes follow what Alertmanager was measured to send: retries, repeats, flaps without a
resolve between, startsAt moved back by a second Prometheus, re-opening after a lapse. Repetition of a
fingerprint's latest state changes nothing.
"""

from __future__ import annotations

from enum import Enum, auto

from receiver.core.model import Alert, Ending, Episode, EpisodeState, Outcome, Status
from receiver.core.timestamps import SECOND

_FLAP_WINDOW = 600 * SECOND
"""Nanoseconds; an alert that fires again within two group_intervals of its end has flapped."""


_LATE_COPY = 600 * SECOND
"""Nanoseconds; two group_intervals. An Alertmanager gives up a notification after one: what comes later was
made later, and tells of what fires then."""


class Known(Enum):
    """What we know of the alert."""

    NONE = auto()
    OPEN = auto()
    CLOSED = auto()


class Relation(Enum):
    """How the time received lies to the time known; `endsAt` counts for a resolve."""

    ANY = auto()
    EQUAL = auto()
    EARLIER = auto()
    LATER = auto()
    BELATED = auto()
    """Earlier than what was told, and yet no older word: to take it for one would hide an alert that fires.

    Either it began after we first heard of the episode, and what was told lay in the future then, as the
    sender's clock was wrong. Or another sender tells of a firing that began earlier, and says so now.
    """


class Action(Enum):
    """What to do."""

    OPEN = auto()
    """Open an episode."""
    REFRESH = auto()
    """Note the sight; startsAt becomes the earlier one."""
    SUPERSEDE = auto()
    """A resolve was missed: end the episode, open the next."""
    REOPEN = auto()
    """The same episode fires again."""
    IGNORE = auto()
    """Old news."""
    RESOLVE = auto()
    """End the episode."""
    RECORD = auto()
    """Keep an episode that ended before it was seen to fire."""
    PROLONG = auto()
    """The end becomes the later one."""


_TABLE: dict[tuple[Status, Known, Relation], tuple[Action, Outcome]] = {
    (Status.FIRING, Known.NONE, Relation.ANY): (Action.OPEN, Outcome.NEW),
    (Status.FIRING, Known.OPEN, Relation.EQUAL): (Action.REFRESH, Outcome.REFRESH),
    (Status.FIRING, Known.OPEN, Relation.EARLIER): (Action.REFRESH, Outcome.REFRESH),
    (Status.FIRING, Known.OPEN, Relation.LATER): (Action.SUPERSEDE, Outcome.SUPERSEDED),
    (Status.FIRING, Known.CLOSED, Relation.EQUAL): (Action.REOPEN, Outcome.REOPENED),
    (Status.FIRING, Known.CLOSED, Relation.LATER): (Action.OPEN, Outcome.NEW),
    (Status.FIRING, Known.CLOSED, Relation.EARLIER): (Action.IGNORE, Outcome.STALE),
    (Status.FIRING, Known.OPEN, Relation.BELATED): (Action.REFRESH, Outcome.REFRESH),
    (Status.FIRING, Known.CLOSED, Relation.BELATED): (Action.REOPEN, Outcome.REOPENED),
    (Status.RESOLVED, Known.NONE, Relation.ANY): (Action.RECORD, Outcome.RESOLVED),
    (Status.RESOLVED, Known.OPEN, Relation.LATER): (Action.RESOLVE, Outcome.RESOLVED),
    (Status.RESOLVED, Known.OPEN, Relation.EQUAL): (Action.RECORD, Outcome.STALE),
    (Status.RESOLVED, Known.OPEN, Relation.EARLIER): (Action.RECORD, Outcome.STALE),
    (Status.RESOLVED, Known.OPEN, Relation.BELATED): (Action.RESOLVE, Outcome.RESOLVED),
    (Status.RESOLVED, Known.CLOSED, Relation.LATER): (Action.PROLONG, Outcome.REFRESH),
    (Status.RESOLVED, Known.CLOSED, Relation.EQUAL): (Action.PROLONG, Outcome.REFRESH),
    (Status.RESOLVED, Known.CLOSED, Relation.EARLIER): (Action.PROLONG, Outcome.REFRESH),
    (Status.RESOLVED, Known.CLOSED, Relation.BELATED): (Action.PROLONG, Outcome.REFRESH),
}


def decide(known: Episode | None, alert: Alert, received_at: int) -> tuple[Action, Outcome]:
    """Return what *alert*, received at *received_at*, means for the latest episode *known* of it."""
    if known is None:
        return _TABLE[alert.status, Known.NONE, Relation.ANY]
    if known.state is EpisodeState.RESOLVED:
        received = alert.starts_at if alert.status is Status.FIRING else end_of(alert, received_at)
        reference = known.starts_at if alert.status is Status.FIRING else known.ends_at or 0
        relation = _relation(known, alert, received, reference)
        if relation is Relation.EARLIER and _fires_now(known, alert, received_at):
            relation = Relation.BELATED
        return _TABLE[alert.status, Known.CLOSED, relation]
    return _decide_open(known, alert, received_at)


def _decide_open(known: Episode, alert: Alert, received_at: int) -> tuple[Action, Outcome]:
    # Of a stale episode nobody was heard for long: what other replicas once said counts no more.
    stale = known.state is EpisodeState.STALE
    others = set() if stale else known.senders.keys() - {alert.sender_fingerprint}
    said = known.senders.get(alert.sender_fingerprint)
    if alert.status is Status.RESOLVED:
        reference = known.starts_at if said is None else said
        relation = _relation(known, alert, end_of(alert, received_at), reference)
        if alert.starts_at == reference:
            # It speaks of this very episode, however short that was.
            relation = Relation.LATER
        ends = relation in (Relation.LATER, Relation.BELATED)
        if ends and others:
            # Replicas fold into one alert, which fires as long as one of them says so.
            return Action.REFRESH, Outcome.REFRESH
        if not ends and alert.starts_at >= known.starts_at:
            # Older than what this replica said last, yet part of the episode others tell of.
            return Action.IGNORE, Outcome.STALE
        return _TABLE[Status.RESOLVED, Known.OPEN, relation]
    if not alert.start_told and not stale:
        # It says no more than that it fires; an Alertmanager keeps the start it knows, too.
        return Action.REFRESH, Outcome.REFRESH
    relation = _relation(known, alert, alert.starts_at, known.starts_at if said is None else said)
    late = known.after is not None and alert.starts_at <= known.after
    if late and not stale and relation is not Relation.BELATED:
        # A late copy of the episode before this one; nothing is on its way for as long as makes stale.
        return Action.IGNORE, Outcome.STALE
    if said is None and others:
        # Another replica's first word of the same episode, with a startsAt of its own.
        return Action.REFRESH, Outcome.REFRESH
    if relation is Relation.LATER and (others or alert.starts_at <= known.starts_at):
        # Another replica fires on; or the sender's own word moved, within this very episode.
        return Action.REFRESH, Outcome.REFRESH
    return _TABLE[Status.FIRING, Known.OPEN, relation]


def _fires_now(known: Episode, alert: Alert, received_at: int) -> bool:
    """Whether *alert* cannot be a late copy of what was sent before *known*, which is over, ended."""
    if alert.status is not Status.FIRING:
        return False
    vouched = alert.ends_at is not None and alert.ends_at > received_at
    return vouched or received_at - known.last_seen > _LATE_COPY


def _relation(known: Episode, alert: Alert, received: int, reference: int) -> Relation:
    """Return how *received* lies to *reference*, of what *alert* tells and of what is *known*."""
    if received == reference:
        return Relation.EQUAL
    if received > reference:
        return Relation.LATER
    return Relation.BELATED if alert.starts_at > known.received_at else Relation.EARLIER


def end_of(alert: Alert, received_at: int) -> int:
    """Return when a resolved *alert* ended; one without an end ended when it was received."""
    return received_at if alert.ends_at is None else alert.ends_at


def note_word(known: Episode, alert: Alert) -> None:
    """Remember until when the sender of *alert*, which fires, vouches for the episode *known*."""
    if alert.ends_at is None:
        known.only_vouched = False
    else:
        known.vouched_until = max(alert.ends_at, known.vouched_until or alert.ends_at)


def stale_at(known: Episode, stale_after: int) -> int:
    """Return when the open episode *known* is stale if nothing more is heard of it, nanoseconds."""
    silent = known.last_seen + stale_after
    if not known.only_vouched or known.vouched_until is None:
        return silent
    return min(silent, known.vouched_until)


def ended_by(known: Episode, end: int) -> Ending:
    """Return how it is known that the episode *known* ended at *end*, as its sender told."""
    return Ending.LAPSED if end == known.vouched_until else Ending.TOLD


def prolong(known: Episode, end: int) -> None:
    """Take in another *end* told of the resolved episode *known*: the later counts, but for a guess."""
    if known.ending is Ending.GONE:
        known.ends_at, known.ending = max(known.starts_at, end), ended_by(known, end)
    else:
        known.ends_at = max(known.ends_at or 0, end)


def flaps_after(before: Episode, now: int) -> bool:
    """Whether an alert that fires at *now* flaps, *before* being its last episode."""
    return before.superseded or now - (before.ends_at or now) < _FLAP_WINDOW


def note_sender(known: Episode, alert: Alert) -> None:
    """Remember what the sender of *alert* says of the open episode *known*."""
    if alert.status is Status.RESOLVED:
        known.senders.pop(alert.sender_fingerprint, None)
        return
    note_word(known, alert)
    if not alert.start_told:
        known.senders.setdefault(alert.sender_fingerprint, known.starts_at)
        return
    known.senders[alert.sender_fingerprint] = alert.starts_at
    if not known.reopen_no and (known.after is None or alert.starts_at > known.after):
        # One counted again keeps the startsAt it shares with the episode it repeats; and all stay in
        # the order in which they came, wherever a clock that was wrong put the one before.
        known.starts_at = min(known.starts_at, alert.starts_at)
