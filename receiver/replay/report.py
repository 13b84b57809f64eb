"""A replay for people and programs: a line an alert, one document, a table of clusters."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterator
from typing import Any

from receiver.core.evolution import Event, EventType
from receiver.core.scores import Agreement
from receiver.core.timestamps import SECOND, render
from receiver.replay.demands import honours
from receiver.replay.run import Replay


def jsonl(replay: Replay) -> Iterator[str]:
    """Yield the contract's line for each firing input line, in input order."""
    for line in replay.lines:
        document = {
            **line.place,
            "fingerprint": line.fingerprint,
            "startsAt": line.starts_at,
            "assigned": line.assigned,
            "cluster": line.episode.cluster_id if line.episode else None,
            "confidence": line.episode.confidence if line.episode else None,
        }
        if line.error:
            document["error"] = line.error
        yield json.dumps(document)


def report(replay: Replay) -> dict[str, Any]:
    """Return the replay as one document: the noise ledger, outcomes, and what scores there are."""
    outcomes = replay.engine.counters.outcomes
    return {
        "ledger": ledger(replay),
        "outcomes": dict(sorted(outcomes.items())),
        "refused": replay.refused,
        "sizes": sizes(replay),
        "storms": list(replay.storms.values()),
        "stability": replay.engine.stability.report(len(replay.engine.live)),
        **judged(replay),
    }


def ledger(replay: Replay) -> dict[str, int]:
    """Return how many notifications became how many alerts, episodes, clusters and storms."""
    return {
        "notifications": replay.notifications,
        "alerts": sum(replay.engine.counters.outcomes.values()),
        "episodes": replay.count(EventType.ALERT_ASSIGNED),
        "clusters": len(_members(replay)),
        "storms": replay.count(EventType.STORM_STARTED),
    }


def sizes(replay: Replay) -> dict[str, int]:
    """Return how large the clusters are, in episodes."""
    found = [len(events) for events in _members(replay).values()]
    return {
        "largest": max(found, default=0),
        "median": statistics.median_low(found) if found else 0,
        "of_one": found.count(1),
    }


def judged(replay: Replay) -> dict[str, Any]:
    """Return what can be said of how good the clusters are: `scores`, `stored`, `constraints`."""
    found: dict[str, Any] = {}
    truth, store = replay.agreement(), replay.agreement_with_store()
    if truth is not None:
        found["scores"] = agreement_json(truth)
    if store is not None:
        found["stored"] = agreement_json(store)
    if replay.demands:
        found["constraints"] = honours(replay.demands, replay.lines)
    return found


def agreement_json(found: Agreement) -> dict[str, float]:
    """Return *found* as JSON."""
    return {
        "score": round(found.score, 4),
        "f1": round(found.f1, 4),
        "b_cubed": round(found.b_cubed, 4),
        "b_cubed_precision": round(found.b_cubed_precision, 4),
        "b_cubed_recall": round(found.b_cubed_recall, 4),
        "hidden": found.hidden,
        "over_merged": round(found.over_merged, 4),
        "singletons": round(found.singletons, 4),
        "compression": round(found.compression, 2),
    }


def titles(replay: Replay) -> dict[int, str]:
    """Return the title of each cluster once it is no longer provisional, by its id."""
    return {
        event.cluster_id: event.detail["title"]
        for event in (*replay.events, *replay.settling)
        if event.cluster_id is not None and "title" in event.detail
    }


def _members(replay: Replay) -> dict[int, list[Event]]:
    """Return the assignments of each cluster that is one at the end, by its id."""
    final = {
        line.episode.id: line.episode.cluster_id
        for line in replay.lines
        if line.episode is not None
    }
    found: dict[int, list[Event]] = {}
    for event in replay.events:
        if event.type is EventType.ALERT_ASSIGNED and event.alert is not None:
            cluster_id = final.get(event.alert.episode_id, event.cluster_id)
            if cluster_id is not None:
                found.setdefault(cluster_id, []).append(event)
    return found


def table(replay: Replay, limit: int = 40) -> Iterator[str]:
    """Yield the largest clusters as lines of a table, how many more there are, and the storms."""
    told, members = titles(replay), _members(replay)
    yield f"{'cluster':>7}  {'alerts':>6}  {'opened':20}  {'minutes':>7}  title"
    ranked = sorted(members, key=lambda c: (-len(members[c]), c))
    for cluster_id in ranked[:limit]:
        first, last = members[cluster_id][0], members[cluster_id][-1]
        minutes = (last.time - first.time) / SECOND / 60
        yield (
            f"{cluster_id:>7}  {len(members[cluster_id]):>6}  {_moment(first.time):20}  {minutes:>7.1f}"
            f"  {told.get(cluster_id, '')}"
        )
    if len(ranked) > limit:
        rest = sum(len(members[c]) for c in ranked[limit:])
        yield f"    and {len(ranked) - limit} more clusters with {rest} alerts"
    for storm in list(replay.storms.values())[:limit]:
        started, clusters = storm["started_at"][:19].replace("T", " "), len(storm["cluster_ids"])
        yield (
            f"storm {storm['id']}: {started}, {storm['episodes']} new alerts in {clusters} clusters,"
            f" at most {storm['peak_intensity']:g} times the usual"
        )


def _moment(at: int) -> str:
    return render(at)[:19].replace("T", " ")


def summary(replay: Replay) -> str:
    """Return the whole replay in one sentence."""
    counts = ledger(replay)
    times = [event.time for event in replay.events]
    return (
        f"{_span(max(times) - min(times) if times else 0)}:"
        f" {_spell(counts['notifications'], 'notification')} →"
        f" {_spell(counts['clusters'], 'cluster')} → {_spell(counts['storms'], 'storm')}"
    )


def _span(nanoseconds: int) -> str:
    hours = nanoseconds / SECOND / 3600
    return f"{hours / 24:.1f} days" if hours >= 48 else f"{hours:.1f} hours"


def _spell(count: int, noun: str) -> str:
    return f"{count:,} {noun}" + ("" if count == 1 else "s")
