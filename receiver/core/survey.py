"""What Alertmanagers, asked, know of alerts: how it lies in the inbox, and what of it is news.

Those that do not answer, or have just started, are as if they did not answer: nothing is concluded
from them, and without them nothing from the absence of an alert.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from receiver.core.model import Episode, Reconciled

_MARK = b"survey "
"""Begins a survey in the inbox; no sender's body does, as those are JSON."""


@dataclass(frozen=True, slots=True)
class Survey:
    """What is known to the Alertmanagers that answered.

    Attributes:
        began_at: When they were asked, nanoseconds.
        complete: All answered.
        hold: For how long what is suppressed counts as that, nanoseconds.
        active: Fingerprints of alerts that one lists as neither silenced nor inhibited.
        suppressed: Of those that are, at all that list them.
    """

    began_at: int
    complete: bool
    hold: int
    active: frozenset[str] = frozenset()
    suppressed: frozenset[str] = frozenset()


def of(began_at: int, hold: int, answers: Iterable[Mapping[str, bool] | None]) -> Survey | None:
    """Return what *answers*, one an Alertmanager, say together; None if nobody answered.

    Args:
        began_at: When they were asked, nanoseconds.
        hold: For how long what is suppressed counts as that, nanoseconds.
        answers: Of each alert, whether it is suppressed; None of one that did not answer.
    """
    told = list(answers)
    heard = [answer for answer in told if answer is not None]
    if not heard:
        return None
    active = {alert for answer in heard for alert, is_held in answer.items() if not is_held}
    held = {alert for answer in heard for alert in answer} - active
    complete = len(heard) == len(told)
    return Survey(began_at, complete, hold, frozenset(active), frozenset(held))


def encode(survey: Survey) -> bytes:
    """Return *survey* as a body for the inbox."""
    told = {
        "began_at": survey.began_at,
        "complete": survey.complete,
        "hold": survey.hold,
        "active": sorted(survey.active),
        "suppressed": sorted(survey.suppressed),
    }
    return _MARK + json.dumps(told, separators=(",", ":")).encode()


def is_survey(body: bytes) -> bool:
    """Return whether *body*, of the inbox, is a survey."""
    return body.startswith(_MARK)


def decode(body: bytes) -> Survey:
    """Return what gave *body*."""
    told = json.loads(body[len(_MARK) :])
    sets = {name: frozenset(told[name]) for name in ("active", "suppressed")}
    return Survey(told["began_at"], told["complete"], told["hold"], **sets)


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
