"""The API is what openapi.json says: every call is made, and every answer is held against it."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import functools
import io
import itertools
import json
import re
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest
import pytest_asyncio
from openapi_schema_validator import OAS31Validator, oas31_format_checker
from openapi_spec_validator import OpenAPIV31SpecValidator

from receiver import __version__
from receiver.app import App, clock, running
from receiver.config import load
from receiver.core import errors, wire
from receiver.core.clusters import ClusterState
from receiver.core.evolution import EventType
from receiver.core.model import Merge, OperatorCommand, Reconciled, Split, Tick
from receiver.core.timestamps import render
from receiver.store import Queries
from receiver.web import page, parameters, tickets
from receiver.web.access import Role
from receiver.web.openapi import PATH
from tests import builders
from tests.builders import alert, at, body, entry
from tests.core.test_past import POSTGRES, a_site, incident
from tests.core.test_regroup import members_of
from tests.support.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")

DOCUMENT: dict[str, Any] = json.loads(PATH.read_text(encoding="utf-8"))
SCHEMAS: dict[str, Any] = DOCUMENT["components"]["schemas"]
RESPONSES: dict[str, Any] = DOCUMENT["components"]["responses"]
CAPTURES = sorted(
    # One has 500 alerts of a kind: each page would be held against the schema for a second.
    path
    for path in (Path(__file__).parent.parent / "captures").glob("[0-9]*.json")
    if path.stat().st_size < 100_000
)
METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")

OPEN_TO_ADDITIONS = {"Notification", "SentAlert", "PostedAlert", "AlertToClassify", "ResumeFrame"}
"""Schemas of what others send, in which fields we do not know are passed over."""

REGROUPING = {"mergeCluster", "splitCluster", "undoCommand"}
NUMBERS = itertools.count()
TOKENS = {role: f"the-token-of-the-{role}-role" for role in Role}
EXTERNAL_URL = "https://alerts.example/stormcell"


# -- the document, read ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Operation:
    """One operation of the document, its references followed."""

    method: str
    path: str
    told: Mapping[str, Any]

    @property
    def parameters(self) -> list[Mapping[str, Any]]:
        told = [
            *DOCUMENT["paths"][self.path].get("parameters", ()),
            *self.told.get("parameters", ()),
        ]
        return [followed(parameter) for parameter in told]

    @property
    def queries(self) -> list[Mapping[str, Any]]:
        return [p for p in self.parameters if p["in"] == "query"]

    @property
    def roles(self) -> list[Mapping[str, list[str]]]:
        roles: list[Mapping[str, list[str]]] = self.told["security"]
        return roles


def followed(told: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what *told*, perhaps a reference into the document, stands for."""
    while "$ref" in told:
        found: Any = DOCUMENT
        for part in told["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        told = found
    return told


OPERATIONS = {
    told["operationId"]: Operation(method.upper(), path, told)
    for path, item in DOCUMENT["paths"].items()
    for method, told in item.items()
    if method in METHODS
}


@functools.cache
def validator_of(schema: str) -> Any:
    """Return what holds instances against *schema*, JSON with references into the document."""
    whole = {**json.loads(schema), "components": DOCUMENT["components"]}
    return OAS31Validator(whole, format_checker=oas31_format_checker)


def faults(instance: object, schema: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with *instance*; references in *schema* are into the document."""
    validator = validator_of(json.dumps(schema))
    return [line for error in validator.iter_errors(instance) for line in lines_of(error)]


def lines_of(error: Any) -> Iterator[str]:
    """Yield *error*, and what was wrong with each alternative, a line each."""
    # It begins with the instance, which may be long.
    yield f"{error.json_path}: {error.message[-150:]}"
    for inner in error.context or ():
        yield from ("  " + line for line in lines_of(inner))


def check(instance: object, schema: str | Mapping[str, Any]) -> None:
    """Fail unless *instance* is what *schema*, or the one of this name, says."""
    if isinstance(schema, str):
        schema = {"$ref": f"#/components/schemas/{schema}"}
    found = faults(instance, schema)
    assert not found, "\n".join(found)


@dataclass(frozen=True)
class Answer:
    """An answer of the server; of a stream of lines only the first."""

    status: int
    content_type: str
    headers: Mapping[str, str]
    text: str

    @property
    def content(self) -> Any:
        return json.loads(self.text) if self.content_type == "application/json" else self.text


def check_answer(answer: Answer, responses: Mapping[str, Any]) -> None:
    """Fail unless *answer* is one of *responses*: code, headers, type, and every field."""
    assert str(answer.status) in responses, f"{answer.status} is not described: {answer.text[:200]}"
    told = followed(responses[str(answer.status)])
    for name, header in told.get("headers", {}).items():
        assert name in answer.headers or not header.get("required"), name
        check(answer.headers[name], header["schema"])
    if "content" not in told:
        assert answer.text == ""
        return
    assert answer.content_type in told["content"]
    check(answer.content, told["content"][answer.content_type]["schema"])
    if answer.content_type == "application/x-ndjson":
        check(json.loads(answer.text), "Frame")


# -- the server, asked -------------------------------------------------------------------------------


class Caller:
    """Makes calls of a running app, as the document describes them."""

    def __init__(self, app: App, session: aiohttp.ClientSession) -> None:
        self.app = app
        self.session = session
        self.fingerprint = "f" * 16

    def url(self, operation: Operation, query: str = "", **places: object) -> str:
        path = operation.path
        for name, value in ({"id": 1, "seq": 1, "fingerprint": self.fingerprint} | places).items():
            path = path.replace("{" + name + "}", quote(str(value), safe=""))
        return self.app.server.url + path + (f"?{query}" if query else "")

    async def ask(self, method: str, url: str, **told: Any) -> Answer:
        if isinstance(told.get("data"), bytes):
            told["data"] = io.BytesIO(told["data"])
        async with self.session.request(method, url, allow_redirects=False, **told) as answer:
            if answer.content_type == "application/x-ndjson":
                text = (await answer.content.readline()).decode()
                answer.close()
            else:
                text = await answer.text()
            return Answer(answer.status, answer.content_type, answer.headers, text)

    async def call(self, name: str, query: str = "", **told: Any) -> Answer:
        """Make the call *name*; fail if the answer is not described."""
        operation = OPERATIONS[name]
        places = {p: told.pop(p) for p in ("id", "seq", "fingerprint") if p in told}
        answer = await self.ask(operation.method, self.url(operation, query, **places), **told)
        check_answer(answer, operation.told["responses"])
        return answer

    async def settled(self) -> None:
        """Return when all that was posted is applied."""
        writer = self.app.writer
        await until(lambda: writer.pending_alerts == 0 and not writer._pending)

    async def alone(self) -> None:
        """Return when nobody listens to the stream any more."""
        await until(lambda: self.app.feed.clients == 0)

    async def post(self, *entries: Any, **changed: Any) -> None:
        answer = await self.call("postWebhook", data=body(*entries, **changed), headers=self.as_a())
        assert answer.status == 200
        await self.settled()

    async def regroupable(self, name: str, code: int) -> dict[str, Any]:
        """Return arguments with which the call *name* is answered with *code*, making what it needs."""
        number, together = next(NUMBERS), name != "mergeCluster"
        # So far apart that they are never grouped, or begun together, so that they are.
        starts = [86_400 * (2 * number + 1), 86_400 * (2 * number + 2 - together)]
        # A value that no other cluster has speaks for them, however many of the like there are by now.
        shared = {"pair": f"{number}"} if together else {}
        labels = [
            {"alertname": f"Spare{number}", **shared, "spare": f"{number}-{n}"} for n in (0, 1)
        ]
        await self.post(
            *(entry(labels=told, starts=at) for told, at in zip(labels, starts, strict=True))
        )
        found = (await self.call("listAlerts", f"q={number}-&limit=2")).content["items"]
        (one, cluster), (two, other) = sorted((a["fingerprint"], a["cluster_id"]) for a in found)
        assert (cluster == other) is together
        if name == "mergeCluster":
            return {"id": cluster, "json": {"into": other if code == 200 else cluster}}
        told = {"id": cluster, "json": {"fingerprints": [one] if code == 200 else [one, two]}}
        if name == "splitCluster":
            return told
        before = self.app.queries.last_seq()
        await self.call("splitCluster", id=cluster, json={"fingerprints": [one]})
        undoable: dict[str, Any] = {"seq": before + 1}
        if code != 200:
            await self.call("undoCommand", **undoable)
        return undoable

    def as_a(self, role: Role = Role.WEBHOOK) -> dict[str, str]:
        return {"Authorization": f"Bearer {TOKENS[role]}"}


@contextlib.asynccontextmanager
async def caller(folder: Path, *overrides: str) -> AsyncIterator[Caller]:
    config = load(
        None,
        [
            f"storage.path={json.dumps(str(folder))}",
            "web.listen_address='127.0.0.1:0'",
            "embedding.backend=hashing",
            "intake.max_body_bytes=1MiB",
            "feed.heartbeat=1s",
            *overrides,
        ],
    )
    async with running(config) as app, aiohttp.ClientSession() as session:
        asked = Caller(app, session)
        await until(lambda: app.worker.embedder_ready)
        yield asked


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def anyone(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Caller]:
    """A server without tokens, to which much has happened."""
    folder = tmp_path_factory.mktemp("anyone")
    told = (
        "clustering.stability_window=2",
        "clustering.resolve_after=0s",
        "web.enable_lifecycle=true",
    )
    async with caller(folder, *told) as asked:
        for path in CAPTURES:
            answer = await asked.call("postWebhook", data=path.read_bytes())
            assert answer.content["dead_letters"] == [], path.name
        await live_through(asked)
        yield asked


async def live_through(asked: Caller) -> None:
    """Have alerts fire, resolve, recur, flap, be our own, and come with Grafana's links."""
    places = [
        {"alertname": "DiskFull", "instance": f"db-{n}", "service": "storage"} for n in (1, 2, 3)
    ]
    await asked.post(*(entry(labels=place, starts=n) for n, place in enumerate(places)))
    lone: dict[str, Any] = {
        "labels": {"alertname": "Zebra", "host": "www"},
        "annotations": {"summary": "stripes"},
    }
    over = {"status": "resolved", "endsAt": render(at(50))}
    for told in (lone, lone | over, lone):
        await asked.post(entry(**told))
    await asked.post(entry("DiskFull", labels=places[0], starts=90))
    # More than a page by default; and, as they are new, a storm.
    now = render(clock())
    many = [{"alertname": "Many", "number": f"x{number}"} for number in range(100)]
    await asked.post(*(entry(labels=labels, startsAt=now) for labels in many))
    await asked.post(entry("Own", labels={"alertname": "Own", "origin": "stormcell"}))
    links: dict[str, Any] = {
        "silenceURL": "http://g/s",
        "dashboardURL": "http://g/d",
        "panelURL": "http://g/p",
    }
    await asked.post(entry("Grafana", **links), version="1")
    found = await asked.call("listAlerts", "q=db-3")
    asked.fingerprint = found.content["items"][0]["fingerprint"]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def known(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Caller]:
    """A server with a token for each role, behind a proxy, with room for one client of the stream."""
    folder = tmp_path_factory.mktemp("known")
    told = [f"web.external_url={EXTERNAL_URL}", "feed.max_clients=1"]
    for role, token in TOKENS.items():
        path = folder / role
        path.write_text(token + "\n")
        told.append(f"web.{role}_token_files={json.dumps([str(path)])}")
    async with caller(folder, *told) as asked:
        yield asked


# -- the states a server may be in -------------------------------------------------------------------


class NotRestored:
    """A worker that is about to restore its state; leaves out that it ever will have."""

    restored = False
    stats = None

    def ask(self, question: object, about: str = "") -> Any:
        raise errors.TryLater("the model is not ready yet")

    def command(self, request: object, by: str) -> Any:
        raise errors.TryLater("the state is not restored yet")


@contextlib.asynccontextmanager
async def in_state(state: str, asked: Caller) -> AsyncIterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        if state == "not restored":
            patch.setattr(asked.app.server, "_worker", NotRestored())
            patch.setattr(asked.app.server._api, "_worker", NotRestored())
        elif state == "closing":
            patch.setattr(asked.app.intake, "_closed", True)
        elif state == "another configuration is wrong":
            patch.setattr(asked.app, "_load", lambda: load(None, ["web.listen_address=nowhere"]))
        elif state == "the database is locked":

            def locked(queries: Queries) -> object:
                raise sqlite3.OperationalError("database is locked")

            patch.setattr(Queries, "_db", property(locked))
        elif state == "tickets are out":
            patch.setattr(tickets, "_MAX_TICKETS", 0)
        elif state == "somebody listens":
            await asked.alone()
            url = asked.url(OPERATIONS["readStream"])
            async with asked.session.get(url, headers=asked.as_a(Role.READ)) as answer:
                await answer.content.readline()
                yield
                answer.close()
                return
        else:
            assert state == ""
            await asked.alone()
        yield


@dataclass(frozen=True)
class Case:
    """A call, and the code it must be answered with.

    Attributes:
        name: operationId.
        code: Of the answer.
        query: As it stands in the address.
        told: Further arguments of the request, and the parts of the path.
        state: Of the server.
        known: Ask the server with tokens.
        method: Another than that of the operation.
        regroups: It needs clusters made for it, see `Caller.regroupable`.
    """

    name: str
    code: int
    query: str = ""
    told: Mapping[str, Any] = field(default_factory=dict)
    state: str = ""
    known: bool = False
    method: str = ""
    regroups: bool = False

    def __str__(self) -> str:
        return f"{self.name} {self.code} {self.state or self.query}"


def about_roles() -> Iterator[Case]:
    """Yield, of each operation, the calls of those who may not make it."""
    for name, operation in OPERATIONS.items():
        if not operation.roles:
            yield Case(name, 403, told={"headers": {"Host": "evil.example"}})
            continue
        (role,) = operation.roles[0]["bearer"]
        wrong = Role.READ if role != Role.READ else Role.WEBHOOK
        token = {"Authorization": f"Bearer {TOKENS[wrong]}"}
        yield Case(name, 401, known=True)
        yield Case(name, 403, told={"headers": token}, known=True)


UPGRADE = {"Connection": "upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
TO_CLASSIFY = {
    "labels": {"alertname": "DiskFull", "instance": "db-9"},
    "startsAt": "2026-01-01T00:00:00Z",
}
POSTED = [{"labels": {"alertname": "Posted"}, "endsAt": "2026-01-01T00:00:00Z"}]
LARGE = b" " * (2**20 + 1)
STRANGE = {"headers": {"Origin": "http://evil.example"}}
READER: dict[str, Any] = {"headers": {"Authorization": f"Bearer {TOKENS[Role.READ]}"}}
OPERATOR: dict[str, Any] = {"headers": {"Authorization": f"Bearer {TOKENS[Role.OPERATOR]}"}}
UPGRADING_READER = {"headers": UPGRADE | READER["headers"]}

CASES = [
    *about_roles(),
    Case("postWebhook", 200, told={"data": body()}),
    Case("postWebhook", 200, told={"data": body(entry(), {"labels": {}}, [], entry(startsAt="soon"))}),
    Case("postWebhook", 400, told={"data": b"no"}),
    Case("postWebhook", 403, told={"data": body(), **STRANGE}),
    Case("postWebhook", 405, method="GET"),
    Case("postWebhook", 413, told={"data": LARGE}),
    Case("postWebhook", 503, told={"data": body(entry())}, state="closing"),
    Case("postAlerts", 200, told={"json": POSTED}),
    Case("postAlerts", 200, told={"json": [*POSTED, {"labels": {}}, []]}),
    Case("postAlerts", 400, told={"data": body()}),
    Case("postAlerts", 403, told={"json": [], **STRANGE}),
    Case("postAlerts", 405, method="GET"),
    Case("postAlerts", 413, told={"data": LARGE}),
    Case("postAlerts", 503, told={"json": POSTED}, state="closing"),
    Case("listClusters", 200),
    Case("listClusters", 200, "state=all&limit=1"),
    Case("listClusters", 200, "state=all&limit=1000"),
    Case("listClusters", 200, "q=db&severity=warning"),
    Case("listClusters", 400, "stat=all"),
    Case("listClusters", 403, told={"headers": {"Host": "evil.example"}}),
    *(Case("getCluster", 200, told={"id": n}) for n in range(1, 13)),
    Case("getCluster", 400, told={"id": "x"}),
    Case("getCluster", 404, told={"id": 10**6}),
    Case("updateCluster", 200, told={"json": {"title": "Ours", "pinned": True}}),
    Case("updateCluster", 200, told={"json": {"note": "two\nlines", "acked_by": "anna"}}),
    Case("updateCluster", 200, told={"json": {"title": ""}}),
    Case("updateCluster", 400, told={"json": {"titel": ""}}),
    Case("updateCluster", 403, told={"json": {"pinned": False}, **STRANGE}),
    Case("updateCluster", 404, told={"json": {"pinned": False}, "id": 10**6}),
    Case("updateCluster", 413, told={"data": LARGE}),
    Case("updateCluster", 503, told={"json": {"pinned": False}}, state="not restored"),
    Case("mergeCluster", 200, regroups=True),
    Case("mergeCluster", 400, told={"json": {"into": "x"}}),
    Case("mergeCluster", 403, told={"json": {"into": 1}, **STRANGE}),
    Case("mergeCluster", 404, told={"json": {"into": 1}, "id": 10**6}),
    Case("mergeCluster", 404, told={"json": {"into": 10**6}}),
    Case("mergeCluster", 409, regroups=True),
    Case("mergeCluster", 413, told={"data": LARGE}),
    Case("mergeCluster", 503, told={"json": {"into": 1}}, state="not restored"),
    Case("splitCluster", 200, regroups=True),
    Case("splitCluster", 400, told={"json": {"fingerprints": []}}),
    Case("splitCluster", 400, told={"json": {"fingerprints": ["none of its"]}}),
    Case("splitCluster", 403, told={"json": {"fingerprints": ["x"]}, **STRANGE}),
    Case("splitCluster", 404, told={"json": {"fingerprints": ["x"]}, "id": 10**6}),
    Case("splitCluster", 409, regroups=True),
    Case("splitCluster", 413, told={"data": LARGE}),
    Case("splitCluster", 503, told={"json": {"fingerprints": ["x"]}}, state="not restored"),
    Case("undoCommand", 200, regroups=True),
    Case("undoCommand", 400, told={"seq": "x"}),
    Case("undoCommand", 403, told=STRANGE),
    Case("undoCommand", 404, told={"seq": 10**6}),
    Case("undoCommand", 409, regroups=True),
    Case("undoCommand", 503, state="not restored"),
    Case("listAlerts", 200),
    Case("listAlerts", 200, "limit=1000"),
    Case("listAlerts", 200, "label=service=storage&label=instance=db-1&state=firing&cluster_id=1"),
    Case("listAlerts", 400, "label=x"),
    Case("getAlert", 400, "episode=1"),
    Case("getStats", 400, "since=1h"),
    Case("issueTicket", 400, "for=anna"),
    Case("getAlert", 200),
    Case("getAlert", 404, told={"fingerprint": "f" * 16}),
    Case("getAlert", 404, told={"fingerprint": "no such thing"}),
    Case("listEvents", 200),
    Case("listEvents", 200, "limit=1000&after=0"),
    Case("listEvents", 400, "after=x"),
    Case("getTimeline", 200),
    Case("getTimeline", 200, "limit=1&step=60"),
    Case("getTimeline", 400, "step=0"),
    Case("getTimeline", 400, "from=2026-01-01T00:00:00Z&to=2025-01-01T00:00:00Z"),
    Case("getTimeline", 400, "from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z&step=1"),
    Case("listStorms", 200),
    Case("listStorms", 200, known=True, told=READER),
    Case("listStorms", 400, "cursor=x"),
    Case("findSimilar", 200, "q=a+full+disk"),
    Case("findSimilar", 200, "q=DiskFull&limit=1"),
    Case("findSimilar", 200, "cluster_id=1&limit=5"),
    Case("findSimilar", 400),
    Case("findSimilar", 400, "q=+"),
    Case("findSimilar", 400, "q=a&cluster_id=1"),
    Case("findSimilar", 404, "cluster_id=9000000"),
    Case("findSimilar", 503, "q=a", state="not restored"),
    Case("classifyAlert", 200, told={"json": TO_CLASSIFY}),
    Case("classifyAlert", 200, told={"json": TO_CLASSIFY | {"labels": {"alertname": "New"}}}),
    Case("classifyAlert", 400, told={"json": []}),
    Case("classifyAlert", 413, told={"data": LARGE}),
    Case("classifyAlert", 503, told={"json": TO_CLASSIFY}, state="not restored"),
    Case("getStats", 200),
    Case("getStats", 200, told=READER, known=True),
    Case("getStats", 503, state="not restored"),
    Case("issueTicket", 200),
    Case("issueTicket", 503, state="tickets are out"),
    Case("openStream", 101),
    Case("openStream", 400),
    Case("openStream", 400, told={"headers": UPGRADE}),
    Case("openStream", 401, "ticket=unknown", told={"headers": UPGRADE}),
    Case("openStream", 403, told={"headers": UPGRADE | {"Origin": "http://evil.example"}}),
    Case("openStream", 503, told=UPGRADING_READER, state="somebody listens", known=True),
    Case("readStream", 200),
    Case("readStream", 400, "cursor=1"),
    Case("readStream", 401, "ticket=unknown"),
    Case("readStream", 503, told=READER, state="somebody listens", known=True),
    Case("getDescription", 200),
    Case("getDescription", 200, known=True),
    Case("getMetrics", 200),
    Case("getHealthy", 200),
    Case("getHealthy", 200, known=True),
    Case("getReady", 200),
    Case("getReady", 503, state="not restored"),
    Case("reloadConfiguration", 200),
    Case("reloadConfiguration", 500, state="another configuration is wrong"),
    Case("reloadConfiguration", 403, known=True, told=OPERATOR),
    *(
        Case(name, 503, state="the database is locked")
        for name in (
            "listClusters", "getCluster", "listAlerts", "getAlert", "listEvents", "getTimeline",
            "listStorms",
        )
    ),
    Case("getPage", 200),
    Case("getPage", 206, told={"headers": {"Range": "bytes=0-3"}}),
    Case("getPage", 304, told={"headers": {"If-None-Match": "*"}}),
    Case("getPage", 412, told={"headers": {"If-Match": '"another"'}}),
    Case("getPage", 416, told={"headers": {"Range": "bytes=99999999-"}}),
]  # fmt: skip


# -- the document itself -----------------------------------------------------------------------------


async def test_the_document_is_openapi_3_1() -> None:
    assert [str(error) for error in OpenAPIV31SpecValidator(DOCUMENT).iter_errors()] == []


def parts(told: Any, place: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield each object of the document with its place, but for those within examples."""
    if isinstance(told, dict):
        yield place, told
        for name, inner in told.items():
            if name not in ("example", "examples"):
                yield from parts(inner, f"{place}/{name}")
    elif isinstance(told, list):
        for number, inner in enumerate(told):
            yield from parts(inner, f"{place}/{number}")


async def test_every_example_is_what_its_schema_says() -> None:
    shown = 0
    for _, told in parts(DOCUMENT):
        schema = told.get("schema", told)
        examples = told.get("examples", [])
        if isinstance(examples, dict):
            examples = [example["value"] for example in examples.values()]
        for example in [*examples, *([told["example"]] if "example" in told else [])]:
            shown += 1
            check(example, schema)

    assert shown > 30


async def test_every_object_of_ours_is_closed() -> None:
    closed = 0
    for place, schema in parts(SCHEMAS):
        if "properties" not in schema or re.search(r"Fields$|/oneOf/\d+$", place) is not None:
            # To be added to by the schemas that use it; those are closed.
            continue
        # `true` only where others send it.
        wanted = place.strip("/") in OPEN_TO_ADDITIONS
        extra = [
            schema[k] for k in ("additionalProperties", "unevaluatedProperties") if k in schema
        ]
        assert extra == [wanted], place
        closed += 1

    assert closed > 30


async def test_every_schema_is_used() -> None:
    text = json.dumps(DOCUMENT)
    unused = {name for name in SCHEMAS if f'"#/components/schemas/{name}"' not in text}

    # These two are told of in words only: OpenAPI has no place for messages of a socket.
    assert unused == {"Frame", "ResumeFrame"}


async def test_its_words_are_those_of_the_code() -> None:
    types: list[str] = []
    for branch in SCHEMAS["Event"]["oneOf"]:
        kind = branch["properties"]["type"]
        types += kind.get("enum", [kind.get("const")])
    codes = {e.code for e in vars(errors).values() if isinstance(e, type) and hasattr(e, "code")}
    own = {"method_not_allowed", "http", "internal"}
    limit = DOCUMENT["components"]["parameters"]["Limit"]["schema"]

    assert sorted(set(types)) == sorted(EventType)
    assert SCHEMAS["ClusterState"]["enum"] == list(ClusterState)
    assert set(SCHEMAS["Error"]["properties"]["error"]["properties"]["code"]["enum"]) == codes | own
    assert (limit["default"], limit["maximum"]) == (parameters.LIMIT_DEFAULT, parameters.LIMIT_MOST)
    for role in Role:
        assert f"**{role}**" in DOCUMENT["components"]["securitySchemes"]["bearer"]["description"]


async def test_every_call_is_described_with_its_role(anyone: Caller) -> None:
    files = {path for path, _ in page.handlers()} - {"/"}
    calls = {
        (call.method, call.path): call
        for call in anyone.app.server.calls()
        if call.method != "*" and call.path not in files
    }

    assert {(o.method, o.path) for o in OPERATIONS.values()} == calls.keys()
    for operation in OPERATIONS.values():
        call = calls[operation.method, operation.path]
        schemes = ["bearer", "basic"] * (call.role is not None) + ["ticket"] * call.ticket
        assert operation.roles == [{scheme: [call.role]} for scheme in schemes], operation.path


async def test_every_code_that_is_described_is_provoked() -> None:
    described = {
        (name, int(code)) for name, o in OPERATIONS.items() for code in o.told["responses"]
    }

    assert {(case.name, case.code) for case in CASES} == described


# -- the server, held against it ---------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES, ids=[f"{n} {case}" for n, case in enumerate(CASES)])
async def test_every_answer_is_as_described(case: Case, anyone: Caller, known: Caller) -> None:
    asked = known if case.known else anyone
    operation = OPERATIONS[case.name]
    async with in_state(case.state, asked):
        if case.code == 101:
            async with asked.session.ws_connect(asked.url(operation)) as socket:
                check(await socket.receive_json(), "Frame")
            return
        if case.method:
            answer = await asked.ask(case.method, asked.url(operation))
            check_answer(answer, operation.told["responses"])
        else:
            told = await asked.regroupable(case.name, case.code) if case.regroups else case.told
            answer = await asked.call(case.name, case.query, **told)

    assert answer.status == case.code, answer.text[:300]


async def test_what_may_be_absent_was_there_too(anyone: Caller, known: Caller) -> None:
    clusters = (await anyone.call("listClusters", "state=all&limit=1000")).content["items"]
    alerts = (await anyone.call("listAlerts", "limit=1000")).content["items"]
    own = next(a for a in alerts if a["labels"].get("origin") == "stormcell")
    apart = (await anyone.call("getAlert", fingerprint=own["fingerprint"])).content
    why = (await anyone.call("getAlert")).content["why"]
    statuses = {
        (await asked.call("getStats", **READER)).content["stability"]["status"]
        for asked in (anyone, known)
    }

    storms = (await anyone.call("listStorms")).content["items"]

    assert [bool(storm["representatives"]) for storm in storms] == [True]
    for name in ("closed_at", "resolved_at", "confidence", "recurs", "novel"):
        assert {cluster[name] is None for cluster in clusters} == {True, False}, name
    for name in ("endsAt", "cluster_id", "confidence"):
        assert {told[name] is None for told in alerts} == {True, False}, name
    assert {"firing", "resolved"} <= {told["state"] for told in alerts}
    assert {len(told["links"]) for told in alerts} >= {0, 3}
    assert (apart["cluster"], apart["why"]) == (None, None)
    assert why["best"]["nearest"]
    assert why["shared_labels"]
    assert statuses == {"ok", "insufficient_data"}


async def test_every_method_that_is_not_described_is_refused(anyone: Caller) -> None:
    for path in DOCUMENT["paths"]:
        here = {o.method: o for o in OPERATIONS.values() if o.path == path}
        url = anyone.url(next(iter(here.values())))
        for method in {"DELETE", "GET", "OPTIONS", "PATCH", "POST", "PUT"} - here.keys():
            answer = await anyone.ask(method, url)
            check_answer(answer, {"405": RESPONSES["MethodNotAllowed"]})
            allowed = set(answer.headers["Allow"].split(", "))
            assert allowed == here.keys() | ({"HEAD"} if "GET" in here else set())


async def test_an_unknown_path_and_a_fault_of_ours_are_as_described(
    anyone: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = await anyone.ask("GET", anyone.app.server.url + "/api/v1/nothing")
    check_answer(answer, {"404": RESPONSES["NotFound"]})

    monkeypatch.setattr(anyone.app.queries, "ledger", None)
    answer = await anyone.ask("GET", anyone.app.server.url + "/api/v1/stats")
    check_answer(answer, {"500": RESPONSES["Internal"]})


async def test_the_document_that_is_served_tells_where_and_what_this_server_is(
    anyone: Caller, known: Caller
) -> None:
    for asked, url in ((anyone, anyone.app.server.url), (known, EXTERNAL_URL)):
        served = (await asked.call("getDescription")).content
        assert [server["url"] for server in served["servers"]] == [url]
        assert served["info"].pop("version") == __version__
        rest = copy.deepcopy(DOCUMENT)
        del rest["info"]["version"], rest["servers"], served["servers"]
        assert served == rest


# -- parameters --------------------------------------------------------------------------------------

WITH_QUERY = [name for name, operation in OPERATIONS.items() if operation.queries]
RANGE = {"from": "2026-11-23T17:00:00Z", "to": "2026-11-23T19:00:00Z"}
"""Given with each question to the timeline: an example may be longer ago than it reaches."""


@pytest.mark.parametrize("name", WITH_QUERY)
async def test_the_parameters_that_are_described_are_those_that_are_known(
    name: str, anyone: Caller
) -> None:
    answer = await anyone.call(name, "nonsense=1")
    _, _, expected = answer.content["error"]["message"].partition("expected one of ")
    by_scheme = {"ticket"} if any("ticket" in told for told in OPERATIONS[name].roles) else set()

    assert set(expected.split(", ")) == {p["name"] for p in OPERATIONS[name].queries} | by_scheme


def good_and_bad(schema: Mapping[str, Any]) -> tuple[list[object], list[object]]:
    """Return values at the bounds of *schema*, and values just beyond them."""
    schema = followed(schema)
    if schema.get("type") == "array" and "enum" in schema["items"]:
        return good_and_bad(schema["items"])
    if schema.get("type") == "array":
        return ["a=b", "a=b=c", "a="], ["a", "=b"]
    if schema.get("type") == "integer":
        good = [schema[bound] for bound in ("minimum", "maximum", "default") if bound in schema]
        beyond = [schema["minimum"] - 1]
        beyond += [schema["maximum"] + 1] if "maximum" in schema else []
        return good, [*beyond, "x", "", "1.5"]
    if "enum" in schema:
        return list(schema["enum"]), ["nonsense"]
    if "anyOf" in schema:
        return [*schema["examples"], "1795456800.5"], ["soon", "9000000001", "2026-11-23"]
    assert schema["type"] == "string"
    return (["x"], [""]) if schema.get("minLength") else ([""], [])


@pytest.mark.parametrize(
    ("name", "parameter"),
    [(name, p["name"]) for name in WITH_QUERY if name != "openStream" for p in OPERATIONS[name].queries],
)  # fmt: skip
async def test_the_bounds_of_parameters_are_as_described(
    name: str, parameter: str, anyone: Caller
) -> None:
    (told,) = [p for p in OPERATIONS[name].queries if p["name"] == parameter]
    good, bad = good_and_bad(told["schema"])
    base = RANGE if name == "getTimeline" and parameter in RANGE else {}
    if name == "findSimilar":
        base = {"q": "disk"} if parameter == "limit" else {}
        # There is no cluster with the greatest id that can be.
        good = [value for value in good if value != 2**63 - 1]
    for code, values in ((200, good), (400, bad)):
        for value in values:
            query = "&".join(f"{k}={quote(str(v))}" for k, v in {**base, parameter: value}.items())
            answer = await anyone.call(name, query)
            assert answer.status == code, query
            assert code == 200 or answer.content["error"]["field"] == parameter


async def test_without_a_limit_the_default_holds(anyone: Caller) -> None:
    for name in ("listAlerts", "listEvents"):
        listed = (await anyone.call(name)).content
        assert len(listed["items"]) == 100
        assert listed["next"]


async def test_the_bounds_of_a_cluster_id_are_as_described(anyone: Caller) -> None:
    good, bad = good_and_bad(SCHEMAS["ClusterId"])
    assert [(await anyone.call("getCluster", id=i)).status for i in good] == [200, 404]
    assert {(await anyone.call("getCluster", id=i)).status for i in bad if i != ""} == {400}


# -- bodies ------------------------------------------------------------------------------------------


async def test_real_notifications_are_what_the_schema_says() -> None:
    for path in CAPTURES:
        check(json.loads(path.read_bytes().decode(errors="replace")), "Notification")


@pytest.mark.parametrize(
    ("name", "schema", "document", "good"),
    [
        ("postWebhook", "Notification", {"version": "4", "alerts": []}, True),
        ("postWebhook", "Notification", {"version": "1", "alerts": [], "new": {}}, True),
        ("postWebhook", "Notification", {"version": 4, "alerts": []}, False),
        ("postWebhook", "Notification", {"version": "4"}, False),
        ("postWebhook", "Notification", [], False),
        ("postAlerts", "PostedAlerts", POSTED, True),
        ("postAlerts", "PostedAlerts", [], True),
        ("postAlerts", "PostedAlerts", {"version": "4", "alerts": []}, False),
        ("classifyAlert", "AlertToClassify", TO_CLASSIFY, True),
        ("classifyAlert", "AlertToClassify", TO_CLASSIFY | {"status": "resolved", "new": 1}, True),
        ("classifyAlert", "AlertToClassify", TO_CLASSIFY | {"labels": {}}, False),
        ("classifyAlert", "AlertToClassify", TO_CLASSIFY | {"labels": {"a": 1}}, False),
        ("classifyAlert", "AlertToClassify", TO_CLASSIFY | {"startsAt": "soon"}, False),
        ("classifyAlert", "AlertToClassify", TO_CLASSIFY | {"status": "no"}, False),
        ("classifyAlert", "AlertToClassify", {"labels": {"a": "b"}}, False),
        ("updateCluster", "ClusterUpdate", {"title": "t" * 120}, True),
        ("updateCluster", "ClusterUpdate", {"title": "t" * 121}, False),
        ("updateCluster", "ClusterUpdate", {"acked_by": "a" * 100, "pinned": True}, True),
        ("updateCluster", "ClusterUpdate", {"acked_by": "a" * 101}, False),
        ("updateCluster", "ClusterUpdate", {"note": "n" * 4000}, True),
        ("updateCluster", "ClusterUpdate", {"note": "n" * 4001}, False),
        ("updateCluster", "ClusterUpdate", {"title": None}, False),
        ("updateCluster", "ClusterUpdate", {"pinned": 1}, False),
        ("updateCluster", "ClusterUpdate", {"state": "resolved"}, False),
        ("updateCluster", "ClusterUpdate", {}, False),
        ("updateCluster", "ClusterUpdate", None, False),
        ("mergeCluster", "MergeOrder", {"into": 0}, False),
        ("mergeCluster", "MergeOrder", {"into": True}, False),
        ("mergeCluster", "MergeOrder", {"into": 1, "new": 1}, False),
        ("mergeCluster", "MergeOrder", {}, False),
        ("mergeCluster", "MergeOrder", [], False),
        ("splitCluster", "SplitOrder", {"fingerprints": [1]}, False),
        ("splitCluster", "SplitOrder", {"fingerprints": "x"}, False),
        ("splitCluster", "SplitOrder", {}, False),
    ],
)
async def test_schema_and_server_agree_on_what_may_be_sent(
    name: str, schema: str, document: Any, good: bool, anyone: Caller
) -> None:
    answer = await anyone.call(name, json=document)

    assert (faults(document, {"$ref": f"#/components/schemas/{schema}"}) == []) is good
    assert answer.status == (200 if good else 400)


# -- events and frames -------------------------------------------------------------------------------


async def test_every_event_is_as_described() -> None:
    site = builders.Site()
    site.receive(0, *(alert("Disk", summary="disk full", node=f"n{n}") for n in range(3)))
    site.receive(130, alert("Disk", summary="disk full", starts=120, node="n4", rack="r"))
    site.receive(135, alert("Ghost", resolved=True))
    site.receive(140, alert("Disk", ends=135, node="n0"))
    site.receive(150, alert("Disk", summary="disk full", node="n0"))
    for update in ({"title": "Ours", "acked_by": "anna"}, {"pinned": True, "note": "x"}):
        site.feed([OperatorCommand(at(160), 1, update)])
    site.feed([OperatorCommand(at(160), 1, {"note": ""}, undoes=site.events[-1].seq)])
    members = members_of(site.engine.episodes.values(), 1)
    (split, *_) = site.feed([Split(at(161), 1, members, [members[0].id])])
    site.feed([Merge(at(162), 2, 1, undoes=split.seq)])
    site.feed([Split(at(163), 1, members, [members[0].id], undoes=9)])
    site.feed([Merge(at(164), 3, 1, ([], []))])
    held = [members[0].fingerprint]
    site.feed([Reconciled(at(165), at(765), suppressed=held), Reconciled(at(166), 0, active=held)])
    site.receive(170, alert("Watchdog", ends=136))
    site.feed([Tick(at(40_000))])
    site.receive(40_001, *(alert("Disk", ends=40_000, node=f"n{n}") for n in range(3)))
    site.receive(41_000, *(alert("Many", starts=41_000, number=f"x{n}") for n in range(30)))
    site.feed([Tick(at(80_000))])
    # One that is like another, until it has grown; and one whose alert fires again.
    before = a_site()
    incident(before, 0, "payments", POSTGRES)
    for name in POSTGRES:
        before.receive(9000, alert(name, starts=9000, service="payments", summary=name))
    for n in range(9):
        before.receive(9001, alert(f"Other{'abcdefghi'[n]}", starts=9000, rack=f"r{n}"))
    incident(before, 90_000, "mail", ["Full"])
    before.receive(99_000, alert("Full", starts=90_000, service="mail", summary="Full"))
    told = [e.detail["recurs"] for e in before.events if "recurs" in e.detail]
    assert [recurs is None for recurs in told] == [False, True, False]
    for event in (*site.events, *before.events):
        check(event.to_json(), "Event")

    storm, *_ = site.engine.drain().storms
    check(storm, "Storm")

    assert storm["state"] == "ended"
    assert set(EventType) == set(site.types())


Read = Callable[[], Awaitable[Any]]


async def next_frame(read: Read, wanted: Callable[[Any], bool] = lambda frame: True) -> Any:
    """Return the next frame of *read* that is *wanted*; all up to it are checked."""
    async with asyncio.timeout(20):
        while True:
            frame = await read()
            check(frame, "Frame")
            if wanted(frame):
                return frame


def has_type(name: str) -> Callable[[Any], bool]:
    return lambda frame: bool(frame["type"] == name)


async def follow(asked: Caller, read: Read) -> Any:
    """Read a snapshot, the events of an alert, and on to a heartbeat; return the snapshot."""
    snapshot = await next_frame(read)
    assert snapshot["type"] == "snapshot"
    assert snapshot["storm"]["id"] == 1

    await asked.post(entry(labels={"alertname": "Late", "number": f"x{next(NUMBERS)}"}))
    # A heartbeat may come at any time before.
    events = await next_frame(read, lambda frame: bool(frame.get("events")))
    assert events["first"] == snapshot["seq"] + 1
    await next_frame(read, has_type("heartbeat"))
    return snapshot


async def test_frames_of_a_socket_are_as_described(anyone: Caller) -> None:
    url = anyone.url(OPERATIONS["openStream"])
    async with anyone.session.ws_connect(url) as socket:
        snapshot = await follow(anyone, socket.receive_json)

        resume = {"type": "resume", "after": snapshot["seq"], "epoch": snapshot["epoch"]}
        check(resume, "ResumeFrame")
        await socket.send_json(resume)
        missed = await next_frame(socket.receive_json, has_type("events"))
        assert missed["first"] == snapshot["seq"] + 1

        await socket.send_json({"type": "resume", "after": 0, "epoch": "another"})
        again = await next_frame(socket.receive_json, has_type("snapshot"))
        assert again["reset"] is True

        await socket.send_str("hello")
        end = await socket.receive()
        while end.type is aiohttp.WSMsgType.TEXT:
            end = await socket.receive()
        assert end.data == 1008


async def test_lines_are_as_described(anyone: Caller) -> None:
    operation = OPERATIONS["readStream"]
    async with anyone.session.get(anyone.url(operation)) as answer:

        async def read() -> Any:
            return json.loads(await answer.content.readline())

        snapshot = await follow(anyone, read)
        answer.close()

    ticket = (await anyone.call("issueTicket")).content["ticket"]
    query = f"after={snapshot['seq']}&epoch={snapshot['epoch']}&ticket={ticket}"
    resumed = json.loads((await anyone.call("readStream", query)).text)
    assert (resumed["type"], resumed["first"]) == ("events", snapshot["seq"] + 1)
    reset = json.loads((await anyone.call("readStream", "after=0&epoch=another")).text)
    assert reset["reset"] is True


# -- that all this would notice ----------------------------------------------------------------------


async def test_an_undescribed_field_is_noticed(
    anyone: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = wire.cluster_json
    monkeypatch.setattr(wire, "cluster_json", lambda cluster: told(cluster) | {"surprise": 1})

    for name in ("listClusters", "getCluster", "getAlert", "getTimeline"):
        with pytest.raises(AssertionError, match="surprise"):
            await anyone.call(name)


async def test_an_undescribed_code_is_noticed(
    anyone: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(errors.NotFound, "status", 410)

    with pytest.raises(AssertionError, match="410 is not described"):
        await anyone.call("getCluster", id=10**6)


async def test_no_object_of_any_answer_may_have_a_further_field(anyone: Caller) -> None:
    tried = 0
    for name, operation in OPERATIONS.items():
        described = followed(operation.told["responses"].get("200", {})).get("content", {})
        if "application/json" not in described or name == "getDescription":
            continue
        sent: Any = {"updateCluster": {"pinned": True}, "classifyAlert": TO_CLASSIFY}.get(name)
        bad = {"version": "4", "alerts": [{}]}
        told_to: dict[str, Any] = {"json": bad if name == "postWebhook" else sent}
        if name in REGROUPING:
            told_to = await anyone.regroupable(name, 200)
        query = "cluster_id=1" if name == "findSimilar" else ""
        answer = await anyone.call(name, query, **told_to)
        content = first_of_each(answer.content)
        told = described["application/json"]["schema"]
        check(content, told)
        for _, part in parts(content):
            assert isinstance(part, dict)
            # A list in a list: nowhere is that a value by chance, in maps of names neither.
            part["surprise"] = [[]]
            assert faults(content, told), (name, part)
            del part["surprise"]
            tried += 1

    assert tried > 60


def first_of_each(content: Any) -> Any:
    """Return *content* with lists cut to three: to try each part of each is no use."""
    if isinstance(content, list):
        return [first_of_each(item) for item in content[:3]]
    if isinstance(content, dict):
        return {name: first_of_each(inner) for name, inner in content.items()}
    return content
