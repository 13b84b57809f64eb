"""The read API, and classify; forms and limits are in docs/api.md."""

from __future__ import annotations

import asyncio
import json
import logging
import sqlite3
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

from aiohttp import web

from receiver.config import Config
from receiver.core import envelope, operator, payload, requests
from receiver.core.clusters import ClusterState
from receiver.core.engine import Engine
from receiver.core.errors import SenderError, TryLater
from receiver.core.evolution import EventType
from receiver.core.explain import explain, sentence
from receiver.core.intake import Embed
from receiver.core.model import Alert
from receiver.core.past import Signature
from receiver.core.placing import Newcomer
from receiver.core.query import AlertQuery
from receiver.core.requests import Request, UndoRequest, UpdateRequest
from receiver.core.similar import Similar, similar, text_of
from receiver.core.text import masked_text
from receiver.core.timestamps import SECOND, nanoseconds, render
from receiver.web import parameters
from receiver.web.credentials import CREDENTIAL, Credential
from receiver.web.parts import Queries, Worker

log = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")

_ALERT_STATES = ("firing", "suppressed", "stale", "resolved")
_EVENT_TYPES = tuple(kind.value for kind in EventType)
_WORKER_SECONDS = 10.0
_TIMELINE_DEFAULT = 1800 * SECOND
_TIMELINE_MOST = 92 * 86400 * SECOND
_BUCKETS = 240
"""Of a timeline: as many as a narrow screen can show."""

_BUCKETS_MOST = 4000


