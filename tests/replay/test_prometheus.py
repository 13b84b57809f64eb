"""What is asked of a Prometheus, and how its refusals are met; the real one is asked in tests/e2e."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from aiohttp import web

from receiver import replay
from receiver.config import Config
from receiver.replay import promapi
from receiver.replay.prometheus import FIRING, MAX_POINTS
from tests.builders import EMBEDDER
from tests.support.stubs import HttpStub

NOW = 1_767_225_600
Answer = Callable[[web.Request], web.Response]


class Api(HttpStub):
    """Stands in for Prometheus: one alert fires all the time; it refuses long ranges if told to.

    It leaves out PromQL: it knows the two queries that are asked, and answers both with what it has.
    """

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[dict[str, str]] = []
        self.headers: list[str | None] = []
        self.most_points = MAX_POINTS
        self.refusal = 422
        self.groups: Any = [
            {"interval": 60, "rules": [{"name": "DiskFull", "annotations": {"summary": "full"}}]}
        ]
        self.metric = {"alertname": "DiskFull", "pod": "a"}
        self._app.router.add_get("/prom/api/v1/query", self._time)
        self._app.router.add_get("/prom/api/v1/rules", self._rules)
        self._app.router.add_get("/prom/api/v1/query_range", self._range)

    async def _time(self, request: web.Request) -> web.Response:
        self.headers.append(request.headers.get("Authorization"))
        return _success({"resultType": "scalar", "result": [NOW, str(NOW)]})

    async def _rules(self, request: web.Request) -> web.Response:
        if self.groups is None:
            return web.json_response({"status": "error", "error": "not allowed"}, status=403)
        return _success({"groups": self.groups})

    async def _range(self, request: web.Request) -> web.Response:
        asked = dict(request.query)
        self.asked.append(asked)
        start, end, step = (round(float(asked[name])) for name in ("start", "end", "step"))
        looks = range(start, end + 1, step)
        if len(looks) > self.most_points:
            return web.json_response(
                {"status": "error", "errorType": "execution", "error": "too many samples"},
                status=self.refusal,
            )
        values = [[at, str(at if asked["query"] == FIRING else NOW - 40 * 86400)] for at in looks]
        return _success(
            {"resultType": "matrix", "result": [{"metric": self.metric, "values": values}]}
        )


def _success(data: Any) -> web.Response:
    return web.json_response({"status": "success", "data": data})


@pytest.fixture
def api() -> Iterator[Api]:
    stub = Api()
    stub.start()
    yield stub
    stub.stop()


def play(api: Api, since: float, address: str = "") -> replay.Replay:
    source = replay.Prometheus(address or f"{api.url}/prom/", since)
    return replay.run([source], Config(), EMBEDDER)


def test_a_month_is_asked_in_ranges_that_prometheus_answers(api: Api) -> None:
    played = play(api, 30 * 86400)
    counts = [
        (round(float(a["end"])) - round(float(a["start"]))) // 60 + 1
        for a in api.asked
        if a["query"] == FIRING
    ]

    assert sum(counts) == 30 * 24 * 60
    assert max(counts) <= MAX_POINTS
    (line,) = played.lines
    # It began before the first moment asked for, and fires at the last.
    assert line.starts_at == "2025-11-22T00:00:00.000Z"
    assert line.episode is not None
    assert line.episode.fires


def test_an_alert_that_fires_on_is_repeated_so_that_it_does_not_become_stale(api: Api) -> None:
    played = play(api, 86400)

    assert played.engine.counters.outcomes == {"firing.new": 1, "firing.refresh": 5}


@pytest.mark.parametrize("refusal", [422, 503, 504])
def test_a_range_that_is_too_much_is_asked_in_parts(api: Api, refusal: int) -> None:
    api.most_points, api.refusal = 100, refusal
    played = play(api, 86400)

    assert len(played.lines) == 1
    assert "1440" not in played.remarks[-1]


def test_an_answer_that_is_too_large_is_asked_in_parts(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(promapi, "MAX_ANSWER", 4096)

    assert len(play(api, 86400).lines) == 1


def test_a_single_moment_that_is_too_much_ends_it(api: Api) -> None:
    api.most_points = 0

    with pytest.raises(replay.ReplayError, match=r"422 too many samples, even for a single moment"):
        play(api, 3600)


def test_another_refusal_ends_it_with_what_was_said(api: Api) -> None:
    api.most_points, api.refusal = 0, 400

    with pytest.raises(replay.ReplayError, match=r"answered 400 too many samples"):
        play(api, 3600)


def test_without_rules_alerts_have_no_texts_and_that_is_said(api: Api) -> None:
    api.groups = None
    played = play(api, 3600)

    assert "its rules are not told" in played.remarks[0]
    assert "answered 403 not allowed" in played.remarks[0]
    assert len(played.lines) == 1


def test_a_path_that_is_not_prometheus_is_said_to_be_none(api: Api) -> None:
    with pytest.raises(replay.ReplayError, match=r"answered 404"):
        play(api, 3600, api.url)
    api.metric = 3  # type: ignore[assignment]
    with pytest.raises(replay.ReplayError, match=r"/api/v1/query_range does not answer as"):
        play(api, 3600)


def test_name_and_password_are_sent_and_never_shown(api: Api) -> None:
    address = f"http://me:s%40cret@127.0.0.1:{api.port}/prom"
    played = play(api, 3600, address)

    assert api.headers == ["Basic bWU6c0BjcmV0"]
    assert "s@cret" not in json.dumps(played.remarks)
    assert "s%40cret" not in json.dumps(played.remarks)


@pytest.mark.parametrize(
    "address", ["localhost:9090", "ftp://x", "http://", "http://x?y", "http://x:y"]
)
def test_what_is_no_http_address_is_refused(address: str) -> None:
    with pytest.raises(replay.ReplayError, match=r"--prometheus: got .*, expected http"):
        replay.Prometheus(address, 60)


def test_no_time_at_all_is_refused() -> None:
    with pytest.raises(replay.ReplayError, match=r"--since: got 0 s"):
        replay.Prometheus("http://x", 0)


def test_a_second_run_asks_nothing(api: Api) -> None:
    source = replay.Prometheus(f"{api.url}/prom", 3600)
    first = replay.run([source], Config(), EMBEDDER)
    asked = len(api.asked)
    second = replay.run([source], Config(), EMBEDDER)

    assert len(api.asked) == asked
    assert list(replay.jsonl(first)) == list(replay.jsonl(second))
