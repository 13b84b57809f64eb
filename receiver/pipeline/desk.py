"""From what an operator asks for to the input that does it: reads what the engine does not hold.

Here stands what a command needs to know of the past; whether it can be obeyed is for `Engine.check`,
and what it does for `Engine.step`. The input holds all of it, so that the journal can be run again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import replace
from typing import Any, ParamSpec, Protocol, TypeVar

from receiver.core import wire
from receiver.core.clusters import Cluster
from receiver.core.constraints import Kind
from receiver.core.engine import Engine
from receiver.core.errors import Conflict, NotFound, SenderError
from receiver.core.evolution import Event, EventType
from receiver.core.model import Command, Member, Merge, OperatorCommand, Recall, Split
from receiver.core.requests import (
    MergeRequest,
    Request,
    SplitRequest,
    UndoRequest,
    UpdateRequest,
)

P = ParamSpec("P")
R = TypeVar("R")


class Past(Protocol):
    """What a desk asks the store."""

    def find_cluster(self, cluster_id: int) -> Cluster | None:
        """Return a cluster as it is kept, or the one it was merged into; None if there is none."""
        ...

    def members(self, cluster_id: int) -> list[Member]:
        """Return all episodes of a cluster, in the order in which they came."""
        ...

    def names(self, cluster_id: int, limit: int) -> list[str]:
        """Return the fingerprints of at most *limit* alerts of a cluster, the last to come first."""
        ...

    def merged_episodes(self, seq: int) -> list[int]:
        """Return the ids of the episodes that the merge or split of the event *seq* moved.

        Of a split, those that stayed are under the seq after it.
        """
        ...

    def holders(self, seq: int) -> list[int]:
        """Return the clusters of the episodes of `merged_episodes`, most first.

        What a later split moved that still holds counts last.
        """
        ...

    def heir(self, cluster_id: int) -> int | None:
        """Return the cluster that a merged one is part of, or if that was undone, what it is again."""
        ...

    def command_event(self, seq: int) -> tuple[Event, int | None] | None:
        """Return an operator's command, and the seq of that which undid it; None if it is none."""
        ...