class Api:
    """Answers questions about what is kept."""

    def __init__(
        self,
        config: Config,
        *,
        queries: Queries,
        worker: Worker,
        clock: Callable[[], int],
        seconds: Callable[[], float],
        status: Callable[[], Mapping[str, Any]],
        issue_ticket: Callable[[Credential], tuple[str, float]],
        external_url: Callable[[], str],
        read_timeout: Callable[[], float],
    ) -> None:
        """Ask *queries*, and *worker* for what only the engine knows.

        Args:
            config: All settings.
            queries: Reads the database.
            worker: Has the engine.
            clock: Nanoseconds since 1970.
            seconds: A clock for durations.
            status: Figures of the receiver itself.
            issue_ticket: Gives a ticket to who is known by this, and for how many seconds it is good.
            external_url: Under which address browsers reach the page, without a slash at its end.
            read_timeout: How many seconds a body may take to arrive.
        """
        self._read_timeout = read_timeout
        self._status = status
        self._issue_ticket = issue_ticket
        self._external_url = external_url
        self._config = config
        self._queries = queries
        self._worker = worker
        self._clock = clock
        self._seconds = seconds
        self._threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="reader")

    def close(self) -> None:
        """End the readers' threads."""
        self._threads.shutdown(wait=True, cancel_futures=True)

    async def _read(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._threads, lambda: function(*args, **kwargs))
        except sqlite3.OperationalError as error:
            # Locked, or no descriptor to open it with: soon it may be had again. A corrupt one never.
            log.error("the database cannot be read", extra={"err": str(error)})  # noqa: TRY400
            raise TryLater("the database cannot be read now") from None

    async def clusters(self, request: web.Request) -> web.Response:
        """GET /api/v1/clusters."""
        query = request.query
        parameters.only(query, "state", "severity", "q", "limit", "cursor")
        states = (*(state.value for state in ClusterState), "all")
        items, following = await self._read(
            self._queries.clusters,
            state=parameters.choice(query, "state", states),
            severity=query.get("severity", ""),
            text=query.get("q", ""),
            limit=parameters.limit(query),
            cursor=query.get("cursor", ""),
        )
        return listing(items, following)

    async def cluster(self, request: web.Request) -> web.Response:
        """GET /api/v1/clusters/{id}."""
        number = parameters.integer(request.match_info, "id", 0, low=1)
        parameters.only(request.query)
        found = await self._read(self._queries.cluster, number)
        return answer({**found, "url": f"{self._external_url()}/#cluster={found['id']}"})

    async def update_cluster(self, request: web.Request) -> web.Response:
        """PATCH /api/v1/clusters/{id}: what an operator says of a cluster."""
        number = self._number(request, "id")
        update = operator.read_update(await self._json(request))
        return await self._obey(request, UpdateRequest(number, update))

    async def merge_cluster(self, request: web.Request) -> web.Response:
        """POST /api/v1/clusters/{id}/merge: an operator wants it to be part of another."""
        number = self._number(request, "id")
        return await self._obey(request, requests.read_merge(number, await self._json(request)))

    async def split_cluster(self, request: web.Request) -> web.Response:
        """POST /api/v1/clusters/{id}/split: an operator wants some members to be apart."""
        number = self._number(request, "id")
        most = self._config.clustering.max_split_members
        document = await self._json(request)
        return await self._obey(request, requests.read_split(number, document, most))

    async def undo(self, request: web.Request) -> web.Response:
        """POST /api/v1/undo/{seq}: an operator takes a command back."""
        return await self._obey(request, UndoRequest(self._number(request, "seq")))

    @staticmethod
    def _number(request: web.Request, name: str) -> int:
        """Return the number *name* of the path; there are no parameters."""
        parameters.only(request.query)
        return parameters.integer(request.match_info, name, 0, low=1)

    async def _json(self, request: web.Request) -> Any:
        """Return what the body of *request* holds; it must come as fast as a webhook's."""
        try:
            async with asyncio.timeout(self._read_timeout()):
                body = await request.read()
        except TimeoutError:
            raise TryLater("the body did not arrive in time") from None
        return read_json(body)

    async def _obey(self, asked: web.Request, request: Request) -> web.Response:
        by = asked[CREDENTIAL].name[: operator.MAX_NAME]
        return answer(await self._from_worker(self._worker.command(request, by)))

    async def timeline(self, request: web.Request) -> web.Response:
        """GET /api/v1/timeline."""
        query = request.query
        parameters.only(query, "from", "to", "step", "limit")
        told_end, told_start = parameters.moment(query, "to"), parameters.moment(query, "from")
        end = self._clock() if told_end is None else told_end
        start = end - _TIMELINE_DEFAULT if told_start is None else told_start
        if not 0 < end - start <= _TIMELINE_MOST:
            most = _TIMELINE_MOST // (86400 * SECOND)
            raise SenderError(
                f"from: expected a time before `to`, at most {most} days before it", field="from"
            )
        # So that a picture that moves on is cut into the same buckets.
        default, longest = (-(-(end - start) // (n * SECOND)) for n in (_BUCKETS, 1))
        step = SECOND * parameters.integer(query, "step", default, low=1, high=longest)
        start -= start % step
        if -(-(end - start) // step) > _BUCKETS_MOST:
            raise SenderError(
                f"step: expected at least {-(-(end - start) // (_BUCKETS_MOST * SECOND))} seconds"
                f" for this range, which gives {_BUCKETS_MOST} buckets",
                field="step",
            )
        limit = parameters.integer(query, "limit", 1000, low=1, high=5000)
        return answer(
            await self._read(self._queries.timeline, start=start, end=end, step=step, limit=limit)
        )

    async def ticket(self, request: web.Request) -> web.Response:
        """POST /api/v1/tickets: what a browser's socket shows in place of a token."""
        parameters.only(request.query)
        ticket, seconds = self._issue_ticket(request[CREDENTIAL])
        expires_at = render(self._clock() + nanoseconds(seconds))
        return answer({"ticket": ticket, "expires_at": expires_at})

    async def alerts(self, request: web.Request) -> web.Response:
        """GET /api/v1/alerts."""
        query = request.query
        known = ("q", "label", "state", "cluster_id", "from", "to", "limit", "cursor")
        parameters.only(query, *known)
        wanted = AlertQuery(
            text=query.get("q", ""),
            labels=parameters.pairs(query.getall("label", []), "label"),
            state=parameters.choice(query, "state", _ALERT_STATES),
            cluster_id=parameters.integer(query, "cluster_id", 0, low=1) or None,
            start=parameters.moment(query, "from"),
            end=parameters.moment(query, "to"),
        )
        items, following = await self._read(
            self._queries.alerts,
            wanted,
            limit=parameters.limit(query),
            cursor=query.get("cursor", ""),
        )
        return listing(items, following)

    async def alert(self, request: web.Request) -> web.Response:
        """GET /api/v1/alerts/{fingerprint}."""
        parameters.only(request.query)
        return answer(await self._read(self._queries.alert, request.match_info["fingerprint"]))

    async def storms(self, request: web.Request) -> web.Response:
        """GET /api/v1/storms."""
        query = request.query
        parameters.only(query, "limit", "cursor")
        items, following = await self._read(
            self._queries.storms, limit=parameters.limit(query), cursor=query.get("cursor", "")
        )
        return listing(items, following)

    async def events(self, request: web.Request) -> web.Response:
        """GET /api/v1/events."""
        query = request.query
        parameters.only(query, "after", "type", "from", "to", "limit")
        events, following = await self._read(
            self._queries.events,
            after=parameters.integer(query, "after", 0),
            types=parameters.choices(query.getall("type", []), "type", _EVENT_TYPES),
            start=parameters.moment(query, "from"),
            end=parameters.moment(query, "to"),
            limit=parameters.limit(query),
        )
        first = await self._read(self._queries.first_seq)
        items = [event.to_json() for event in events]
        return answer({"items": items, "next": following, "first": first})

    async def stats(self, request: web.Request) -> web.Response:
        """GET /api/v1/stats."""
        parameters.only(request.query)
        figures = self._worker.stats
        if figures is None:
            raise TryLater("the state is not restored yet")
        ledger = await self._read(self._queries.ledger)
        storage = await self._read(self._queries.storage)
        old_days = self._config.memory.retention_days
        vectors = await self._read(self._queries.vectors, self._clock(), old_days)
        return answer(
            {
                **figures,
                **self._status(),
                "memory": {**figures["memory"], **vectors},
                "ledger": ledger,
                "storage": {**storage, **self._worker.storage},
            }
        )

    async def classify(self, request: web.Request) -> web.Response:
        """POST /api/v1/classify: where one alert would go; nothing is stored."""
        parameters.only(request.query)
        started = self._seconds()
        alert = self._read_alert(await self._json(request))
        now = self._clock()

        def question(engine: Engine, embed: Embed) -> dict[str, Any]:
            text = masked_text(alert.labels, alert.annotations)
            vector = engine.vector_of_text(text)
            if vector is None:
                (vector,) = embed([text])
            placement = engine.place(
                Newcomer(
                    labels=alert.labels,
                    vector=vector,
                    starts_at=alert.starts_at,
                    fingerprint=alert.fingerprint,
                    text_id=engine.text_id(text),
                    habit=engine.habit_of(alert.fingerprint, alert.starts_at),
                ),
                now,
            )
            return {
                "cluster_id": placement.cluster_id,
                "confidence": placement.confidence,
                "reason": sentence(placement),
                "why": explain(placement, self._config.clustering),
            }

        found = await self._from_worker(self._worker.ask(question, alert.fingerprint))
        took = (self._seconds() - started) * 1000
        return answer({"fingerprint": alert.fingerprint, **found, "processing_ms": round(took, 3)})

    async def similar(self, request: web.Request) -> web.Response:
        """GET /api/v1/similar: clusters and texts like a text, or like a cluster."""
        query = request.query
        parameters.only(query, "q", "cluster_id", "limit")
        count = parameters.limit(query)
        text = query.get("q", "").strip()
        cluster_id = parameters.integer(query, "cluster_id", 0, low=1)
        if bool(text) == bool(cluster_id):
            raise SenderError("q: expected a text, or else cluster_id", field="q")
        cluster = None
        if cluster_id:
            cluster = await self._read(self._queries.whole, cluster_id, "cluster_id")

        def question(engine: Engine, embed: Embed) -> tuple[Similar, float]:
            if cluster is None:
                known = text_of(text)
                vector = engine.vector_of_text(known)
                if vector is None:
                    (vector,) = embed([known])
                one = Signature(vector)
            else:
                one = Signature.of(cluster)
            started = self._seconds()
            found = similar(engine, one, count, cluster.id if cluster else 0)
            return found, (self._seconds() - started) * 1000

        found, took = await self._from_worker(self._worker.ask(question))
        return answer(
            {
                "clusters": found.clusters,
                "alerts": await self._read(self._queries.alerts_of_texts, found.texts),
                "search_ms": round(took, 3),
                # Flat indexes have one cell, and all of it is searched.
                "cells_searched": 1,
                "total_vectors": found.vectors,
            }
        )

    async def _from_worker(self, future: Future[R]) -> R:
        """Return what the worker gives; what it has not begun in time it never does."""
        try:
            async with asyncio.timeout(_WORKER_SECONDS):
                return await asyncio.wrap_future(future)
        except TimeoutError:
            raise TryLater("the engine is busy, or the model is not loaded yet") from None

    def _read_alert(self, entry: object) -> Alert:
        if isinstance(entry, dict):
            entry = {"status": "firing", **entry}
        alert = payload.read_one(entry, self._config.identity)
        if alert.is_own:
            raise SenderError("labels.origin: our own alerts are not clustered", field="labels")
        return alert


def read_json(body: bytes) -> Any:
    """Return what *body* holds.

    Raises:
        SenderError: It is not JSON, or nested too deeply.
    """
    try:
        document = json.loads(body, parse_int=envelope.whole_number)
    except (ValueError, RecursionError):
        raise SenderError("body is not JSON") from None
    envelope.check_depth(document)
    return document


def answer(document: Any) -> web.Response:
    """Return *document* as JSON."""
    return web.json_response(document)


def listing(items: list[Any], following: str | None) -> web.Response:
    """Return a list's answer."""
    return answer({"items": items, "next": following})
