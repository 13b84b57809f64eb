"""Second looks in the fold: `looks` tells whether two clusters are one or one is two, here it is done."""

from __future__ import annotations

from contextlib import suppress

from receiver.core import looks
from receiver.core.clusters import Cluster
from receiver.core.errors import Conflict
from receiver.core.explain import Placement
from receiver.core.model import Members
from receiver.core.placing import Placing
from receiver.core.regrouping import Regrouping
from receiver.core.state import State


class Looking:
    """Looks again at clusters as they grow, and asks for the members of those that may be two."""

    def __init__(self, state: State, placing: Placing, regrouping: Regrouping) -> None:
        """Look at the clusters of *state*, and have *regrouping* merge and split them."""
        self._state = state
        self._placing = placing
        self._regrouping = regrouping
        self._asked: list[int] = []

    def look(self, cluster: Cluster, placement: Placement) -> None:
        """Look whether *cluster*, which took an alert by *placement*, is one with another, or is two."""
        sight = self.sight()
        twin = looks.twin(cluster, placement, sight)
        if twin is not None:
            other, found = twin
            with suppress(Conflict):
                self._regrouping.merge(
                    cluster.id, other.id, looks.why_one(found), confidence=looks.sureness(found)
                )
        elif len(self._asked) < looks.MOST_ASKED and looks.may_be_two(cluster, sight):
            self._asked.append(cluster.id)

    def take_asked(self) -> list[int]:
        """Return ids of clusters of which `Members` are wanted, since the last call."""
        asked, self._asked = self._asked, []
        return asked

    def look_into(self, item: Members) -> None:
        """Split a cluster of which the members were asked for, if it is two."""
        cluster = self._state.live.by_id.get(item.cluster_id)
        if cluster is None:
            return
        how = self._regrouping.rebuilding
        found = looks.division(cluster, item.members, self.sight(), how)
        if found is not None:
            with suppress(Conflict):
                self._regrouping.split(cluster.id, item.members, found[0], looks.why_two(found[1]))

    def sight(self) -> looks.Sight:
        """Return what there is to see now."""
        state, now = self._state, self._state.now
        settings, new_rate = state.settings.clustering, self._placing.new_rate(now)
        return looks.Sight(state.live, state.frequencies, settings, new_rate, now)