class Reader(Protocol):
    """Calls a method of the store, as the caller must."""

    def __call__(self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Return what *function* returns."""
        ...


class Desk:
    """Prepares commands for *engine*, and says what came of them."""

    def __init__(self, engine: Engine, past: Past, read: Reader) -> None:
        """Ask *past*, each call of it made by *read*."""
        self._engine = engine
        self._past = past
        self._read = read

    def prepare(self, request: Request, now: int, by: str = "") -> Command:
        """Return the input that does what *request* asks at *now*, for which all was checked.

        *by* says who asks.

        What is due by *now* must have happened, and be committed.

        Raises:
            NotFound: There is no such cluster, or no such command.
            SenderError: What is asked for is none of its members.
            Conflict: It contradicts how things stand, or what an operator said before.
        """
        if isinstance(request, UpdateRequest):
            cluster = self._whole(request.cluster_id)
            command: Command = OperatorCommand(now, cluster.id, dict(request.update))
        elif isinstance(request, MergeRequest):
            command = self._merge(request, now)
        elif isinstance(request, SplitRequest):
            command = self._split(request, now)
        else:
            command = self._undo(request.seq, now)
        self._engine.check(command)
        return replace(command, by=by)

    def answer(self, request: Request, command: Command, events: Sequence[Event]) -> dict[str, Any]:
        """Return what is told of *request* once *command*, which gave *events*, is done."""
        if isinstance(command, Merge):
            ids = [command.into]
        elif isinstance(command, Split):
            made = [e.detail["into"] for e in events if e.type is EventType.CLUSTER_SPLIT]
            ids = [command.cluster_id, *([command.into] if command.into else made)]
        else:
            ids = [command.cluster_id]
        found = [self._engine.cluster(cluster_id) for cluster_id in ids]
        told = [wire.cluster_json(cluster) for cluster in found if cluster is not None]
        if isinstance(request, UndoRequest):
            return {"undone": request.seq, "seq": events[0].seq, "clusters": told}
        if isinstance(request, SplitRequest):
            return {"cluster": told[0], "new": told[1]}
        return told[0]

    # -- clusters --------------------------------------------------------------------------------

    def _find(self, cluster_id: int, field: str = "id") -> Cluster:
        """Return the live cluster, or the one it was merged into; if that is over, as it is kept."""
        cluster = self._engine.live.by_id.get(cluster_id)
        if cluster is not None:
            return cluster
        found = self._read(self._past.find_cluster, cluster_id)
        if found is None:
            raise NotFound(f"cluster {cluster_id} does not exist", field=field)
        return self._engine.live.by_id.get(found.id, found)

    def _whole(self, cluster_id: int) -> Cluster:
        """Return the cluster; the engine knows it, though it may be over."""
        cluster = self._find(cluster_id)
        if not cluster.live:
            self._engine.step([Recall(edited=[cluster])])
        return cluster

    def _merge(self, request: MergeRequest, now: int) -> Merge:
        gone, into = self._find(request.cluster_id), self._find(request.into, "into")
        if gone.id == into.id and request.cluster_id != request.into:
            raise _merged_already((request.cluster_id, request.into), into.id)
        most = self._engine.constraints.most_named
        named = (
            self._read(self._past.names, gone.id, most),
            self._read(self._past.names, into.id, most),
        )
        return Merge(now, gone.id, into.id, named)

    def _members(self, cluster: Cluster) -> list[Member]:
        most = self._engine.settings.clustering.max_split_members
        if cluster.size > most:
            raise Conflict(
                f"cluster {cluster.id} has {cluster.size} members, and one of more than {most} is not"
                " split (clustering.max_split_members)"
            )
        return self._read(self._past.members, cluster.id)

    def _split(self, request: SplitRequest, now: int) -> Split:
        cluster = self._find(request.cluster_id)
        members = self._members(cluster)
        strange = set(request.fingerprints) - {member.fingerprint for member in members}
        if strange:
            raise SenderError(
                f"fingerprints: got {ascii(min(strange))[:100]}, expected those of members of cluster"
                f" {cluster.id}",
                field="fingerprints",
            )
        moved = [m.id for m in members if m.fingerprint in request.fingerprints]
        return Split(now, cluster.id, members, moved)

    # -- what is taken back ----------------------------------------------------------------------

    def _undo(self, seq: int, now: int) -> Command:
        found = self._read(self._past.command_event, seq)
        if found is None:
            raise NotFound(f"event {seq} is not of an operator's command", field="seq")
        event, undone = found
        if undone is not None:
            raise Conflict(f"the command of event {seq} was undone already (event {undone})")
        command, told = event.detail["command"], event.detail
        if command == "merge":
            return self._undo_merge(seq, told, now)
        if command == "split":
            return self._undo_split(event, now)
        if command == "undo":
            raise Conflict(f"event {seq} is an undo itself: give the command anew")
        return self._undo_update(event, now)

    def _undo_merge(self, seq: int, told: Mapping[str, Any], now: int) -> Command:
        """Split off again what came with the merge and is still there."""
        survivor = self._find(told["into"])
        came = set(self._read(self._past.merged_episodes, seq))
        for cluster in self._holding(seq, survivor):
            members = self._members(cluster)
            moved = [member.id for member in members if member.id in came]
            rest = {member.fingerprint for member in members if member.id not in came}
            if moved and rest and (cluster is survivor or self._merged_with(seq, rest)):
                return Split(now, cluster.id, members, moved, undoes=seq)
        return self._lift(seq, survivor, now)

    def _holding(self, seq: int, survivor: Cluster) -> list[Cluster]:
        """Return live clusters that have some of what the merge *seq* moved, the *survivor* first.

        It is in another where a later merge was undone: both sides left together, under a new id.
        """
        live = self._engine.live.by_id
        held = [live[number] for number in self._read(self._past.holders, seq) if number in live]
        return sorted(held, key=lambda cluster: cluster is not survivor)

    def _merged_with(self, seq: int, names: Set[str]) -> bool:
        """Whether one of the alerts *names* is of what survived the merge *seq*, as it still demands."""
        constraint = self._engine.constraints.by_seq.get(seq)
        return constraint is not None and not names.isdisjoint(constraint.sides[1])

    def _undo_split(self, event: Event, now: int) -> Command:
        """Let what was split off go back to where that is which stayed, and nothing else with it."""
        seq, told = event.seq, event.detail
        split_off = set(self._read(self._past.merged_episodes, seq))
        if not split_off:
            return self._undo_old_split(seq, told, now)
        # What stayed is under the next seq.
        into, holder = (
            self._most_of(seq + 1, told["from"]),
            self._most_of(seq, told["into"]),
        )
        if into is None or holder is None or into is holder:
            return self._lift(seq, self._find(told["from"]), now)
        self._check_parts(event, into, holder)
        members = self._members(holder)
        names = {member.fingerprint for member in members if member.id in split_off}
        # An alert goes with all its firings since: the one that was split off may be over.
        moved = [
            member.id
            for member in members
            if member.id in split_off
            or (member.fingerprint in names and member.received_at > event.time)
        ]
        if len(moved) == len(members):
            return self._merge_back(seq, holder, into, now)
        return Split(now, holder.id, members, moved, undoes=seq, into=into.id)

    def _most_of(self, seq: int, was: int) -> Cluster | None:
        """Return the live cluster of what is kept under *seq*, all of it once in *was*; None if it is over.

        That is what *was* became, as what others brought there may have left again; else that with most.
        """
        live = self._engine.live.by_id
        held = [live[number] for number in self._read(self._past.holders, seq) if number in live]
        heir: int | None = was
        while heir is not None and heir not in live:
            heir = self._read(self._past.heir, heir)
        return min(held, key=lambda cluster: cluster.id != heir, default=None)

    def _check_parts(self, event: Event, into: Cluster, holder: Cluster) -> None:
        """Raise Conflict if a later command must be undone before the split of *event*.

        What stayed came *into* the cluster where it is by one, or what left to its *holder* by another
        split: that alone would leave again when that command is undone.
        """
        for part, kept_as, cluster, kinds in (
            ("stayed in", event.seq + 1, into, (Kind.MUST, Kind.CANNOT)),
            ("left", event.seq, holder, (Kind.CANNOT,)),
        ):
            episodes = set(self._read(self._past.merged_episodes, kept_as))
            for later in self._brought(event.seq, cluster, kinds):
                if not episodes.isdisjoint(self._read(self._past.merged_episodes, later)):
                    raise Conflict(
                        f"what {part} cluster {event.detail['from']} went to {cluster.id} since"
                        f" (event {later}); undo that first"
                    )

    def _brought(self, seq: int, cluster: Cluster, kinds: Sequence[Kind]) -> list[int]:
        """Return the commands after *seq* that hold and may have brought something to *cluster*."""
        by_seq = self._engine.constraints.by_seq
        return [
            later
            for later, side in sorted(cluster.links.items())
            if later > seq
            and (kind := by_seq[later].kind) in kinds
            # What a split moved is its other side.
            and side == (kind is Kind.CANNOT)
        ]

    def _undo_old_split(self, seq: int, told: Mapping[str, Any], now: int) -> Command:
        """Undo a split of a version that did not keep what it moved, if both sides are as they were."""
        live = self._engine.live.by_id
        into, gone = live.get(told["from"]), live.get(told["into"])
        if into is None or gone is None or self._brought(seq, gone, (Kind.MUST,)):
            return self._lift(seq, self._find(told["from"]), now)
        return self._merge_back(seq, gone, into, now)

    def _merge_back(self, seq: int, gone: Cluster, into: Cluster, now: int) -> Merge:
        most = self._engine.constraints.most_named
        return Merge(now, gone.id, into.id, (self._read(self._past.names, gone.id, most), ()), seq)

    def _lift(self, seq: int, cluster: Cluster, now: int) -> OperatorCommand:
        """What is over stays as it was grouped, but the command demands nothing any more."""
        return OperatorCommand(now, self._whole(cluster.id).id, {}, undoes=seq)

    def _undo_update(self, event: Event, now: int) -> OperatorCommand:
        cluster = self._whole(event.cluster_id or 0)
        if cluster.id != event.cluster_id:
            raise Conflict(f"cluster {event.cluster_id} was merged into {cluster.id} since")
        changed, update = event.detail["set"], dict(event.detail["was"])
        for name, value in changed.items():
            same = getattr(cluster, name) == value
            if name == "title":
                # An empty one is what its own title was asked for by, which may have moved on.
                same = cluster.own_title == bool(value) and (same or not value)
            if not same:
                raise Conflict(f"{name} was changed since")
        if "title" in update and cluster.live and not event.detail.get("title_was_own", True):
            # The one it would have by itself; of a cluster that is over nobody knows it.
            update["title"] = ""
        return OperatorCommand(now, cluster.id, update, undoes=event.seq)


def _merged_already(asked: tuple[int, int], survivor: int) -> Conflict:
    """Return why clusters cannot be merged that are one by now, the *survivor*."""
    gone = [str(cluster_id) for cluster_id in asked if cluster_id != survivor]
    told = f"cluster {gone[0]} was" if len(gone) == 1 else f"clusters {' and '.join(gone)} were"
    return Conflict(f"{told} merged into cluster {survivor} already")
