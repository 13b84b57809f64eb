"""The composition root: owns the clock, opens the parts in order, closes them in reverse."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import logging
import resource
import signal
import threading
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from receiver import __version__, heap, logs
from receiver import config as configuration
from receiver.clock import Clock
from receiver.config import Config, FeedSettings, Reloaded, is_loopback, split_address
from receiver.core.errors import StoreError
from receiver.core.index import VectorIndex
from receiver.core.model import Vector
from receiver.core.settings import ConfigError
from receiver.core.timestamps import seconds
from receiver.embedding import Embedder, open_embedder
from receiver.embedding.prepare import prepare
from receiver.feed import Feed
from receiver.metrics import Metrics
from receiver.pipeline import Intake, Room, Training, Worker, Writer
from receiver.reconciliation import Reconciliation
from receiver.store import Database, Queries
from receiver.web import Access, Connections, Passwords, Server, Tickets, WebFile

log = logging.getLogger(__name__)

_DRAIN_SECONDS = 10.0
"""Longest wait for the batch in hand when stopping; what is left is in the inbox."""

_TRAINING_SECONDS = 2.0
"""Longest wait for cells that are being trained: nothing is lost with them."""

_OTHER_DESCRIPTORS = 128
"""Left for the database, each thread's connection to it, the model, files of tokens, and the log."""

_FEWEST_CONNECTIONS = 8


def clock() -> int:
    """Return the time of this machine, nanoseconds since 1970; it may be set."""
    return time.time_ns()


class TimedIndex(VectorIndex):
    """A vector index that tells how long each search took."""

    metrics: Metrics

    def search(self, vector: Vector, count: int) -> list[tuple[int, float]]:
        """Search as `VectorIndex` does."""
        started = time.perf_counter()
        found = super().search(vector, count)
        self.metrics.search.observe(time.perf_counter() - started)
        return found


