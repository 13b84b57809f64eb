"""Clusters are merged and split: the arithmetic is in `regroup`, here it is done to the state."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from receiver.core import regroup, titling
from receiver.core.changes import Merged, Moved
from receiver.core.clusters import Cluster
from receiver.core.errors import Conflict
from receiver.core.evolution import EventType
from receiver.core.lives import Lives
from receiver.core.model import Episode, EpisodeState, Member, Merge, Split
from receiver.core.state import State


class Regrouping:
    """Makes one cluster of two, and two of one.

    Attributes:
        rebuilding: What clusters are built again with.
    """

    def __init__(self, state: State, lives: Lives) -> None:
        """Of the clusters of *state*."""
        self._state = state
        self._lives = lives
        self.rebuilding = regroup.Rebuilding(
            state.settings.clustering, state.settings.severity, state.texts.vector
        )

    # -- the fold's own decisions ----------------------------------------------------------------

    def merge(
        self, one: int, other: int, reason: str, *, into: int | None = None, confidence: float
    ) -> int:
        """Make one of two live clusters; for decisions of the fold's own, in the midst of a step.

        Args:
            one: Id of the one.
            other: Id of the other.
            reason: Why, for people.
            into: Which survives; None for the larger, of equals the older.
            confidence: That they belong together, 0 to 1.

        Returns:
            The id of the survivor.

        Raises:
            Conflict: One is over, or an operator keeps them apart. Nothing has changed.
        """
        self.check_merge(Merge(self._state.now, one, other))
        by_id = self._state.live.by_id
        gone, kept = regroup.in_order(by_id[one], by_id[other])
        if into == gone.id:
            gone, kept = kept, gone
        self.unite(gone, kept, reason, confidence=confidence)
        return kept.id

    def split(
        self, cluster_id: int, members: Sequence[Member], moved: Sequence[int], reason: str
    ) -> int:
        """Make of *moved* members of a live cluster one of its own; for decisions of the fold's own.

        Args:
            cluster_id: Which.
            members: All of it as they are now, by id, which the fold must have been given.
            moved: Ids of the episodes that go.
            reason: Why, for people.

        Returns:
            The id of the new cluster.

        Raises:
            Conflict: It is over, an operator keeps them together, or *members* are not all of it.
                Nothing has changed.
        """
        self.check_split(Split(self._state.now, cluster_id, members, moved))
        return self.divide(self._state.live.by_id[cluster_id], members, moved, reason).id

    # -- whether it can be done ------------------------------------------------------------------

    def check_merge(self, command: Merge) -> None:
        """Raise Conflict if *command* cannot be obeyed as things stand; nothing changes."""
        gone, into = self._live(command.gone), self._live(command.into)
        if gone is into:
            raise Conflict(f"cluster {into.id} cannot be merged with itself")
        # What went together before goes by what its clusters are marked with.
        names = () if command.undoes else (*command.named[0], *command.named[1])
        self._state.constraints.check_merge(gone, into, names, undoes=command.undoes)

    def check_split(self, command: Split) -> None:
        """Raise Conflict if *command* cannot be obeyed as things stand; nothing changes."""
        cluster = self._live(command.cluster_id)
        rest, gone = parted(command.members, command.moved)
        if not rest or not gone:
            raise Conflict(f"of cluster {cluster.id}, some members must go and some must stay")
        firing = sum(member.state is EpisodeState.OPEN for member in command.members)
        if (len(command.members), firing) != (cluster.size, cluster.firing):
            raise Conflict(f"cluster {cluster.id} has changed meanwhile")
        self._state.constraints.check_split(
            {m.fingerprint for m in rest},
            {m.fingerprint for m in gone},
            undoes=command.undoes,
            links=cluster.links,
        )
        if command.into:
            self._check_joining(command, cluster, gone)

    def _check_joining(self, command: Split, cluster: Cluster, gone: Sequence[Member]) -> None:
        """Raise Conflict if those *gone* from *cluster* cannot go to another, as *command* says."""
        into = self._live(command.into)
        if into is cluster:
            raise Conflict(f"what leaves cluster {cluster.id} cannot go to it")
        links = self._marks(cluster.links, gone)
        self._state.constraints.check_joining(links, into, undoes=command.undoes)

    def _marks(self, links: Collection[int], members: Iterable[Member]) -> dict[int, int]:
        """Return the marks that *members* have, of those of their cluster, *links*."""
        marks = self._state.constraints.marks(member.fingerprint for member in members)
        return {seq: side for seq, side in marks.items() if seq in links}

    def _live(self, cluster_id: int) -> Cluster:
        cluster = self._state.live.by_id.get(cluster_id)
        if cluster is None:
            raise Conflict(
                f"cluster {cluster_id} is over, and only live clusters are merged or split"
            )
        return cluster

    # -- doing it --------------------------------------------------------------------------------

    def unite(
        self,
        gone: Cluster,
        into: Cluster,
        reason: str,
        *,
        confidence: float = 1.0,
        told: Mapping[str, Any] | None = None,
        released: Sequence[int] = (),
    ) -> None:
        """Make *gone* part of *into*, for which all was checked.

        Args:
            gone: Ends here.
            into: Survives.
            reason: Why, for people.
            confidence: That they belong together, 0 to 1.
            told: Detail of the event of the command that says so; None if none does.
            released: Merges that hold no more for what goes.
        """
        state, title = self._state, into.title
        for cluster in (gone, into):
            # As it is now found; the survivor is found again as it then is.
            state.live.close(cluster)
        state.live.remove(gone)
        state.timers.drop_cluster(gone.id)
        gone.links = {seq: side for seq, side in gone.links.items() if seq not in released}
        regroup.absorb(gone, into, state.now, confidence)
        self._move(into.id, lambda episode: episode.cluster_id == gone.id)
        state.storms.merge(gone.id, into.id)
        state.changed.regrouped.append(Merged(state.counters.seq + 1, gone.id, into.id, released))
        self._take_in(into)
        self._lives.rate(into)
        self._tell(into, reason, told)
        state.emit(EventType.CLUSTER_MERGED, gone, reason=reason, into=into.id)
        if into.title != title:
            state.emit(EventType.CLUSTER_RENAMED, into, title=into.title)
        titling.regrouped(into, by_operator=told is not None)
        self._lives.settle(into)
        self._lives.rename(into)

    def divide(
        self,
        cluster: Cluster,
        members: Sequence[Member],
        moved: Sequence[int],
        reason: str,
        *,
        told: Mapping[str, Any] | None = None,
        released: Sequence[int] = (),
    ) -> Cluster:
        """Make of *moved* members of *cluster* a new one, for which all was checked; return it.

        Args:
            cluster: Keeps the others.
            members: All of it, by id.
            moved: Ids of the episodes that go.
            reason: Why, for people.
            told: Detail of the event of the command that says so; None if none does.
            released: Merges that hold no more for what goes.
        """
        state, now, ids = self._state, self._state.now, frozenset(moved)
        state.live.close(cluster)
        state.counters.cluster_id += 1
        made = regroup.take_apart(
            cluster, members, ids, state.counters.cluster_id, now, self.rebuilding
        )
        links, (rest, gone) = cluster.links, parted(members, ids)
        cluster.links = self._marks(links, rest)
        made.links = self._marks(links.keys() - set(released), gone)
        self._move(made.id, lambda episode: episode.id in ids)
        change = Moved(sorted(ids), made.id, released=released)
        if told is not None and "undoes" not in told:
            # What it takes to undo this.
            change = replace(change, seq=state.counters.seq + 1, stayed=[m.id for m in rest])
        state.changed.regrouped.append(change)
        self._take_in(cluster)
        self._take_in(made)
        titling.first(made, self._lives.title_for(made), now, state.settings.clustering)
        titling.regrouped(cluster, by_operator=told is not None)
        lineage: dict[str, Any] = {"from": cluster.id, "into": made.id}
        self._tell(cluster, reason, None if told is None else {**told, **lineage})
        state.emit(EventType.CLUSTER_SPLIT, made, reason=reason, title=made.title, **lineage)
        self._lives.settle(cluster)
        self._lives.settle(made)
        self._lives.rename(cluster)
        return made

    def _move(self, into: int, goes: Callable[[Episode], bool]) -> None:
        """Let those episodes held that *goes* names be of the cluster *into*."""
        state = self._state
        for episode in (*state.episodes.values(), *state.changed.episodes.values()):
            if goes(episode):
                episode.cluster_id = into

    def _take_in(self, cluster: Cluster) -> None:
        """Have *cluster*, new or changed as a whole, found by what it now is."""
        self._state.counters.moved_no += 1
        cluster.moved_no = self._state.counters.moved_no
        self._state.live.add(cluster)

    def _tell(self, cluster: Cluster, reason: str, told: Mapping[str, Any] | None) -> None:
        """Tell the new numbers of *cluster*, the one that keeps its id: with the command, if it was one."""
        if told is None:
            state = cluster.state.value
            self._state.emit(EventType.CLUSTER_STATE_CHANGED, cluster, reason=reason, state=state)
        else:
            self._state.emit(EventType.OPERATOR_COMMAND, cluster, **told)


def parted(members: Sequence[Member], moved: Iterable[int]) -> tuple[list[Member], list[Member]]:
    """Return those of *members* that stay, and those that are *moved* (ids)."""
    ids = frozenset(moved)
    return [m for m in members if m.id not in ids], [m for m in members if m.id in ids]
