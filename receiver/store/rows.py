"""Between the objects of the core and the rows of the tables; no SQL runs in here."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from sys import intern
from typing import Any

import numpy as np
from numpy.typing import NDArray

from receiver.core import companions
from receiver.core.changes import Counters
from receiver.core.clusters import Cluster, ClusterState, Exemplar
from receiver.core.constraints import Constraint, Kind
from receiver.core.evolution import AlertRef, Event, EventType
from receiver.core.habit import Habit
from receiver.core.kinds import Novelty
from receiver.core.model import Alert, Ending, Episode, EpisodeState, Member, Status, Vector
from receiver.core.past import PastCluster, most
from receiver.core.spread import Spread

EPISODE_COLUMNS = (
    "id", "fingerprint", "starts_at", "ends_at", "state", "reopen_no", "after", "received_at",
    "last_seen", "senders", "superseded", "reopened", "flaps", "habit", "cluster_id", "founder",
    "confidence", "text_id", "standing",
)  # fmt: skip
CLUSTER_COLUMNS = (
    "id", "state", "accepting", "opened_at", "updated_at", "closed_at", "resolved_at", "size", "firing",
    "stale", "severity", "title", "titled_at", "labels", "recurs", "merged_into", "split_from",
    "pinned", "acked_by", "note", "own_title", "affected", "moved_no", "joined_at", "first_onset",
    "last_onset", "gap_count", "gap_sum", "member_resolved_at", "idle_since", "confidence_sum",
    "profile", "center",
)  # fmt: skip
EVENT_COLUMNS = (
    "seq", "time", "type", "cluster_id", "cluster_size", "cluster_firing", "total_clusters", "episode_id",
    "fingerprint", "starts_at", "confidence", "reason", "detail",
)  # fmt: skip


def dump(value: object) -> str:
    """Return *value* as compact JSON; text stays readable for LIKE."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def dump_optional(value: object | None) -> str | None:
    """Return *value* as `dump` does, or None for None."""
    return None if value is None else dump(value)


def load_optional(text: str | None) -> Any:
    """Return what `dump_optional` was given."""
    return None if text is None else json.loads(text)