class App:
    """A running Stormcell."""

    def __init__(self, config: Config, load: Callable[[], Config] | None = None) -> None:
        """Open everything but the listening socket.

        Args:
            config: All settings.
            load: Reads the configuration again; may raise ConfigError.

        Raises:
            ConfigError: A file of tokens or of the web configuration cannot be used.
            StoreError: The storage cannot be used.
        """
        self.config = config
        self._load = load or (lambda: config)
        self._file = WebFile(config.web.config_file, time.monotonic)
        self._passwords = Passwords()
        self._tickets = Tickets(time.monotonic)
        access = self._access(config)
        self.fatal: Exception | None = None
        self._closing = threading.Event()
        self._ended = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._faults = LoopFaults()
        self._loop.set_exception_handler(self._faults.handle)
        raise_descriptor_limit()
        self._connections = Connections(
            config.web, connection_limit(config.web.max_connections), time.monotonic
        )
        self.metrics = Metrics(__version__, config.web.external_url)
        database = Database(Path(config.storage.path))
        # Whatever this machine's clock says now: what happened before was before.
        self.clock = Clock(clock, time.monotonic_ns)
        self.clock.reach(database.clock)
        self.writer = Writer(database, self.clock)
        self.queries = Queries(database.path, config.severity)
        self.feed = Feed(
            self._feed_settings(config),
            self.queries,
            epoch=database.epoch,
            status=self._status,
            clock=self.clock,
            preamble={"severity_order": list(config.severity.order)},
        )
        self.worker = Worker(
            self.writer,
            config,
            self._open_embedder,
            clock=self.clock,
            make_index=self._make_index,
            listeners=[self.metrics.published, self.feed.published],
            on_retry=self.metrics.retries.inc,
            on_trimmed=self.metrics.trimmed,
            on_fatal=self._on_fatal,
        )
        self.training = Training(
            self.worker.ask, lambda: self.config.core.index.cells_from, heap.give_back
        )
        self.intake = Intake(self.writer, config.intake.max_wait, self.worker.nudge)
        self.reconciliation = Reconciliation(
            config.reconciliation,
            config.identity,
            self.intake,
            clock=clock,
            on_failure=self.metrics.reconciliation_failures.inc,
        )
        self.room = Room(config.intake.max_inflight_bytes, config.intake.max_wait)
        self._add_gauges(database)
        self.server = Server(
            config,
            intake=self.intake,
            room=self.room,
            worker=self.worker,
            queries=self.queries,
            metrics=self.metrics,
            feed=self.feed,
            access=access,
            connections=self._connections,
            tickets=self._tickets,
            file=self._file,
            reload=self.reload,
            clock=self.clock,
            status=self._status,
        )

    def _feed_settings(self, config: Config) -> FeedSettings:
        """Return those of *config*, but with half of all connections left to who sends alerts."""
        most = min(config.feed.max_clients, self._connections.limit // 2)
        return dataclasses.replace(config.feed, max_clients=most)

    def _access(self, config: Config) -> Access:
        return Access(
            config.web,
            time.monotonic,
            file=self._file,
            passwords=self._passwords,
            tickets=self._tickets,
        )

    def reload(self) -> Reloaded:
        """Read the configuration again, and apply of it what a running server can.

        Raises:
            ConfigError: It cannot be used; then nothing has changed.
        """
        try:
            wanted = self._load()
            reloaded = configuration.reload(self.config, wanted)
            # It may have been looked at within this second, and changed since.
            self._file.read_again()
            access = self._access(reloaded.config)
            access.check_after(self.server.access)
        except ConfigError as error:
            self.metrics.reloaded(False)
            log.error("the configuration was not reloaded", extra={"err": str(error)})  # noqa: TRY400
            raise
        self.config = now = reloaded.config
        self.server.access = access
        self.server.webhook.settings = now.intake
        self.room.configure(now.intake.max_inflight_bytes, now.intake.max_wait)
        self.intake.wait_seconds = now.intake.max_wait
        self.feed.configure(self._feed_settings(now))
        self.worker.config = now
        self.metrics.reloaded(True, self.clock(), len(reloaded.waiting))
        told = {"applied": ", ".join(reloaded.applied) or "nothing has changed"}
        log.info("the configuration was reloaded", extra=told)
        if reloaded.waiting:
            log.warning(
                "settings that need a restart", extra={"settings": ", ".join(reloaded.waiting)}
            )
        return reloaded

    def reload_if_good(self) -> None:
        """Reload, or say in the log why not."""
        with contextlib.suppress(ConfigError):
            self.reload()

    def _make_index(self, dims: int) -> VectorIndex:
        index = TimedIndex(dims)
        index.metrics = self.metrics
        return index

    def _open_embedder(self) -> Embedder:
        settings = self.config.embedding
        if settings.backend == "onnx":
            prepare(
                settings,
                report=lambda line: log.info("model: %s", line),
                cancelled=self._closing,
            )
        opened = _Timed(open_embedder(settings), self.metrics)
        # What it took to restore the state and to load the model, and is free again.
        heap.give_back()
        return opened

    def _on_fatal(self, error: Exception) -> None:
        self.fatal = error
        self._loop.call_soon_threadsafe(self._ended.set)

    def _add_gauges(self, database: Database) -> None:
        gauge = self.metrics.gauge
        gauge(
            "pending_alerts",
            "Alerts committed and not yet applied.",
            lambda: self.writer.pending_alerts,
        )
        gauge(
            "oldest_pending_age_seconds",
            "Age of the oldest alert not yet applied; 0 if there is none.",
            self._oldest_pending_age,
        )
        gauge("ready", "Whether alerts can be taken and the state is restored.", self.is_ready)
        gauge(
            "last_webhook_timestamp_seconds",
            "When a webhook was last committed, since the start; 0 for never.",
            lambda: seconds(self.intake.received_at),
        )
        gauge(
            "reconciliation_timestamp_seconds",
            "When all Alertmanagers last said what they know, since the start; 0 for never.",
            lambda: seconds(self.reconciliation.completed_at),
        )
        gauge("storage_size_bytes", "What the database takes on disk.", self.queries.size_bytes)
        gauge(
            "storage_used_bytes",
            "What of the database holds something; the rest is taken before it grows.",
            lambda: database.size.used,
        )
        gauge(
            "storage_limit_bytes",
            "From which size of the database on what is over is deleted, the oldest first; 0 for none.",
            lambda: self.config.storage.max_bytes,
        )
        gauge(
            "storage_limit_unmet",
            "Whether what goes on and what is remembered alone takes more than the limit.",
            lambda: self.worker.trimming.exhausted,
        )
        gauge("intake_bytes", "Bytes of webhook bodies held in memory.", lambda: self.room.used)
        gauge(
            "embedder_ready",
            "Whether the model is loaded; without it alerts are kept and stay pending.",
            lambda: self.worker.embedder_ready,
        )
        gauge("connections", "Connections that are open.", lambda: len(self._connections))
        gauge("connections_limit", "Connections there may be.", lambda: self._connections.limit)
        self.metrics.counter(
            "connections_cut",
            "Connections closed as nothing came, or was read, for too long, or to make room for others.",
            lambda: self._connections.cut,
        )
        gauge("feed_clients", "Clients of the live stream.", lambda: self.feed.clients)
        self.metrics.counter(
            "feed_clients_dropped",
            "Clients of the live stream that were cut because they did not read.",
            lambda: self.feed.dropped,
        )
        self.metrics.counter(
            "storage_errors",
            "Failed calls of the database; the sender is told to retry, or it is tried again.",
            lambda: self.writer.errors,
        )
        self.metrics.counter(
            "worker_restarts",
            "Times the worker began again from what is committed, after a fault of ours.",
            lambda: self.worker.restarts,
        )
        gauge(
            "clock_ahead_seconds",
            "By how much our time is ahead of the machine's clock, which was set back.",
            self.clock.ahead_seconds,
        )
        self.metrics.counter(
            "event_loop_faults",
            "Faults that no request can be told of, such as no descriptor for a connection.",
            lambda: self._faults.count,
        )
        self.metrics.counter(
            "log_lines_left_out", "Log lines left out as repeats.", lambda: logs.left_out()
        )
        gauge(
            "known_missing_alerts",
            "Alerts that senders said they cut from their latest notifications, since the start.",
            lambda: self.server.webhook.missing(),
        )

    def _status(self) -> dict[str, Any]:
        """Return the figures of the receiver itself that people see."""
        return {
            "pending_alerts": self.writer.pending_alerts,
            "model_ready": self.worker.embedder_ready,
        }

    def _oldest_pending_age(self) -> float:
        oldest = self.writer.oldest_pending_at()
        return 0.0 if oldest is None else max(0.0, seconds(self.clock() - oldest))

    def is_ready(self) -> bool:
        """Return whether alerts can be taken and the state is restored."""
        return self.worker.restored and self.fatal is None

    async def start(self) -> None:
        """Listen, and start to apply what is in the inbox.

        Raises:
            OSError: The address is in use or not ours.
        """
        await self.server.start()
        self.feed.start()
        self.worker.start()
        self.training.start()
        self.reconciliation.start()

    async def ended(self) -> None:
        """Return when the app cannot go on; `fatal` says why."""
        await self._ended.wait()

    async def close(self) -> None:
        """Take no more, finish what is in hand, close everything."""
        self.server.closing = True
        self._closing.set()
        await self.reconciliation.close()
        await self.intake.close()
        await self.feed.close()
        await self.server.close()
        if not await asyncio.to_thread(self.worker.stop, _DRAIN_SECONDS):
            log.warning("a batch was not finished in time; it stays in the inbox")
        await asyncio.to_thread(self.training.stop, _TRAINING_SECONDS)
        await asyncio.to_thread(self.writer.close)
        self.queries.close()
        self._passwords.close()


class _Timed:
    """An embedder that tells how long each call took."""

    def __init__(self, inner: Embedder, metrics: Metrics) -> None:
        self._inner = inner
        self._metrics = metrics
        self.identity = inner.identity
        self.dims = inner.dims
        self.close = inner.close

    def embed(self, texts: Any) -> Any:
        started = time.perf_counter()
        vectors = self._inner.embed(texts)
        self._metrics.embedding.observe(time.perf_counter() - started)
        return vectors


@contextlib.asynccontextmanager
async def running(config: Config, load: Callable[[], Config] | None = None) -> AsyncIterator[App]:
    """Run the app while the context lasts; *load* reads the configuration again.

    Raises:
        StoreError: The storage cannot be used.
        OSError: The address cannot be listened on.
    """
    app = App(config, load)
    try:
        await app.start()
        yield app
    finally:
        await app.close()


async def serve(config: Config, stop: asyncio.Event, load: Callable[[], Config]) -> None:
    """Run until *stop* is set; SIGHUP has *load* read the configuration again.

    Raises:
        StoreError: The storage cannot be used, or cannot be used any more.
        OSError: The address cannot be listened on.
    """
    async with running(config, load) as app:
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, app.reload_if_good)
        log.info(
            "listening",
            extra={
                "address": app.server.url,
                "version": __version__,
                "storage": config.storage.path,
                "open_files": resource.getrlimit(resource.RLIMIT_NOFILE)[0],
            },
        )
        host, _ = split_address(config.web.listen_address)
        if config.web.anonymous_roles and not is_loopback(host):
            roles = ", ".join(config.web.anonymous_roles)
            log.warning("anyone who reaches this address has roles", extra={"roles": roles})
        waits = [asyncio.ensure_future(stop.wait()), asyncio.ensure_future(app.ended())]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
        log.info("stopping")
    if app.fatal is not None:
        raise app.fatal if isinstance(app.fatal, StoreError) else StoreError(repr(app.fatal))


def raise_descriptor_limit() -> None:
    """Allow as many open files as the system lets us: a storm opens thousands of connections."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    except (OSError, ValueError) as error:
        log.warning("open files stay limited", extra={"limit": soft, "err": str(error)})
        return
    log.debug("open files", extra={"limit": hard, "was": soft})


def connection_limit(most: int) -> int:
    """Return how many connections there may be: *most*, or fewer if there are not enough descriptors."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return most
    return max(_FEWEST_CONNECTIONS, min(most, soft - _OTHER_DESCRIPTORS))


class LoopFaults:
    """Logs and counts what no handler caught, such as that no descriptor was left for a connection.

    Attributes:
        count: How often.
    """

    def __init__(self) -> None:
        """Start with none."""
        self.count = 0

    def handle(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Log *context*, as asyncio gives it."""
        self.count += 1
        log.error(str(context.get("message")), extra={"err": repr(context.get("exception"))})
