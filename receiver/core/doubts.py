"""Doubt whether what ended has recovered: its source may have gone quiet. See `quiet` for when."""

from __future__ import annotations

from receiver.core import quiet
from receiver.core.evolution import EventType
from receiver.core.model import Episode
from receiver.core.state import State


class Doubts:
    """Looks whether a heartbeat explains an end, and has clusters remember it."""

    def __init__(self, state: State) -> None:
        """By the heartbeats that *state* knows."""
        self._state = state

    def of_end(self, episode: Episode, end: int, *, told: bool) -> int | None:
        """Return by when the source of *episode*, which ended at *end*, had gone quiet, if it may have.

        Its cluster remembers it. *told*: its sender told that end, and not only by its silence.
        """
        at = self._explanation(end) if told else end
        cluster = self._state.cluster_of(episode)
        if cluster is not None:
            cluster.last_end = max(cluster.last_end, end)
            cluster.quiet_at = at if at is not None else cluster.quiet_at
        return at

    def of_all(self, ran_out: int) -> None:
        """A heartbeat ended at *ran_out*: let clusters know of which members ended as it did."""
        # By id: the order in which they are held is another after a restart.
        for _, cluster in sorted(self._state.live.by_id.items()):
            if cluster.quiet_at is None and quiet.may_explain(ran_out, cluster.last_end):
                cluster.quiet_at = ran_out
                self._state.emit(
                    EventType.CLUSTER_STATE_CHANGED,
                    cluster,
                    reason=quiet.sentence(ran_out),
                    state=cluster.state.value,
                )

    def of_calm(self) -> str:
        """Return what is to be added to the reason for which a storm ends now; mostly nothing."""
        at = self._explanation(self._state.now)
        return "" if at is None else f"; {quiet.sentence(at)}"

    def _explanation(self, end: int) -> int | None:
        return quiet.explanation(self._state.counters.heartbeats, end, self._state.now)
