"""The live feed: what was published, as frames, to every client that listens.

Publications come from the worker's thread, clients live on the event loop. What changed is put in
words once, on the worker's thread; the loop joins words to a frame and hands the same bytes to all.
A client is a `Sink`, whose transport is its queue: one that does not read is cut when that is full, and
nobody waits for it. How a sink gets its bytes to somebody is not known here.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Protocol

from receiver.config import FeedSettings
from receiver.core.clusters import LIVE_STATES
from receiver.core.errors import TryLater
from receiver.core.evolution import Event
from receiver.core.frames import Frame, Reason, Sink
from receiver.core.publication import Publication
from receiver.core.timestamps import render

log = logging.getLogger(__name__)

_FRAME_EVENTS = 2000
"""Events of one frame: 20,000 a second pass in ten frames, and no frame takes a client long."""

_PAGE = 1000
"""Missed events read from the store, and sent, at a time."""

_AT_ONCE = 64
"""Clients written to before the loop may do something else; a write takes some 10 to 20 µs."""

_LOOK_SECONDS = 1.0
"""How often somebody looks whether clients have stalled, or the receiver's own state has changed."""


class History(Protocol):
    """What the feed asks the store; called from threads of its own."""

    def events(
        self, *, after: int, start: int | None, end: int | None, limit: int
    ) -> tuple[list[Event], str | None]:
        """Return events with seq above *after*, ascending."""
        ...

    def clusters_by_id(self, ids: Iterable[int]) -> list[dict[str, Any]]:
        """Return the clusters with these ids, as the public sees them."""
        ...


@dataclass(slots=True)
class _Client:
    """A sink that gets each frame.

    Attributes:
        sink: Where they go.
        allowance: Bytes that may wait for it.
        waiting: Bytes that waited when somebody last looked.
        moved_at: When fewer waited than before, or none; seconds of the loop's clock.
    """

    sink: Sink
    allowance: int
    waiting: int = 0
    moved_at: float = 0.0


@dataclass(slots=True)
class _Pending:
    """What was published and is in no frame yet, in words."""

    seq: int
    events: deque[tuple[int, str]] = field(default_factory=deque)
    clusters: dict[int, tuple[bool, str]] = field(default_factory=dict)
    whole: bool = False
    changed: bool = False
    storm: str = "null"
    figures: Mapping[str, Any] = field(default_factory=dict)


