"""Shows what clusters are called, and counts how often that changes: `python -m benchmarks.titles`.

Of each labelled stream, or of the files named, it prints the clusters with the titles that each had and
when, and at the end how many titles changed in their cluster's first two minutes, and after. To be read
as somebody whom the pager woke.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks import streams
from receiver import config as configuration
from receiver import replay
from receiver.core.clusters import TITLE_SETTLES_AFTER
from receiver.core.evolution import Event, EventType
from receiver.core.timestamps import seconds
from receiver.embedding import open_embedder
from receiver.embedding.prepare import prepare


def histories(played: replay.Replay) -> list[list[Event]]:
    """Return the events that gave each cluster of *played* a title, the first of each being its birth."""
    found: dict[int | None, list[Event]] = {}
    for event in played.events:
        if "title" in event.detail:
            found.setdefault(event.cluster_id, []).append(event)
    return list(found.values())


def changes(history: list[Event]) -> tuple[int, int]:
    """Return how often a title changed in the first two minutes of its cluster, and after."""
    born = history[0].time
    late = sum(event.time - born > TITLE_SETTLES_AFTER for event in history)
    return len(history) - 1 - late, late


def main() -> None:
    """Print titles and counts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", type=Path, help="JSONL; default: the labelled streams")
    parser.add_argument("--show", type=int, default=40, help="clusters shown of each file")
    options = parser.parse_args()
    settings = configuration.Config()
    prepare(settings.embedding, report=lambda line: print(line, file=sys.stderr))
    embedder = open_embedder(settings.embedding)
    known = [streams.folder() / name for name in streams.NAMES.values()]
    counts = []
    for path in options.files or known:
        played = replay.run([path], settings, embedder)
        sizes: dict[int | None, int] = {}
        for event in played.events:
            if event.type is EventType.ALERT_ASSIGNED:
                sizes[event.cluster_id] = sizes.get(event.cluster_id, 0) + 1
        all_of_it = histories(played)
        for history in all_of_it[:: max(1, len(all_of_it) // options.show)]:
            print(f"{sizes.get(history[0].cluster_id, 0):>5}  {_told(history)}")
        early, late = zip(*map(changes, all_of_it), strict=True)
        counts.append((path.name, len(all_of_it), sum(early), sum(late), max(late)))
    embedder.close()
    print(f"{'stream':32}  clusters  changes within 2 min  after  most after, of one cluster")
    for name, clusters, early_sum, late_sum, most in counts:
        print(f"{name:32}  {clusters:>8}  {early_sum:>20}  {late_sum:>5}  {most:>26}")


def _told(history: list[Event]) -> str:
    born = history[0].time
    return " → ".join(f"{seconds(e.time - born):.0f} s: {e.detail['title']}" for e in history)


if __name__ == "__main__":
    main()
