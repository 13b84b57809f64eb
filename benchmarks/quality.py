"""How well the shipped default groups, beside other ways: `python -m benchmarks.quality`.

Every labelled stream, with and without its namespace and app labels, through what is shipped and through
every baseline, in one process. The score is (pairwise F1 + B-cubed F1) / 2 over firing alerts; what each
column means is in docs/quality.md.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import statistics
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from benchmarks import baselines, measures, reference, requirements, shipped, streams, tables
from benchmarks.baselines import group_by
from benchmarks.baselines.method import Arrived, Method, text_of
from benchmarks.measures import Grouping
from benchmarks.shipped import play, run
from receiver import config as configuration
from receiver.config import Config
from receiver.core.embedder import Embedder
from receiver.core.scores import agreement
from receiver.embedding import open_embedder
from receiver.embedding.prepare import prepare
from receiver.replay import Remembering

__all__ = ["measure", "play", "run"]

SEEDS = (1, 2, 3)
"""Of the shuffles."""

FORMS = {
    "stormcell, f32 vectors": ["embedding.form=f32"],
    "stormcell, hashed words": ["embedding.backend=hashing"],
}
"""The shipped default with other vectors: the model not quantized, and no model at all as a floor."""

BEST = "group_by, best of all"
BEST_EACH = "group_by, best of each stream"

Result = dict[str, Any]


def figures(label: str, method: str, rows: Sequence[streams.Row], grouping: Grouping) -> Result:
    """Return what *grouping* of the firing ones of *rows* measures, by name."""
    told = streams.firing(rows)
    found = measures.measure([row["t"] for row in told], [row["truth"] for row in told], grouping)
    return {
        "stream": label,
        "method": method,
        "score": found.agreement.score,
        "b_cubed": found.agreement.b_cubed,
        **dataclasses.asdict(found.agreement),
        **{k: v for k, v in dataclasses.asdict(found).items() if k != "agreement"},
    }


def score(rows: Sequence[streams.Row], grouping: Grouping) -> float:
    """Return the score of *grouping* of the firing ones of *rows*."""
    return agreement([row["truth"] for row in streams.firing(rows)], grouping.final).score


def ours(
    label: str,
    rows: list[streams.Row],
    config: Config,
    embedder: Embedder,
    *,
    method: str = requirements.SHIPPED,
    seeds: Sequence[int] = (),
) -> Result:
    """Return what the shipped default makes of *rows*; with *seeds*, whether it is steady too."""
    rows = streams.numbered(rows)
    plain = shipped.group(rows, config, embedder)
    late = streams.delivered(rows)
    result = figures(label, method, rows, plain)
    result["delivered"] = score(late, shipped.group(late, config, embedder))
    if not seeds:
        return result
    likeness, scores = [], []
    for seed in seeds:
        moved = streams.shuffled(rows, seed)
        grouping = shipped.group(moved, config, embedder)
        scores.append(score(moved, grouping))
        likeness.append(measures.likeness(plain.final, _in_order(moved, grouping)))
    result["shuffled"], result["order"] = statistics.fmean(scores), min(likeness)
    twice = shipped.group(streams.repeated(rows), config, embedder).final
    result["repeat_same"] = all(
        measures.same(plain.final, copy) for copy in (twice[0::2], twice[1::2])
    )
    return result


def _in_order(rows: Sequence[streams.Row], grouping: Grouping) -> list[Any]:
    """Return the clusters of *grouping* in the order of the numbers of *rows*."""
    numbers = [row["number"] for row in streams.firing(rows)]
    return [cluster for _, cluster in sorted(zip(numbers, grouping.final, strict=True))]


def measure(
    config: Config, embedder: Embedder, names: Sequence[str], seeds: Sequence[int] = ()
) -> list[Result]:
    """Return a result of the shipped default for each of *names*, with and without namespaces."""
    remembering = Remembering(embedder)
    return [
        ours(label, rows, config, remembering, seeds=seeds)
        for label, rows in streams.variants(names)
    ]


def arrived(rows: Iterable[streams.Row], embedder: Embedder) -> list[Arrived]:
    """Return what a baseline sees of *rows*, firing ones."""
    told = list(rows)
    texts = [text_of(row) for row in told]
    vectors = embedder.embed(texts)
    return [
        Arrived(row["t"], row["labels"], text, vector)
        for row, text, vector in zip(told, texts, vectors, strict=True)
    ]


def theirs(
    label: str, rows: list[streams.Row], methods: Sequence[Method], embedder: Embedder
) -> list[Result]:
    """Return what each of *methods* makes of *rows*."""
    late = streams.delivered(rows)
    plain_alerts = arrived(streams.firing(rows), embedder)
    late_alerts = arrived(streams.firing(late), embedder)
    results = []
    for method in methods:
        result = figures(label, method.name, rows, method.run(plain_alerts))
        result["delivered"] = score(late, method.run(late_alerts))
        results.append(result)
    return results


def best_group_by(results: Sequence[Result]) -> list[Result]:
    """Return, of *results* of many `group_by`, those of the best one, and the best of each stream.

    Both know the truth: nobody who writes a configuration does.
    """
    by_method: dict[str, list[Result]] = {}
    for result in results:
        by_method.setdefault(result["method"], []).append(result)
    name = max(by_method, key=lambda m: statistics.fmean(r["score"] for r in by_method[m]))
    found = [r | {"method": f"{BEST} ({name.removeprefix('group_by ')})"} for r in by_method[name]]
    for label in dict.fromkeys(result["stream"] for result in results):
        best = max((r for r in results if r["stream"] == label), key=lambda r: float(r["score"]))
        found.append(best | {"method": BEST_EACH, "chosen": best["method"]})
    return found


def measure_all(
    config: Config, names: Sequence[str], wanted: Sequence[str], *, fast: bool
) -> tuple[list[Result], list[str]]:
    """Return the results of all methods whose name has one of *wanted*, and what was left out."""

    def asked(name: str) -> bool:
        return not wanted or any(part in name for part in wanted)

    def note(label: str, name: str) -> None:
        print(f"{label}: {name}", file=sys.stderr, flush=True)

    forms = {name: configured(config, more) for name, more in FORMS.items() if asked(name)}
    vectors = {name: Remembering(open_embedder(form.embedding)) for name, form in forms.items()}
    shipped_vectors = Remembering(open_embedder(config.embedding))
    exact = Remembering(open_embedder(configured(config, ["embedding.form=f32"]).embedding))
    methods = [m for m in baselines.METHODS if asked(m.name) and not (fast and m.slow)]
    missing = [f"{m.name}: {m.needs} is not installed" for m in methods if not m.installed]
    methods = [method for method in methods if method.installed]
    results: list[Result] = []
    grid: list[Result] = []
    for label, rows in streams.variants(names):
        if asked(requirements.SHIPPED):
            note(label, requirements.SHIPPED)
            results.append(ours(label, rows, config, shipped_vectors, seeds=SEEDS))
        for name, form in forms.items():
            note(label, name)
            results.append(ours(label, rows, form, vectors[name], method=name))
        note(label, ", ".join(method.name for method in methods))
        results += theirs(label, rows, methods, exact)
        if asked(BEST):
            grid += theirs(label, rows, group_by.grid(), exact)
    results += best_group_by(grid) if grid else []
    return results, missing


def configured(config: Config, overrides: Sequence[str]) -> Config:
    """Return *config* with the embedding that *overrides* name, kept where *config* keeps it."""
    cache = f"embedding.cache_dir={json.dumps(config.embedding.cache_dir)}"
    other = configuration.load(None, [cache, *overrides])
    return dataclasses.replace(config, embedding=other.embedding)


def blocks(results: Sequence[Result], missing: Sequence[str]) -> list[tuple[str, list[list[str]]]]:
    """Return the tables that say it all in short, each with its heading."""
    own = [result for result in results if result["method"] == requirements.SHIPPED]
    known = [
        {"stream": stream, "method": f"{method}, as measured before", "score": value}
        for method, row in reference.SCORES.items()
        for stream, value in row.items()
        if stream in {result["stream"] for result in results}
        and method in {result["method"] for result in results}
    ]
    told = [("All streams, by method", tables.cells(tables.over_streams(results), "method"))]
    told.append(("Score by stream", tables.by_stream([*results, *known], "score")))
    told.append(("Hidden incidents by stream", tables.by_stream(results, "hidden")))
    told.append(("The same, by the most frequent group", tables.by_stream(results, "outvoted")))
    if own:
        told.insert(0, ("The shipped default, by stream", tables.cells(own, "stream")))
    hindsight = BEST_EACH if any(r["method"] == BEST_EACH for r in results) else ""
    met = requirements.check(results, hindsight)
    told.append(("What is asked", requirements.rows(met)))
    if missing:
        told.append(("Left out", [["method"], *([line] for line in missing)]))
    return told


def in_short(results: Sequence[Result]) -> list[list[str]]:
    """Return the table for who wants to know in a minute: the shipped default, and what to beat."""
    keys = ("score", "delivered", "hidden")
    best = [r for r in results if r["method"].partition(" (")[0] in (BEST, BEST_EACH)]
    own = [r for r in results if r["method"] == requirements.SHIPPED]
    rows = [*own, *tables.over_streams([*own, *best])]
    told = [
        {
            "method": r["stream"] if r in own else f"all: {r['method']}",
            **{key: r.get(key) for key in keys},
        }
        for r in rows
    ]
    return tables.cells(told, "method")


def main() -> None:
    """Measure and print."""
    options = _options()
    if not streams.folder().is_dir():
        raise SystemExit(f"{streams.folder()}: the labelled streams are not there")
    config = configuration.load(None, options.overrides)
    # Whatever is shipped, the baselines are run with the model's own vectors.
    exact = configured(config, ["embedding.form=f32"]).embedding
    prepare(exact, report=lambda line: print(line, file=sys.stderr))
    if config.embedding.backend == "onnx":
        prepare(config.embedding, report=lambda line: print(line, file=sys.stderr))
    results, missing = measure_all(
        config, options.stream or list(streams.NAMES), options.only, fast=options.fast
    )
    if options.also:
        now = {_plain_name(result) for result in results}
        earlier = json.loads(options.also.read_text(encoding="utf-8"))
        results = [result for result in earlier if _plain_name(result) not in now] + results
    for label in dict.fromkeys(result["stream"] for result in results):
        own = [result for result in results if result["stream"] == label]
        print(f"{label}\n{tables.text(tables.cells(own, 'method'))}\n")
    told = blocks(results, missing)
    for head, rows in told:
        print(f"{head}\n{tables.text(rows)}\n")
    if options.json:
        options.json.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    bodies = {
        "quality": "\n\n".join(f"### {head}\n\n{tables.markdown(rows)}" for head, rows in told),
        "quality in short": tables.markdown(in_short(results)),
    }
    for path in options.write:
        tables.replace_blocks(path, bodies)


def _plain_name(result: Result) -> str:
    """Return the method without what was chosen for it in this run."""
    return str(result["method"]).partition(" (")[0]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--set", dest="overrides", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--stream", action="append", choices=list(streams.NAMES))
    parser.add_argument(
        "--only", action="append", default=[], metavar="PART", help="methods whose name has PART"
    )
    parser.add_argument("--fast", action="store_true", help="without the slow baselines")
    parser.add_argument("--json", type=Path, metavar="FILE", help="every figure of every run")
    parser.add_argument(
        "--also", type=Path, metavar="FILE", help="methods of an earlier --json, not run now"
    )
    parser.add_argument(
        "--write", type=Path, action="append", default=[], metavar="FILE",
        help="into the generated blocks of a document",
    )  # fmt: skip
    return parser.parse_args()


if __name__ == "__main__":
    main()
