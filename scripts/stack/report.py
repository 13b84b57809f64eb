"""What came of a drill, in words, and whether the promises were kept. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from scripts.stack import shop
from scripts.stack.drill import Outcome, Page

MOST_STORM_PAGES = 2
"""The raw group and StormcellStorm."""


def broken_promises(outcome: Outcome) -> list[str]:
    """Return what was promised and did not hold."""
    promises = {
        f"{len(outcome.storm)} pages of the storm, {MOST_STORM_PAGES} promised": (
            len(outcome.storm) <= MOST_STORM_PAGES
        ),
        f"{outcome.silent} criticals did not ring": outcome.silent == 0,
        f"{outcome.fired} alerts fired, Stormcell has {outcome.received}": (
            outcome.fired == outcome.received
        ),
        f"{len(outcome.storms)} storms were told, there was one": len(outcome.storms) == 1,
        "Stormcell's death did not page": bool(outcome.down),
    } | {
        f"a lone critical {case} rang {len(pages)} times": len(pages) <= 1
        for case, pages in outcome.lone.items()
    }
    return [broken for broken, kept in promises.items() if not kept]


def report(outcome: Outcome, times: dict[str, str]) -> str:
    """Return the report.

    Args:
        outcome: What came of the drill.
        times: Waits and intervals it was run with, by what they are of.
    """
    return "\n".join(_lines(outcome, times))


def _lines(outcome: Outcome, times: dict[str, str]) -> Iterator[str]:
    clusters = [c for c in outcome.clusters if c["merged_into"] is None]
    fewer = 1 - outcome.pages / outcome.fired if outcome.fired else 0.0
    yield f"alerts fired                    {outcome.fired}, {outcome.criticals} of them critical"
    yield f"webhooks to Stormcell           {outcome.webhooks}"
    yield f"alerts that Stormcell has       {outcome.received}"
    yield f"alert clusters, storms          {len(clusters)}, {len(outcome.storms)}"
    yield (
        f"pages sent                      {outcome.pages}: {len(outcome.storm)} for the storm, "
        f"{sum(map(len, outcome.lone.values()))} for {len(outcome.lone)} lone criticals, "
        f"{len(outcome.down)} for Stormcell's death"
    )
    yield f"criticals that did not ring     {outcome.silent}"
    yield f"noise reduction                 {fewer:.1%} fewer pages than alerts"
    yield ""
    yield f"Of the storm in the namespace {shop.NAMESPACE}:"
    yield from map(_page, outcome.storm)
    yield "Of a lone critical:"
    for case, pages in outcome.lone.items():
        yield from (f"{_page(page)}   ({case})" for page in pages)
    yield "Of Stormcell's death:"
    yield from map(_page, outcome.down)
    yield ""
    yield "Waits and intervals: " + ", ".join(f"{what} {time}" for what, time in times.items())


def _page(page: Page) -> str:
    said = f" {page.summary}" if page.summary else ""
    return f"  after {page.after:5.1f} s  {page.key.rsplit(':', 1)[-1]}, {len(page.alerts)} alerts{said}"
