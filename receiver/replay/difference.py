"""Two replays side by side, for people and programs: what a setting would change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from receiver.replay.compare import Change, Comparison, Fate, compare
from receiver.replay.report import agreement_json, judged, ledger, sizes, titles
from receiver.replay.run import Replay

_SHOWN = 20
"""Changes of one kind in the table; the document has all."""

_NAMED = 5
"""Clusters of one change that the table names, on each side."""


class Difference:
    """What *after*, with other settings, makes of the same input as *before*."""

    def __init__(self, before: Replay, after: Replay, overrides: Sequence[str]) -> None:
        """Compare them; *overrides* are the settings in which they differ, as `--set` has them."""
        self._before, self._after = before, after
        self._overrides = list(overrides)
        self._found: Comparison = compare(before, after)
        self._titles = titles(before), titles(after)

    def document(self) -> dict[str, Any]:
        """Return it as JSON."""
        found = self._found
        between: dict[str, Any] = {
            "alerts": found.alerts,
            "same_company": found.same_company,
            "changed_company": found.changed_company,
            "pairs": dict(zip(("before", "after", "both"), found.pairs, strict=True)),
        }
        if found.agreement is not None:
            told = agreement_json(found.agreement)
            between |= {
                k: told[k] for k in ("f1", "b_cubed", "b_cubed_precision", "b_cubed_recall")
            }
        return {
            "set": self._overrides,
            "before": _summary(self._before),
            "after": _summary(self._after),
            "between": between,
            "counts": {fate.value: found.count(fate) for fate in Fate},
            "changes": [
                {
                    "change": change.fate.value,
                    "alerts": change.alerts,
                    "before": [self._cluster(0, number) for number in change.before],
                    "after": [self._cluster(1, number) for number in change.after],
                }
                for change in found.changes
                if change.fate is not Fate.SAME
            ],
        }

    def _cluster(self, side: int, number: int) -> dict[str, Any]:
        size = (self._found.before, self._found.after)[side][number]
        return {"cluster": number, "alerts": size, "title": self._titles[side].get(number, "")}

    def table(self) -> Iterator[str]:
        """Yield it as lines of a table."""
        found = self._found
        yield f"what {' '.join(self._overrides)} changes:"
        yield f"{'':24}{'before':>12}{'after':>12}"
        for name, before, after in _side_by_side(_summary(self._before), _summary(self._after)):
            yield f"{name:24}{before:>12}{after:>12}"
        if found.agreement is not None:
            yield (
                f"{found.changed_company} of {found.alerts} alerts are with mostly others,"
                f" {found.same_company} with exactly the same; pairwise F1"
                f" {found.agreement.f1:.3f}, B-cubed {found.agreement.b_cubed:.3f} between the two"
            )
        counts = [f"{found.count(fate)} {fate.value}" for fate in Fate]
        yield f"clusters: {', '.join(counts)}"
        for fate in Fate:
            changes = [change for change in found.changes if change.fate is fate]
            if fate is Fate.SAME:
                continue
            for change in changes[:_SHOWN]:
                yield from self._lines(change)
            if len(changes) > _SHOWN:
                yield f"  {fate.value:10}and {len(changes) - _SHOWN} more"

    def _lines(self, change: Change) -> Iterator[str]:
        """Yield what was, a cluster a line, and after arrows what is."""
        named = list(self._named(0, change.before))
        yield f"  {change.fate.value:10}{named[0]}"
        for name in named[1:]:
            yield f"{'':12}{name}"
        for name in self._named(1, change.after):
            yield f"{'':10}→ {name}"

    def _named(self, side: int, numbers: Sequence[int]) -> Iterator[str]:
        told = [self._cluster(side, number) for number in numbers]
        told.sort(key=lambda cluster: -cluster["alerts"])
        for cluster in told[:_NAMED]:
            yield f"{cluster['cluster']} ({cluster['alerts']}) {cluster['title']}".strip()
        if len(told) > _NAMED:
            yield f"and {len(told) - _NAMED} more"


def _summary(replay: Replay) -> dict[str, Any]:
    return {"ledger": ledger(replay), "sizes": sizes(replay), **judged(replay)}


_NAMES = {
    "ledger.notifications": "notifications",
    "ledger.alerts": "alerts told",
    "ledger.episodes": "firing periods",
    "ledger.clusters": "clusters",
    "sizes.largest": "largest cluster",
    "sizes.median": "median size",
    "sizes.of_one": "clusters of one",
    "ledger.storms": "storms",
    "scores.score": "score by truth",
    "scores.f1": "  pairwise F1",
    "scores.b_cubed": "  B-cubed F1",
    "scores.hidden": "  hidden groups",
    "stored.score": "like the store's",
    "constraints.must_link": "merges honoured",
    "constraints.cannot_link": "splits honoured",
}
"""Figures of the table, by where they stand in the document."""


def _side_by_side(
    before: Mapping[str, Any], after: Mapping[str, Any]
) -> Iterator[tuple[str, str, str]]:
    for path, name in _NAMES.items():
        section, _, key = path.partition(".")
        if section in before and section in after:
            yield name, _cell(before[section][key]), _cell(after[section][key])


def _cell(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"{value['honoured']} of {value['told']}"
    return f"{value:.3f}" if isinstance(value, float) else f"{value:,}"
