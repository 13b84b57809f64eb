"""What Alertmanagers, asked, know of alerts: how it lies in the inbox, and what of it is news.

Those that do not answer, or have just started, are as if they did not answer: nothing is concluded
from them, and without them nothing from the absence of an alert.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from receiver.core.model import Alert, Ending, Episode, EpisodeState, Reconciled

_MARK = b"survey "
"""Begins a survey in the inbox; no sender's body does, as those are JSON."""

_LISTED_TO = 1_000_000
"""Nanoseconds; starts are listed to the millisecond, and notified to the nanosecond."""


@dataclass(frozen=True, slots=True)
class Survey:
    """What is known to the Alertmanagers that answered.

    Attributes:
        began_at: When they were asked, nanoseconds.
        complete: All answered.
        hold: For how long what is suppressed counts as that, nanoseconds.
        active: Fingerprints of alerts that one lists as neither silenced nor inhibited.
        suppressed: Of those that are, at all that list them.
        starts: Of each of the *active*, when it began, nanoseconds cut to milliseconds, as Alertmanagers
            list them; the earliest told.
    """

    began_at: int
    complete: bool
    hold: int
    active: frozenset[str] = frozenset()
    suppressed: frozenset[str] = frozenset()
    starts: Mapping[str, int] = field(default_factory=dict)


def of(
    began_at: int, hold: int, answers: Iterable[Mapping[str, int | None] | None]
) -> Survey | None:
    """Return what *answers*, one an Alertmanager, say together; None if nobody answered.

    Args:
        began_at: When they were asked, nanoseconds.
        hold: For how long what is suppressed counts as that, nanoseconds.
        answers: Of each alert, when it began, nanoseconds, or None if it is suppressed; None of one
            that did not answer.
    """
    told = list(answers)
    heard = [answer for answer in told if answer is not None]
    if not heard:
        return None
    starts: dict[str, int] = {}
    for answer in heard:
        for alert, start in answer.items():
            if start is not None:
                starts[alert] = min(start, starts.get(alert, start))
    active = frozenset(starts)
    held = frozenset(alert for answer in heard for alert in answer) - active
    return Survey(began_at, len(heard) == len(told), hold, active, held, starts)


def encode(survey: Survey) -> bytes:
    """Return *survey* as a body for the inbox."""
    active = sorted(survey.active)
    told = {
        "began_at": survey.began_at,
        "complete": survey.complete,
        "hold": survey.hold,
        "active": active,
        "suppressed": sorted(survey.suppressed),
        # In the order of the active ones.
        "starts": [survey.starts.get(alert) for alert in active],
    }
    return _MARK + json.dumps(told, separators=(",", ":")).encode()


def is_survey(body: bytes) -> bool:
    """Return whether *body*, of the inbox, is a survey."""
    return body.startswith(_MARK)


def decode(body: bytes) -> Survey:
    """Return what gave *body*."""
    told = json.loads(body[len(_MARK) :])
    sets = {name: frozenset(told[name]) for name in ("active", "suppressed")}
    # One that an earlier version left in the inbox has no starts.
    pairs = zip(told["active"], told.get("starts", ()), strict=False)
    starts = {alert: start for alert, start in pairs if start is not None}
    return Survey(told["began_at"], told["complete"], told["hold"], **sets, starts=starts)


def unheard(survey: Survey, episodes: Mapping[str, Episode]) -> list[str]:
    """Return alerts listed as firing of which none of *episodes* (by fingerprint) goes on, in order."""
    going_on = {fingerprint for fingerprint, episode in episodes.items() if episode.goes_on}
    return sorted(survey.active - going_on)


def again(survey: Survey, silent: Iterable[tuple[Episode, Alert]]) -> list[Alert]:
    """Return what is told by *survey* of alerts that fire although they were given up here.

    Args:
        survey: What was found.
        silent: The latest episodes of alerts listed as firing, and what was last told of each.
    """
    return [
        replace(alert, starts_at=_began(survey.starts.get(alert.fingerprint), episode.starts_at))
        for episode, alert in silent
        if is_given_up(episode) and _is_known_better(episode, survey.began_at)
    ]


def _began(listed: int | None, known: int) -> int:
    """Return when an alert began that is *listed* with that start, its latest episode *known* with that."""
    if listed is None or listed <= known:
        return known
    # Not before its true start, which a notification will tell: a later one would be another firing.
    return listed + _LISTED_TO - 1


def is_given_up(episode: Episode) -> bool:
    """Whether *episode* goes on no more though nobody said that it ended: its source was quiet."""
    if episode.state is EpisodeState.RESOLVED:
        return episode.ending is not Ending.TOLD
    return episode.state is EpisodeState.STALE


def _is_known_better(episode: Episode, asked_at: int) -> bool:
    """Whether who was asked at *asked_at* knows more of *episode*, which goes on no more, than we do."""
    return episode.last_seen < asked_at and (episode.vouched_until or 0) <= asked_at


def news(
    survey: Survey, episodes: Mapping[str, Episode], now: int, repeat_after: int
) -> Reconciled | None:
    """Return what of *survey* is news for *episodes* (by fingerprint); None if nothing is.

    Args:
        survey: What was found.
        episodes: Those that are held.
        now: Nanoseconds.
        repeat_after: An alert listed as active, and not heard of for so long otherwise, is news.
    """
    active, suppressed, gone = [], [], []
    # In one order, whoever holds them: the journal has this one.
    going_on = sorted((e for e in episodes.values() if e.goes_on), key=lambda e: e.id)
    for episode in going_on:
        fingerprint = episode.fingerprint
        if fingerprint in survey.active:
            quiet = now - episode.last_seen >= repeat_after
            if not (episode.listed and episode.fires) or quiet:
                active.append(fingerprint)
        elif fingerprint in survey.suppressed:
            held = not episode.fires and (episode.held_until - now) * 2 >= survey.hold
            if survey.complete and not held:
                suppressed.append(fingerprint)
        elif survey.complete and _may_be_gone(episode, survey.began_at):
            gone.append(fingerprint)
    if not (active or suppressed or gone):
        return None
    told = (tuple(active), tuple(suppressed), tuple(gone))
    return Reconciled(survey.began_at, now + survey.hold, *told)


def _may_be_gone(episode: Episode, asked_at: int) -> bool:
    """Whether *episode*, which no Alertmanager listed when asked at *asked_at*, has ended.

    One that none was ever seen to list may not be theirs (Grafana's alerts never are); of one that was
    heard of since, or for which a Prometheus still vouches, they know less than we do.
    """
    vouched = (episode.vouched_until or 0) > asked_at
    return episode.listed and episode.last_seen < asked_at and not vouched
