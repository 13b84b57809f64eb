"""The public JSON of clusters and alerts: one form for API, stream and page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from receiver.core import severity
from receiver.core.clusters import Cluster
from receiver.core.constraints import Constraint
from receiver.core.model import Episode
from receiver.core.severity import SeveritySettings
from receiver.core.spread import Along, First
from receiver.core.timestamps import render, render_optional

_AFFECTED_SHOWN = 8
"""Values of one label in a cluster's own JSON, which is sent with each of its changes."""

_VALUES_SHOWN = 50
"""Values of one differing label that are listed."""


def cluster_json(cluster: Cluster) -> dict[str, Any]:
    """Return *cluster* as the public sees it."""
    confidence = cluster.confidence
    return {
        "id": cluster.id,
        "title": cluster.title,
        "state": cluster.state.value,
        "accepting": cluster.accepting,
        "severity": cluster.severity,
        "size": cluster.size,
        "firing": cluster.firing,
        "suppressed": cluster.suppressed,
        "stale": cluster.stale,
        "opened_at": render(cluster.opened_at),
        "updated_at": render(cluster.updated_at),
        "closed_at": render_optional(cluster.closed_at),
        "resolved_at": render_optional(cluster.resolved_at),
        "source_quiet_at": render_optional(cluster.quiet_at),
        "labels": dict(cluster.labels),
        "affected": {
            name: dict(
                sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:_AFFECTED_SHOWN]
            )
            for name, counts in cluster.affected.items()
        },
        "spread": cluster.spread.to_json(cluster.size, cluster.first_onset),
        "confidence": None if confidence is None else round(confidence, 4),
        "recurs": None if cluster.recurs is None else dict(cluster.recurs),
        # What is like an earlier one is not novel, whatever it is called.
        "novel": cluster.novelty.novel if cluster.recurs is None else False,
        "first_seen": render_optional(cluster.novelty.first_seen),
        "merged_into": cluster.merged_into,
        "split_from": cluster.split_from,
        "pinned": cluster.pinned,
        "acked_by": cluster.acked_by,
        "note": cluster.note,
    }


def constraint_json(constraint: Constraint) -> dict[str, Any]:
    """Return *constraint* as the public sees it; `seq` is what undoes it."""
    return {
        "seq": constraint.seq,
        "kind": constraint.kind.value,
        "made_at": render(constraint.time),
        "from": constraint.source,
        "into": constraint.target,
        "alerts": constraint.named,
    }


def alert_json(
    episode: Episode, told: Mapping[str, Any], settings: SeveritySettings
) -> dict[str, Any]:
    """Return *episode* as the public sees it.

    Args:
        episode: Which.
        told: What the sender last said of it: annotations, generatorURL, links, sender_fingerprint.
        settings: How severity is told.
    """
    return {
        "fingerprint": episode.fingerprint,
        "state": "firing" if episode.fires else episode.state.value,
        "severity": severity.of(episode.labels, settings),
        "labels": dict(episode.labels),
        "annotations": told["annotations"],
        "startsAt": render(episode.starts_at),
        "endsAt": render_optional(episode.ends_at),
        "ending": None if episode.ends_at is None else episode.ending.value,
        "generatorURL": told["generatorURL"],
        "links": told["links"],
        "sender_fingerprint": told["sender_fingerprint"],
        "episode_id": episode.id,
        "received_at": render(episode.received_at),
        "last_seen": render(episode.last_seen),
        "superseded": episode.superseded,
        "reopened": episode.reopened,
        "flaps": episode.flaps,
        "cluster_id": episode.cluster_id,
        "confidence": episode.confidence,
    }


def differing(members: Sequence[Episode]) -> dict[str, dict[str, int]]:
    """Return, of each label that not all *members* share, how many have which value."""
    values: dict[str, Counter[str]] = {}
    for episode in members:
        for name, value in episode.labels.items():
            values.setdefault(name, Counter())[value] += 1
    return {
        name: dict(counts.most_common(_VALUES_SHOWN))
        for name, counts in sorted(values.items())
        if len(counts) > 1 or sum(counts.values()) < len(members)
    }


def cascade(members: Sequence[Episode], within: int) -> dict[str, list[dict[str, Any]]]:
    """Return, of each label with several values, its values by when one of them first fired.

    By startsAt, not by receipt; an order of firing, not of cause. Those less than *within*
    nanoseconds after the first of a wave are of that wave.
    """
    found: dict[str, Along] = {}
    for episode in members:
        first = First(episode.starts_at, episode.fingerprint, "")
        for name, value in episode.labels.items():
            found.setdefault(name, Along()).note(value, first, most=_VALUES_SHOWN)
    return {
        name: [
            {"value": value, "first_at": render(first.onset), "wave": number}
            for number, wave in enumerate(along.waves(within), start=1)
            for value, first in wave
        ]
        for name, along in sorted(found.items())
        if len(along.firsts) > 1
    }
