"""How well grouping could go here at all, and what stands in the way: `python -m benchmarks.oracle`.

Ceilings for every labelled stream, each of one that knows the truth and is bound in one way: by what
cannot be told apart, by the candidates that the indexes find, by how long clusters take members, by the
shipped evidence with the best threshold of each stream. Whether what alerts tell separates the groups at
all. Then what the shipped default does wrong, by kind. docs/quality.md explains.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import statistics
import sys
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

from benchmarks import separability, shipped, streams, tables
from benchmarks.confusions import Decision, Judged, Kind, judge
from receiver import config as configuration
from receiver import replay
from receiver.config import Config
from receiver.core import evidence, looks, placing, ranking
from receiver.core.clusters import Cluster
from receiver.core.embedder import Embedder
from receiver.core.engine import Engine
from receiver.core.evolution import Event, EventType
from receiver.core.explain import Placement
from receiver.core.labels import tokens
from receiver.core.live import LiveClusters
from receiver.core.model import Input
from receiver.core.placing import Newcomer, Placing
from receiver.core.scores import Agreement, agreement
from receiver.core.text import masked_text
from receiver.embedding import open_embedder
from receiver.embedding.prepare import prepare

THRESHOLDS = (0.34, 0.39, 0.44, 0.49, 0.54, 0.59, 0.64, 0.69, 0.74)
"""Tried for each stream: five steps to either side of the shipped one, as far as anything changes."""

ALIKE_SECONDS = 60.0
"""Alerts of one text and the same labels so near in time are taken to be indistinguishable."""

LONG = "1d"
"""How long clusters take members for an oracle to whom a group may come back after hours."""

GAPS = (0.0, 60.0, 300.0)
"""Seconds; bounds of the kinds of gaps."""

# -- what cannot be told apart --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Alike:
    """What of a stream cannot be told apart by anything that is told.

    Attributes:
        pairs: Of alerts of different true groups, with the same masked text and label values, within
            ALIKE_SECONDS.
        alerts: How many are in such a pair.
        agreement: Of an oracle that knows all but must put those together that are alike: each such
            lot goes where most of it belongs.
    """

    pairs: int
    alerts: int
    agreement: Agreement


def alike(rows: Sequence[streams.Row], severity_label: str) -> Alike:
    """Return what of the firing ones of *rows* cannot be told apart."""
    told = streams.firing(rows)
    kinds: defaultdict[Hashable, list[int]] = defaultdict(list)
    for i, row in enumerate(told):
        text = masked_text(row["labels"], row["annotations"])
        kinds[text, frozenset(tokens(row["labels"], severity_label))].append(i)
    pairs, involved = 0, set[int]()
    found: list[Hashable] = [row["truth"] for row in told]
    for members in kinds.values():
        for place, i in enumerate(members):
            for j in members[place + 1 :]:
                if told[j]["t"] - told[i]["t"] > ALIKE_SECONDS:
                    break
                if told[j]["truth"] != told[i]["truth"]:
                    pairs += 1
                    involved |= {i, j}
        for lot in _lots(members, [row["t"] for row in told]):
            most = Counter(told[i]["truth"] for i in lot).most_common(1)[0][0]
            for i in lot:
                found[i] = most
    return Alike(pairs, len(involved), agreement([row["truth"] for row in told], found))


def _lots(members: Sequence[int], times: Sequence[float]) -> Iterator[list[int]]:
    """Yield *members* in lots, each of those that came within ALIKE_SECONDS of its first."""
    lot: list[int] = []
    for i in members:
        if lot and times[i] - times[lot[0]] > ALIKE_SECONDS:
            yield lot
            lot = []
        lot.append(i)
    if lot:
        yield lot


# -- what the candidates allow --------------------------------------------------------------------


@dataclass(slots=True)
class Chooser:
    """Chooses among the candidates that the engine finds, knowing the truth.

    Attributes:
        truths: True group by fingerprint and startsAt (nanoseconds).
        groups: True group by cluster, as this chooser made them.
        found, closed, missed: Alerts whose group had a cluster: it was a candidate; it had ceased to
            take members; it took members and was no candidate.
    """

    truths: dict[tuple[str, int], str]
    groups: dict[int, str] = field(default_factory=dict)
    found: int = 0
    closed: int = 0
    missed: int = 0

    @property
    def recall(self) -> float:
        """Share of alerts whose group had a cluster that took members, where it was a candidate."""
        return self.found / (self.found + self.missed) if self.found + self.missed else 1.0

    @contextmanager
    def choosing(self) -> Iterator[None]:
        """Let this choose in every engine meanwhile."""
        place, step, rank = Placing.place, Engine.step, ranking.rank

        def ranked(
            probe: evidence.Probe, candidates: Sequence[Cluster], *weighed: Any
        ) -> list[evidence.Score]:
            # All of them: the engine leaves out those that cannot be among the best.
            background, settings, *_ = weighed
            return rank(probe, candidates, background, settings)

        def chosen(among: Placing, alert: Newcomer, now: int) -> Placement:
            placement = place(among, alert, now)
            truth = self.truths.get((alert.fingerprint, alert.starts_at))
            right = [s.cluster_id for s in placement.scores if self.groups[s.cluster_id] == truth]
            self._count(among._live, truth, found=bool(right))
            return dataclasses.replace(
                placement, cluster_id=right[0] if right else None, confidence=1.0, shared=()
            )

        def noted(engine: Engine, inputs: Iterable[Input]) -> list[Event]:
            # One at a time: the next is placed by what became of this.
            events: list[Event] = []
            for item in inputs:
                for event in step(engine, [item]):
                    events.append(event)
                    alert = event.alert
                    if event.type is EventType.ALERT_ASSIGNED and alert and event.cluster_id:
                        key = alert.fingerprint, alert.starts_at
                        self.groups.setdefault(event.cluster_id, self.truths.get(key, ""))
            return events

        with (
            mock.patch.object(Placing, "place", chosen),
            mock.patch.object(Engine, "step", noted),
            mock.patch.object(placing, "rank_best", ranked),
            # Nor does it merge and split what was put where it belongs.
            mock.patch.object(looks, "twin", return_value=None),
            mock.patch.object(looks, "may_be_two", return_value=False),
        ):
            yield

    def _count(self, clusters: LiveClusters, truth: str | None, *, found: bool) -> None:
        own = [cluster for cluster, group in self.groups.items() if group == truth]
        live = [clusters.by_id[cluster] for cluster in own if cluster in clusters.by_id]
        if found:
            self.found += 1
        elif any(cluster.accepting for cluster in live):
            self.missed += 1
        elif own:
            self.closed += 1


def chosen_by_truth(
    played: replay.Replay, rows: list[streams.Row], config: Config, embedder: Embedder
) -> tuple[Agreement, Chooser]:
    """Return how well *rows*, *played* before, are grouped if the right candidate is always taken."""
    truths = {
        (line.fingerprint, line.episode.starts_at): line.truth
        for line in played.lines
        if line.fingerprint and line.episode and line.truth
    }
    chooser = Chooser(truths)
    with chooser.choosing():
        lines = shipped.play(rows, config, embedder).lines
    return agreement([line.truth for line in lines], [line.assigned for line in lines]), chooser


# -- whether the groups can be told apart ----------------------------------------------------------


def separable(
    rows: Sequence[streams.Row], embedder: Embedder, severity_label: str
) -> dict[str, float]:
    """Return the share of alerts whose neighbour most like them is of their group, by what is told."""
    told = streams.firing(rows)
    times = [row["t"] for row in told]
    texts = [masked_text(row["labels"], row["annotations"]) for row in told]
    places = [frozenset(tokens(row["labels"], severity_label)) for row in told]
    ways = {
        "text": separability.by_text(embedder.embed(texts)),
        "labels": separability.by_labels(places),
        "time": separability.by_time(times),
    }
    ways["all three"] = separability.by_all(list(ways.values()))
    truth = [row["truth"] for row in told]
    return {name: separability.nearest_share(times, truth, way) for name, way in ways.items()}


# -- what goes wrong -------------------------------------------------------------------------------


def decisions(played: replay.Replay, rows: Sequence[streams.Row]) -> list[Decision]:
    """Return what was decided of each episode of *rows*, in the order of arrival."""
    seen: set[int] = set()
    found = []
    for line, row in zip(played.lines, streams.firing(rows), strict=True):
        episode = line.episode
        why: Any = played.whys.get(episode.id) if episode is not None else None
        if episode is None or why is None or episode.id in seen:
            continue
        seen.add(episode.id)
        found.append(
            Decision(
                truth=row["truth"],
                cluster=line.assigned,
                opened=episode.founder,
                best=why["best"],
                runner_up=why["runner_up"],
                name=row["labels"].get("alertname", ""),
                noise=bool(row.get("noise")),
            )
        )
    return found


def kinds(judged: dict[str, list[Judged]]) -> list[list[str]]:
    """Return a table: how often what happened, by stream."""
    rows = [["stream", *Kind]]
    for label, found in judged.items():
        counts = Counter(each.kind for each in found)
        rows.append([label, *(str(counts[kind]) for kind in Kind)])
    return rows


def reasons(found: Sequence[Judged]) -> list[list[str]]:
    """Return a table: each kind of error by the term that misled, the name, the gap, and noise."""
    wrong = [each for each in found if each.kind is not Kind.RIGHT]
    terms = sorted({each.term for each in wrong if each.term})
    head = [*terms, "name new", "name known", *_gap_names(), "noise", "no noise"]
    rows = [["error", "count", *head]]
    for kind in Kind:
        own = [each for each in wrong if each.kind is kind]
        if not own:
            continue
        counts = Counter(each.term for each in own)
        counts.update("name known" if each.name_known else "name new" for each in own)
        counts.update(_gap_name(each.gap_seconds) for each in own)
        counts.update("noise" if each.noise else "no noise" for each in own)
        rows.append([kind, str(len(own)), *(str(counts[name]) for name in head)])
    return rows


def _gap_names() -> list[str]:
    return ["gap 0", *(f"gap to {bound:g} s" for bound in GAPS[1:]), f"gap over {GAPS[-1]:g} s"]


def _gap_name(gap: float | None) -> str:
    if gap is None:
        return "no candidate"
    return _gap_names()[sum(gap > bound for bound in GAPS)]


# -- the command -----------------------------------------------------------------------------------


@dataclass(slots=True)
class Ceiling:
    """All of one stream."""

    shipped: Agreement
    alike: Alike
    candidates: Agreement
    chooser: Chooser
    long: Agreement
    by_threshold: dict[float, Agreement]
    separable: dict[str, float]

    @property
    def threshold(self) -> float:
        """The best for this stream."""
        return max(self.by_threshold, key=lambda t: (self.by_threshold[t].score, -t))


def ceilings(found: dict[str, Ceiling]) -> list[list[str]]:
    """Return a table of all of *found*, with means."""
    head = ["shipped", "best threshold", "(which)", "right candidate", "recall", "closed"]
    rows = [["stream", *head, f"right, open {LONG}", "alike as one", "alike pairs", "alike alerts"]]
    for label, one in found.items():
        figures = [*_scores(one), str(one.alike.pairs), str(one.alike.alerts)]
        figures[2:2] = [f"{one.threshold:.2f}"]
        figures[4:4] = [f"{one.chooser.recall:.3f}", str(one.chooser.closed)]
        rows.append([label, *figures])
    shipped_, best, right, long, alike_ = (
        f"{statistics.fmean(map(float, of)):.3f}"
        for of in zip(*map(_scores, found.values()), strict=True)
    )
    rows.append(["mean", shipped_, best, "", right, "", "", long, alike_, "", ""])
    return rows


def _scores(one: Ceiling) -> list[str]:
    best = one.by_threshold[one.threshold]
    each = (one.shipped, best, one.candidates, one.long, one.alike.agreement)
    return [f"{agreed.score:.3f}" for agreed in each]


def nearest(found: dict[str, Ceiling]) -> list[list[str]]:
    """Return a table: how far what is told separates the groups, by stream."""
    ways = list(next(iter(found.values())).separable)
    rows = [["nearest by", *ways]]
    rows += [
        [label, *(f"{one.separable[way]:.3f}" for way in ways)] for label, one in found.items()
    ]
    return rows


def sweep(found: dict[str, Ceiling]) -> list[list[str]]:
    """Return a table: score by stream and threshold, with means."""
    rows = [["threshold", *found, "mean", "hidden"]]
    for threshold in THRESHOLDS:
        of = [one.by_threshold[threshold] for one in found.values()]
        scores = [each.score for each in of]
        cells = [f"{score:.3f}" for score in [*scores, statistics.fmean(scores)]]
        rows.append([f"{threshold:.2f}", *cells, str(sum(each.hidden for each in of))])
    return rows


def explore(
    config: Config, overrides: Sequence[str], embedder: Embedder, names: Sequence[str]
) -> tuple[dict[str, Ceiling], dict[str, list[Judged]]]:
    """Return ceilings and errors of each of *names*, with and without namespaces."""
    found, judged = {}, {}
    for label, rows in streams.variants(names):
        print(label, file=sys.stderr, flush=True)
        played = shipped.play(rows, config, embedder)
        plain = played.agreement()
        if plain is None:
            raise SystemExit(f"{label}: the stream carries no truth")
        judged[label] = list(judge(decisions(played, rows)))
        best, chooser = chosen_by_truth(played, rows, config, embedder)
        kept = [f"clustering.{name}={LONG}" for name in ("close_after", "resolve_after")]
        patient = configuration.load(None, [*overrides, *kept])
        long, _ = chosen_by_truth(played, rows, patient, embedder)
        by_threshold = {}
        for threshold in THRESHOLDS:
            tried = configuration.load(None, [*overrides, f"clustering.threshold={threshold}"])
            by_threshold[threshold] = shipped.run(rows, tried, embedder)[0]
        found[label] = Ceiling(
            shipped=plain,
            alike=alike(rows, config.severity.label),
            candidates=best,
            chooser=chooser,
            long=long,
            by_threshold=by_threshold,
            separable=separable(rows, embedder, config.severity.label),
        )
    return found, judged


def main() -> None:
    """Explore and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--set", dest="overrides", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--stream", action="append", choices=list(streams.NAMES))
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--write", type=Path, metavar="FILE", help="into the docs' generated block")
    options = parser.parse_args()
    config = configuration.load(None, options.overrides)
    if config.embedding.backend == "onnx":
        prepare(config.embedding, report=lambda line: print(line, file=sys.stderr))
    embedder = replay.Remembering(open_embedder(config.embedding))
    names = options.stream or list(streams.NAMES)
    found, judged = explore(config, options.overrides, embedder, names)
    told = [
        ("Ceilings, by stream", ceilings(found)),
        ("Alerts whose most alike neighbour is of their group", nearest(found)),
        ("The shipped evidence with other thresholds", sweep(found)),
        ("What happened to each alert", kinds(judged)),
        ("What misled, all streams", reasons([each for own in judged.values() for each in own])),
    ]
    for head, rows in told:
        print(f"{head}\n{tables.text(rows)}\n")
    if options.json:
        options.json.write_text(json.dumps(dict(told), indent=2) + "\n", encoding="utf-8")
    if options.write:
        body = "\n\n".join(f"### {head}\n\n{tables.markdown(rows)}" for head, rows in told)
        tables.replace_block(options.write, "oracle", body)


if __name__ == "__main__":
    main()
