"""An alert was received: `episodes.decide` says what that means, and here it is done."""

from __future__ import annotations

from receiver.core import episodes, heartbeat, quiet
from receiver.core.doubts import Doubts
from receiver.core.endings import Endings
from receiver.core.episodes import Action
from receiver.core.labels import tokens
from receiver.core.lives import Lives
from receiver.core.model import Alert, Episode, EpisodeState, Outcome, Sighting, Status
from receiver.core.opening import Opening
from receiver.core.state import State


class Sightings:
    """Takes in alerts as they are received."""

    def __init__(
        self, state: State, lives: Lives, doubts: Doubts, endings: Endings, opening: Opening
    ) -> None:
        """Take them into *state*."""
        self._state = state
        self._lives = lives
        self._doubts = doubts
        self._endings = endings
        self._opening = opening
        self._heartbeat = state.settings.heartbeat.parsed()

    def is_apart(self, alert: Alert) -> bool:
        """Whether *alert* is never clustered: our own would feed the storm they tell of."""
        return alert.is_own or heartbeat.is_heartbeat(alert.labels, self._heartbeat)

    def take(self, sighting: Sighting) -> None:
        """Take in *sighting*, which was received now."""
        state, alert, now = self._state, sighting.alert, self._state.now
        state.storms.hear(now)
        if heartbeat.is_heartbeat(alert.labels, self._heartbeat):
            self._hear_heartbeat(alert)
            return
        known = state.episodes.get(alert.fingerprint)
        action, outcome = episodes.decide(known, alert, now)
        self._count(alert, Outcome.SELF if alert.is_own else outcome)
        if action is Action.RECORD:
            self._opening.record_ended(alert, known)
        elif known is None or action is Action.OPEN:
            self._opening.open(sighting, after=known)
        elif action is Action.REFRESH and known.state is EpisodeState.STALE:
            self._wake(known, sighting)
        elif action is Action.REFRESH:
            self._note_sender(known, alert)
        elif action is Action.SUPERSEDE:
            self._supersede(known, sighting)
        elif action is Action.REOPEN:
            self._reopen(known, sighting)
        elif action is Action.RESOLVE:
            end = episodes.end_of(alert, now)
            self._endings.end(known, end, "", ending=episodes.ended_by(known, end))
        elif action is Action.PROLONG:
            episodes.prolong(known, episodes.end_of(alert, now))
            state.touch(known)
        if action not in (Action.IGNORE, Action.RECORD):
            state.changed.told[state.episodes[alert.fingerprint].id] = alert

    def _hear_heartbeat(self, alert: Alert) -> None:
        state = self._state
        if alert.status is Status.FIRING:
            state.counters.heartbeat_at = state.now
        ended = quiet.hear(state.counters.heartbeats, alert, state.now)
        if ended is not None:
            self._doubts.of_all(ended)
        state.changed.heartbeats[alert.fingerprint] = alert.labels
        self._count(alert, Outcome.HEARTBEAT)

    def _count(self, alert: Alert, outcome: Outcome) -> None:
        # Both are texts already; to format them took four times as long, at each repeat.
        key, outcomes = alert.status + "." + outcome, self._state.counters.outcomes
        outcomes[key] = outcomes.get(key, 0) + 1

    def _note_sender(self, known: Episode, alert: Alert) -> None:
        state, started = self._state, known.starts_at
        episodes.note_sender(known, alert)
        known.last_seen = state.now
        state.touch(known)
        state.kinds.see(known.labels.get("alertname", ""), known.last_seen)
        cluster = state.cluster_of(known)
        if cluster is not None and known.starts_at < started:
            onset = min(known.starts_at, known.received_at)
            told = tokens(known.labels, state.settings.severity.label)
            cluster.start_earlier(onset, told, known.fingerprint, known.labels)
            state.touch_cluster(cluster)

    def _wake(self, known: Episode, sighting: Sighting) -> None:
        """A stale episode is heard of again: it fired all along."""
        state = self._state
        if known.cluster_id is not None and state.cluster_of(known) is None:
            known.superseded = True
            reason = "its cluster was over when it was heard of again"
            self._endings.end(known, state.now, reason)
            self._opening.open(sighting, again=known)
            return
        self._note_sender(known, sighting.alert)
        self._endings.revive(known, "heard of again after it was stale")

    def _supersede(self, known: Episode, sighting: Sighting) -> None:
        known.superseded = True
        reason = "its resolve was never told; a later firing was"
        # Settled once, after both: a flap must not look like a recovery in between.
        self._endings.end(known, sighting.alert.starts_at, reason, settle=False)
        self._opening.open(sighting, after=known)
        cluster = self._state.cluster_of(known)
        if cluster is not None:
            self._lives.settle(cluster)

    def _reopen(self, known: Episode, sighting: Sighting) -> None:
        alert, cluster = sighting.alert, self._state.cluster_of(known)
        if not alert.is_own and known.cluster_id is None:
            self._opening.begin(known, sighting)
            return
        if not alert.is_own and (cluster is None or not cluster.accepting):
            self._opening.open(sighting, again=known)
            return
        known.senders = {}
        episodes.note_sender(known, alert)
        known.ends_at = None
        episodes.note_word(known, alert)
        known.last_seen = self._state.now
        known.reopened += 1
        self._endings.revive(known, "the same startsAt fires again")
