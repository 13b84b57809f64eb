"""Episodes begin: a firing period is opened, or one is kept of which only the end was told."""

from __future__ import annotations

from receiver.core import episodes
from receiver.core.assigning import Assigning
from receiver.core.clusters import Cluster
from receiver.core.evolution import EventType
from receiver.core.habit import Habit
from receiver.core.model import Alert, Ending, Episode, EpisodeState, Sighting, Vector
from receiver.core.past import PastCluster
from receiver.core.standing import Standing
from receiver.core.state import State
from receiver.core.storm_watch import StormWatch


class Opening:
    """Opens episodes."""

    def __init__(
        self, state: State, standing: Standing, assigning: Assigning, storm_watch: StormWatch
    ) -> None:
        """Open them in *state*."""
        self._state = state
        self._standing = standing
        self._assigning = assigning
        self._storm_watch = storm_watch

    def open(
        self, sighting: Sighting, *, after: Episode | None = None, again: Episode | None = None
    ) -> None:
        """Open an episode.

        Args:
            sighting: What tells of it.
            after: The alert's episode before, if it is known.
            again: The episode that this one repeats under the same startsAt, its cluster being over.
        """
        state, alert = self._state, sighting.alert
        episode = self._new(alert)
        episode.senders = {alert.sender_fingerprint: alert.starts_at}
        episode.vouched_until, episode.only_vouched = alert.ends_at, alert.ends_at is not None
        vector: Vector | None = None
        if again is not None:
            # The same firing period, counted again: episodes of an alert are in the order of
            # startsAt and reopen_no, whatever an earlier startsAt a second sender gives now.
            episode.starts_at = again.starts_at
            episode.reopen_no = again.reopen_no + 1
            vector = state.texts.vector(again.text_id)
            episode.text_id = again.text_id if vector is not None else 0
        before = after or again
        if before is not None:
            # A repeat under the same startsAt is as old as the episode it repeats.
            episode.after = before.after if again is not None else before.starts_at
            episode.habit = self.habit_after(before, episode.starts_at)
            if episodes.flaps_after(before, state.now):
                episode.flaps = before.flaps + 1
        if vector is None and not alert.is_own:
            vector = self._learn_text(episode, sighting)
        state.episodes[alert.fingerprint] = episode
        state.touch(episode)
        self._standing.watch(episode)
        if not alert.is_own:
            self._assigning.assign(episode, vector, recurs=again)
            self._storm_watch.watch(episode, before)

    def begin(self, episode: Episode, sighting: Sighting) -> None:
        """Let *episode* fire, of which only the end was told: the two came in another order.

        Or it fires again, and its first firing was never told. It is clustered now.
        """
        state, alert = self._state, sighting.alert
        episode.state, episode.ends_at, episode.ending = EpisodeState.OPEN, None, Ending.TOLD
        episode.received_at = episode.last_seen = state.now
        episode.vouched_until, episode.only_vouched = alert.ends_at, alert.ends_at is not None
        episodes.note_sender(episode, alert)
        vector = self._learn_text(episode, sighting)
        state.touch(episode)
        self._standing.watch(episode)
        self._assigning.assign(episode, vector, recurs=None)
        self._storm_watch.watch(episode, None)

    def _learn_text(self, episode: Episode, sighting: Sighting) -> Vector | None:
        """Let *episode* have the text of *sighting*; return its vector, shape (dims,), if it has one."""
        episode.text_id, vector = self._state.texts.learn(
            sighting.text, sighting.vector, self._new_text_id, self._state.now
        )
        return vector

    def record_ended(self, alert: Alert, known: Episode | None) -> None:
        """Keep an episode of which only the end was told: nothing to cluster, nothing that fires.

        Args:
            alert: Tells of the end.
            known: The alert's latest episode, if one is known: it stays that.
        """
        state = self._state
        episode = self._new(alert)
        episode.state = EpisodeState.RESOLVED
        episode.ends_at = max(alert.starts_at, episodes.end_of(alert, state.now))
        state.changed.ended.append(episode)
        state.changed.told[episode.id] = alert
        if known is not None:
            known.after = max(alert.starts_at, known.after or alert.starts_at)
            state.touch(known)
            return
        state.episodes[alert.fingerprint] = episode
        state.resting.add(episode.fingerprint)
        if not alert.is_own:
            state.emit(EventType.ALERT_RESOLVED, None, episode, reason="it was never seen to fire")

    def habit_after(self, before: Episode, onset: int) -> Habit:
        """Return how an alert came back that fires anew at *onset*, *before* being its last episode."""
        if onset <= before.starts_at:
            # The same firing period, counted again, is no return.
            return before.habit
        was: Cluster | PastCluster | None = self._state.cluster_of(before)
        if was is None:
            was = self._state.past_held.get(before.cluster_id or 0)
        alone = was is not None and was.only == before.fingerprint
        return before.habit.after(onset - before.starts_at, alone=alone)

    def _new(self, alert: Alert) -> Episode:
        self._state.counters.episode_id += 1
        now = self._state.now
        return Episode(
            id=self._state.counters.episode_id,
            fingerprint=alert.fingerprint,
            labels=alert.labels,
            starts_at=alert.starts_at,
            received_at=now,
            last_seen=now,
        )

    def _new_text_id(self) -> int:
        self._state.counters.text_id += 1
        return self._state.counters.text_id
