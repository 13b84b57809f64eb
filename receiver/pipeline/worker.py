"""The one thread that owns the engine: inbox in, committed and published events out.

A fault never loses an alert: what is not committed stays in the inbox. If texts cannot be embedded or
the database cannot be written, the batch waits and is tried again; if the engine itself fails, it is
built again from the store and the alert at fault becomes a dead letter.
"""

from __future__ import annotations

import gc
import logging
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Any, ParamSpec, TypeVar

from receiver.config import Config
from receiver.core import payload, quiet, survey, wire
from receiver.core.engine import Engine
from receiver.core.errors import (
    Conflict,
    EmbeddingError,
    NotFound,
    SenderError,
    StoreError,
    TryLater,
)
from receiver.core.evolution import EventType
from receiver.core.inbox import InboxRow
from receiver.core.index import VectorIndex
from receiver.core.intake import Embed, sightings
from receiver.core.model import Alert, Input, Members, Recall, Resumed, Sighting, Tick
from receiver.core.payload import DeadLetter
from receiver.core.publication import Listener, Publication
from receiver.core.requests import Request
from receiver.core.room import Trimmed
from receiver.core.survey import Survey
from receiver.core.timestamps import SECOND, nanoseconds, render_optional, seconds
from receiver.pipeline.desk import Desk
from receiver.pipeline.embedding import Embedding, OpenEmbedder
from receiver.pipeline.trimming import Trimming
from receiver.pipeline.writer import Writer

log = logging.getLogger(__name__)

_LOOK_AGAIN_SECONDS = 5.0
"""Longest sleep: the wall clock may be set while we wait for a moment of it."""

_TRIM_SECONDS = 0.02
"""Between two steps of deletion when nothing comes: as long as one takes, so that a processor is left."""

_RETRY_SECONDS = (0.5, 1.0, 2.0, 5.0, 10.0)
_MODEL_RETRY_SECONDS = (1.0, 10.0, 60.0, 300.0)
"""An attempt to prepare the model may cost a minute of two processors; one that fails fails again."""

_LENIENT = 150 * SECOND
"""Nanoseconds after a start in which silence proves nothing: Prometheus tells each minute what fires."""

_RESTART_SECONDS = 1.0
"""Before the worker begins again after a fault of ours, which may be there still."""

_PRESSURE, _ARCHIVAL = 0.8, 0.9
"""Shares of `memory.max_vectors` above which memory is under pressure, and texts will soon be let go."""

_READ_BYTES = 4 * 2**20
"""Bodies read from the inbox at once, so that a backlog on disk does not become one in memory."""

_LOOKED_UP = 1000
"""Alerts looked up at once: some milliseconds, for which commits wait."""

T = TypeVar("T")
P = ParamSpec("P")
R = TypeVar("R")


class _Stopped(Exception):
    pass


@dataclass(frozen=True, slots=True)
class _Piece:
    """Part of an inbox row, or all of it, that is applied and committed together with others.

    Attributes:
        row: Which.
        alerts: Those of it that are applied with this piece, in order.
        done: How many of its alerts are applied after this.
        dead_letters: Of the row, with its last piece.
        survey: The row's, if it is one; it is applied alone.
    """

    row: InboxRow
    alerts: Sequence[Alert]
    done: int
    dead_letters: Sequence[DeadLetter] = ()
    survey: Survey | None = None


_Batch = Sequence[_Piece]