def _sharing(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return *pairs* of a JSON object as a dict; what comes again and again is held once."""
    return {
        intern(name): intern(value) if isinstance(value, str) else value for name, value in pairs
    }


_load = json.JSONDecoder(object_pairs_hook=_sharing).decode
"""Reads JSON of what stays in memory: labels, and all that is counted by them."""


def _habit_row(habit: Habit) -> list[float] | None:
    """Return *habit* as stored; None for that of an alert that never came back."""
    return None if habit == Habit() else [habit.gaps, habit.gap_sum, habit.alone, habit.company]


_UNTOLD = (None, False, False, 0, "told")
"""The standing of most episodes, which is not stored."""


def _standing_row(episode: Episode) -> str | None:
    """Return what else is known of *episode*, as stored; None for what is so of most."""
    standing = (
        episode.vouched_until,
        episode.only_vouched,
        episode.listed,
        episode.held_until,
        episode.ending.value,
    )
    return None if standing == _UNTOLD else dump(standing)


def episode_row(episode: Episode) -> tuple[Any, ...]:
    """Return *episode* in the order of EPISODE_COLUMNS."""
    return (
        episode.id,
        episode.fingerprint,
        episode.starts_at,
        episode.ends_at,
        episode.state.value,
        episode.reopen_no,
        episode.after,
        episode.received_at,
        episode.last_seen,
        dump(episode.senders) if episode.senders else None,
        episode.superseded,
        episode.reopened,
        episode.flaps,
        dump_optional(_habit_row(episode.habit)),
        episode.cluster_id,
        episode.founder,
        episode.confidence,
        episode.text_id,
        _standing_row(episode),
    )


def episode_of(row: sqlite3.Row) -> Episode:
    """Return the episode of a *row* that also has the alert's `labels`."""
    vouched_until, only_vouched, listed, held_until, ending = (
        load_optional(row["standing"]) or _UNTOLD
    )
    return Episode(
        id=row["id"],
        fingerprint=row["fingerprint"],
        labels=_load(row["labels"]),
        starts_at=row["starts_at"],
        ends_at=row["ends_at"],
        state=EpisodeState(row["state"]),
        reopen_no=row["reopen_no"],
        after=row["after"],
        received_at=row["received_at"],
        last_seen=row["last_seen"],
        senders=load_optional(row["senders"]) or {},
        superseded=bool(row["superseded"]),
        reopened=row["reopened"],
        flaps=row["flaps"],
        habit=Habit(*(load_optional(row["habit"]) or ())),
        cluster_id=row["cluster_id"],
        founder=bool(row["founder"]),
        confidence=row["confidence"],
        text_id=row["text_id"],
        vouched_until=vouched_until,
        only_vouched=only_vouched,
        listed=listed,
        held_until=held_until,
        ending=Ending(ending),
    )


def member_of(row: sqlite3.Row) -> Member:
    """Return the member of a *row* of an episode that also has the alert's `labels`."""
    return Member(
        id=row["id"],
        fingerprint=row["fingerprint"],
        labels=json.loads(row["labels"]),
        starts_at=row["starts_at"],
        received_at=row["received_at"],
        state=EpisodeState(row["state"]),
        text_id=row["text_id"],
        founder=bool(row["founder"]),
        confidence=row["confidence"],
    )


def constraint_row(constraint: Constraint) -> tuple[Any, ...]:
    """Return *constraint* in the order of its table's columns."""
    return (
        constraint.seq,
        constraint.kind.value,
        constraint.time,
        constraint.source,
        constraint.target,
        dump(constraint.sides),
    )


def constraint_of(row: sqlite3.Row) -> Constraint:
    """Return the constraint of *row*."""
    one, other = json.loads(row["sides"])
    return Constraint(
        seq=row["seq"],
        kind=Kind(row["kind"]),
        time=row["time"],
        source=row["source"],
        target=row["target"],
        sides=(tuple(one), tuple(other)),
    )


def told_row(alert: Alert) -> tuple[str, str, str, str]:
    """Return annotations, generator_url, links and sender_fingerprint of *alert*, as stored."""
    return (
        dump(dict(alert.annotations)),
        alert.generator_url,
        dump(dict(alert.links)),
        alert.sender_fingerprint,
    )


def alert_of(row: sqlite3.Row) -> Alert:
    """Return what was last told of the episode of *row*, which also has `labels`, as of one that fires."""
    return Alert(
        fingerprint=row["fingerprint"],
        sender_fingerprint=row["sender_fingerprint"] or row["fingerprint"],
        status=Status.FIRING,
        labels=_load(row["labels"]),
        annotations=json.loads(row["annotations"]),
        starts_at=row["starts_at"],
        generator_url=row["generator_url"],
        links=json.loads(row["links"]),
    )


def cluster_row(cluster: Cluster) -> tuple[Any, ...]:
    """Return *cluster* in the order of CLUSTER_COLUMNS; of one that is over, what it is found by."""
    novelty = cluster.novelty
    profile: dict[str, Any] = {
        "spread": cluster.spread.dump(),
        "ended": cluster.ended,
        "only": cluster.only,
        "quiet": [cluster.last_end, cluster.quiet_at],
        "novelty": [novelty.met, novelty.new, novelty.unknown, novelty.first_seen],
    }
    if not cluster.live:
        profile |= {"tokens": most(cluster.tokens), "names": most(cluster.names)}
    else:
        profile |= {
            "tokens": cluster.tokens,
            "names": cluster.names,
            "next_look": cluster.next_look,
            "patience": cluster.patience,
            "firing_by_severity": cluster.firing_by_severity,
            "suppressed": cluster.suppressed,
            "links": list(cluster.links.items()),
            "titled": [cluster.titled_size, cluster.title_seen_at, cluster.retitled],
            "exemplars": [
                [e.text_id, e.fingerprint, e.count, e.onset, e.used_no, e.telling, e.rarity]
                for e in cluster.exemplars.values()
            ],
        }
    return (
        cluster.id,
        cluster.state.value,
        cluster.accepting,
        cluster.opened_at,
        cluster.updated_at,
        cluster.closed_at,
        cluster.resolved_at,
        cluster.size,
        cluster.firing,
        cluster.stale,
        cluster.severity,
        cluster.title,
        cluster.titled_at,
        dump(cluster.labels),
        dump_optional(cluster.recurs),
        cluster.merged_into,
        cluster.split_from,
        cluster.pinned,
        cluster.acked_by,
        cluster.note,
        cluster.own_title,
        dump(cluster.affected),
        cluster.moved_no,
        cluster.joined_at,
        cluster.first_onset,
        cluster.last_onset,
        cluster.gap_count,
        cluster.gap_sum,
        cluster.member_resolved_at,
        cluster.idle_since,
        cluster.confidence_sum,
        dump(profile),
        None if cluster.center is None else cluster.center.tobytes(),
    )


class Vectors:
    """The vectors of texts by id, a copy of each: who has one keeps no other alive."""

    def __init__(self, text_ids: Sequence[int], vectors: NDArray[np.float32] | None) -> None:
        """Find in *vectors*, shape (len(text_ids), dims), the one of each id; None is of no text."""
        self._places = {text_id: place for place, text_id in enumerate(text_ids)}
        self._vectors = vectors
        self._copies: dict[int, Vector] = {}

    def __contains__(self, text_id: int) -> bool:
        return text_id in self._places

    def __getitem__(self, text_id: int) -> Vector:
        assert self._vectors is not None, "no ids, no vectors"
        if text_id not in self._copies:
            self._copies[text_id] = self._vectors[self._places[text_id]].copy()
        return self._copies[text_id]


def cluster_of(row: sqlite3.Row, vectors: Vectors | None = None) -> Cluster:
    """Return the cluster of *row*; its exemplars only if their *vectors* by text id are given."""
    cluster = Cluster(
        id=row["id"],
        state=ClusterState(row["state"]),
        accepting=bool(row["accepting"]),
        opened_at=row["opened_at"],
        updated_at=row["updated_at"],
        closed_at=row["closed_at"],
        resolved_at=row["resolved_at"],
        size=row["size"],
        firing=row["firing"],
        stale=row["stale"],
        severity=row["severity"],
        title=row["title"],
        titled_at=row["titled_at"],
        labels=_load(row["labels"]),
        recurs=load_optional(row["recurs"]),
        merged_into=row["merged_into"],
        split_from=row["split_from"],
        pinned=bool(row["pinned"]),
        acked_by=row["acked_by"],
        note=row["note"],
        own_title=bool(row["own_title"]),
        affected=_load(row["affected"]),
        moved_no=row["moved_no"],
        joined_at=row["joined_at"],
        first_onset=row["first_onset"],
        last_onset=row["last_onset"],
        gap_count=row["gap_count"],
        gap_sum=row["gap_sum"],
        member_resolved_at=row["member_resolved_at"],
        idle_since=row["idle_since"],
        confidence_sum=row["confidence_sum"],
        center=None if row["center"] is None else vector_of(row["center"]),
    )
    profile = None if row["profile"] is None else _load(row["profile"])
    # Before spread was told, only live clusters had a profile, and none a spread.
    if profile is not None and "spread" in profile:
        cluster.spread = Spread.of(profile["spread"])
        # Before 0008_standing none of this was known.
        cluster.last_end, cluster.quiet_at = profile.get("quiet", (0, None))
        cluster.suppressed = profile.get("suppressed", 0)
    if profile is not None and "names" in profile:
        cluster.tokens = profile["tokens"]
        cluster.names = profile["names"]
        cluster.firing_by_severity = profile.get("firing_by_severity", {})
        cluster.links = dict(profile.get("links", ()))
        # Of a cluster from before this was kept, the title is taken for that of what it was then.
        cluster.titled_size, cluster.title_seen_at, cluster.retitled = profile.get(
            "titled", (cluster.size, None, False)
        )
        # Before 0006_past there were none of these, and whether it recurs an earlier one was final.
        cluster.next_look = profile.get("next_look")
        cluster.novelty = Novelty(*profile.get("novelty", ()))
        cluster.ended = profile.get("ended", "")
        cluster.only, cluster.patience = profile.get("only", ""), profile.get("patience", 0)
        for text_id, fingerprint, count, onset, used_no, *told in profile.get("exemplars", ()):
            if vectors is not None and text_id in vectors:
                # Before 0004_evidence and 0007_company this was not known.
                telling, rarity = (*told, 1.0, 1.0)[:2]
                cluster.exemplars[text_id] = Exemplar(
                    text_id, fingerprint, count, onset, used_no, telling, rarity, vectors[text_id]
                )
    return cluster


PAST_COLUMNS = (
    "id", "size", "opened_at", "resolved_at", "title", "profile", "center",
)  # fmt: skip


def past_of(row: sqlite3.Row) -> PastCluster:
    """Return what is remembered of the cluster of *row*, which is over."""
    profile = load_optional(row["profile"]) or {}
    return PastCluster.of(
        Cluster(
            id=row["id"],
            size=row["size"],
            opened_at=row["opened_at"],
            resolved_at=row["resolved_at"],
            title=row["title"],
            tokens=profile.get("tokens", {}),
            names=profile.get("names", {}),
            ended=profile.get("ended", ""),
            only=profile.get("only", ""),
            center=None if row["center"] is None else vector_of(row["center"]),
        )
    )


def company_row(row: companions.Row) -> tuple[Any, ...]:
    """Return *row* in the order of the columns of `companions`."""
    *figures, met = row
    return (*figures, dump(list(met.items())))


def company_of(row: sqlite3.Row, ids: dict[int, int]) -> companions.Row:
    """Return what gave `company_row`; *ids* has each id once, by itself, and takes up new ones.

    Ten thousand texts with sixteen companions each are some numbers that come again and again.
    """
    text_id, onsets, at, latest, order_no, met = tuple(row)
    shared = {ids.setdefault(other, other): count for other, count in json.loads(met)}
    return ids.setdefault(text_id, text_id), onsets, at, latest, order_no, shared


def survivor(db: sqlite3.Connection, cluster_id: int) -> sqlite3.Row | None:
    """Return the row of a cluster, or of the one it was merged into in the end; None if none is."""
    while True:
        row: sqlite3.Row | None = db.execute(
            "SELECT * FROM clusters WHERE id = ?", (cluster_id,)
        ).fetchone()
        if row is None or row["merged_into"] is None:
            return row
        cluster_id = row["merged_into"]


def vector_of(data: bytes) -> Vector:
    """Return the vector that *data* holds, as 32-bit floats."""
    return np.frombuffer(data, dtype=np.float32).copy()


def event_row(event: Event) -> tuple[Any, ...]:
    """Return *event* in the order of EVENT_COLUMNS."""
    alert = event.alert
    return (
        event.seq,
        event.time,
        event.type.value,
        event.cluster_id,
        event.cluster_size,
        event.cluster_firing,
        event.total_clusters,
        alert.episode_id if alert else None,
        alert.fingerprint if alert else None,
        alert.starts_at if alert else None,
        event.confidence,
        event.reason,
        dump(dict(event.detail)) if event.detail else None,
    )


def event_of(row: sqlite3.Row) -> Event:
    """Return the event of a *row* that also has the alert's `labels`."""
    alert = None
    if row["episode_id"] is not None:
        labels = load_optional(row["labels"]) or {}
        alert = AlertRef(row["episode_id"], row["fingerprint"], row["starts_at"], labels)
    return Event(
        seq=row["seq"],
        time=row["time"],
        type=EventType(row["type"]),
        cluster_id=row["cluster_id"],
        cluster_size=row["cluster_size"],
        cluster_firing=row["cluster_firing"],
        total_clusters=row["total_clusters"],
        alert=alert,
        confidence=row["confidence"],
        reason=row["reason"],
        detail=load_optional(row["detail"]) or {},
    )


def counters_row(counters: Counters) -> str:
    """Return *counters* as JSON."""
    return dump({name: getattr(counters, name) for name in Counters.__slots__})


def counters_of(text: str) -> Counters:
    """Return what `counters_row` was given."""
    return Counters(**json.loads(text))
