"""What must hold when all is over, held against what the outside knows."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.soak.ledger import TAKEN
from benchmarks.soak.listeners import Listener, digest
from benchmarks.soak.load import Call
from benchmarks.soak.stage import TAKEN_SERIES, Stage
from benchmarks.soak.story import Period
from tests.support.processes import REPOSITORY

_SHOWN = 5
"""Of what is wrong, so much is named."""


@dataclass(frozen=True)
class Window:
    """A time in which something may fail."""

    began: float
    ended: float
    harmless: bool


def refusals(
    refused: Sequence[tuple[float, float, int]], calls: Sequence[Call], windows: Sequence[Window]
) -> list[str]:
    """Return what was refused while there was no fault, or none that excuses it."""

    def excused(began: float, ended: float, *, webhook: bool) -> bool:
        return any(
            began <= window.ended and ended >= window.began
            for window in windows
            if not (webhook and window.harmless)
        )

    webhooks = [
        status for began, ended, status in refused if not excused(began, ended, webhook=True)
    ]
    # A word on a cluster that was just merged away is refused, and rightly.
    others = [
        f"{what}: {status}"
        for began, ended, what, status in calls
        if (status == 0 or status >= 500) and not excused(began, ended, webhook=False)
    ]
    wrong = []
    if webhooks:
        wrong.append(f"webhooks not taken though nothing was wrong, by status: {Counter(webhooks)}")
    if others:
        wrong.append(f"calls that failed though nothing was wrong: {dict(Counter(others))}")
    return wrong


def kept(stage: Stage, periods: Mapping[Period, str]) -> tuple[int, list[str]]:
    """Return how many firing periods are kept, and what is lost, double, unknown or in another state."""
    found = [
        ((entry["labels"]["instance"], entry["startsAt"]), entry["state"])
        for entry in stage.receiver.alerts()
    ]
    times = Counter(period for period, _ in found)
    states = dict(found)
    faults: dict[str, Sequence[Any]] = {
        "answered 200 and lost": [period for period in periods if period not in states],
        "kept twice": [period for period, count in times.items() if count > 1],
        "kept and never told": [period for period in states if period not in periods],
        "told, and kept in another state": [
            (period, told, states[period])
            for period, told in periods.items()
            if period in states and states[period] != told
        ],
    }
    return len(found), _named(faults)


def events(stage: Stage, listeners: Sequence[Listener]) -> tuple[int, list[str]]:
    """Return how many events there are, and what of them is missing, double, or told otherwise."""
    journal = stage.receiver.events()
    gaps = [event["seq"] for n, event in enumerate(journal, start=1) if event["seq"] != n]
    digests = [digest(event) for event in journal]
    faults: dict[str, list[Any]] = {"events out of order": gaps[:1]}
    for listener in listeners:
        name = f"events that {listener.path} told otherwise"
        faults[name] = [
            n
            for n, (one, other) in enumerate(zip(listener.seen, digests, strict=False), 1)
            if one != other
        ]
        if len(listener.seen) != len(digests):
            faults[f"{listener.path} told {len(listener.seen)} of {len(digests)} events"] = [""]
    return len(journal), _named(faults)


def ledger(stage: Stage, episodes: int) -> list[str]:
    """Hold what was counted for good against what was sent: it was taken once at least, and sent."""
    told = stage.receiver.read("stats")["ledger"]
    taken, sent = stage.ledger.answers[TAKEN], stage.ledger.attempts
    wrong = []
    if not taken <= told["notifications"] <= sent:
        wrong.append(f"{told['notifications']} notifications counted, {taken} to {sent} were taken")
    if told["alerts"] < stage.ledger.alerts_taken:
        wrong.append(f"{told['alerts']} alerts counted, {stage.ledger.alerts_taken} were taken")
    if told["episodes"] != episodes:
        wrong.append(f"{told['episodes']} episodes in clusters, {episodes} were told")
    if told["dead_letters"]:
        wrong.append(f"{told['dead_letters']} dead letters")
    return wrong


def counted(stage: Stage, new: int) -> list[str]:
    """Hold the counters of a life without faults against what was sent in it, to the last alert."""
    applied = {
        series: value
        for series, value in stage.scraped.items()
        if series.startswith("stormcell_alerts_received_total{")
    }
    answers = stage.ledger.of_life()
    pairs = {
        "webhooks": (stage.scraped.get(TAKEN_SERIES), answers.get(TAKEN, 0)),
        "alerts applied": (sum(applied.values()), stage.ledger.alerts()),
        "new firing periods": (
            sum(v for series, v in applied.items() if 'outcome="new"' in series), new
        ),
    }  # fmt: skip
    wrong = [
        f"{what}: {ours} counted, {theirs} sent"
        for what, (ours, theirs) in pairs.items()
        if ours != theirs
    ]
    if set(answers) - {TAKEN}:
        wrong.append(f"answers in a life without a fault, by status: {dict(answers)}")
    return wrong


async def check_db(stage: Stage) -> tuple[str, list[str]]:
    """Run `stormcell check-db` on what was left; return what it says, and whether that is wrong."""
    settings = [
        part for key, value in stage.settings.items() for part in ("--set", f"{key}={value}")
    ]
    command = [sys.executable, "-m", "receiver", "check-db", str(stage.receiver.storage)]
    done = await asyncio.to_thread(
        subprocess.run,
        [*command, f"--config.file={stage.config}", *settings],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    said = (done.stdout + done.stderr).strip()
    return said, [] if done.returncode == 0 else [f"check-db: code {done.returncode}: {said}"]


def _named(faults: Mapping[str, Sequence[Any]]) -> list[str]:
    return [f"{len(found)} {what}: {found[:_SHOWN]}" for what, found in faults.items() if found]
