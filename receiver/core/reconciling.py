"""What Alertmanagers, asked, know of alerts: suppressed ones, and those that none knows any more."""

from __future__ import annotations

from receiver.core.endings import Endings
from receiver.core.evolution import EventType
from receiver.core.lives import Lives
from receiver.core.model import Ending, Episode, EpisodeState, Reconciled
from receiver.core.standing import Standing
from receiver.core.state import State


class Reconciling:
    """Takes over what others know."""

    def __init__(self, state: State, standing: Standing, lives: Lives, endings: Endings) -> None:
        """Of the episodes of *state* that go on."""
        self._state = state
        self._standing = standing
        self._lives = lives
        self._endings = endings

    def reconcile(self, item: Reconciled) -> None:
        """Take over what Alertmanagers know of episodes that go on."""
        for fingerprint in item.active:
            episode = self._state.going_on(fingerprint)
            if episode is not None:
                self._list(episode)
        for fingerprint in item.suppressed:
            episode = self._state.going_on(fingerprint)
            if episode is not None:
                self._suppress(episode, item.held_until)
        for fingerprint in item.gone:
            episode = self._state.going_on(fingerprint)
            if episode is not None:
                reason = "no Alertmanager knows it any more"
                self._endings.end(episode, item.time, reason, ending=Ending.GONE)

    def unsuppress(self, episode: Episode, reason: str) -> None:
        """Let *episode*, which is suppressed, fire again."""
        was = episode.state
        episode.state, episode.held_until = EpisodeState.OPEN, 0
        # From now on it must be heard of as others are; until now it could not be.
        episode.last_seen, episode.only_vouched = self._state.now, False
        self._state.touch(episode)
        self._standing.watch(episode)
        self._restate(episode, was, EventType.ALERT_UNSUPPRESSED, reason)

    def _list(self, episode: Episode) -> None:
        """An Alertmanager lists *episode* as firing."""
        episode.listed, episode.only_vouched = True, False
        episode.last_seen = self._state.now
        self._state.touch(episode)
        if episode.state is EpisodeState.SUPPRESSED:
            self.unsuppress(episode, "neither silenced nor inhibited any more")

    def _suppress(self, episode: Episode, held_until: int) -> None:
        """Let *episode* count as suppressed until *held_until*."""
        was = episode.state
        episode.state, episode.held_until = EpisodeState.SUPPRESSED, held_until
        episode.listed, episode.last_seen = True, self._state.now
        self._state.touch(episode)
        self._standing.watch(episode)
        if was is not EpisodeState.SUPPRESSED:
            self._state.flapping.discard(episode.fingerprint)
            self._restate(episode, was, EventType.ALERT_SUPPRESSED, "silenced or inhibited")

    def _restate(self, episode: Episode, was: EpisodeState, kind: EventType, reason: str) -> None:
        """Tell that *episode*, which goes on, *was* in another state."""
        cluster = self._state.cluster_of(episode)
        if cluster is not None:
            self._lives.recount(cluster, episode, was)
            self._lives.rate(cluster)
            self._state.emit(kind, cluster, episode, reason=reason)
            self._lives.settle(cluster)
