"""A model and a worker that fail in every way: alerts stay pending, are applied later, and none is lost."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from receiver.core import payload
from receiver.core.engine import Engine
from receiver.embedding.hashing import HashingEmbedder
from receiver.pipeline import embedding as embedding_module
from receiver.pipeline import worker as worker_module
from receiver.store import Database
from tests.builders import entry
from tests.pipeline.test_worker import Rig, rigs

__all__ = ["rigs"]


class Faulty(HashingEmbedder):
    """Hashes texts, and does what *fault* does instead for the first calls; leaves out all meaning."""

    def __init__(self, fault: Callable[[Sequence[str]], Any], times: int) -> None:
        super().__init__()
        self.fault = fault
        self.times = times
        self.calls = 0

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.calls += 1
        if self.calls <= self.times:
            given: NDArray[np.float32] = self.fault(texts)
            return given
        return super().embed(texts)


def raising(error: BaseException) -> Callable[[Sequence[str]], Any]:
    def fault(texts: Sequence[str]) -> Any:
        raise error

    return fault


def giving(make: Callable[[int], Any]) -> Callable[[Sequence[str]], Any]:
    return lambda texts: make(len(texts))


FAULTS = {
    "raises what is none of ours": raising(RuntimeError("out of device memory")),
    "raises MemoryError": raising(MemoryError()),
    "gives NaN": giving(lambda n: np.full((n, 384), np.nan, dtype=np.float32)),
    "gives one NaN": giving(
        lambda n: np.where(np.eye(n, 384) > 0, np.nan, 0.05).astype(np.float32)
    ),
    "gives infinity": giving(lambda n: np.full((n, 384), np.inf, dtype=np.float32)),
    "gives zeros": giving(lambda n: np.zeros((n, 384), dtype=np.float32)),
    "gives too few": giving(lambda n: np.ones((n - 1, 384), dtype=np.float32)),
    "gives other dimensions": giving(lambda n: np.ones((n, 7), dtype=np.float32)),
    "gives nothing": giving(lambda n: None),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_model_that_fails_delays_alerts_and_loses_none(
    rigs: Callable[..., Rig], name: str, caplog: pytest.LogCaptureFixture
) -> None:
    embedder = Faulty(FAULTS[name], times=5)
    rig = rigs(lambda: embedder)
    rig.receive(entry("A"), entry("B", labels={"alertname": "B"}))
    rig.settled()

    assert rig.names() == ["A", "B"]
    assert rig.queries.ledger()["dead_letters"] == 0
    assert rig.worker.restarts == 0
    assert rig.retries
    assert "texts cannot be embedded, alerts stay pending" in caplog.text


def test_a_vector_that_is_none_is_that_of_one_text_only(rigs: Callable[..., Rig]) -> None:
    class Poisoned(HashingEmbedder):
        """Hashes texts, and gives NaN for one of them."""

        def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
            vectors = super().embed(texts)
            for row, text in enumerate(texts):
                if "poison" in text:
                    vectors[row] = np.nan
            return vectors

    rig = rigs(Poisoned)
    rig.receive(entry("A"), entry("B", labels={"alertname": "poison", "instance": "db-1"}))
    rig.settled()

    assert rig.names() == ["A", "poison"]
    assert rig.writer.call(rig.writer.store.restore, 1, 1).counters.text_id == 1  # type: ignore[union-attr]


class TestAModelThatHangs:
    @pytest.fixture
    def going_on(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
        """What calls that hang wait for."""
        monkeypatch.setattr(embedding_module, "_PATIENCE_SECONDS", 0.2)
        event = threading.Event()
        yield event
        event.set()

    def opener(self, hangs: int, going_on: threading.Event) -> Callable[[], HashingEmbedder]:
        """Return what opens embedders of which the first few hang at the first call."""
        opened: list[Faulty] = []

        def open_embedder() -> HashingEmbedder:
            fault = giving(lambda n: going_on.wait(60))
            opened.append(Faulty(fault, times=1 if len(opened) < hangs else 0))
            return opened[-1]

        return open_embedder

    def test_it_is_left_behind_and_another_is_opened(
        self,
        rigs: Callable[..., Rig],
        going_on: threading.Event,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        rig = rigs(self.opener(2, going_on))
        rig.receive(entry("A"))
        rig.settled()

        assert rig.names() == ["A"]
        assert len(rig.retries) == 2
        assert rig.worker.embedder_ready
        said = [vars(one)["err"] for one in caplog.records if "stay pending" in one.getMessage()]
        assert ["has not answered" in err for err in said] == [True, True]

    def test_not_without_end(self, rigs: Callable[..., Rig], going_on: threading.Event) -> None:
        rig = rigs(self.opener(99, going_on))
        rig.receive(entry("A"))
        rig.wait(lambda: len(rig.retries) > 10)

        assert len(rig.worker._embedding._left) == embedding_module._MOST_LEFT
        assert not rig.worker.embedder_ready
        assert rig.writer.pending_alerts == 1

    def test_when_they_come_back_it_goes_on(
        self, rigs: Callable[..., Rig], going_on: threading.Event
    ) -> None:
        rig = rigs(self.opener(3, going_on))
        rig.receive(entry("A"))
        rig.wait(lambda: len(rig.retries) > 5)
        assert rig.names() == []
        going_on.set()
        rig.settled()

        assert rig.names() == ["A"]

    def test_a_stop_does_not_wait_for_it(
        self, rigs: Callable[..., Rig], going_on: threading.Event
    ) -> None:
        rig = rigs(self.opener(99, going_on))
        rig.receive(entry("A"))
        rig.wait(lambda: bool(rig.retries))
        rig.close()
        again = rigs()
        again.settled()

        assert again.names() == ["A"]


class TestAWorkerThatFails:
    @pytest.fixture(autouse=True)
    def _at_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(worker_module, "_RESTART_SECONDS", 0.01)

    def test_it_begins_again_with_what_is_committed(
        self,
        rigs: Callable[..., Rig],
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """A fault of ours between two batches, and in the middle of one body."""
        rig = rigs(batch=2, start=False)
        rig.receive(*(entry(f"A{n}", labels={"alertname": f"A{n}"}) for n in range(7)))
        look, looks = rig.worker._look_again, [0]

        def failing() -> None:
            looks[0] += 1
            if looks[0] in (1, 3):
                raise ZeroDivisionError("a bug")
            look()

        monkeypatch.setattr(rig.worker, "_look_again", failing)
        rig.worker.start()
        rig.settled()
        rig.receive(entry("B", labels={"alertname": "B"}))
        rig.settled()

        assert rig.names() == [*(f"A{n}" for n in range(7)), "B"]
        assert rig.worker.restarts == 2
        assert not rig.fatal
        events, _ = rig.queries.events(after=0, start=None, end=None, limit=1000)
        assert [e.seq for e in events] == list(range(1, len(events) + 1))
        assert "begins again with what is committed" in caplog.text

    def test_it_begins_again_until_it_can(
        self, rigs: Callable[..., Rig], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        restore, times = Engine.restore, [0]

        def failing(self: Engine, restored: Any) -> None:
            times[0] += 1
            if times[0] < 4:
                raise KeyError("a bug")
            restore(self, restored)

        first = rigs()
        first.receive(entry("A"))
        first.settled()
        first.close()
        monkeypatch.setattr(Engine, "restore", failing)
        rig = rigs(start=False)
        rig.receive(entry("B", labels={"alertname": "B"}))
        rig.worker.start()
        rig.settled()

        assert rig.names() == ["A", "B"]
        assert rig.worker.restarts == 3

    @pytest.mark.parametrize(
        ("where", "name"),
        [
            (Engine, "step"),
            (payload, "parse_any"),
            (Database, "inbox"),
            (Database, "commit"),
            (Database, "recall"),
        ],
    )
    def test_without_memory_it_begins_again_and_no_alert_is_to_blame(
        self,
        rigs: Callable[..., Rig],
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
        where: Any,
        name: str,
    ) -> None:
        function, times = getattr(where, name), [0]

        def failing(*args: Any, **kwargs: Any) -> Any:
            times[0] += 1
            if times[0] <= 3:
                raise MemoryError
            return function(*args, **kwargs)

        rig = rigs(start=False)
        rig.receive(*(entry(f"A{n}", labels={"alertname": f"A{n}"}) for n in range(3)))
        # All that is there at the start is read from the inbox.
        rig.writer.handover.take(0)
        monkeypatch.setattr(where, name, failing)
        rig.worker.start()
        rig.settled()

        assert rig.names() == ["A0", "A1", "A2"]
        assert rig.queries.ledger()["dead_letters"] == 0
        assert rig.worker.restarts == 3
        assert "begins again with what is committed" in caplog.text

    def test_what_comes_meanwhile_does_not_have_it_try_again_sooner(
        self, rigs: Callable[..., Rig], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def failing(self: Database, *args: Any, **kwargs: Any) -> None:
            raise sqlite3.OperationalError("database or disk is full")

        monkeypatch.setattr(worker_module, "_RETRY_SECONDS", (60.0,))
        monkeypatch.setattr(Database, "commit", failing)
        rig = rigs()
        rig.receive(entry("A"))
        rig.wait(lambda: bool(rig.retries))
        for number in range(20):
            rig.receive(entry(labels={"alertname": f"B{number}"}))
            time.sleep(0.01)

        assert len(rig.retries) == 1
        assert rig.writer.pending_alerts == 21

    def test_what_no_worker_survives_ends_the_process(
        self, rigs: Callable[..., Rig], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        rig = rigs(start=False)

        def dying() -> None:
            raise SystemExit

        monkeypatch.setattr(rig.worker, "_look_again", dying)
        rig.receive(entry("A"))
        rig.worker.start()
        rig.wait(lambda: bool(rig.fatal))

        assert "cannot go on" in str(rig.fatal[0])
        rig.queries.close()
        rig.writer.close()
