"""What the demo says before and after: where to look, and how it went."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from receiver.demo.pace import Pace
from receiver.demo.prometheus import Pair
from receiver.demo.scenario import DURATION, Scenario
from receiver.demo.screen import Screen
from receiver.demo.table import Column, clock
from receiver.demo.verdict import Verdict
from receiver.demo.view import Ledger

_NAMED = 5
"""Lost alerts that are named; one is enough to look for the rest."""


def opening(
    *, speed: float, url: str, folder: str, sender: str, changed: list[str], page: bool
) -> list[str]:
    """Return what is said when all is up.

    Args:
        speed: How much faster than life it goes.
        url: Of the receiver.
        folder: Where its data is.
        sender: Who posts the webhooks.
        changed: The receiver's times that were divided by *speed*.
        page: Whether the receiver has a page for browsers.
    """
    looks = [
        ("clusters?state=all", "the alert clusters"),
        ("clusters/1", "one of them, with its members"),
        ("alerts?q=payments&limit=5", "where an alert went"),
        ("events?limit=20", "how the clusters evolved"),
        ("storms", "when more came than usual"),
    ]
    curls = [(f"curl -s '{url}/api/v1/{path}'", meaning) for path, meaning in looks]
    curls.append((f"curl -s '{url}/metrics'", "what Prometheus would scrape"))
    widest = max(len(command) for command, _ in curls)
    return [
        f"{DURATION / 60:.0f} minutes at a made-up shop, in about {DURATION / speed:.0f} s: a "
        "database fails and takes services along,",
        "a node is lost, certificates and backups fail, and small troubles go on as ever.",
        "",
        f"  receiver  {url}, data in {folder} until the demo ends",
        f"  sender    {sender}",
        f"  speed     {speed:.3g} times life; clustering times are divided by the same: "
        f"{', '.join(changed[:2])} …",
        "",
        "Look around meanwhile:",
        *([f"  {url}/ in a browser"] if page else []),
        *(f"  {command.ljust(widest)}  {meaning}" for command, meaning in curls),
        "",
    ]


def summary(
    verdict: Verdict,
    ledger: Ledger,
    clusters: list[dict[str, object]],
    storms: list[dict[str, Any]],
    scenario: Scenario,
    *,
    pace: Pace,
    pair: Pair,
    screen: Screen,
) -> list[str]:
    """Return what is said at the end."""
    last = Column("holds, by the scenario's truth", lambda c: _contents(verdict, c), 0)
    return [
        "",
        "Summary",
        *screen.table(clusters, len(clusters), last),
        "",
        f"  ledger     {ledger.notifications} notifications ({ledger.alerts} alerts) → "
        f"{ledger.firings} firings of {verdict.sent} alerts → {ledger.clusters} clusters",
        *(_storm(storm, pace) for storm in storms),
        _check(verdict),
        *_agreement(verdict, scenario),
        f"  time       {pace.passed:.0f} s, in which two Prometheus replicas posted "
        f"{pair.posted} alerts, repeats included",
    ]


def _contents(verdict: Verdict, cluster: Mapping[str, object]) -> str:
    held = verdict.contents.get(int(str(cluster["id"])), {})
    ranked = sorted(held.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{count} {incident}" for incident, count in ranked)


def _storm(storm: Mapping[str, Any], pace: Pace) -> str:
    lasted = f"from {clock(pace.at(storm['started_at']))} on"
    if storm["ended_at"] is not None:
        lasted = f"{clock(pace.at(storm['started_at']))} to {clock(pace.at(storm['ended_at']))}"
    return (
        f"  storm {storm['id']}    {lasted}, {storm['episodes']} new alerts in "
        f"{len(storm['cluster_ids'])} large clusters, at most {storm['peak_intensity']:.0f} times "
        "the usual"
    )


def _check(verdict: Verdict) -> str:
    lost, wrong = len(verdict.lost), len(verdict.wrong)
    told = f"  check      {verdict.sent} alerts sent, {verdict.sent - lost} kept, {lost} lost"
    if lost:
        told += f": {' '.join(verdict.lost[:_NAMED])}"
    if wrong:
        told += f"; {wrong} in a state other than sent: {' '.join(verdict.wrong[:_NAMED])}"
    return told


def _agreement(verdict: Verdict, scenario: Scenario) -> list[str]:
    scores, incidents = verdict.agreement, len(scenario.incidents)
    if scores is None:
        return []
    mixed = sum(len(held) > 1 for held in verdict.contents.values())
    return [
        f"  truth      {incidents} incidents in {len(verdict.contents)} clusters: {mixed} clusters "
        f"hold several, {scores.hidden} incidents are the majority of none",
        f"  agreement  pairwise F1 {scores.f1:.2f}, B-cubed F1 {scores.b_cubed:.2f} "
        "(1 is perfect), over all firings",
    ]