class Feed:
    """The live stream of one partition."""

    def __init__(
        self,
        settings: FeedSettings,
        history: History,
        *,
        epoch: str,
        status: Callable[[], Mapping[str, Any]],
        clock: Callable[[], int],
        preamble: Mapping[str, Any],
    ) -> None:
        """Prepare; `start` on the event loop sends.

        Args:
            settings: Bounds.
            history: Tells missed events.
            epoch: The database's id.
            status: Figures of the receiver itself, shown in `stats` beside those published.
            clock: Nanoseconds since 1970.
            preamble: What a snapshot says beside clusters: settings that a reader needs.
        """
        self.configure(settings)
        self._history = history
        self._epoch = epoch
        self._status = status
        self._clock = clock
        self._preamble = _dump(dict(preamble))[1:-1]
        self._lock = threading.Lock()
        self._pending = _Pending(0)
        self._seq = 0
        self._live: dict[int, str] = {}
        self._storm = "null"
        self._figures: Mapping[str, Any] = {}
        self._snapshot: Frame | None = None
        self._clients: dict[Sink, _Client] = {}
        self._catching_up: set[Sink] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._arrived = asyncio.Event()
        self._ready = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._told: Mapping[str, Any] = {}
        self._closing = False
        self._readers = ThreadPoolExecutor(max_workers=1, thread_name_prefix="feed")
        self.dropped = 0

    def configure(self, settings: FeedSettings) -> None:
        """Be bounded by *settings* from now on."""
        self._settings = settings
        self._most_waiting = settings.total_buffer_bytes

    # -- the worker's thread ---------------------------------------------------------------------

    def published(self, publication: Publication) -> None:
        """Take in one publication; a listener."""
        events = [(event.seq, _dump(event.to_json())) for event in publication.events]
        clusters = {
            cluster["id"]: (cluster["state"] in LIVE_STATES, _dump(cluster))
            for cluster in publication.clusters
        }
        storm = _dump(publication.storm)
        with self._lock:
            pending = self._pending
            pending.seq = publication.seq
            pending.events.extend(events)
            if publication.whole:
                pending.clusters, pending.whole = clusters, True
            else:
                for cluster_id, told in clusters.items():
                    pending.clusters.pop(cluster_id, None)
                    pending.clusters[cluster_id] = told
            pending.figures = publication.stats
            if events or clusters or publication.whole or storm != pending.storm:
                pending.storm, pending.changed = storm, True
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._arrived.set)

    # -- life ------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to send; on the event loop."""
        self._loop = asyncio.get_running_loop()
        self._task = self._loop.create_task(self._run())
        self._arrived.set()

    async def close(self) -> None:
        """Let go of every client."""
        self._closing = True
        self._ready.set()
        for sink in list(self._clients):
            sink.cut(Reason.CLOSING)
        self._clients.clear()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._readers.shutdown(wait=True, cancel_futures=True)

    @property
    def seq(self) -> int:
        """Of the latest event that is in a frame."""
        return self._seq

    @property
    def clients(self) -> int:
        """How many listen."""
        return len(self._clients) + len(self._catching_up)

    # -- the loop --------------------------------------------------------------------------------

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        sent_at = -self._settings.interval
        quiet_since = looked_at = loop.time()
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_SECONDS):
                    await self._arrived.wait()
            if loop.time() - looked_at >= _LOOK_SECONDS:
                looked_at = loop.time()
                self._cut_stalled(looked_at)
            await asyncio.sleep(max(0.0, sent_at + self._settings.interval - loop.time()))
            self._arrived.clear()
            try:
                frame = self._next_frame(loop.time() - quiet_since)
            except Exception:
                # Its events are in the store: who is let go resumes, and misses nothing.
                log.exception("a frame of the stream could not be made, all clients are let go")
                for sink in list(self._clients):
                    self._drop(sink)
                continue
            if frame is not None:
                sent_at = quiet_since = loop.time()
                await self._send_to_all(frame)

    def _next_frame(self, quiet_seconds: float) -> Frame | None:
        """Return what is to be said now; None if that is nothing."""
        first = self._seq + 1
        events, clusters = self._take()
        if not self._ready.is_set():
            return None
        status = self._status()
        notable = {key: status.get(key) for key in ("model_ready",)}
        notable["behind"] = bool(status.get("pending_alerts"))
        if events or clusters is not None or notable != self._told:
            self._told = notable
            return self._events_frame(first, self._seq, events, clusters or ())
        if quiet_seconds >= self._settings.heartbeat:
            return Frame(
                f'{{"type":"heartbeat","seq":{self._seq},"time":"{render(self._clock())}",'
                f'"stats":{self._stats()}}}'
            )
        return None

    def _take(self) -> tuple[list[str], list[str] | None]:
        """Move on by what was published; return its events, and its clusters (None: no news)."""
        with self._lock:
            pending = self._pending
            if not pending.changed:
                return [], None
            count = min(len(pending.events), _FRAME_EVENTS)
            events = [pending.events.popleft() for _ in range(count)]
            drained = not pending.events
            if not drained:
                # Clusters go with the last of their events, so that none is ahead of them.
                clusters, whole = {}, False
                self._seq = events[-1][0]
                self._arrived.set()
            else:
                clusters, whole = pending.clusters, pending.whole
                pending.clusters, pending.whole, pending.changed = {}, False, False
                self._seq = pending.seq
            self._storm, self._figures = pending.storm, pending.figures
        if whole:
            self._live = {}
        for cluster_id, (live, told) in clusters.items():
            if live:
                self._live[cluster_id] = told
            else:
                self._live.pop(cluster_id, None)
        self._snapshot = None
        if drained:
            self._ready.set()
        return [told for _, told in events], [told for _, told in clusters.values()]

    def _stats(self) -> str:
        return _dump({**self._figures, **self._status()})

    def _events_frame(
        self, first: int, last: int, events: Iterable[str], clusters: Iterable[str]
    ) -> Frame:
        return Frame(
            f'{{"type":"events","first":{first},"last":{last},"time":"{render(self._clock())}",'
            f'"events":[{",".join(events)}],"clusters":[{",".join(clusters)}],'
            f'"storm":{self._storm},"stats":{self._stats()}}}'
        )

    def _snapshot_frame(self, *, reset: bool) -> Frame:
        if reset:
            return self._make_snapshot('"reset":true,')
        if self._snapshot is None:
            self._snapshot = self._make_snapshot("")
        return self._snapshot

    def _make_snapshot(self, marks: str) -> Frame:
        preamble = self._preamble + "," if self._preamble else ""
        return Frame(
            f'{{"type":"snapshot",{marks}"epoch":"{self._epoch}","seq":{self._seq},'
            f'"time":"{render(self._clock())}",{preamble}'
            f'"clusters":[{",".join(self._live.values())}],'
            f'"storm":{self._storm},"stats":{self._stats()}}}'
        )

    async def _send_to_all(self, frame: Frame) -> None:
        total = 0
        for number, client in enumerate(list(self._clients.values()), start=1):
            if client.sink in self._clients:
                client.sink.send(frame)
                waiting = client.sink.waiting()
                total += waiting
                if waiting > client.allowance or (waiting and total > self._most_waiting):
                    self._drop(client.sink)
                    total -= waiting
            if number % _AT_ONCE == 0:
                await asyncio.sleep(0)

    def _cut_stalled(self, now: float) -> None:
        for client in list(self._clients.values()):
            waiting = client.sink.waiting()
            if waiting == 0 or waiting < client.waiting:
                client.moved_at = now
            client.waiting = waiting
            if now - client.moved_at > self._settings.stall_timeout:
                self._drop(client.sink)

    def _drop(self, sink: Sink) -> None:
        self._clients.pop(sink, None)
        self.dropped += 1
        sink.cut(Reason.SLOW)

    # -- clients ---------------------------------------------------------------------------------

    def check_room(self) -> None:
        """Raise TryLater if no further client can be taken."""
        if self._closing or self.clients >= self._settings.max_clients:
            raise TryLater(
                f"{self.clients} clients listen to the stream already (feed.max_clients)"
                if not self._closing
                else "shutting down"
            )

    async def subscribe(self, sink: Sink, after: int | None = None, epoch: str = "") -> None:
        """Have *sink* told what is, or what it missed, and from then on all that happens.

        Args:
            sink: A client; again, if it is subscribed already and wants to resume.
            after: The latest seq it knows; None if it knows nothing.
            epoch: Of which database; empty if it does not say.

        Raises:
            TryLater: There are too many.
        """
        self.unsubscribe(sink)
        self.check_room()
        self._catching_up.add(sink)
        try:
            await self._ready.wait()
            if self._closing:
                raise TryLater("shutting down")
            if after is None:
                self._attach(sink, [self._snapshot_frame(reset=False)])
            elif self._can_resume(after, epoch):
                await self._catch_up(sink, after)
            else:
                self._attach(sink, [self._snapshot_frame(reset=True)])
        finally:
            self._catching_up.discard(sink)

    def unsubscribe(self, sink: Sink) -> None:
        """Tell *sink* nothing any more."""
        self._clients.pop(sink, None)

    def _can_resume(self, after: int, epoch: str) -> bool:
        missed = self._seq - after
        return epoch in ("", self._epoch) and 0 <= missed <= self._settings.max_resume_events

    def _attach(self, sink: Sink, frames: Sequence[Frame]) -> None:
        """Send *frames*, which lead up to now, and from here on every frame: nothing in between."""
        for frame in frames:
            sink.send(frame)
        waiting = sink.waiting()
        now = asyncio.get_running_loop().time()
        allowance = waiting + self._settings.client_buffer_bytes
        self._clients[sink] = _Client(sink, allowance, waiting, now)

    async def _catch_up(self, sink: Sink, after: int) -> None:
        """Tell *sink* what happened since *after*, from the store, then attach it.

        What is in the feed is in the store: it is committed before it is published.
        """
        loop = asyncio.get_running_loop()
        touched: set[int] = set()
        while True:
            until = self._seq
            missed: list[Event] = []
            if after < until:
                found, _ = await loop.run_in_executor(self._readers, self._read, after)
                missed = [event for event in found if event.seq <= until]
                if missed and missed[0].seq != after + 1:
                    # What came between is kept no more.
                    self._attach(sink, [self._snapshot_frame(reset=True)])
                    return
            touched.update(e.cluster_id for e in missed if e.cluster_id is not None)
            told = [_dump(event.to_json()) for event in missed]
            last = missed[-1].seq if missed else until
            ended: list[dict[str, Any]] = []
            if last == until:
                over = touched - self._live.keys()
                if over:
                    ended = await loop.run_in_executor(
                        self._readers, self._history.clusters_by_id, over
                    )
            if last == self._seq:
                # From here to the attachment nothing waits, so no frame can come in between.
                now = [c for cluster_id, c in self._live.items() if cluster_id in touched]
                clusters = [*now, *(_dump(cluster) for cluster in ended)]
                self._attach(sink, [self._events_frame(after + 1, last, told, clusters)])
                return
            if missed:
                sink.send(self._events_frame(after + 1, last, told, ()))
                after = last
            await self._wait_for(sink)

    async def _wait_for(self, sink: Sink) -> None:
        """Return when *sink* can take more of the past; cut it if it takes none for too long."""
        loop = asyncio.get_running_loop()
        least, moved_at = sink.waiting(), loop.time()
        while sink.waiting() > self._settings.client_buffer_bytes:
            await asyncio.sleep(_LOOK_SECONDS / 10)
            if sink.waiting() < least:
                least, moved_at = sink.waiting(), loop.time()
            elif loop.time() - moved_at > self._settings.stall_timeout:
                self._drop(sink)
                raise TryLater("the client does not read")

    def _read(self, after: int) -> tuple[list[Event], str | None]:
        return self._history.events(after=after, start=None, end=None, limit=_PAGE)


_dump = json.JSONEncoder(separators=(",", ":")).encode
