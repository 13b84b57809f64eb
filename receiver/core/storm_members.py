"""Which clusters are of a storm, and which alerts stand for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

from receiver.core import severity
from receiver.core.model import Episode
from receiver.core.severity import SeveritySettings

_LEAST = 3
"""Episodes: one alert, or the pair that a rule and its stricter twin make, is a trouble of its own
that happens to start now. Such stay outside, where they are seen."""

_SHARE = 0.02
"""Of a storm's episodes. In a storm of a thousand, what has fewer than twenty is not what it is about."""

_HALF = 0.5
"""Of a storm's episodes that its clusters hold at least, where clusters of `_LEAST` allow: a storm in
a hundred small pieces, none with the share, is still a storm of these and not of nothing."""

_MOST = 100
"""Clusters listed, the largest: it bounds messages, and `_HALF` is met with less unless all are tiny."""

_REPRESENTATIVES = 5
"""What is read at a glance, and fits into a page's first screen or a chat message."""


def members(tally: Mapping[int, int], episodes: int) -> list[int]:
    """Return the ids of the clusters that a storm is about, the largest part of it first.

    Args:
        tally: Counted episodes by cluster id.
        episodes: Counted episodes of the whole storm.
    """
    held, half = 0, 0
    # Of thousands of clusters most are small: those are counted, and only the others put in order.
    for count, clusters in sorted(Counter(tally.values()).items(), reverse=True):
        held += count * clusters
        if held >= _HALF * episodes:
            half = count
            break
    least = max(_LEAST, min(_SHARE * episodes, half))
    ranked = sorted((-count, cluster_id) for cluster_id, count in tally.items() if count >= least)
    return [cluster_id for _, cluster_id in ranked[:_MOST]]


def representatives(
    clusters: Sequence[int],
    firing: Iterable[Episode],
    before: Collection[Mapping[str, Any]],
    settings: SeveritySettings,
) -> list[dict[str, Any]]:
    """Return at most five alerts that stand for a storm, as the public sees them.

    One of each cluster before a second of any; of a cluster the worst first, and one of each name
    before a second of any, for two of a name tell little more than one.

    Args:
        clusters: The storm's clusters, the largest first.
        firing: Open episodes that came with the storm, in any order, others among them.
        before: The representatives so far: those that fire no more fill up what is left.
        settings: How severity is told.
    """
    found: dict[int | None, list[Episode]] = {cluster_id: [] for cluster_id in clusters}
    for episode in firing:
        if episode.cluster_id in found:
            found[episode.cluster_id].append(episode)
    ranked: list[tuple[int, int, Episode]] = []
    # One of each of so many, and there is no room for those of others.
    fire = islice((episodes for episodes in found.values() if episodes), _REPRESENTATIVES)
    for place, episodes in enumerate(fire):
        ranked += [
            (turn, place, episode) for turn, episode in enumerate(_in_order(episodes, settings))
        ]
    ranked.sort(key=lambda entry: entry[:2])
    chosen = [
        {"fingerprint": e.fingerprint, "cluster_id": e.cluster_id, "labels": dict(e.labels)}
        for _, _, e in ranked[:_REPRESENTATIVES]
    ]
    told = {entry["fingerprint"] for entry in chosen}
    chosen += [
        dict(entry)
        for entry in before
        if entry["cluster_id"] in found and entry["fingerprint"] not in told
    ]
    return chosen[:_REPRESENTATIVES]


def _in_order(episodes: list[Episode], settings: SeveritySettings) -> list[Episode]:
    """Return the first *episodes* of a cluster that may stand for it, the best first."""

    def worst(episode: Episode) -> tuple[int, int]:
        return -severity.rank(severity.of(episode.labels, settings), settings), episode.id

    by_name: dict[str, list[Episode]] = {}
    for episode in sorted(episodes, key=worst):
        by_name.setdefault(episode.labels.get("alertname", ""), []).append(episode)
    firsts = [same[0] for same in by_name.values()]
    seconds = sorted((e for same in by_name.values() for e in same[1:]), key=worst)
    return (firsts + seconds)[:_REPRESENTATIVES]