class Worker:
    """Applies what is in the inbox, in the order of receipt."""

    def __init__(
        self,
        writer: Writer,
        config: Config,
        open_embedder: OpenEmbedder,
        *,
        clock: Callable[[], int],
        make_index: Callable[[int], VectorIndex] = VectorIndex,
        listeners: Sequence[Listener] = (),
        on_retry: Callable[[], None] = lambda: None,
        on_trimmed: Callable[[Trimmed], None] = lambda trimmed: None,
        on_fatal: Callable[[Exception], None] = lambda error: None,
    ) -> None:
        """Prepare the thread; `start` starts it.

        Args:
            writer: Has the database.
            config: All settings.
            open_embedder: Makes the embedder; may take long, may raise EmbeddingError.
            clock: Nanoseconds since 1970.
            make_index: Makes a vector index for vectors of so many components.
            listeners: Told of each commit, on this thread, in order.
            on_retry: Called for each attempt that has to be repeated.
            on_trimmed: Told of each deletion that made room.
            on_fatal: Called when the thread cannot go on at all.
        """
        self._writer = writer
        self.config = config
        self._embedding = Embedding(open_embedder)
        self._clock = clock
        self._make_index = make_index
        self._listeners = listeners
        self._on_retry = on_retry
        self._on_fatal = on_fatal
        self._thread = threading.Thread(target=self._run, name="worker", daemon=True)
        self._wake = threading.Condition()
        self._stopping = False
        self._nudged = False
        self._asked: deque[tuple[Callable[[], Any], Future[Any]]] = deque()
        self._commands: deque[tuple[Request, str, Future[dict[str, Any]]]] = deque()
        self._rows: deque[tuple[InboxRow, payload.Notification | Survey]] = deque()
        self._read_up_to = 0
        self._journal_trimmed_at = 0
        self.trimming = Trimming(writer, clock, on_trimmed)
        self._engine: Engine | None = None
        self.restored = False
        self.restarts = 0
        self.stats: dict[str, Any] | None = None

    # -- other threads ---------------------------------------------------------------------------

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def nudge(self) -> None:
        """Say that the inbox has something new."""
        with self._wake:
            self._nudged = True
            self._wake.notify()

    def stop(self, timeout_seconds: float) -> bool:
        """Let the thread finish its batch and end; return whether it did in time."""
        with self._wake:
            self._stopping = True
            self._wake.notify()
        if self._thread.ident is not None:
            self._thread.join(timeout_seconds)
        return not self._thread.is_alive()

    @property
    def embedder_ready(self) -> bool:
        """Whether texts can be embedded."""
        return self._embedding.ready

    @property
    def storage(self) -> dict[str, Any]:
        """The cap of the database, and whether it can be held."""
        limit = self.config.storage.max_bytes
        return {"limit_bytes": limit or None, "limit_unmet": self.trimming.exhausted}

    def ask(self, question: Callable[[Engine, Embed], T], about: str = "") -> Future[T]:
        """Have *question* asked of the engine between two batches; it must change nothing.

        Args:
            question: Given the engine, and what embeds.
            about: Fingerprint of the alert that it asks about, whose past the engine has to know.
        """
        answer: Future[T] = Future()

        def run() -> T:
            engine = self._engine
            if engine is None or not self._embedding.ready:
                raise TryLater("the model is not ready yet")
            if about and not engine.remembers(about):
                # Not retried: whoever asks can ask again, and the batch in hand may be waiting too.
                engine.step([Recall(*self._writer.call(self._writer.store.recall, [about]))])
            return question(engine, self._embedding.embed)

        if self._stopping or not self._thread.is_alive():
            raise TryLater("shutting down")
        with self._wake:
            self._asked.append((run, answer))
            self._wake.notify()
        return answer

    def command(self, request: Request, by: str = "") -> Future[dict[str, Any]]:
        """Have done what an operator, known as *by*, asks for, between batches.

        Returns:
            What came of it, as the public sees it, once that is committed (see `Desk.answer`); or
            NotFound, Conflict or SenderError. If it is cancelled in time, nothing happens.
        """
        answer: Future[dict[str, Any]] = Future()
        with self._wake:
            if self._stopping or not self._thread.is_alive():
                raise TryLater("shutting down")
            self._commands.append((request, by, answer))
            self._wake.notify()
        return answer

    # -- the thread ------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            while not self._work():
                self._begin_again()
        except _Stopped:
            pass
        except StoreError as error:
            self._on_fatal(error)
        except BaseException as error:
            # First of all: without memory there may be no line, and nobody may wait for a dead worker.
            self._on_fatal(StoreError(f"the worker cannot go on: {error!r}"))
            log.exception("the worker cannot go on")
        finally:
            self._embedding.close()
            waiting = [answer for *_, answer in self._asked]
            for answer in waiting + [answer for *_, answer in self._commands]:
                if answer.set_running_or_notify_cancel():
                    answer.set_exception(TryLater("shutting down"))

    def _work(self) -> bool:
        """Apply what comes until told to stop, which raises; return False after a fault of ours."""
        try:
            self._restore()
            self._retrying(
                self._open_embedder,
                EmbeddingError,
                "the embedding model is not ready",
                waits=_MODEL_RETRY_SECONDS,
            )
            self._resume()
            while True:
                self._answer()
                self._obey()
                batch = self._next_batch()
                if batch:
                    self._apply(batch)
                    self._look_again()
                trimmed = self._trim()
                if not batch and not self._let_time_pass():
                    self._sleep(_TRIM_SECONDS if trimmed else _LOOK_AGAIN_SECONDS)
        except (_Stopped, StoreError):
            raise
        except Exception:
            log.exception("the worker failed, it begins again with what is committed")
            return False

    def _begin_again(self) -> None:
        """Forget all that is in memory: the store has all that counts, and how far the inbox is done."""
        self.restarts += 1
        self._engine, self.restored = None, False
        self._rows.clear()
        self._read_up_to = 0
        self._pause(_RESTART_SECONDS)

    def _restore(self) -> None:
        """Build the engine from the store, an empty one if nothing is in it."""
        window = self.config.clustering.stability_window
        most_past = self.config.memory.max_past_clusters
        # All that is made now stays: each of many collections meanwhile would go through it in vain.
        gc.disable()
        try:
            restored = self._writer.store.restore(window, most_past)
            dims = self._embedding.dims
            if restored is not None and restored.vectors is not None:
                dims = restored.vectors.shape[1]
            self._engine = Engine(self.config.core, dims, self._make_index)
            if restored is not None:
                self._engine.restore(restored)
                # A full collection that went through it would stop every thread for a tenth of a
                # second at 50,000 texts and 2,000 clusters.
                gc.freeze()
        finally:
            gc.enable()
        counts = {"clusters": len(self._engine.live), "texts": len(self._engine.texts.index)}
        log.info("restored", extra=counts | {"pending": self._writer.pending_alerts})
        live = self._engine.live.by_id.values()
        self._publish([], [wire.cluster_json(cluster) for cluster in live], whole=True)
        self.restored = True

    def _open_embedder(self) -> None:
        self._embedding.open()
        identity, known = self._embedding.identity, self._writer.call(self._known_embedder)
        if known is None:
            self._writer.call(self._writer.store.set_embedder, identity)
        elif known != identity:
            raise StoreError(
                f"the vectors in the database were made by {known}, the settings under `embedding`"
                f" give {identity}: vectors of both cannot be compared; set it back, or give another"
                " --storage.path"
            )
        log.info("the model is ready", extra={"model": identity})
        if self._engine is None or self._engine.texts.index.dims != self._embedding.dims:
            self._restore()

    def _known_embedder(self) -> str | None:
        return self._writer.store.embedder

    def _answer(self) -> None:
        while self._asked:
            run, answer = self._asked.popleft()
            if not answer.set_running_or_notify_cancel():
                continue
            try:
                answer.set_result(run())
            except Exception as error:
                answer.set_exception(error)

    def _obey(self) -> None:
        """Apply what operators said."""
        while self._commands:
            request, by, answer = self._commands.popleft()
            if not answer.set_running_or_notify_cancel():
                continue
            try:
                answer.set_result(self._command(request, by))
            except (NotFound, Conflict, SenderError, TryLater) as error:
                answer.set_exception(error)
            except BaseException as error:
                answer.set_exception(TryLater("the command could not be applied"))
                if isinstance(error, _Stopped):
                    raise
                log.exception("a command failed")
                self._rebuild()

    def _command(self, request: Request, by: str) -> dict[str, Any]:
        engine = self._engine
        if engine is None:
            raise TryLater("the state is not restored yet")
        desk = Desk(engine, self._writer.store, self._read)
        now = max(self._clock(), engine.counters.clock)
        # What is due comes before it, and stands in the store where the command looks.
        self._tick(engine, now)
        command = desk.prepare(request, now, by)
        before = dict(engine.counters.outcomes)
        events = engine.step([command])
        answer = desk.answer(request, command, events)
        self._commit(engine, [command], events, (), before)
        for event in events:
            if event.type is EventType.OPERATOR_COMMAND:
                # Here and not where it is answered: who asked may have hung up, and it is done.
                told = {"command": event.detail["command"], "cluster": event.cluster_id}
                # Empty for anybody: any word in its place may be a user's name.
                log.info("an operator's command", extra=told | {"seq": event.seq, "by": by})
        return answer

    def _read(self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Return what a method of the store gives."""
        return self._retrying(
            lambda: self._writer.call(function, *args, **kwargs),
            sqlite3.Error,
            "the database cannot be read",
        )

    def _trim(self) -> bool:
        """Make a little room if the database needs it; return whether there is more to do."""
        engine, limit = self._engine, self.config.storage.max_bytes
        if engine is None:
            return False
        window = self.config.clustering.stability_window
        try:
            return self.trimming.step(engine, limit, window)
        except sqlite3.Error as error:
            # Nothing was deleted. What is committed next says whether the database can be written.
            reason = str(error)
        log.error("no room could be made", extra={"err": reason})
        return False

    def _sleep(self, wait: float) -> None:
        due = self._engine.next_due() if self._engine else None
        if due is not None:
            wait = min(wait, max(0.0, seconds(due - self._clock())))
        with self._wake:
            if not (self._nudged or self._asked or self._commands or self._stopping):
                self._wake.wait(wait)
            self._nudged = False
            if self._stopping:
                raise _Stopped

    def _retrying(
        self,
        function: Callable[[], T],
        retried: type[Exception],
        trouble: str,
        waits: Sequence[float] | None = None,
    ) -> T:
        """Return what *function* returns, trying again after an error of the type *retried*."""
        attempt, waits = 0, waits or _RETRY_SECONDS
        while True:
            try:
                return function()
            except sqlite3.IntegrityError:
                raise
            except retried as error:
                wait = waits[min(attempt, len(waits) - 1)]
                attempt += 1
                self._on_retry()
                log.error(  # noqa: TRY400 - expected faults, said in a line
                    "%s, alerts stay pending", trouble, extra={"err": str(error), "retry_in": wait}
                )
                self._pause(wait)

    def _pause(self, wait: float) -> None:
        with self._wake:
            # Not until the next webhook: a storm would have it tried again hundreds of times a second.
            self._wake.wait_for(lambda: self._stopping or self._asked, wait)
            if self._stopping:
                raise _Stopped
        self._answer()

    # -- batches ---------------------------------------------------------------------------------

    def _next_batch(self) -> _Batch:
        if self._stopping:
            raise _Stopped
        batch: list[_Piece] = []
        room = self.config.intake.batch_size
        while room > 0 and (self._rows or self._read_inbox()):
            row, notification = self._rows[0]
            if isinstance(notification, Survey) and batch:
                # What of it is news depends on all that came before it.
                break
            self._rows.popleft()
            if isinstance(notification, Survey):
                return [_Piece(row, (), row.alerts, survey=notification)]
            taken = [alert for _, alert in notification.alerts[row.applied : row.applied + room]]
            room -= max(1, len(taken))
            done = row.applied + len(taken)
            if done < len(notification.alerts):
                batch.append(_Piece(row, taken, done))
                self._rows.appendleft((replace(row, applied=done), notification))
            else:
                batch.append(_Piece(row, taken, row.alerts, notification.dead_letters))
        return batch

    def _read_inbox(self) -> bool:
        handed = self._writer.handover.take(self._read_up_to)
        if handed is None:
            found = self._retrying(
                lambda: self._writer.call(self._writer.store.inbox, self._read_up_to, _READ_BYTES),
                sqlite3.Error,
                "the inbox cannot be read",
            )
            handed = [(row, None) for row in found]
        for row, said in handed:
            self._rows.append((row, said or self._parse(row)))
            self._read_up_to = row.id
        return bool(handed)

    def _parse(self, row: InboxRow) -> payload.Notification | Survey:
        """Parse *row*, as was done before it was committed; what fails now is a dead letter whole.

        It may: how deep a body can be nested depends on the stack of who parses it.
        """
        try:
            if survey.is_survey(row.body):
                return survey.decode(row.body)
            return payload.parse_any(row.body, self.config.identity, row.received_at)
        except MemoryError:
            # Not the body's fault, nor an alert's below: the worker begins again, with less in memory.
            raise
        except Exception as error:
            log.exception("a body in the inbox cannot be read, it goes to the dead letters")
            reason = f"body cannot be read again: {error}"[:500]
            letter = DeadLetter(0, "body", reason, row.body.decode(errors="replace"))
            return payload.Notification("", "", "", 0, (), (letter,))

    def _apply(self, batch: _Batch) -> None:
        try:
            self._step(batch)
        except (_Stopped, EmbeddingError, MemoryError):
            raise
        except Exception:
            log.exception("a batch failed, its alerts are tried one by one")
            self._rebuild()
            self._apply_one_by_one(batch)

    def _step(self, batch: _Batch) -> None:
        engine = self._engine
        if engine is None:
            raise TryLater("the model is not ready yet")
        if batch[0].survey is not None:
            self._reconcile(engine, batch, batch[0].survey)
            return
        received = [(piece.row.received_at, alert) for piece in batch for alert in piece.alerts]
        inputs, known, embedded = self._sightings(engine, received)
        before = dict(engine.counters.outcomes)
        events = engine.step(inputs)
        self._commit(engine, inputs, events, batch, before, known, embedded)

    def _sightings(
        self, engine: Engine, received: Sequence[tuple[int, Alert]]
    ) -> tuple[list[Sighting], int, int]:
        """Return *received* as inputs for *engine*, which then knows their past; see `sightings`."""
        self._recall(engine, received)
        return self._retrying(
            lambda: sightings(engine, received, self._embedding.embed),
            EmbeddingError,
            "texts cannot be embedded",
        )

    def _reconcile(self, engine: Engine, batch: _Batch, found: Survey) -> None:
        """Apply what is news of what Alertmanagers were *found* to know."""
        now = max(batch[0].row.received_at, engine.counters.clock)
        received = [(now, alert) for alert in self._listed_again(engine, found)]
        heard, known, embedded = self._sightings(engine, received)
        inputs: list[Input] = [*heard]
        before = dict(engine.counters.outcomes)
        events = engine.step(inputs)
        # By half of that: the other half is for those that do not answer for a while.
        repeat_after = nanoseconds(self.config.clustering.stale_after / 2)
        told = survey.news(found, engine.episodes, now, repeat_after)
        if told is not None:
            inputs.append(told)
            events += engine.step([told])
        self._commit(engine, inputs, events, batch, before, known, embedded)

    def _listed_again(self, engine: Engine, found: Survey) -> list[Alert]:
        """Return alerts that were given up here and that an Alertmanager lists as firing."""
        unheard = survey.unheard(found, engine.episodes)
        listed: list[Alert] = []
        for first in range(0, len(unheard), _LOOKED_UP):
            part = unheard[first : first + _LOOKED_UP]
            listed += survey.again(found, self._read(self._writer.store.given_up, part))
        return listed

    def _resume(self) -> None:
        """Let the engine know that nothing could be received for a while."""
        engine = self._engine
        if engine is not None and engine.counters.seq:
            now = max(self._clock(), engine.counters.clock)
            given = Resumed(now, now + _LENIENT)
            events = engine.step([given])
            self._commit(engine, [given], events, (), engine.counters.outcomes, always=True)

    def _look_again(self) -> None:
        """Bring the members of clusters at which the engine wants a second look.

        Apart from the batch that made it want that, which is committed and must not be applied again.
        """
        engine = self._engine
        if engine is None:
            return
        for cluster_id in engine.take_asked():
            try:
                members = self._read(self._writer.store.members, cluster_id)
                given = Members(engine.counters.clock, cluster_id, members)
                self._commit(engine, [given], engine.step([given]), (), engine.counters.outcomes)
            except (_Stopped, MemoryError):
                raise
            except Exception:
                log.exception("a second look failed")
                self._rebuild()
                return

    def _recall(self, engine: Engine, received: Sequence[tuple[int, Alert]]) -> None:
        wanted = {a.fingerprint for _, a in received if not engine.remembers(a.fingerprint)}
        if wanted:
            episodes, past = self._read(self._writer.store.recall, sorted(wanted))
            engine.step([Recall(episodes, past)])

    def _commit(
        self,
        engine: Engine,
        inputs: Sequence[Input],
        events: Sequence[Any],
        batch: _Batch,
        before: dict[str, int],
        known: int = 0,
        embedded: int = 0,
        *,
        always: bool = False,
    ) -> None:
        changes = engine.drain()
        if not (
            always or events or batch or changes.episodes or changes.clusters or changes.storms
        ):
            return
        trim = self._journal_before()
        self._retrying(
            lambda: self._writer.call(
                self._writer.commit,
                inputs,
                events,
                changes,
                text_id=engine.text_id,
                applied=[(piece.row, piece.done) for piece in batch],
                dead_letters=[
                    (piece.row.received_at, letter)
                    for piece in batch
                    for letter in piece.dead_letters
                ],
                journal_before=trim,
            ),
            sqlite3.Error,
            "the database cannot be written",
        )
        engine.forget()
        now = self._clock()
        after = engine.counters.outcomes
        self._publish(
            events,
            [wire.cluster_json(cluster) for cluster in changes.clusters],
            outcomes={k: n - before.get(k, 0) for k, n in after.items() if n > before.get(k, 0)},
            ages_seconds=[
                max(0.0, seconds(now - piece.row.received_at))
                for piece in batch
                for _ in piece.alerts
            ],
            dead_letters=[_claimed_status(d) for piece in batch for d in piece.dead_letters],
            texts_known=known,
            texts_embedded=embedded,
            vectors_archived=len(changes.forgotten_texts),
        )

    def _journal_before(self) -> int | None:
        """Return before when the journal may be trimmed now, once an hour; else None."""
        now = self._clock()
        if now - self._journal_trimmed_at < nanoseconds(3600):
            return None
        self._journal_trimmed_at = now
        return now - nanoseconds(self.config.storage.journal_retention)

    def _let_time_pass(self) -> bool:
        """Let happen what is due; return whether anything was."""
        engine = self._engine
        now = self._clock()
        due = engine.next_due() if engine else None
        if engine is None or due is None or due > now:
            return False
        self._tick(engine, now)
        return True

    def _tick(self, engine: Engine, now: int) -> None:
        tick = Tick(now)
        self._commit(engine, [tick], engine.step([tick]), (), engine.counters.outcomes)

    def _publish(self, events: Sequence[Any], clusters: Sequence[Any], **figures: Any) -> None:
        engine = self._engine
        if engine is None:
            return
        self.stats = self._figures(engine)
        publication = Publication(
            time=engine.counters.clock,
            seq=engine.counters.seq,
            events=events,
            clusters=clusters,
            flapping=len(engine.flapping),
            heartbeat_at=engine.counters.heartbeat_at,
            quiet_at=quiet.quiet_at(engine.counters.heartbeats, engine.counters.clock) or 0,
            stats=self.stats,
            storm=engine.storms.public(engine.live.by_id),
            **figures,
        )
        for listener in self._listeners:
            try:
                listener(publication)
            except Exception:
                # It is committed: a listener at fault must not have it applied again.
                log.exception("a listener failed")

    def _figures(self, engine: Engine) -> dict[str, Any]:
        limit = self.config.memory.max_vectors
        index = engine.texts.index
        held = len(index)
        return {
            "stability": engine.stability.report(len(engine.live)),
            "index": {
                "vectors": held,
                "cells": index.cells,
                "probes": index.probes,
                "measured_recall": round(index.recall, 4),
            },
            "memory": {
                "current_vectors": held,
                "max_vectors": limit,
                "usage_ratio": round(held / limit, 4),
                "pressure": held > _PRESSURE * limit,
                "archival_needed": held > _ARCHIVAL * limit,
                "past_clusters": len(engine.past),
                "max_past_clusters": self.config.memory.max_past_clusters,
            },
            "constraints": engine.constraints.report(),
            "live_clusters": len(engine.live),
            "flapping_alerts": len(engine.flapping),
            "heartbeat_at": render_optional(engine.counters.heartbeat_at or None),
            "source_quiet_at": render_optional(
                quiet.quiet_at(engine.counters.heartbeats, engine.counters.clock)
            ),
        }

    # -- faults ----------------------------------------------------------------------------------

    def _rebuild(self) -> None:
        """Throw away the engine, which may be half changed, and build it from what is committed."""
        self._engine = None
        self._restore()

    def _apply_one_by_one(self, batch: _Batch) -> None:
        """Apply each alert of *batch* alone; what fails alone is a dead letter."""
        for piece in batch:
            if not piece.alerts:
                self._set_aside(piece)
            first = piece.done - len(piece.alerts)
            for number, alert in enumerate(piece.alerts, start=first + 1):
                last = number == piece.done
                letters = piece.dead_letters if last else ()
                self._apply_alone(
                    _Piece(replace(piece.row, applied=number - 1), [alert], number, letters)
                )

    def _apply_alone(self, piece: _Piece) -> None:
        try:
            self._step([piece])
        except (_Stopped, MemoryError):
            raise
        except Exception as error:
            log.exception("an alert failed, it goes to the dead letters")
            self._rebuild()
            reason = f"internal error: {type(error).__name__}: {error}"[:500]
            letters = [
                DeadLetter(piece.done - 1, "alert", reason, payload.as_json(alert))
                for alert in piece.alerts
            ]
            self._set_aside(replace(piece, alerts=(), dead_letters=[*letters, *piece.dead_letters]))

    def _set_aside(self, piece: _Piece) -> None:
        """Commit *piece*, which has no alerts to apply, for its dead letters."""
        engine = self._engine
        if engine is not None:
            self._commit(engine, [], [], [piece], dict(engine.counters.outcomes))


def _claimed_status(letter: DeadLetter) -> str:
    for status in ("firing", "resolved"):
        if f'"status": "{status}"' in letter.raw:
            return status
    return "unknown"
