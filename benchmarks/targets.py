"""What is asked of speed and memory, held against what was measured: a line each, met or not.

The targets are for two processors; what the textbook asks stands beside them.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Figures = Mapping[str, float]
"""All that was measured, under `BENCHMARK.FIGURE`."""


@dataclass(frozen=True, slots=True)
class Limit:
    """A bound for one figure.

    Attributes:
        key: `BENCHMARK.FIGURE`.
        sign: "<=" or ">=".
        bound: In the figure's unit.
        words: How the figure is told; one pair of braces, for its value.
    """

    key: str
    sign: str
    bound: float
    words: str

    def holds(self, figures: Figures) -> bool | None:
        """Whether it holds; None if that was not measured."""
        if self.key not in figures:
            return None
        return _COMPARED[self.sign](figures[self.key], self.bound)

    def told(self, figures: Figures) -> str:
        """Return the figure in words."""
        return self.words.format(figures[self.key]) if self.key in figures else ""


_COMPARED: dict[str, Callable[[float, float], bool]] = {"<=": operator.le, ">=": operator.ge}


@dataclass(frozen=True, slots=True)
class Target:
    """One requirement.

    Attributes:
        what: Of what.
        asked: In words.
        limits: All must hold.
        textbook: What the textbook asks, in words; "" for nothing.
        textbook_limits: All must hold for that.
    """

    what: str
    asked: str
    limits: Sequence[Limit]
    textbook: str = ""
    textbook_limits: Sequence[Limit] = ()


_REAL = "realtime_performance"

TARGETS = (
    Target(
        "an alert, receipt to clustered, new text, 50,000 vectors",
        "p50 ≤ 4 ms, p99 ≤ 12 ms",
        (
            Limit(f"{_REAL}.new_p50_ms_50k", "<=", 4.0, "p50 {:.1f} ms"),
            Limit(f"{_REAL}.new_p99_ms_50k", "<=", 12.0, "p99 {:.1f} ms"),
        ),
        "mean < 15, p95 < 25, p99 < 50 ms",
        (
            Limit(f"{_REAL}.new_mean_ms_50k", "<=", 15.0, "mean {:.1f} ms"),
            Limit(f"{_REAL}.new_p95_ms_50k", "<=", 25.0, "p95 {:.1f} ms"),
            Limit(f"{_REAL}.new_p99_ms_50k", "<=", 50.0, "p99 {:.1f} ms"),
        ),
    ),
    Target(
        "an alert with a known text, 50,000 vectors",
        "p50 ≤ 0.4 ms of CPU",
        (
            Limit(f"{_REAL}.storm_cpu_p50_ms_50k", "<=", 0.4, "{:.2f} ms, 64 in a webhook"),
            Limit(f"{_REAL}.known_cpu_p50_ms_50k", "<=", 0.4, "{:.2f} ms alone"),
        ),
    ),
    Target(
        "a search in 50,000",
        "p99 ≤ 0.3 ms at a recall ≥ 0.99",
        (
            Limit(f"{_REAL}.search_p99_ms_50k", "<=", 0.3, "p99 {:.2f} ms"),
            Limit(f"{_REAL}.search_recall_50k", ">=", 0.99, "recall {:.3f}"),
        ),
        "< 5 ms",
        (Limit(f"{_REAL}.search_p99_ms_50k", "<=", 5.0, "p99 {:.2f} ms"),),
    ),
    Target(
        "1,000 alerts with new texts through Alertmanager",
        "clustered ≤ 4 s after the first webhook, none lost",
        (
            Limit("load.alertmanager_each_s", "<=", 4.0, "{:.1f} s, a webhook an alert"),
            Limit("load.alertmanager_name_s", "<=", 4.0, "{:.1f} s, one a name"),
            Limit("load.alertmanager_each_lost", "<=", 0.0, "{:.0f} lost"),
            Limit("load.alertmanager_name_lost", "<=", 0.0, "{:.0f} lost"),
        ),
        "300 s",
        (Limit("load.alertmanager_each_s", "<=", 300.0, "{:.1f} s"),),
    ),
    Target(
        "sustained, 5 % new texts",
        "≥ 2,000 alerts/s, none lost, memory flat (within 10 MB)",
        (
            # What is offered is 2,000 a second; the last of it takes a moment more.
            Limit("load.sustained_per_second", ">=", 1950.0, "{:,.0f} alerts/s"),
            Limit("load.sustained_lost", "<=", 0.0, "{:.0f} lost"),
            Limit("load.sustained_memory_growth_mb", "<=", 10.0, "{:+.0f} MB in the second half"),
        ),
        "10,000 a day",
        (Limit("load.sustained_per_second", ">=", 10_000 / 86_400, "{:,.0f} alerts/s"),),
    ),
    Target(
        "10,000 webhooks at once",
        "none lost",
        (Limit("load.at_once_lost", "<=", 0.0, "{:.0f} lost"),),
    ),
    Target(
        "resident memory, 50,000 vectors and 2,000 clusters",
        "at rest ≤ 300 MB, peak ≤ 400 MB",
        (
            Limit("memory.rest_mb", "<=", 300.0, "at rest {:.0f} MB"),
            Limit("memory.peak_mb", "<=", 400.0, "peak {:.0f} MB"),
        ),
        "500 MB",
        (Limit("memory.peak_mb", "<=", 500.0, "peak {:.0f} MB"),),
    ),
    Target(
        "cost of an alert at 500,000 vectors over that at 5,000",
        "≤ 2 times",
        (
            Limit(f"{_REAL}.growth_ratio", "<=", 2.0, "{:.1f} times, the worst of new and known"),
            Limit(f"{_REAL}.growth_50k_ratio", "<=", 2.0, "{:.1f} times at 50,000"),
        ),
    ),
    Target(
        "1,000 clients of the stream at 100 alerts/s",
        "p99 webhook to client ≤ 300 ms",
        (Limit("stream.p99_ms", "<=", 300.0, "p99 {:.0f} ms"),),
    ),
    Target(
        "restart with 50,000 vectors",
        "accepts ≤ 1 s, clusters ≤ 5 s",
        (
            Limit("restart.accepts_s", "<=", 1.0, "accepts {:.1f} s"),
            Limit("restart.clusters_s", "<=", 5.0, "clusters {:.1f} s"),
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a target stands.

    Attributes:
        target: Which.
        measured: In words; "" where nothing was.
        met: None if what it takes was not all measured.
        textbook_met: None if it asks nothing, or was not measured.
    """

    target: Target
    measured: str
    met: bool | None
    textbook_met: bool | None


def flat(documents: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Return the figures of all *documents* under `BENCHMARK.FIGURE`."""
    return {
        f"{document['benchmark']}.{name}": value
        for document in documents
        for name, value in document["figures"].items()
    }


def check(figures: Figures) -> list[Verdict]:
    """Return how each target stands."""
    return [
        Verdict(
            target,
            ", ".join(told for limit in target.limits if (told := limit.told(figures))),
            _all(target.limits, figures),
            _all(target.textbook_limits, figures),
        )
        for target in TARGETS
    ]


def _all(limits: Sequence[Limit], figures: Figures) -> bool | None:
    """Whether all hold: one that does not settles it, whatever was not measured."""
    held = [limit.holds(figures) for limit in limits]
    if False in held:
        return False
    return None if None in held or not held else True


def rows(verdicts: Sequence[Verdict]) -> list[list[str]]:
    """Return *verdicts* as a table, head first."""
    words = {True: "met", False: "NOT met", None: "not measured"}
    table = [["what", "target", "", "measured", "textbook", ""]]
    for verdict in verdicts:
        target = verdict.target
        book = words[verdict.textbook_met] if target.textbook else ""
        table.append(
            [target.what, target.asked, words[verdict.met], verdict.measured, target.textbook, book]
        )
    return table
