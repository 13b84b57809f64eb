"""The worker with a real database, on its own threads."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from receiver.config import Config, IntakeSettings
from receiver.core import identity, payload, survey
from receiver.core.embedder import Embedder
from receiver.core.engine import Engine
from receiver.core.errors import EmbeddingError, SenderError, StoreError, TryLater
from receiver.core.publication import Publication
from receiver.core.query import AlertQuery
from receiver.core.settings import Bytes
from receiver.core.survey import Survey
from receiver.core.timestamps import SECOND, render
from receiver.embedding.hashing import HashingEmbedder
from receiver.pipeline import Worker, Writer
from receiver.pipeline import worker as worker_module
from receiver.store import Database, Queries
from tests.builders import at, body, entry
from tests.fakes import Clock, FailingEmbedder


class Rig:
    """Writer, worker and queries over a database in a directory."""

    def __init__(self, directory: Path, open_embedder: Callable[[], Embedder], batch: int) -> None:
        self.config = dataclasses.replace(Config(), intake=IntakeSettings(batch_size=batch))
        self.clock = Clock(at(1000))
        self.published: list[Publication] = []
        self.fatal: list[Exception] = []
        self.retries: list[int] = []
        self.writer = Writer(Database(directory), self.clock)
        self.worker = Worker(
            self.writer,
            self.config,
            open_embedder,
            clock=self.clock,
            listeners=[self.published.append],
            on_retry=lambda: self.retries.append(1),
            on_fatal=self.fatal.append,
        )
        self.queries = Queries(self.writer.store.path, self.config.severity)  # type: ignore[attr-defined]

    def receive(self, *entries: Any) -> None:
        valid = sum(isinstance(e, dict) and bool(e.get("labels")) for e in entries)
        self.writer.call(self.writer.receive, [(body(*entries), valid, None)])
        self.worker.nudge()

    def find(self, seconds: float, *, complete: bool = True, **found: Any) -> None:
        """Let what Alertmanagers know be found at the moment *seconds*, and be committed."""
        told = survey.encode(Survey(at(seconds), complete, 600 * SECOND, **found))
        self.writer.call(self.writer.receive, [(told, 0, None)])
        self.worker.nudge()

    def states(self) -> dict[str, str]:
        items, _ = self.queries.alerts(AlertQuery(), limit=1000, cursor="")
        return {item["labels"]["alertname"]: item["state"] for item in items}

    def wait(self, until: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 30
        while not until():
            assert time.monotonic() < deadline, "waited in vain"
            time.sleep(0.01)

    def settled(self) -> None:
        self.wait(lambda: self.writer.pending_alerts == 0 and not self.writer._pending)
        # It is answered between two batches: what is committed is published by then.
        with contextlib.suppress(TryLater):
            self.worker.ask(lambda engine, embed: None).result(30)

    def names(self) -> list[str]:
        items, _ = self.queries.alerts(AlertQuery(), limit=1000, cursor="")
        return [item["labels"]["alertname"] for item in reversed(items)]

    def close(self) -> None:
        assert self.worker.stop(10)
        self.queries.close()
        self.writer.close()


@pytest.fixture
def rigs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Rig]]:
    monkeypatch.setattr(worker_module, "_MODEL_RETRY_SECONDS", (0.01,))
    monkeypatch.setattr(worker_module, "_RETRY_SECONDS", (0.01,))
    monkeypatch.setattr(worker_module, "_LOOK_AGAIN_SECONDS", 0.05)
    made: list[Rig] = []

    def make(
        open_embedder: Callable[[], Embedder] = HashingEmbedder,
        *,
        batch: int = 4,
        start: bool = True,
    ) -> Rig:
        rig = Rig(tmp_path, open_embedder, batch)
        made.append(rig)
        if start:
            rig.worker.start()
        return rig

    yield make
    for rig in made:
        if rig.worker._thread.is_alive():
            rig.close()


def test_what_is_in_the_inbox_is_applied_in_order_and_published(rigs: Callable[..., Rig]) -> None:
    rig = rigs()
    rig.receive(*(entry(f"A{n}", labels={"alertname": f"A{n}"}) for n in range(10)))
    rig.receive(entry("B", labels={"alertname": "B"}))
    rig.settled()

    assert rig.names() == [*(f"A{n}" for n in range(10)), "B"]
    events = [e.seq for p in rig.published for e in p.events]
    assert events == list(range(1, len(events) + 1))
    assert sum(n for p in rig.published for n in p.outcomes.values()) == 11
    assert sum(len(p.ages_seconds) for p in rig.published) == 11
    assert rig.queries.ledger()["notifications"] == 2


def test_bad_alerts_become_dead_letters_and_the_rest_is_applied(rigs: Callable[..., Rig]) -> None:
    rig = rigs()
    rig.receive(entry("A"), {"status": "firing"}, 7)
    rig.receive({"status": "firing", "labels": {}})
    rig.receive()
    rig.settled()

    assert rig.names() == ["A"]
    assert rig.queries.ledger()["dead_letters"] == 3
    assert rig.queries.ledger()["notifications"] == 3
    assert sorted(s for p in rig.published for s in p.dead_letters) == [
        "firing",
        "firing",
        "unknown",
    ]


def test_a_restart_goes_on_where_it_was(rigs: Callable[..., Rig]) -> None:
    first = rigs()
    told = {"summary": "the disk is full and writes to it fail"}
    first.receive(entry("A", annotations=told))
    first.settled()
    first.close()

    second = rigs(start=False)
    second.receive(entry("B", labels={"alertname": "B", "instance": "db-1"}, annotations=told))
    assert second.writer.pending_alerts == 1
    assert second.writer.oldest_pending_at() == at(1000)
    second.worker.start()
    second.settled()

    assert second.names() == ["A", "B"]
    assert second.writer.oldest_pending_at() is None
    assert [c["size"] for c in second.queries.live_clusters()] == [2]


def test_a_model_that_is_not_ready_keeps_alerts_pending(rigs: Callable[..., Rig]) -> None:
    tries: list[int] = []

    def opened() -> Embedder:
        tries.append(1)
        if len(tries) < 4:
            raise EmbeddingError("no model yet")
        return HashingEmbedder()

    rig = rigs(opened, start=False)
    rig.receive(entry("A"))
    rig.worker.start()
    rig.settled()

    assert len(tries) == 4
    assert rig.names() == ["A"]
    assert len(rig.retries) == 3


def test_a_backend_that_fails_is_tried_again(rigs: Callable[..., Rig]) -> None:
    embedder = FailingEmbedder(lambda texts: len(embedder.calls) < 6)
    rig = rigs(lambda: embedder)
    rig.receive(entry("A"))
    rig.settled()

    assert rig.names() == ["A"]
    assert len(rig.retries) >= 1


def test_a_text_nothing_can_be_made_of_is_clustered_without(rigs: Callable[..., Rig]) -> None:
    rig = rigs(lambda: FailingEmbedder(lambda texts: any("poison" in t for t in texts)))
    rig.receive(entry("A"), entry("B", labels={"alertname": "poison", "instance": "db-1"}))
    rig.settled()

    assert rig.names() == ["A", "poison"]
    assert rig.writer.call(rig.writer.store.restore, 1, 1).counters.text_id == 1  # type: ignore[union-attr]


def test_an_alert_the_engine_fails_on_is_a_dead_letter(
    rigs: Callable[..., Rig], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    step = Engine.step

    def failing(self: Engine, inputs: Any) -> Any:
        told = list(inputs)
        events = step(self, told)
        if any(getattr(i, "alert", None) and i.alert.labels["alertname"] == "bad" for i in told):
            raise ZeroDivisionError("a bug")
        return events

    monkeypatch.setattr(Engine, "step", failing)
    rig = rigs(batch=100)
    rig.receive(*(entry(n, labels={"alertname": n}) for n in ("A", "bad", "B")), {"status": "x"})
    rig.receive(entry("C", labels={"alertname": "C"}))
    rig.settled()

    assert rig.names() == ["A", "B", "C"]
    assert rig.queries.ledger()["dead_letters"] == 2
    events, _ = rig.queries.events(after=0, start=None, end=None, limit=1000)
    assert [e.seq for e in events] == list(range(1, len(events) + 1))
    raw = rig.queries._db.execute("SELECT field, reason, raw FROM dead_letters").fetchall()
    assert any("ZeroDivisionError: a bug" in row["reason"] for row in raw)
    assert "an alert failed, it goes to the dead letters" in caplog.messages


def test_a_database_that_cannot_be_written_holds_the_batch(
    rigs: Callable[..., Rig], monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = rigs(start=False)
    commit, failures = rig.writer.store.commit, [1, 2, 3]

    def full(*args: Any, **kwargs: Any) -> None:
        if failures:
            failures.pop()
            raise sqlite3.OperationalError("database or disk is full")
        commit(*args, **kwargs)

    monkeypatch.setattr(rig.writer.store, "commit", full)
    rig.receive(entry("A"), entry("B", labels={"alertname": "B"}))
    rig.worker.start()
    rig.settled()

    assert rig.names() == ["A", "B"]
    assert len(rig.retries) == 3


def test_vectors_of_another_model_are_refused(rigs: Callable[..., Rig]) -> None:
    first = rigs()
    first.receive(entry("A"))
    first.settled()
    first.close()

    class Other(HashingEmbedder):
        identity = "other/f32"

    second = rigs(Other)
    second.wait(lambda: bool(second.fatal))

    (error,) = second.fatal
    assert isinstance(error, StoreError)
    assert "other/f32" in str(error)
    second.queries.close()
    second.writer.close()


def test_time_alone_moves_clusters(rigs: Callable[..., Rig]) -> None:
    rig = rigs()
    rig.receive(entry("A", starts=999))
    rig.settled()
    rig.clock.now += 130 * SECOND
    rig.worker.nudge()
    rig.wait(
        lambda: any(e.type == "cluster_state_changed" for p in rig.published for e in p.events)
    )

    assert [c["state"] for c in rig.queries.live_clusters()] == ["steady"]


def test_time_alone_eases_and_ends_a_storm_and_tells_of_it(rigs: Callable[..., Rig]) -> None:
    rig = rigs(batch=64)
    pods = [{"alertname": "PodDown", "pod": f"p{n}", "app": "shop"} for n in range(40)]
    rig.receive(*(entry(labels=told, starts=999) for told in pods))
    rig.settled()
    rig.wait(lambda: bool(rig.published[-1].storm))
    storm = rig.published[-1].storm
    assert storm is not None
    assert (storm["state"], storm["intensity"], storm["firing"]) == ("onset", 20.0, 40)

    rig.clock.now += 130 * SECOND
    rig.worker.nudge()
    rig.wait(lambda: (rig.published[-1].storm or {}).get("state") == "easing")
    rig.clock.now += 600 * SECOND
    rig.worker.nudge()
    rig.wait(lambda: rig.published[-1].storm is None)

    ended = [e for p in rig.published for e in p.events if e.type == "storm_ended"]
    assert [e.detail for e in ended] == [{"storm_id": 1}]
    (kept,), _ = rig.queries.storms(limit=10, cursor="")
    assert (kept["state"], kept["episodes"]) == ("ended", 40)


def test_a_restart_in_a_storm_tells_of_it_at_once(rigs: Callable[..., Rig]) -> None:
    first = rigs(batch=64)
    pods = [{"alertname": "PodDown", "pod": f"p{n}", "app": "shop"} for n in range(40)]
    first.receive(*(entry(labels=told, starts=999) for told in pods))
    first.settled()
    first.close()

    second = rigs()
    second.wait(lambda: bool(second.published))

    storm = second.published[0].storm
    assert storm is not None
    assert (storm["id"], storm["episodes"], storm["firing"]) == (1, 40, 40)


def test_questions_are_answered_between_batches(rigs: Callable[..., Rig]) -> None:
    rig = rigs()
    rig.receive(entry("A"))
    rig.settled()

    answer = rig.worker.ask(lambda engine, embed: (len(engine.live), len(list(embed(["x"])))))
    assert answer.result(10) == (1, 1)
    broken = rig.worker.ask(lambda engine, embed: 1 / 0)
    assert isinstance(broken.exception(10), ZeroDivisionError)

    rig.close()
    with pytest.raises(TryLater, match="shutting down"):
        rig.worker.ask(lambda engine, embed: 1)


def test_a_question_about_an_alert_is_asked_of_an_engine_that_knows_its_past(
    rigs: Callable[..., Rig],
) -> None:
    rig = rigs()
    rig.receive(entry("A"))
    rig.receive(entry("A", status="resolved", endsAt="2026-01-01T00:01:00Z"))
    rig.settled()
    (item,), _ = rig.queries.alerts(AlertQuery(), limit=10, cursor="")
    fingerprint = item["fingerprint"]

    asked = rig.worker.ask(lambda engine, embed: engine.remembers(fingerprint))
    assert not asked.result(10)
    about = rig.worker.ask(lambda engine, embed: engine.remembers(fingerprint), fingerprint)
    assert about.result(10)


def test_a_listener_at_fault_stops_nothing(
    rigs: Callable[..., Rig], monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = rigs(start=False)

    def broken(publication: Publication) -> None:
        raise ZeroDivisionError

    rig.worker._listeners = [broken, rig.published.append]
    rig.worker.start()
    rig.receive(entry("A"))
    rig.settled()

    assert rig.names() == ["A"]
    assert rig.published


def test_stopping_does_not_wait_for_a_missing_model(rigs: Callable[..., Rig]) -> None:
    def never() -> Embedder:
        raise EmbeddingError("no model")

    rig = rigs(never)
    rig.receive(entry("A"))
    question = rig.worker.ask(lambda engine, embed: 1)

    with pytest.raises(TryLater):
        question.result(10)
    rig.close()
    again = rigs()
    again.settled()
    assert again.names() == ["A"]


def test_a_body_that_cannot_be_read_again_stops_nothing(
    rigs: Callable[..., Rig], monkeypatch: pytest.MonkeyPatch
) -> None:
    parse = payload.parse

    def failing(content: bytes, settings: Any) -> Any:
        if b"poison" in content:
            raise SenderError("body is nested too deeply to be read")
        return parse(content, settings)

    monkeypatch.setattr(payload, "parse", failing)
    rig = rigs()
    rig.receive(entry("A"), entry("poison"))
    rig.receive(entry("B", labels={"alertname": "B"}))
    rig.settled()

    assert rig.names() == ["B"]
    (letter,) = rig.queries._db.execute("SELECT field, raw FROM dead_letters").fetchall()
    assert letter["field"] == "body"
    assert "poison" in letter["raw"]


def test_a_stop_in_the_middle_of_a_body_loses_and_doubles_nothing(
    rigs: Callable[..., Rig], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = rigs(batch=2, start=False)
    first.receive(*(entry(f"A{n}", labels={"alertname": f"A{n}"}) for n in range(7)))
    commit, commits = first.writer.store.commit, []

    def stopping(*args: Any, **kwargs: Any) -> None:
        commit(*args, **kwargs)
        commits.append(1)
        if len(commits) == 2:
            first.worker._stopping = True

    monkeypatch.setattr(first.writer.store, "commit", stopping)
    first.worker.start()
    first.wait(lambda: not first.worker._thread.is_alive())
    first.queries.close()
    first.writer.close()

    second = rigs(batch=2, start=False)
    assert second.writer.pending_alerts == 3
    second.worker.start()
    second.settled()

    assert second.names() == [f"A{n}" for n in range(7)]


def test_what_alertmanagers_know_is_applied_in_turn_and_is_no_notification(
    rigs: Callable[..., Rig],
) -> None:
    rig = rigs(start=False)
    rig.receive(entry("A", labels={"alertname": "A"}), entry("B", labels={"alertname": "B"}))
    a, b = (identity.fingerprint({"alertname": name}) for name in "AB")
    rig.find(1001, active=frozenset([a]), suppressed=frozenset([b]))
    rig.receive(entry("C", labels={"alertname": "C"}))
    rig.worker.start()
    rig.settled()
    assert rig.states() == {"A": "firing", "B": "suppressed", "C": "firing"}
    assert rig.queries.ledger()["notifications"] == 2

    rig.clock.now = at(1060)
    rig.find(1060)
    rig.find(1060, complete=False)
    rig.settled()
    assert rig.states() == {"A": "resolved", "B": "resolved", "C": "firing"}
    assert rig.queries.ledger()["notifications"] == 2
    rig.close()

    again = rigs()
    again.settled()
    assert again.states() == {"A": "resolved", "B": "resolved", "C": "firing"}


@pytest.mark.parametrize("restarts", [False, True])
def test_what_was_given_up_and_is_listed_fires_at_once(
    rigs: Callable[..., Rig], restarts: bool
) -> None:
    """A, which no Alertmanager knew for a while, and B, which went stale; the end of C was told."""
    a, b, c = (identity.fingerprint({"alertname": name}) for name in "ABC")
    told = [entry(name, labels={"alertname": name}) for name in "ABC"]

    def at_once(seconds: float, **found: Any) -> Rig:
        if restarts:
            rig.close()
        again = rigs(start=False) if restarts else rig
        again.clock.now = at(seconds)
        again.find(seconds, **found)
        if restarts:
            again.worker.start()
        again.settled()
        return again

    rig = rigs()
    rig.receive(*told)
    rig.receive(told[2] | {"status": "resolved", "endsAt": render(at(999))})
    rig.settled()
    rig.clock.now = at(1001)
    rig.find(1001, active=frozenset([a]))
    rig.find(1002)
    rig.settled()
    assert rig.states() == {"A": "resolved", "B": "firing", "C": "resolved"}

    rig = at_once(1030, active=frozenset([a, c]), starts={a: at(0), c: at(0)})
    assert rig.states() == {"A": "firing", "B": "firing", "C": "resolved"}
    assert rig.queries.alert(a)["episodes"][0]["reopened"] == 1

    rig.clock.now = at(20_000)
    rig.wait(lambda: rig.states()["B"] == "stale")
    rig = at_once(20_001, active=frozenset([b, c]), starts={b: at(0)})
    fires, before = rig.queries.alert(b)["episodes"]
    # Its cluster was over: the same firing, counted again.
    assert (fires["state"], before["state"]) == ("firing", "resolved")
    assert fires["startsAt"] == before["startsAt"] == render(at(0))
    assert fires["annotations"] == told[1]["annotations"]
    assert rig.states()["C"] == "resolved"


def test_a_survey_the_engine_fails_on_stops_nothing(
    rigs: Callable[..., Rig], monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*args: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(survey, "news", failing)
    rig = rigs()
    rig.find(1001)
    rig.receive(entry("A"))
    rig.settled()

    assert rig.names() == ["A"]
    assert rig.queries.ledger()["dead_letters"] == 0


def test_after_a_start_silence_proves_nothing_for_a_while(rigs: Callable[..., Rig]) -> None:
    first = rigs()
    posted = [{**entry("A"), "endsAt": render(at(1100))}]
    first.writer.call(first.writer.receive, [(json.dumps(posted).encode(), 1, None)])
    first.worker.nudge()
    first.settled()
    first.close()

    second = rigs(start=False)
    second.clock.now = at(5000)
    second.worker.start()
    second.settled()
    assert list(second.states().values()) == ["firing"]
    second.clock.now = at(5149)
    second.settled()
    assert list(second.states().values()) == ["firing"]
    second.clock.now = at(5150)
    second.wait(lambda: "stale" in second.states().values())


def test_a_database_over_its_cap_loses_what_is_over_and_goes_on(
    rigs: Callable[..., Rig], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    rig = rigs(start=False)
    deleted: Counter[str] = Counter()
    rig.worker.config = dataclasses.replace(
        rig.config,
        clustering=dataclasses.replace(rig.config.clustering, stability_window=10),
        memory=dataclasses.replace(rig.config.memory, max_past_clusters=1),
        storage=dataclasses.replace(rig.config.storage, max_bytes=Bytes(100_000)),
    )
    rig.worker.trimming._on_trimmed = lambda trimmed: deleted.update(trimmed.rows)
    rig.worker.start()
    for number in range(60):
        rig.clock.now = at(2000 + 2000 * number)
        labels = {"alertname": f"Kind{number}", "instance": f"db-{number}", "severity": "info"}
        told = {
            "labels": labels,
            "startsAt": render(rig.clock.now),
            "annotations": {"summary": "x" * 900},
        }
        rig.receive(entry("Stays"), entry() | told)
        rig.receive(
            entry() | told | {"status": "resolved", "endsAt": render(rig.clock.now + SECOND)}
        )
        rig.settled()
    rig.wait(lambda: deleted["episodes"] >= 40)
    rig.receive(entry("Later"))
    rig.settled()

    assert {"events", "episodes", "clusters", "alerts", "journal"} <= deleted.keys()
    assert rig.worker.restarts == 0
    assert rig.states()["Stays"] == "firing"
    assert rig.states()["Later"] == "firing"
    assert rig.worker.storage["limit_bytes"] == 100_000
    # What is left takes more than so small a cap.
    rig.wait(lambda: rig.worker.storage["limit_unmet"])
    assert "no more can be deleted" in caplog.text


def test_a_deletion_that_fails_stops_nothing(
    rigs: Callable[..., Rig], monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = rigs(start=False)
    rig.worker.config = dataclasses.replace(
        rig.config, storage=dataclasses.replace(rig.config.storage, max_bytes=Bytes(1))
    )
    tried: list[int] = []

    def trim(limit_bytes: int, *rest: Any) -> None:
        tried.append(limit_bytes)
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(rig.writer.store, "trim", trim)
    rig.worker.start()
    rig.receive(entry("One"))
    rig.settled()
    rig.receive(entry("Two"))
    rig.settled()

    assert tried
    assert rig.names() == ["One", "Two"]
    assert rig.worker.restarts == 0
    rig.wait(lambda: rig.writer.errors == len(tried))
