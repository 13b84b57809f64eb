"""The receiver under load, through HTTP: `python -m benchmarks.load [--short] [--only PART]`.

Five parts, each with a receiver of its own in another process, with the real model:

- calm: 7 alerts a minute with a burst of 20 each five minutes, for an hour, and in the short form a
  hundred times as fast for half a minute; 50,000 vectors held. Half of the texts are new.
- spike: 1,000 alerts, all texts distinct and new, in 16 webhooks at once; an empty storage.
- alertmanager: the same alerts through a real Alertmanager, one webhook an alert and one a name, counted
  from the first webhook (its group_wait is not ours).
- sustained: 2,000 alerts a second for ten minutes (20 s in the short form), 64 a webhook: half of them
  fire, half are the ends of those that fired five seconds ago; 5 % of all have a new text. 50,000 vectors
  held.
- at once: 10,000 webhooks of an alert each, at the same moment, their texts mostly known; a sender repeats
  what was not answered 200, as Alertmanager does.

Nothing lost means: as many alerts are counted as new as were sent.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import aiohttp

from benchmarks import alertmanager, findings, texts
from benchmarks.filled import CASES, FIRST_NEW, FilledReceiver, copied, real_config
from benchmarks.findings import Findings
from benchmarks.machine import allow_open_files, cpu_seconds, memory_mb
from benchmarks.texts import Drawn
from tests.support.alertmanager import find_binary, firing
from tests.support.processes import REPOSITORY, ReceiverProcess
from tests.support.waiting import wait_until

_CASE = CASES[1]
_SPIKE, _AT_ONCE = 1_000, 10_000
_WEBHOOK = 64
_RATE = 2_000
_LASTS_SECONDS = 5
_KNOWN = 2_000
"""Texts that come again and again where texts are known."""

_BURST, _BURST_EACH = 20, 35
"""A burst of so many alerts after so many alerts: each five minutes, at 7 a minute."""

_PATIENCE_SECONDS = 900.0
_RETRY_SECONDS = 0.5
_POLL_SECONDS = 0.25
"""A scrape takes the receiver some milliseconds: fifty a second took a fifth of what is measured."""


@contextmanager
def empty() -> Iterator[ReceiverProcess]:
    """Run a receiver that holds nothing."""
    with tempfile.TemporaryDirectory() as folder:
        receiver = ReceiverProcess(Path(folder), settings={"embedding.backend": "onnx"})
        yield from _running(receiver)


@contextmanager
def full() -> Iterator[ReceiverProcess]:
    """Run a receiver with a history."""
    with copied(_CASE) as filled, tempfile.TemporaryDirectory() as folder:
        yield from _running(FilledReceiver(filled, Path(folder)))


def _running(receiver: ReceiverProcess) -> Iterator[ReceiverProcess]:
    receiver.start()
    try:
        wait_until("the model", lambda: receiver.metric("stormcell_embedder_ready") == 1)
        yield receiver
    except BaseException:
        print(receiver.log_text()[-5000:], file=sys.stderr)
        raise
    finally:
        if receiver.running:
            receiver.stop()


def _settled(receiver: ReceiverProcess) -> None:
    wait_until(
        "all to be clustered",
        lambda: receiver.pending() == 0,
        patience_seconds=_PATIENCE_SECONDS,
        pause_seconds=_POLL_SECONDS,
    )


def _now(receiver: ReceiverProcess) -> int:
    """Return the time for *receiver*, nanoseconds."""
    return receiver.now() if isinstance(receiver, FilledReceiver) else time.time_ns()


async def _post(session: aiohttp.ClientSession, url: str, body: bytes, codes: Counter[str]) -> None:
    """Post *body* until it is taken."""
    while True:
        try:
            headers = {"Content-Type": "application/json"}
            async with session.post(url, data=body, headers=headers) as answer:
                codes[str(answer.status)] += 1
                if answer.status == 200:
                    return
        except (aiohttp.ClientError, OSError, TimeoutError):
            codes["none"] += 1
        await asyncio.sleep(_RETRY_SECONDS)


def _session() -> aiohttp.ClientSession:
    # No limit to connections: a sender has one a notification when many are sent at once.
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))


async def _at_once(url: str, bodies: Sequence[bytes]) -> Counter[str]:
    codes: Counter[str] = Counter()
    async with _session() as session:
        await asyncio.gather(*(_post(session, url, body, codes) for body in bodies))
    return codes


async def _paced(url: str, bodies: Iterator[tuple[float, bytes]]) -> Counter[str]:
    """Post each of *bodies* so many seconds after the start, whether earlier ones are answered or not."""
    codes: Counter[str] = Counter()
    began, tasks = time.monotonic(), set()
    async with _session() as session:
        for due, body in bodies:
            await asyncio.sleep(max(0.0, began + due - time.monotonic()))
            task = asyncio.create_task(_post(session, url, body, codes))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        await asyncio.gather(*tasks)
    return codes


# -- what the receiver's own clock says ----------------------------------------------------------


def buckets(receiver: ReceiverProcess) -> dict[float, float]:
    """Return how many alerts took at most so many seconds from receipt to commit."""
    text = receiver.get("/metrics").body.decode()
    prefix = 'stormcell_alert_processing_duration_seconds_bucket{le="'
    lines = (line.removeprefix(prefix) for line in text.splitlines() if line.startswith(prefix))
    pairs = (line.split('"} ') for line in lines)
    return {float(bound): float(count) for bound, count in pairs}


def bound_of(before: Mapping[float, float], after: Mapping[float, float], share: float) -> float:
    """Return the upper bound of the bucket in which the quantile *share* of what came between lies."""
    counts = {bound: after[bound] - before.get(bound, 0.0) for bound in sorted(after)}
    most = max(counts.values(), default=0.0)
    return next((bound for bound, count in counts.items() if count >= share * most), float("nan"))


# -- the parts -----------------------------------------------------------------------------------


def calm(told: Findings, options: argparse.Namespace) -> None:
    """Measure calm."""
    faster, seconds = (100, 30.0) if options.short else (1, 3600.0)
    with full() as receiver:
        bodies = []
        gap, due, count = 60.0 / 7 / faster, 0.0, 0
        while due < seconds:
            size = _BURST if count and count % _BURST_EACH == 0 else 1
            bodies.append((due, _mixed(range(count * _BURST, count * _BURST + size), receiver)))
            due, count = due + gap, count + 1
        before = buckets(receiver)
        codes = asyncio.run(_paced(receiver.webhook_url, iter(bodies)))
        _settled(receiver)
        after = buckets(receiver)
    bounds = {share: bound_of(before, after, share) * 1e3 for share in (0.5, 0.95, 0.99)}
    told.figures |= {f"calm_p{share * 100:.0f}_at_most_ms": b for share, b in bounds.items()}
    rows = [["webhooks", "alerts", "answers", "p50 at most, ms", "p95", "p99"]]
    alerts = after[float("inf")] - before[float("inf")]
    rows.append(
        [str(len(bodies)), f"{alerts:.0f}", _shown(codes), *(f"{b:g}" for b in bounds.values())]
    )
    pace = f"{faster} times as fast, " if faster > 1 else ""
    told.tables.append((f"Calm: 7 alerts a minute and bursts, {pace}{seconds:.0f} s", rows))


def _mixed(numbers: range, receiver: ReceiverProcess) -> bytes:
    """Return a webhook of alerts, the texts of the odd *numbers* new."""
    drawn = (
        texts.distinct(FIRST_NEW + number)
        if number % 2
        else texts.distinct(FIRST_NEW - 1 - number % 50).elsewhere(number)
        for number in numbers
    )
    now = _now(receiver)
    return texts.webhook([one.told(now) for one in drawn])


def spike(told: Findings, options: argparse.Namespace) -> None:
    """Measure a spike of new texts."""
    with empty() as receiver:
        now = time.time_ns()
        alerts = [texts.distinct(number).told(now) for number in range(_SPIKE)]
        bodies = [texts.webhook(alerts[at : at + _WEBHOOK]) for at in range(0, _SPIKE, _WEBHOOK)]
        codes, acknowledged, clustered, lost = _outcome(receiver, bodies, _SPIKE)
        clusters = len(receiver.clusters(state="all"))
        cpu = cpu_seconds(receiver.pid)
    told.figures |= {"spike_s": clustered, "spike_lost": lost}
    rows = [
        [
            "alerts",
            "webhooks",
            "answers",
            "acknowledged, s",
            "clustered, s",
            "lost",
            "clusters",
            "CPU, s",
        ]
    ]
    rows.append(
        [
            f"{_SPIKE:,}", str(len(bodies)), _shown(codes), f"{acknowledged:.2f}", f"{clustered:.2f}",
            f"{lost:.0f}", str(clusters), f"{cpu:.1f}",
        ]
    )  # fmt: skip
    told.tables.append(("A spike of new texts", rows))


def through_alertmanager(told: Findings, options: argparse.Namespace) -> None:
    """Measure the spike through a real Alertmanager."""
    binary = find_binary()
    if binary is None:
        told.notes.append("Alertmanager is not installed: the spike through it was left out.")
        return
    cache = Path(os.environ.get("XDG_CACHE_HOME") or REPOSITORY / ".cache") / "stormcell"
    rows = [
        [
            "group_by",
            "webhooks",
            "first, s",
            "last, s",
            "clustered, s",
            "of these ours",
            "lost",
            "clusters",
        ]
    ]
    for group_by in alertmanager.GROUPINGS:
        drawn = map(texts.distinct, range(_SPIKE))
        alerts = [firing(one.labels, one.annotations) for one in drawn]
        found = alertmanager.run(alerts, group_by, "onnx", cache, binary, rest_seconds=0.0)
        ours = found.clustered_seconds - found.first_seconds
        key = "each" if group_by == "..." else "name"
        told.figures |= {f"alertmanager_{key}_s": ours, f"alertmanager_{key}_lost": found.lost}
        rows.append(
            [
                group_by, str(found.webhooks), f"{found.first_seconds:.2f}",
                f"{found.acknowledged_seconds:.2f}", f"{found.clustered_seconds:.2f}", f"{ours:.2f}",
                str(found.lost), str(found.clusters),
            ]
        )  # fmt: skip
    told.tables.append((f"{_SPIKE:,} alerts with new texts through Alertmanager", rows))


class Sustained:
    """Webhooks at a steady rate, as due."""

    def __init__(self, receiver: ReceiverProcess, seconds: float) -> None:
        """Fire for *receiver* for so long."""
        self._receiver, self._seconds = receiver, seconds
        self._open: deque[tuple[float, int, Drawn]] = deque()
        self.alerts = self.fired = 0

    def __iter__(self) -> Iterator[tuple[float, bytes]]:
        due, coming = 0.0, self._coming()
        while due < self._seconds:
            now = _now(self._receiver)
            told: list[dict[str, Any]] = []
            while (
                self._open
                and self._open[0][0] <= due - _LASTS_SECONDS
                and len(told) < _WEBHOOK // 2
            ):
                _, began, drawn = self._open.popleft()
                told.append(drawn.told(began, ended_at=now))
            for drawn in islice(coming, _WEBHOOK - len(told)):
                self._open.append((due, now, drawn))
                self.fired += 1
                told.append(drawn.told(now))
            self.alerts += len(told)
            yield due, texts.webhook(told)
            due += _WEBHOOK / _RATE

    def _coming(self) -> Iterator[Drawn]:
        number = 0
        while True:
            number += 1
            # Half of what is told are ends: every tenth firing is every twentieth alert.
            if number % 10:
                yield texts.distinct(FIRST_NEW + number % _KNOWN).elsewhere(number)
            else:
                yield texts.distinct(FIRST_NEW + _KNOWN + number)


def sustained(told: Findings, options: argparse.Namespace) -> None:
    """Measure a steady high rate."""
    seconds = options.seconds or (20.0 if options.short else 600.0)
    with full() as receiver:
        memory = [memory_mb(receiver.pid, "VmRSS")]
        sending, cpu = Sustained(receiver, seconds), cpu_seconds(receiver.pid)

        def watched() -> Iterator[tuple[float, bytes]]:
            for due, body in sending:
                if due >= len(memory) * seconds / 10:
                    memory.append(memory_mb(receiver.pid, "VmRSS"))
                yield due, body

        began = time.monotonic()
        codes = asyncio.run(_paced(receiver.webhook_url, watched()))
        acknowledged, pending = time.monotonic() - began, receiver.pending()
        _settled(receiver)
        clustered = time.monotonic() - began
        memory.append(memory_mb(receiver.pid, "VmRSS"))
        cpu = cpu_seconds(receiver.pid) - cpu
        lost = sending.fired - receiver.received(outcome="new")
    half = len(memory) // 2
    rate = sending.alerts / clustered
    told.figures |= {
        "sustained_per_second": rate,
        "sustained_lost": lost,
        "sustained_cpu_ms": cpu / sending.alerts * 1e3,
        "sustained_memory_growth_mb": statistics.fmean(memory[-2:]) - memory[half],
    }
    head = [
        "alerts",
        "answers",
        "acknowledged, s",
        "pending then",
        "clustered, s",
        "alerts/s",
        "lost",
        "CPU ms an alert",
    ]
    row = [
        f"{sending.alerts:,}", _shown(codes), f"{acknowledged:.1f}", f"{pending:,.0f}", f"{clustered:.1f}",
        f"{rate:,.0f}", f"{lost:.0f}", f"{cpu / sending.alerts * 1e3:.2f}",
    ]  # fmt: skip
    told.tables.append((f"{_RATE:,} alerts a second for {seconds:.0f} s", [head, row]))
    told.notes.append(
        "Resident meanwhile, MB: " + ", ".join(f"{used:.0f}" for used in memory) + "."
    )


def at_once(told: Findings, options: argparse.Namespace) -> None:
    """Measure very many webhooks at the same moment."""
    with empty() as receiver:
        now = time.time_ns()
        drawn = (texts.distinct(number % 500).elsewhere(number) for number in range(_AT_ONCE))
        bodies = [texts.webhook([one.told(now)]) for one in drawn]
        codes, acknowledged, clustered, lost = _outcome(receiver, bodies, _AT_ONCE)
        peak = memory_mb(receiver.pid, "VmHWM")
    told.figures |= {"at_once_acknowledged_s": acknowledged, "at_once_clustered_s": clustered}
    told.figures["at_once_lost"] = lost
    rows = [["webhooks", "answers", "acknowledged, s", "clustered, s", "lost", "peak MB"]]
    rows.append(
        [
            f"{_AT_ONCE:,}", _shown(codes), f"{acknowledged:.1f}", f"{clustered:.1f}", f"{lost:.0f}",
            f"{peak:.0f}",
        ]
    )  # fmt: skip
    told.tables.append(("Webhooks at once", rows))


def _outcome(
    receiver: ReceiverProcess, bodies: Sequence[bytes], alerts: int
) -> tuple[Mapping[str, int], float, float, float]:
    """Post *bodies*, of so many *alerts*, at once.

    Returns:
        Answers by code; seconds until all were answered, and until all was clustered; alerts lost.
    """
    began = time.monotonic()
    codes = asyncio.run(_at_once(receiver.webhook_url, bodies))
    acknowledged = time.monotonic() - began
    _settled(receiver)
    clustered = time.monotonic() - began
    return codes, acknowledged, clustered, alerts - receiver.received(outcome="new")


def _shown(codes: Mapping[str, int]) -> str:
    return " ".join(f"{code}:{count}" for code, count in sorted(codes.items()))


PARTS = {
    "calm": calm,
    "spike": spike,
    "alertmanager": through_alertmanager,
    "sustained": sustained,
    "at-once": at_once,
}


def main(arguments: Sequence[str]) -> int:
    """Measure and tell."""
    parser = findings.parser(__doc__, "load")
    parser.add_argument("--only", action="append", choices=list(PARTS))
    parser.add_argument("--seconds", type=float, help="of the sustained part")
    options = parser.parse_args(arguments)
    allow_open_files()
    findings.record("load", options, lambda: _run(options))
    return 0


def _run(options: argparse.Namespace) -> Findings:
    real_config()
    told = Findings()
    for name, part in PARTS.items():
        if not options.only or name in options.only:
            print(name, file=sys.stderr, flush=True)
            part(told, options)
    return told


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
