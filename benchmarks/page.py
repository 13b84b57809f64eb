"""The live page under a storm: frames a second, long tasks and the heap, in a real browser.

    python -m benchmarks.page [--clusters 2000] [--rate 1000] [--seconds 30] [--minutes 10] [--out FILE]

First *seconds* without disturbance for the frames, then *minutes* for the heap, read every 30 s after
a forced collection; frames around a collection do not count. The page's own files are served by a
receiver made up for this: it sends the stream's frames, ten a second, with whole clusters, storm and
stats as a receiver would, and a timeline, and nothing is behind them. Left out: search, cards,
tickets that expire, resuming after a break, and alerts that can be looked up. Clusters live some
minutes; some merge; in place of each that ends another is born.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import multiprocessing
import os
import platform
import random
import shutil
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from aiohttp import web
from playwright.sync_api import CDPSession, Page, sync_playwright

from receiver.web.page import handlers
from tests.support.processes import HOST, free_port

SEED = 7
FRAMES_A_SECOND = 10
STORM_CLUSTERS = 40
EPOCH = "b0b0b0b0b0b0b0b0"
HEAP_EVERY_SECONDS = 30.0
WARM_UP_SECONDS = 5.0
WIDTH, HEIGHT = 1440, 900
# Without a graphics card, as on this machine; nothing of the browser's own may wake up meanwhile.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

# Intervals between animation frames and long tasks, but none that a collection made.
PROBE = """
globalThis.probe = (() => {
  let intervals = [], tasks = [], last = null, paused = false;
  const tick = (now) => {
    if (last !== null && !paused) intervals.push(now - last);
    last = paused ? null : now;
    requestAnimationFrame(tick);
  };
  requestAnimationFrame(tick);
  new PerformanceObserver((list) => {
    if (!paused) tasks.push(...list.getEntries().map((entry) => entry.duration));
  }).observe({ type: "longtask" });
  return {
    pause(on) { paused = on; last = null; },
    take() {
      const taken = { intervals, tasks };
      intervals = [];
      tasks = [];
      return taken;
    },
  };
})();
"""

TEAMS = ("payments", "orders", "storefront", "platform", "search", "data", "identity", "shipping")
ALERTS = (
    "PodCrashLooping",
    "HighErrorRate",
    "HighLatencyP99",
    "TargetDown",
    "DiskFull",
    "SlowQueries",
)
SEVERITIES = ("critical", "warning", "warning", "warning", "info", "")


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class _Storm:
    """The state of a receiver in a storm that does not end, and the frames that tell of it."""

    def __init__(self, clusters: int, rate: float) -> None:
        self._random = random.Random(SEED)
        self._rate = rate
        self._began = time.time()
        self._seq = 0
        self._next_id = 1
        self._new = 0
        # Every step draws from them: a list, because a choice among a dict's keys costs its length.
        self._ids: list[int] = []
        self.clusters: dict[int, dict[str, Any]] = {}
        for _ in range(clusters):
            self._born(self._began - self._random.expovariate(1 / 600))
        self._ids = list(self.clusters)

    def _born(self, at: float) -> dict[str, Any]:
        number, chance = self._next_id, self._random
        self._next_id += 1
        service = f"{chance.choice(TEAMS)}-{number % 61}"
        labels = {
            "alertname": chance.choice(ALERTS),
            "namespace": chance.choice(TEAMS),
            "service": service,
            "severity": chance.choice(SEVERITIES),
            "team": chance.choice(TEAMS),
        }
        firing = min(400, int(chance.paretovariate(1.1)))
        cluster = {
            "id": number,
            "title": f"{labels['alertname']} and {number % 7} more in service {service}",
            "state": "forming",
            "accepting": True,
            "severity": labels["severity"],
            "size": firing,
            "firing": firing,
            "suppressed": 0,
            "stale": 0,
            "opened_at": _iso(at),
            "updated_at": _iso(at),
            "closed_at": None,
            "resolved_at": None,
            "labels": labels,
            "affected": {"team": {labels["team"]: firing}, "service": {service: firing}},
            "spread": None,
            "confidence": round(chance.uniform(0.6, 1), 4),
            "recurs": None,
            "novel": None,
            "first_seen": None,
            "merged_into": None,
            "split_from": None,
            "pinned": False,
            "acked_by": "",
            "note": "",
        }
        self.clusters[number] = cluster
        return cluster

    def _event(
        self, kind: str, at: float, cluster: dict[str, Any], **detail: Any
    ) -> dict[str, Any]:
        self._seq += 1
        return {
            "seq": self._seq,
            "time": _iso(at),
            "type": kind,
            "cluster_id": cluster["id"],
            "cluster_size": cluster["size"],
            "cluster_firing": cluster["firing"],
            "total_clusters": len(self.clusters),
            **detail,
        }

    def _alert(self, cluster: dict[str, Any]) -> dict[str, Any]:
        labels = {**cluster["labels"], "pod": f"pod-{self._random.randrange(100_000)}"}
        return {
            "fingerprint": f"{self._random.getrandbits(64):016x}",
            "startsAt": cluster["updated_at"],
            "labels": labels,
        }

    def _step(self, at: float, changed: dict[int, dict[str, Any]]) -> list[dict[str, Any]]:
        """One alert fires or resolves; now and then with what follows from it."""
        chance = self._random
        cluster = self.clusters[chance.choice(self._ids)]
        changed[cluster["id"]] = cluster
        cluster["updated_at"] = _iso(at)
        fires = chance.random() < 0.52 if cluster["firing"] > 1 else chance.random() < 0.85
        cluster["firing"] += 1 if fires else -1
        cluster["size"] += fires
        told = "alert_assigned" if fires else "alert_resolved"
        events = [
            self._event(
                told, at, cluster, alert=self._alert(cluster), confidence=0.9, reason="text"
            )
        ]
        self._new += fires
        state = "growing" if fires else "resolving"
        if cluster["state"] != state and chance.random() < 0.2:
            cluster["state"] = state
            events.append(self._event("cluster_state_changed", at, cluster, state=state))
        if cluster["firing"] == 0:
            events += self._end(at, cluster, changed)
        return events

    def _end(
        self, at: float, cluster: dict[str, Any], changed: dict[int, dict[str, Any]]
    ) -> list[dict[str, Any]]:
        del self.clusters[cluster["id"]]
        cluster["closed_at"] = _iso(at)
        if self._random.random() < 0.1:
            into = self._random.choice(self._ids)
            cluster |= {"state": "merged", "merged_into": into, "accepting": False}
            events = [self._event("cluster_merged", at, cluster, into=into)]
        else:
            cluster |= {"state": "resolved", "resolved_at": _iso(at), "accepting": False}
            events = [self._event("cluster_resolved", at, cluster)]
        born = self._born(at)
        self._ids[self._ids.index(cluster["id"])] = born["id"]
        changed[born["id"]] = born
        return [*events, self._event("cluster_created", at, born, title=born["title"])]

    def _storm(self) -> dict[str, Any]:
        largest = sorted(self.clusters.values(), key=lambda c: -int(c["firing"]))[:STORM_CLUSTERS]
        return {
            "id": 1,
            "state": "peak",
            "started_at": _iso(self._began - 120),
            "peak_at": _iso(self._began),
            "ended_at": None,
            "intensity": 31.5,
            "peak_intensity": 40.2,
            "rate_per_minute": self._rate * 30,
            "baseline_per_minute": self._rate,
            "episodes": self._new,
            "firing": sum(c["firing"] for c in largest),
            "cluster_ids": [c["id"] for c in largest],
            "representatives": [],
        }

    def stats(self) -> dict[str, Any]:
        """Return what GET stats says."""
        return {
            "stability": {"status": "ok", "stability_score": 0.9, "total_clusters": self._next_id},
            "index": {"vectors": 20_000, "cells": 64, "probes": 8, "measured_recall": 0.99},
            "memory": {
                "current_vectors": 20_000,
                "max_vectors": 50_000,
                "usage_ratio": 0.4,
                "past_clusters": 0,
                "max_past_clusters": 5_000,
            },
            "live_clusters": len(self.clusters),
            "flapping_alerts": 3,
            "pending_alerts": 0,
            "model_ready": True,
            "heartbeat_at": None,
        }

    def _now(self) -> dict[str, Any]:
        return {"storm": self._storm(), "stats": self.stats()}

    def snapshot(self) -> dict[str, Any]:
        """Return the first frame."""
        return {
            "type": "snapshot",
            "epoch": EPOCH,
            "seq": self._seq,
            "time": _iso(time.time()),
            "severity_order": ["info", "warning", "critical"],
            "clusters": list(self.clusters.values()),
            **self._now(),
        }

    def frame(self) -> dict[str, Any]:
        """Return what happened in a tenth of a second."""
        first, at = self._seq + 1, time.time()
        events: list[dict[str, Any]] = []
        changed: dict[int, dict[str, Any]] = {}
        while len(events) < self._rate / FRAMES_A_SECOND:
            events += self._step(at, changed)
        return {
            "type": "events",
            "first": first,
            "last": self._seq,
            "time": _iso(at),
            "events": events,
            "clusters": list(changed.values()),
            **self._now(),
        }

    def timeline(self, begin: float, end: float, step: float) -> dict[str, Any]:
        """Return a past for what is live now: counts that came to what they are."""
        buckets = math.ceil((end - begin) / step)
        clusters = []
        for cluster in self.clusters.values():
            opened = datetime.fromisoformat(cluster["opened_at"]).timestamp()
            first = min(buckets - 1, max(0, int((opened - begin) / step)))
            steps = range(first, buckets, max(1, (buckets - first) // 20))
            grown = [max(1, cluster["firing"] * n // len(steps)) for n in range(1, len(steps) + 1)]
            samples = [[bucket, firing] for bucket, firing in zip(steps, grown, strict=True)]
            clusters.append({**cluster, "samples": samples})
        return {
            "from": _iso(begin),
            "to": _iso(end),
            "step_seconds": step,
            "seq": self._seq,
            "fired": [round(self._rate * step / 2)] * buckets,
            "resolved": [round(self._rate * step / 3)] * buckets,
            "clusters": clusters,
            "truncated": False,
        }


def _serve(port: int, clusters: int, rate: float, pipe: Connection) -> None:
    """Be the receiver until killed; say how many frames went out. A process of its own."""
    storm = _Storm(clusters, rate)
    sent = {"frames": 0, "bytes": 0, "late": 0}

    async def stream(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(compress=False)
        await socket.prepare(request)
        await socket.send_str(json.dumps(storm.snapshot()))
        due = time.monotonic()
        while not socket.closed:
            due += 1 / FRAMES_A_SECOND
            wait = due - time.monotonic()
            sent["late"] += wait < 0
            await asyncio.sleep(max(0.0, wait))
            text = json.dumps(storm.frame(), separators=(",", ":"))
            await socket.send_str(text)
            sent["frames"] += 1
            sent["bytes"] += len(text)
            while pipe.poll():
                pipe.recv()
                pipe.send(dict(sent))
        return socket

    async def gone(request: web.Request) -> web.WebSocketResponse | web.Response:
        try:
            return await stream(request)
        except ConnectionError:
            return web.Response()

    async def timeline(request: web.Request) -> web.Response:
        begin, end = (datetime.fromisoformat(request.query[n]).timestamp() for n in ("from", "to"))
        return web.json_response(storm.timeline(begin, end, float(request.query["step"])))

    async def storms(request: web.Request) -> web.Response:
        return web.json_response({"items": [], "next": None})

    async def stats(request: web.Request) -> web.Response:
        return web.json_response(storm.stats())

    async def tickets(request: web.Request) -> web.Response:
        return web.json_response({"ticket": "any", "expires_at": _iso(time.time() + 30)})

    app = web.Application()
    for path, handler in handlers():
        app.router.add_get(path, handler)
    app.router.add_get("/api/v1/stream", gone)
    app.router.add_get("/api/v1/timeline", timeline)
    app.router.add_get("/api/v1/storms", storms)
    app.router.add_get("/api/v1/stats", stats)
    app.router.add_post("/api/v1/tickets", tickets)

    async def ready(_: web.Application) -> None:
        pipe.send("ready")

    app.on_startup.append(ready)
    web.run_app(app, host=HOST, port=port, print=lambda *_: None, handle_signals=False)


@dataclass(frozen=True)
class Frames:
    """Intervals between animation frames, milliseconds, over a stretch of time.

    Attributes:
        rate: Frames a second: their number by the time they took.
        long_tasks: Tasks of 50 ms and more; longest_task is the longest of them.
        busy: Share of the time the page's thread worked.
        scripts: Share of the time it ran scripts.
    """

    seconds: float
    rate: float
    median_ms: float
    mean_ms: float
    p95_ms: float
    longest_ms: float
    long_tasks: int
    longest_task_ms: float
    busy: float
    scripts: float


@dataclass(frozen=True)
class Heap:
    """The heap after collections, megabytes.

    Attributes:
        samples: Seconds since the start, and what was used then.
        slope_mb_per_minute: Of the least-squares line through all samples.
        later_slope_mb_per_minute: Through those of the second half: until then the page may still
            be filling what it is allowed to keep.
    """

    samples: list[tuple[float, float]]
    slope_mb_per_minute: float
    later_slope_mb_per_minute: float


def _slope(samples: Sequence[tuple[float, float]]) -> float:
    return round(statistics.linear_regression(*zip(*samples, strict=True)).slope * 60, 3)


class _Watch:
    """What is measured of one page."""

    def __init__(self, page: Page, session: CDPSession) -> None:
        self._page = page
        self._session = session
        session.send("Performance.enable")
        session.send("HeapProfiler.enable")

    def _work(self) -> dict[str, float]:
        told = self._session.send("Performance.getMetrics")["metrics"]
        return {metric["name"]: metric["value"] for metric in told}

    def heap(self) -> float:
        """Return the megabytes in use after a collection."""
        self._page.evaluate("probe.pause(true)")
        self._session.send("HeapProfiler.collectGarbage")
        used: float = self._session.send("Runtime.getHeapUsage")["usedSize"]
        self._page.evaluate("probe.pause(false)")
        return used / 2**20

    def frames(self, seconds: float, samples: list[tuple[float, float]] | None = None) -> Frames:
        """Watch for *seconds*; where *samples* is given, put heap samples into it."""
        self._page.evaluate("probe.take()")
        before, started = self._work(), time.monotonic()
        every = min(HEAP_EVERY_SECONDS, seconds / 4) if samples is not None else seconds
        while (passed := time.monotonic() - started) < seconds:
            if samples is not None:
                samples.append((round(passed, 1), round(self.heap(), 2)))
            left = seconds - (time.monotonic() - started)
            self._page.wait_for_timeout(max(0.0, min(every, left)) * 1000)
        if samples is not None:
            samples.append((round(time.monotonic() - started, 1), round(self.heap(), 2)))
        after, taken = self._work(), self._page.evaluate("probe.take()")
        wall = after["Timestamp"] - before["Timestamp"]
        intervals: list[float] = taken["intervals"]
        share = {
            name: round((after[name] - before[name]) / wall, 3)
            for name in ("TaskDuration", "ScriptDuration")
        }
        return Frames(
            seconds=round(wall, 1),
            rate=round(1000 * len(intervals) / sum(intervals), 1),
            median_ms=round(statistics.median(intervals), 1),
            mean_ms=round(statistics.mean(intervals), 1),
            p95_ms=round(statistics.quantiles(intervals, n=20)[18], 1),
            longest_ms=round(max(intervals), 1),
            long_tasks=len(taken["tasks"]),
            longest_task_ms=round(max(taken["tasks"], default=0.0)),
            busy=share["TaskDuration"],
            scripts=share["ScriptDuration"],
        )


def measure(
    *, clusters: int, rate: float, seconds: float, minutes: float
) -> tuple[list[Frames], Heap | None, dict[str, Any]]:
    """Open the page and return the frames of each stretch, the heap, and what was sent."""
    port = free_port()
    context = multiprocessing.get_context("spawn")
    pipe, theirs = context.Pipe()
    server = context.Process(target=_serve, args=(port, clusters, rate, theirs), daemon=True)
    server.start()
    try:
        assert pipe.recv() == "ready"
        with sync_playwright() as playwright:
            path = shutil.which("chromium") or shutil.which("chromium-browser")
            browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
            page = browser.new_page(
                viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="dark"
            )
            page.add_init_script(PROBE)
            page.goto(f"http://{HOST}:{port}/")
            page.locator("#rows tr").first.wait_for()
            page.wait_for_timeout(WARM_UP_SECONDS * 1000)
            watch = _Watch(page, page.context.new_cdp_session(page))
            frames, heap = [watch.frames(seconds)], None
            if minutes:
                samples: list[tuple[float, float]] = []
                frames.append(watch.frames(minutes * 60, samples))
                heap = Heap(samples, _slope(samples), _slope(samples[len(samples) // 2 :]))
            pipe.send("sent?")
            sent: dict[str, Any] = pipe.recv()
            sent["browser"] = browser.version
            browser.close()
    finally:
        server.terminate()
        server.join()
    return frames, heap, sent


def main(arguments: Sequence[str]) -> int:
    """Measure once and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clusters", type=int, default=2000, help="live at any time")
    parser.add_argument("--rate", type=float, default=1000.0, help="events a second")
    parser.add_argument("--seconds", type=float, default=30.0, help="for the frames")
    parser.add_argument("--minutes", type=float, default=10.0, help="for the heap; 0 leaves it out")
    parser.add_argument("--out", type=Path, help="write the results as JSON")
    parser.add_argument(
        "--serve", type=int, metavar="PORT", help="only be that receiver, for another bench"
    )
    options = parser.parse_args(arguments)
    if options.serve:
        # Nobody asks through the pipe; it is held so that it stays open.
        ours, theirs = multiprocessing.Pipe()
        _serve(options.serve, options.clusters, options.rate, theirs)
        ours.close()
        return 0
    frames, heap, sent = measure(
        clusters=options.clusters,
        rate=options.rate,
        seconds=options.seconds,
        minutes=options.minutes,
    )
    print(
        "seconds  frames/s  median   mean    p95  longest ms  long tasks  longest ms  busy  scripts"
    )
    for f in frames:
        print(
            f"{f.seconds:7.0f}  {f.rate:8.1f}  {f.median_ms:6.1f}  {f.mean_ms:5.1f}  {f.p95_ms:5.1f}"
            f"  {f.longest_ms:10.1f}  {f.long_tasks:10}  {f.longest_task_ms:10.0f}"
            f"  {f.busy:4.0%}  {f.scripts:7.0%}"
        )
    if heap:
        print("heap MB:", "  ".join(f"{used:.1f} at {at:.0f} s" for at, used in heap.samples))
        print(
            f"slope: {heap.slope_mb_per_minute:+.3f} MB a minute,"
            f" {heap.later_slope_mb_per_minute:+.3f} in the second half"
        )
    size = sent["bytes"] / max(1, sent["frames"]) / 1024
    print(f"sent: {sent['frames']} frames of {size:.0f} KiB, {sent['late']} of them late")
    machine = (
        f"{os.cpu_count()} CPUs, {platform.machine()}, Python {platform.python_version()},"
        f" Chromium {sent['browser']}"
    )
    print(machine)
    if options.out:
        document = {
            "machine": machine,
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
            "clusters": options.clusters,
            "events_per_second": options.rate,
            "frames": [asdict(stretch) for stretch in frames],
            "heap": asdict(heap) if heap else None,
            "sent": sent,
        }
        options.out.write_text(json.dumps(document, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
