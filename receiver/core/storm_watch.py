"""Storms in the fold: new episodes are counted, and a storm that goes on is looked at in time."""

from __future__ import annotations

from receiver.core.doubts import Doubts
from receiver.core.evolution import EventType
from receiver.core.model import Episode
from receiver.core.state import State


class StormWatch:
    """Tells when a storm starts and when it ends."""

    def __init__(self, state: State, doubts: Doubts) -> None:
        """Watch over the episodes of *state*; *doubts* knows whether calm may be silence."""
        self._state = state
        self._doubts = doubts

    def watch(self, episode: Episode, before: Episode | None) -> None:
        """Count the new *episode* if it is news, *before* being its alert's last one."""
        state, storms = self._state, self._state.storms
        if not storms.is_news(episode, before):
            return
        if not storms.count(episode.cluster_id or 0, state.now):
            return
        state.counters.storm_id += 1
        storm_id = state.counters.storm_id
        reason = storms.start(storm_id, state.now)
        storms.represent(state.episodes.values(), state.settings.severity)
        state.emit(EventType.STORM_STARTED, None, reason=reason, storm_id=storm_id)
        self.arm()

    def arm(self) -> None:
        """Have the storm, if one goes on, looked at when that is due."""
        due = self._state.storms.next_due()
        if due is not None:
            self._state.timers.set_storm(due)

    def ring(self, due: int) -> None:
        """Look at the storm, which was due at *due*."""
        state, storms = self._state, self._state.storms
        state.come_to(due)
        storms.represent(state.episodes.values(), state.settings.severity)
        reason = storms.look(state.now, state.live.by_id)
        if reason:
            reason += self._doubts.of_calm()
            storm_id = state.counters.storm_id
            state.emit(EventType.STORM_ENDED, None, reason=reason, storm_id=storm_id)
        self.arm()
