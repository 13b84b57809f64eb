"""Operators' commands in the fold: whether one can be obeyed, and what it does.

What may be said at all is for `operator`; what a merge and a split demand from then on, for `constraints`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from receiver.core import titling
from receiver.core.clusters import Cluster
from receiver.core.constraints import Constraint, Kind
from receiver.core.errors import NotFound, StormcellError
from receiver.core.evolution import EventType
from receiver.core.lives import Lives
from receiver.core.model import Command, Member, Merge, OperatorCommand, Split
from receiver.core.past import PastCluster
from receiver.core.regrouping import Regrouping, parted
from receiver.core.state import State


class Commands:
    """Obeys operators."""

    def __init__(self, state: State, lives: Lives, regrouping: Regrouping) -> None:
        """Obey them in *state*."""
        self._state = state
        self._lives = lives
        self._regrouping = regrouping

    def check(self, command: Command) -> None:
        """Return if *command* can be obeyed as things stand; nothing changes.

        Raises:
            NotFound: Its cluster is neither live nor was it recalled whole.
            Conflict: It contradicts how things stand, or what an operator said before.
        """
        if isinstance(command, Merge):
            self._regrouping.check_merge(command)
        elif isinstance(command, Split):
            self._regrouping.check_split(command)
        elif self._state.cluster(command.cluster_id) is None:
            raise NotFound(f"cluster {command.cluster_id} does not exist", field="id")

    def obey(self, command: Command) -> None:
        """Do what *command* says, if it can be done and changes anything.

        Else the clock stays, too: nothing is told of it, and the journal does not have it.
        """
        try:
            self.check(command)
        except StormcellError:
            # Whoever gave it has asked `check` before.
            return
        if isinstance(command, OperatorCommand) and not (command.undoes or self._changed(command)):
            return
        self._state.come_to(command.time)
        if command.undoes:
            self._lift(command.undoes)
        if isinstance(command, Merge):
            self._merge(command)
        elif isinstance(command, Split):
            self._split(command)
        else:
            self._update(command)

    # -- merge and split -------------------------------------------------------------------------

    def _merge(self, command: Merge) -> None:
        state = self._state
        gone, into = state.live.by_id[command.gone], state.live.by_id[command.into]
        seq, count = state.counters.seq + 1, gone.size
        self._regrouping.unite(
            gone,
            into,
            f"an operator said so: {_spell(count)} went to {into.id}",
            told=_word_of(command, "merge") | {"from": gone.id, "into": into.id},
            released=self._release_all(gone, command) if command.undoes else (),
        )
        if not command.undoes:
            named = (tuple(command.named[0]), tuple(command.named[1]))
            into.links[seq] = 0
            self._demand(Constraint(seq, Kind.MUST, state.now, gone.id, into.id, named))

    def _split(self, command: Split) -> None:
        state = self._state
        cluster = state.live.by_id[command.cluster_id]
        seq = state.counters.seq + 1
        released = self._release(cluster, command)
        made = self._regrouping.divide(
            cluster,
            command.members,
            command.moved,
            f"an operator said so: {_spell(len(command.moved))} left {cluster.id}",
            told=_word_of(command, "split"),
            released=released,
        )
        if command.into:
            into = state.live.by_id[command.into]
            reason = f"an operator said so: {_spell(made.size)} came back to {into.id}"
            titling.regrouped(into, by_operator=True)
            self._regrouping.unite(made, into, reason)
        if not command.undoes:
            rest, gone = parted(command.members, command.moved)
            most = state.constraints.most_named
            named = (_latest_names(rest, most), _latest_names(gone, most))
            cluster.links[seq], made.links[seq] = 0, 1
            self._demand(Constraint(seq, Kind.CANNOT, state.now, cluster.id, made.id, named))

    def _release(self, cluster: Cluster, command: Split) -> list[int]:
        """Let later merges of *cluster* hold for what stays only; return their seqs.

        They were said of what the command that *command* takes back had made, and the cluster keeps
        them.
        """
        constraints = self._state.constraints
        rest, gone = (
            {member.fingerprint for member in members}
            for members in parted(command.members, command.moved)
        )
        built = constraints.built_upon(command.undoes, cluster.links, rest, gone)
        for seq in built:
            constraints.release(seq, gone - rest)
        return built

    def _release_all(self, gone: Cluster, command: Merge) -> list[int]:
        """Let later merges hold no more for *gone*, all of which goes back; return their seqs."""
        constraints = self._state.constraints
        later = [
            seq
            for seq in gone.links
            if seq > command.undoes and constraints.by_seq[seq].kind is Kind.MUST
        ]
        for seq in later:
            constraints.release(seq, set(command.named[0]))
        return later

    def _demand(self, constraint: Constraint) -> None:
        for seq in self._state.constraints.add(constraint):
            self._unmark(seq)

    def _lift(self, seq: int) -> None:
        self._state.constraints.lift(seq)
        self._unmark(seq)

    def _unmark(self, seq: int) -> None:
        """Let clusters know no more of the constraint *seq*, which holds no more."""
        for cluster in self._state.live.by_id.values():
            if cluster.links.pop(seq, None) is not None:
                self._state.touch_cluster(cluster)

    # -- title, pin, who has it, note ------------------------------------------------------------

    def _update(self, command: OperatorCommand) -> None:
        """Set what *command* sets."""
        cluster, changed = self._of(command), self._changed(command)
        was = {name: getattr(cluster, name) for name in changed}
        for name, value in changed.items():
            if name != "title":
                setattr(cluster, name, value)
        told = _word_of(command, "update")
        if changed:
            told |= {"set": changed, "was": was}
        if "title" in changed:
            # So that this can be undone: a title of our own follows the members, an operator's stays.
            told["title_was_own"] = cluster.own_title
        self._state.emit(EventType.OPERATOR_COMMAND, cluster, **told)
        if "title" in changed:
            self._entitle(cluster, changed["title"])

    def _of(self, command: OperatorCommand) -> Cluster:
        cluster = self._state.cluster(command.cluster_id)
        assert cluster is not None
        return cluster

    def _changed(self, command: OperatorCommand) -> dict[str, Any]:
        """Return what of *command* is another than it is now."""
        cluster, update = self._of(command), command.update
        changed = {name: value for name, value in update.items() if value != getattr(cluster, name)}
        if "title" in update and bool(update["title"]) != cluster.own_title:
            changed["title"] = update["title"]
        return changed

    def _entitle(self, cluster: Cluster, own: str) -> None:
        """Give *cluster* the title an operator wants; the one it would have, if that is empty."""
        state = self._state
        cluster.own_title = bool(own)
        # What a title is made of is not kept of a cluster that is over.
        title = own or (self._lives.title_for(cluster) if cluster.live else cluster.title)
        if title != cluster.title:
            cluster.title, cluster.titled_at = title, state.now
            state.emit(EventType.CLUSTER_RENAMED, cluster, title=title)
            state.past.retitle(cluster)
            if cluster.id in state.past_held:
                state.past_held[cluster.id] = PastCluster.of(cluster)


def _word_of(command: Command, name: str) -> dict[str, Any]:
    """Return what the event of *command*, which is called *name*, begins with, and by whom it was given."""
    told = {"reason": f"by {command.by}"} if command.by else {}
    if command.undoes:
        return told | {"command": "undo", "undoes": command.undoes}
    return told | {"command": name}


def _latest_names(members: Sequence[Member], most: int) -> tuple[str, ...]:
    """Return at most so many fingerprints of *members*, in order of ids, the last to come first."""
    return tuple(dict.fromkeys(m.fingerprint for m in reversed(members)))[:most]


def _spell(count: int) -> str:
    return "its alert" if count == 1 else f"{count} alerts"
