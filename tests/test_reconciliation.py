"""What is asked of Alertmanagers, and what is concluded from answers of all kinds."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from receiver.config import ReconciliationSettings
from receiver.core import survey
from receiver.core.errors import TryLater
from receiver.core.identity import IdentitySettings, fingerprint
from receiver.core.settings import Bytes, ConfigError, Seconds
from receiver.core.survey import Survey
from receiver.core.timestamps import SECOND, render
from receiver.reconciliation import Reconciliation
from tests.builders import at
from tests.fakes import Clock

OLD = "2026-01-01T00:00:00.000Z"
NOW = "Thu, 01 Jan 2026 01:00:00 GMT"


def listed(state: str = "active", starts: float = 0, **labels: str) -> dict[str, Any]:
    return {
        "labels": labels,
        "fingerprint": fingerprint(labels),
        "status": {"state": state},
        "startsAt": render(at(starts)),
    }


class Asked:
    """Stands in for an Alertmanager that is asked; it leaves out all else that one does.

    Attributes:
        alerts, status, date, code: What it answers.
        headers: Of the last request.
    """

    def __init__(self) -> None:
        self.alerts: Any = []
        self.status: Any = {"uptime": OLD}
        self.date = NOW
        self.code = 200
        self.wait = 0.0
        self.headers: Any = {}
        app = web.Application()
        app.router.add_get("/am/api/v2/status", self._status)
        app.router.add_get("/am/api/v2/alerts", self._alerts)
        self.server = TestServer(app)

    @property
    def url(self) -> str:
        return str(self.server.make_url("/am/"))

    async def _status(self, request: web.Request) -> web.Response:
        self.headers = request.headers
        return web.json_response(self.status, headers={"Date": self.date}, status=self.code)

    async def _alerts(self, request: web.Request) -> web.Response:
        assert request.query["silenced"] == request.query["inhibited"] == "true"
        await asyncio.sleep(self.wait)
        return web.json_response(self.alerts)


class Kept:
    """Stands in for the intake; keeps surveys but the first *refusals*, and leaves out the database."""

    def __init__(self) -> None:
        self.surveys: list[Survey] = []
        self.refusals = 0
        self.several = asyncio.Event()

    async def commit(
        self, body: bytes, alerts: int, gone: Callable[[], bool], *, told: bool = True
    ) -> None:
        assert (alerts, gone(), told) == (0, False, False)
        if self.refusals:
            self.refusals -= 1
            raise TryLater("the disk is full")
        self.surveys.append(survey.decode(body))
        if len(self.surveys) > 1:
            self.several.set()


class Rig:
    """A reconciliation with two Alertmanagers to ask."""

    def __init__(self, one: Asked, other: Asked) -> None:
        self.one, self.other = one, other
        self.kept = Kept()
        self.failures = 0
        self.made = self.make()

    def make(self, **changed: Any) -> Reconciliation:
        urls = (self.one.url, self.other.url)
        settings = ReconciliationSettings(**{"urls": urls, **changed})
        self.made = Reconciliation(
            settings, IdentitySettings(), self.kept, clock=Clock(at(3600)), on_failure=self._failed
        )
        return self.made

    def _failed(self) -> None:
        self.failures += 1

    async def poll(self) -> Survey | None:
        before = len(self.kept.surveys)
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session:
            await self.made._poll(session)
        return self.kept.surveys[-1] if len(self.kept.surveys) > before else None


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    one, other = Asked(), Asked()
    await one.server.start_server()
    await other.server.start_server()
    yield Rig(one, other)
    await one.server.close()
    await other.server.close()


DISK = fingerprint({"alertname": "DiskFull"})
POD = fingerprint({"alertname": "PodDown"})


async def test_what_all_know_is_kept(rig: Rig) -> None:
    rig.one.alerts = [listed(alertname="DiskFull"), listed("suppressed", alertname="PodDown")]
    rig.other.alerts = [listed("suppressed", alertname="DiskFull")]

    assert await rig.poll() == Survey(
        at(3600), True, 600 * SECOND, frozenset([DISK]), frozenset([POD]), {DISK: at(0)}
    )
    assert rig.made.completed_at == at(3600)
    assert rig.failures == 0


async def test_one_that_waits_to_be_processed_fires(rig: Rig) -> None:
    rig.one.alerts = [listed("unprocessed", alertname="DiskFull")]
    found = await rig.poll()

    assert found is not None
    assert found.active == {DISK}


async def test_replicas_are_one_alert_and_suppressed_only_when_all_are(rig: Rig) -> None:
    def replica(state: str, name: str, replica: str, starts: float = 0) -> dict[str, Any]:
        return listed(state, starts, alertname=name, prometheus_replica=replica)

    rig.one.alerts = [
        replica("active", "DiskFull", "b", 7),
        replica("suppressed", "DiskFull", "a", 1),
        replica("active", "DiskFull", "c", 5),
        replica("active", "DiskFull", "d", 9),
        replica("suppressed", "PodDown", "a"),
        replica("suppressed", "PodDown", "b"),
    ]
    first = await rig.poll()
    again = await rig.poll()

    assert first == again
    assert first is not None
    assert first.active == {DISK}
    assert first.starts == {DISK: at(5)}
    assert first.suppressed == {POD}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"code": 503}, "answered 503, expected 200"),
        ({"code": 302}, "answered 302, expected 200"),
        ({"status": {"uptime": "2026-01-01T00:59:00Z"}}, "started too short ago"),
        ({"status": {}}, "status.uptime: expected a time"),
        ({"status": {"uptime": "yesterday"}}, "status.uptime: expected a time"),
        ({"status": [1]}, "status.uptime: expected a time"),
        ({"date": "then"}, "Date: got 'then'"),
        ({"alerts": {}}, "expected a list"),
        ({"alerts": [listed(a="b"), {"labels": {}}]}, "alerts[1]: expected"),
        ({"alerts": [{"labels": 3, "fingerprint": "x", "status": {"state": 1}}]}, "alerts[0]"),
        ({"alerts": [listed(a="b") | {"startsAt": "soon"}]}, "alerts[0]"),
        ({"alerts": ["x" * 2000]}, "answer of more than 1024 bytes"),
        ({"wait": 30.0}, "no answer within 1 s"),
    ],
)  # fmt: skip
async def test_nothing_is_concluded_from_one_that_does_not_answer_as_it_should(
    rig: Rig, changed: dict[str, Any], said: str, caplog: pytest.LogCaptureFixture
) -> None:
    for name, value in changed.items():
        setattr(rig.one, name, value)
    rig.other.alerts = [listed(alertname="DiskFull")]
    rig.make(max_body_bytes=Bytes(1024), timeout=Seconds(1.0))
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=1.0)) as session:
        await rig.made._poll(session)
        await rig.made._poll(session)
    (found, _) = rig.kept.surveys

    assert not found.complete
    assert found.active == {DISK}
    assert rig.failures == 2
    assert rig.made.completed_at == 0
    # Said once, however often it is so.
    (record,) = (r for r in caplog.records if r.name == "receiver.reconciliation")
    assert said in record.__dict__["err"]


@pytest.mark.parametrize(
    ("started", "date", "least"),
    [
        ("2027-01-01T00:00:00Z", "Fri, 01 Jan 2027 00:05:00 GMT", 300),
        # The date has whole seconds, rounded down.
        ("2027-01-01T00:00:00.9Z", "Fri, 01 Jan 2027 00:00:00 GMT", 0),
    ],
)
async def test_its_uptime_is_told_by_its_own_clock(
    rig: Rig, started: str, date: str, least: float
) -> None:
    rig.make(min_uptime=Seconds(least))
    rig.one.status, rig.one.date = {"uptime": started}, date
    found = await rig.poll()

    assert found is not None
    assert found.complete


async def test_that_one_answers_again_is_said(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    rig.one.code = 500
    await rig.poll()
    rig.one.code = 200
    await rig.poll()

    assert [r.message for r in caplog.records if r.name == "receiver.reconciliation"] == [
        "nothing is concluded from an alertmanager",
        "an alertmanager answers again",
    ]


async def test_when_nobody_answers_nothing_is_kept(rig: Rig) -> None:
    await rig.one.server.close()
    await rig.other.server.close()

    assert await rig.poll() is None
    assert rig.failures == 2


async def test_the_token_is_sent_and_read_each_time(rig: Rig, tmp_path: Path) -> None:
    file = tmp_path / "token"
    rig.make(bearer_token_file=str(file))
    assert await rig.poll() is None
    file.write_text("secret\n")
    await rig.poll()

    assert rig.one.headers["Authorization"] == "Bearer secret"


async def test_it_asks_again_and_again_whatever_happens(rig: Rig) -> None:
    rig.kept.refusals = 2
    made = rig.make(interval=Seconds(0.01))
    made.start()
    async with asyncio.timeout(30):
        await rig.kept.several.wait()
    await made.close()

    assert rig.kept.refusals == 0


async def test_without_anyone_to_ask_nobody_is_asked(rig: Rig) -> None:
    made = rig.make(urls=())
    made.start()
    await made.close()

    assert rig.kept.surveys == []


@pytest.mark.parametrize("urls", [("alertmanager:9093",), ("",), ("http://a", "http://a")])
def test_addresses_that_cannot_be_asked_are_refused(urls: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError, match=r"^reconciliation\.urls: got "):
        ReconciliationSettings(urls=urls)
