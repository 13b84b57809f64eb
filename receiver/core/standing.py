"""Which alerts go on and which rest: what flaps, what time will make stale, what may be forgotten."""

from __future__ import annotations

from receiver.core import episodes
from receiver.core.model import Episode, EpisodeState
from receiver.core.state import State
from receiver.core.timestamps import nanoseconds

_FLAPPING = 2
"""Flaps in a row that make an alert a flapping one: the third firing in short order."""


class Standing:
    """Keeps account of episodes as they begin to go on, and cease to."""

    def __init__(self, state: State) -> None:
        """Keep it in *state*."""
        self._state = state
        self._stale_after = nanoseconds(state.settings.clustering.stale_after)

    def watch(self, episode: Episode) -> None:
        """Note that *episode* goes on, and have it looked at when it may do so no more."""
        if episode.fires and episode.flaps >= _FLAPPING:
            self._state.flapping.add(episode.fingerprint)
        self._state.timers.set_episode(episode.fingerprint, self.due(episode))

    def rest(self, episode: Episode) -> None:
        """Note that *episode* goes on no more."""
        self._state.resting.add(episode.fingerprint)
        self._state.flapping.discard(episode.fingerprint)

    def due(self, episode: Episode) -> int:
        """Return when *episode* ceases to stand as it does if nothing is heard of it, nanoseconds."""
        if episode.state is EpisodeState.SUPPRESSED:
            # Nobody hears of it but who asks: it is the hold that runs out.
            due = episode.held_until
        else:
            due = episodes.stale_at(episode, self._stale_after)
        return max(due, self._state.counters.lenient_until)
