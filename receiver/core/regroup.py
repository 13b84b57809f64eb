"""Two clusters become one, one becomes two: what each then knows of its members. Pure arithmetic."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from receiver.core import evidence, severity
from receiver.core.clusters import (
    MAX_AFFECTED,
    MAX_EXEMPLARS,
    MAX_TOKENS,
    Cluster,
    ClusteringSettings,
    ClusterState,
)
from receiver.core.labels import tokens
from receiver.core.model import EpisodeState, Member, Vector
from receiver.core.severity import SeveritySettings
from receiver.core.spread import Spread


def in_order(one: Cluster, other: Cluster) -> tuple[Cluster, Cluster]:
    """Return which of the two goes and which survives: the larger, of equals the older."""
    gone, into = sorted((one, other), key=lambda cluster: (cluster.size, -cluster.id))
    return gone, into


# -- one of two --------------------------------------------------------------------------------------


def absorb(gone: Cluster, into: Cluster, now: int, confidence: float) -> None:
    """Make all that is known of *gone* part of *into*, and *gone* merged.

    What an operator said of *into* stands; what is unsaid of it is taken over from *gone*.

    Args:
        gone: Ends here, with no members.
        into: Survives.
        now: Nanoseconds.
        confidence: That the two belong together, 0 to 1; counts as that of the founder of *gone*,
            which as the first of its cluster was given none.
    """
    into.first_onset = min(into.first_onset, gone.first_onset)
    into.last_onset = max(into.last_onset, gone.last_onset)
    into.gap_count += gone.gap_count
    into.gap_sum += gone.gap_sum
    into.opened_at = min(into.opened_at, gone.opened_at)
    into.joined_at = max(into.joined_at, gone.joined_at)
    if (gone.member_resolved_at or 0) > (into.member_resolved_at or 0):
        into.ended = gone.ended
    into.member_resolved_at = _latest(into.member_resolved_at, gone.member_resolved_at)
    into.idle_since = (
        None if into.goes_on or gone.goes_on else _latest(into.idle_since, gone.idle_since)
    )
    into.accepting = into.accepting or gone.accepting
    into.closed_at = None if into.accepting else _latest(into.closed_at, gone.closed_at)
    into.center = _mean(into, gone)
    into.confidence_sum += gone.confidence_sum + confidence
    into.size += gone.size
    into.firing += gone.firing
    into.stale += gone.stale
    into.suppressed += gone.suppressed
    into.last_end = max(into.last_end, gone.last_end)
    into.quiet_at = _latest(into.quiet_at, gone.quiet_at)
    for name, count in gone.firing_by_severity.items():
        into.firing_by_severity[name] = into.firing_by_severity.get(name, 0) + count
    into.labels = {k: v for k, v in into.labels.items() if gone.labels.get(k) == v}
    _add(into.tokens, gone.tokens, MAX_TOKENS)
    into.names_cache = None
    _add(into.names, gone.names, MAX_TOKENS)
    for label, values in gone.affected.items():
        _add(into.affected.setdefault(label, {}), values, MAX_AFFECTED)
    _add_exemplars(gone, into)
    into.spread.absorb(gone.spread)
    if into.only != gone.only:
        into.only, into.patience = "", 0
    into.links = dict(sorted({**gone.links, **into.links}.items()))
    if into.recurs is None:
        into.recurs, into.next_look = gone.recurs, gone.next_look
    into.novelty += gone.novelty
    into.pinned = into.pinned or gone.pinned
    into.acked_by = into.acked_by or gone.acked_by
    into.note = into.note or gone.note
    if gone.own_title and not into.own_title:
        into.title, into.own_title = gone.title, True
    _end(gone, into.id, now)


def _end(gone: Cluster, into: int, now: int) -> None:
    """Leave of *gone* what it was, without the members that it has no more."""
    gone.state, gone.merged_into = ClusterState.MERGED, into
    gone.closed_at = gone.closed_at if gone.closed_at is not None else now
    gone.accepting, gone.resolved_at = False, now
    gone.size = gone.firing = gone.stale = gone.suppressed = 0
    gone.firing_by_severity, gone.confidence_sum, gone.links = {}, 0.0, {}


def _latest(one: int | None, other: int | None) -> int | None:
    told = [at for at in (one, other) if at is not None]
    return max(told) if told else None


def _mean(into: Cluster, gone: Cluster) -> Vector | None:
    """Return the mean of both centres, weighted by size, brought back to unit length."""
    if into.center is None or gone.center is None:
        return gone.center if into.center is None else into.center
    mean = into.size * into.center.astype(np.float64) + gone.size * gone.center
    length = float(np.sqrt((mean * mean).sum()))
    return (mean / length).astype(np.float32) if length > 0.0 else into.center


def _add(counts: dict[str, int], more: Mapping[str, int], limit: int) -> None:
    """Add *more* to *counts*, of which the *limit* with the greatest are kept, in their order."""
    for key, count in more.items():
        counts[key] = counts.get(key, 0) + count
    for key in sorted(counts, key=lambda k: counts[k])[: max(0, len(counts) - limit)]:
        del counts[key]


def _add_exemplars(gone: Cluster, into: Cluster) -> None:
    for text_id, theirs in gone.exemplars.items():
        ours = into.exemplars.get(text_id)
        if ours is None:
            into.exemplars[text_id] = theirs
        else:
            latest = theirs if theirs.used_no > ours.used_no else ours
            into.exemplars[text_id] = replace(latest, count=ours.count + theirs.count)
    by_use = sorted(into.exemplars.values(), key=lambda exemplar: exemplar.used_no)
    for exemplar in by_use[: max(0, len(by_use) - MAX_EXEMPLARS)]:
        del into.exemplars[exemplar.text_id]
    into.matrix_cache = None


# -- two of one --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Rebuilding:
    """What a cluster is built again with.

    Attributes:
        clustering: How clusters learn.
        severity: How severity is told.
        vector_of: Gives the vector under a text id, if it is held.
    """

    clustering: ClusteringSettings
    severity: SeveritySettings
    vector_of: Callable[[int], Vector | None]


def take_apart(
    cluster: Cluster,
    members: Sequence[Member],
    moved: Collection[int],
    new_id: int,
    now: int,
    how: Rebuilding,
) -> Cluster:
    """Make of the *moved* members (episode ids) a cluster of their own, and return it.

    Both know then what they would know if each had been given its members one by one. Only a text of
    which the vector is held no more, nor was in use here, counts for neither centre.

    Args:
        cluster: Keeps the others, its id and what operators said of it.
        members: All of *cluster*, in the order in which they came.
        moved: Some of them, not all.
        new_id: Of the new cluster.
        now: Nanoseconds.
        how: Settings, and the vectors of texts.
    """
    rest, made = sides(cluster, members, moved, new_id, now, how)
    made.split_from = cluster.id
    # When which of its kinds was met is not kept of members.
    made.novelty = cluster.novelty
    # Nor is which of them ended when by the senders' clocks.
    made.last_end, made.quiet_at = cluster.last_end, cluster.quiet_at
    if cluster.next_look is not None:
        # What is left may be like another.
        cluster.next_look = 0
    for name in _OF_MEMBERS:
        setattr(cluster, name, getattr(rest, name))
    cluster.matrix_cache = cluster.names_cache = None
    # Whether what is left keeps to itself will be seen when it comes back.
    cluster.patience = 0
    cluster.severity = rest.severity if rest.firing else cluster.severity
    return made


def sides(
    cluster: Cluster,
    members: Sequence[Member],
    moved: Collection[int],
    new_id: int,
    now: int,
    how: Rebuilding,
) -> tuple[Cluster, Cluster]:
    """Return what *cluster* would be without the *moved* members, and these; see `take_apart`."""
    rest, made = (
        _built(
            cluster,
            [m for m in members if (m.id in moved) is goes],
            Cluster(new_id if goes else cluster.id, at, spread=Spread(cluster.spread.within)),
            now,
            how,
        )
        for goes, at in ((False, cluster.opened_at), (True, now))
    )
    return rest, made


_OF_MEMBERS = (
    "joined_at", "first_onset", "last_onset", "member_resolved_at", "idle_since", "size", "firing",
    "stale", "suppressed", "firing_by_severity", "labels", "tokens", "names", "exemplars", "center",
    "confidence_sum", "affected", "gap_count", "gap_sum", "spread", "only",
)  # fmt: skip
"""What of a cluster comes from its members, and from nothing else."""


def _built(
    whole: Cluster, members: Sequence[Member], empty: Cluster, now: int, how: Rebuilding
) -> Cluster:
    """Return *empty* as the cluster of *members*, some of those of *whole*."""
    for member in members:
        exemplar = whole.exemplars.get(member.text_id)
        # Texts used last are kept; those that had given way already give way first.
        empty.moved_no = exemplar.used_no if exemplar else 0
        empty.learn(
            text_id=member.text_id,
            vector=exemplar.vector if exemplar else how.vector_of(member.text_id),
            fingerprint=member.fingerprint,
            onset=min(member.starts_at, member.received_at),
            labels=member.labels,
            tokens=tokens(member.labels, how.severity.label),
            affected_labels=how.clustering.affected_labels,
            learning_rate=how.clustering.learning_rate,
            telling=exemplar.telling if exemplar else 1.0,
            rarity=exemplar.rarity if exemplar else 1.0,
            gaps_kept=evidence.GAPS_KEPT,
        )
        if empty.size:
            # The first is counted as the founder. One that founded a cluster merged into this
            # one was joined by whoever merged.
            joined = 1.0 if member.founder or member.confidence is None else member.confidence
            empty.confidence_sum += joined
        empty.size += 1
        empty.joined_at = max(empty.joined_at, member.received_at)
        told = severity.of(member.labels, how.severity)
        empty.count(member.state, told, 1)
        if member.state in (EpisodeState.STALE, EpisodeState.RESOLVED):
            empty.member_resolved_at = whole.member_resolved_at
        empty.severity = severity.worse(empty.severity, told, how.severity)
    if not empty.goes_on:
        empty.idle_since = whole.idle_since if whole.idle_since is not None else now
    empty.accepting = whole.accepting
    empty.closed_at = None if whole.accepting else now
    return empty
