"""The whole receiver over HTTP, with the hashing embedder, in this process."""

from __future__ import annotations

import asyncio
import dataclasses
import io
import json
import sqlite3
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from receiver.config import split_address
from receiver.core.clusters import ClusteringSettings
from receiver.core.settings import ConfigError, Seconds
from tests.builders import body, entry
from tests.web.conftest import Client, Start

CAPTURES = sorted((Path(__file__).parent.parent / "captures").glob("[0-9]*.json"))


class TestWebhook:
    async def test_every_capture_is_taken_and_none_is_lost(self, client: Client) -> None:
        for path in CAPTURES:
            status, answer = await client.post(path.read_bytes())
            assert (status, answer["dead_letters"]) == (200, []), path.name
        await client.settled()

        sent = {a["fingerprint"] for p in CAPTURES for a in json.loads(p.read_text())["alerts"]}
        kept = {a["fingerprint"] for a in await client.items("/api/v1/alerts?limit=1000")}

        # The heartbeat is not kept.
        assert len(sent - kept) == 1
        assert kept < sent

    async def test_the_answer_comes_after_the_commit(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(client.app.worker, "_read_inbox", lambda: False)

        await client.post(body(entry()))

        assert len(client.app.writer.store.pending()) == 1

    @pytest.mark.parametrize(
        ("content", "status", "word"),
        [
            (b"", 400, "not JSON"),
            (b"no", 400, "not JSON"),
            (b"[]", 400, "expected an object"),
            (b"\xff", 400, "not UTF-8"),
            (b'{"a":' + b"[" * 300_000, 400, "nested too deeply"),
            (body(version="3"), 400, 'version: got "3", expected "4"'),
            (body(alerts={}), 400, "alerts: got {}, expected a list"),
            (b" " * (2**20 + 1), 413, "intake.max_body_bytes"),
        ],
    )
    async def test_what_cannot_be_taken_is_refused_in_a_few_words(
        self, client: Client, content: bytes, status: int, word: str
    ) -> None:
        found, answer = await client.post(content)

        assert found == status
        assert word in answer["error"]["message"]
        assert len(json.dumps(answer)) < 400
        assert client.app.room.used == 0

    async def test_a_body_of_unknown_length_has_the_same_limit(self, client: Client) -> None:
        async def chunks() -> AsyncIterator[bytes]:
            for _ in range(20):
                yield b" " * 100_000

        status, answer = await client.post(chunks())

        assert (status, answer["error"]["code"]) == (413, "too_large")
        assert client.app.room.used == 0

    async def test_good_envelopes_are_always_taken(self, client: Client) -> None:
        assert await client.post(body()) == (200, {"accepted": 0, "dead_letters": []})
        status, answer = await client.post(body(entry(), {"labels": {}}, version="1", extra=[1]))

        assert (status, answer["accepted"]) == (200, 1)
        assert answer["dead_letters"][0]["field"] == "status"
        bad = b'{"version":"4","alerts":[{"status":"firing","labels":{"a":NaN}}]}'
        assert (await client.post(bad))[0] == 200
        surrogate = body(entry(labels={"alertname": "x\ud800y"}, annotations={"s": "alone"}))
        assert (await client.post(surrogate))[0] == 200
        await client.settled()
        await client.items("/api/v1/alerts")
        _, metrics = await client.get("/metrics")
        assert "X\ufffdy" in metrics

    async def test_other_methods_are_405_and_nothing_redirects(self, client: Client) -> None:
        url = client.app.server.url + "/api/v1/webhook"
        for method in ("GET", "PUT", "DELETE", "HEAD"):
            async with client.session.request(method, url, allow_redirects=False) as answer:
                assert answer.status == 405
                assert answer.headers["Allow"] == "POST"
        async with client.session.post(url + "/", data=b"{}", allow_redirects=False) as answer:
            assert answer.status == 404
        _, metrics = await client.get("/metrics")
        assert 'stormcell_webhook_requests_total{code="405"} 4.0' in metrics

    async def test_a_full_disk_is_503_and_then_it_goes_on(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        add = client.app.writer.store.add_to_inbox

        def full(*args: Any) -> Any:
            raise sqlite3.OperationalError("database or disk is full")

        monkeypatch.setattr(client.app.writer.store, "add_to_inbox", full)
        status, answer = await client.post(body(entry()))
        assert (status, answer["error"]["code"]) == (503, "try_later")
        assert "disk is full" in answer["error"]["message"]

        monkeypatch.setattr(client.app.writer.store, "add_to_inbox", add)
        assert (await client.post(body(entry())))[0] == 200

    async def test_a_client_that_hangs_up_costs_nothing(self, client: Client) -> None:
        host, port = client.app.server.url.removeprefix("http://").split(":")
        _, writer = await asyncio.open_connection(host, int(port))
        head = "POST /api/v1/webhook HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n"
        writer.write(head.encode() + b'{"version"')
        await writer.drain()
        await asyncio.sleep(0.1)
        writer.close()
        await writer.wait_closed()
        for _ in range(500):
            if client.app.room.used == 0:
                break
            await asyncio.sleep(0.01)

        assert client.app.room.used == 0
        assert client.app.writer.store.pending() == []

    async def test_who_announces_much_and_sends_nothing_keeps_nobody_out(
        self, client: Client
    ) -> None:
        host, port = client.app.server.url.removeprefix("http://").split(":")
        stalled = [await asyncio.open_connection(host, int(port)) for _ in range(400)]
        for _, writer in stalled:
            head = "POST /api/v1/webhook HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n"
            writer.write(head.encode())
            await writer.drain()
        await asyncio.sleep(0.1)

        assert (await client.post(body(entry())))[0] == 200
        for _, writer in stalled:
            writer.close()

    async def test_a_body_that_does_not_arrive_is_not_waited_for(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        impatient = dataclasses.replace(client.app.config.intake, read_timeout=Seconds(0.1))
        monkeypatch.setattr(client.app.server.webhook, "settings", impatient)

        async def stalls() -> AsyncIterator[bytes]:
            yield b"{"
            await asyncio.sleep(5)

        status, answer = await client.post(stalls())

        assert (status, answer["error"]["message"]) == (503, "the body did not arrive in time")
        assert client.app.room.used == 0

    async def test_a_body_that_is_not_what_its_encoding_says_is_refused(
        self, client: Client
    ) -> None:
        url = client.app.server.url + "/api/v1/webhook"
        headers = {"Content-Encoding": "gzip"}
        async with client.session.post(url, data=b"not gzip", headers=headers) as answer:
            assert answer.status == 400

    async def test_an_alert_posted_again_and_again_without_a_start_is_one_episode(
        self, client: Client
    ) -> None:
        posted: dict[str, Any] = {"labels": {"alertname": "BackupFailed"}}
        for told in (posted, posted, posted):
            assert (await client.post(json.dumps([told]).encode(), "/api/v2/alerts"))[0] == 200
            await client.settled()
        (fires,) = await client.items("/api/v1/alerts")
        assert (fires["state"], fires["reopened"]) == ("firing", 0)

        ends = {"endsAt": datetime.now(UTC).isoformat()}
        for told in (posted | ends, posted, posted):
            await client.post(json.dumps([told]).encode(), "/api/v2/alerts")
            await client.settled()
        again, before = await client.items("/api/v1/alerts")
        assert (again["state"], before["state"]) == ("firing", "resolved")
        assert before["startsAt"] == fires["startsAt"] < again["startsAt"]

    async def test_truncated_notifications_are_counted_until_whole(self, client: Client) -> None:
        await client.post(body(entry(), truncatedAlerts=15))
        await client.post(body(entry(), truncatedAlerts=7, groupKey="other"))
        _, metrics = await client.get("/metrics")
        assert "stormcell_truncated_notifications_total 2.0" in metrics
        assert "stormcell_known_missing_alerts 22.0" in metrics

        await client.post(body(entry(), truncatedAlerts=0))
        _, metrics = await client.get("/metrics")
        assert "stormcell_known_missing_alerts 7.0" in metrics


class TestApi:
    @pytest.fixture(autouse=True)
    async def story(self, client: Client) -> None:
        await client.post(
            body(
                entry("DiskFull"),
                entry("DiskFull", labels={"alertname": "DiskFull", "instance": "db-2"}),
                entry("Cert", labels={"alertname": "Cert", "host": "www"}),
            )
        )
        await client.settled()

    async def test_lists_have_items_and_next(self, client: Client) -> None:
        for path in ("clusters", "alerts", "events"):
            status, answer = await client.get(f"/api/v1/{path}?limit=1")
            assert status == 200
            assert len(answer["items"]) == 1
            following = answer["next"]
            name = "after" if path == "events" else "cursor"
            status, answer = await client.get(f"/api/v1/{path}?limit=1&{name}={following}")
            assert len(answer["items"]) == 1

    async def test_alerts_are_searched(self, client: Client) -> None:
        found = await client.items("/api/v1/alerts?label=instance=db-2&state=firing")
        assert [a["labels"]["instance"] for a in found] == ["db-2"]
        assert len(await client.items("/api/v1/alerts?q=diskfull")) == 2
        assert len(await client.items("/api/v1/alerts?from=2030-01-01T00:00:00Z")) == 3
        assert await client.items("/api/v1/alerts?to=1000") == []
        offset = "/api/v1/alerts?from=2020-01-01T00:00:00+01:00&to=2030-01-01T00:00:00Z"
        assert len(await client.items(offset)) == 3
        cluster_id = found[0]["cluster_id"]
        assert await client.items(f"/api/v1/alerts?cluster_id={cluster_id}&q=db-2") == found

    async def test_one_alert_and_its_cluster_are_told_whole(self, client: Client) -> None:
        (alert,) = await client.items("/api/v1/alerts?q=db-2")
        _, found = await client.get(f"/api/v1/alerts/{alert['fingerprint']}")
        _, cluster = await client.get(f"/api/v1/clusters/{alert['cluster_id']}")

        assert found["why"]["threshold"] == ClusteringSettings().threshold
        assert found["cluster"]["id"] == cluster["id"]
        assert alert in cluster["members"]

    async def test_classify_tells_and_stores_nothing(self, client: Client) -> None:
        before = await client.items("/api/v1/events")
        asked = entry("DiskFull", labels={"alertname": "DiskFull", "instance": "db-2"})
        status, answer = await client.post(json.dumps(asked), "/api/v1/classify")
        other = entry("Zebra", labels={"alertname": "Zebra"}, annotations={"summary": "stripes"})
        _, lone = await client.post(json.dumps(other), "/api/v1/classify")

        assert status == 200
        assert answer["cluster_id"] == 1
        assert answer["confidence"] > 0.5
        assert answer["processing_ms"] > 0
        assert lone["cluster_id"] is None
        assert await client.items("/api/v1/events") == before

    @pytest.mark.parametrize(
        ("content", "field"),
        [
            ("{", None),
            ("[]", "alert"),
            ('{"labels":{}}', "labels"),
            ('{"labels":{"a":"b"}}', "startsAt"),
            ('{"labels":{"origin":"stormcell"},"startsAt":"2026-01-01T00:00:00Z"}', "labels"),
        ],
    )
    async def test_classify_refuses_what_is_no_alert(
        self, client: Client, content: str, field: str | None
    ) -> None:
        status, answer = await client.post(content, "/api/v1/classify")

        assert status == 400
        assert answer["error"].get("field") == field

    @pytest.mark.parametrize(
        ("path", "status", "field"),
        [
            ("alerts?limit=0", 400, "limit"),
            ("alerts?limit=1001", 400, "limit"),
            ("alerts?limit=x", 400, "limit"),
            ("alerts?cursor=x", 400, "cursor"),
            ("alerts?state=on", 400, "state"),
            ("alerts?stat=firing", 400, "stat"),
            ("events?cursor=5", 400, "cursor"),
            ("alerts?label=x", 400, "label"),
            ("alerts?from=soon", 400, "from"),
            ("alerts?to=9999999999999999", 400, "to"),
            ("alerts?cluster_id=-1", 400, "cluster_id"),
            ("clusters?state=x", 400, "state"),
            ("clusters/x", 400, "id"),
            ("clusters/99", 404, "id"),
            ("clusters/99999999999999999999", 400, "id"),
            ("alerts/ffffffffffffffff", 404, "fingerprint"),
            ("events?after=x", 400, "after"),
            ("events?type=cluster_created&type=born", 400, "type"),
            ("nothing", 404, None),
        ],
    )
    async def test_errors_name_what_is_wrong(
        self, client: Client, path: str, status: int, field: str | None
    ) -> None:
        found, answer = await client.get(f"/api/v1/{path}")

        assert found == status
        assert answer["error"].get("field") == field
        assert set(answer["error"]) <= {"code", "message", "field"}

    async def test_events_are_filtered_by_type_on_every_page(self, client: Client) -> None:
        every = await client.items("/api/v1/events")
        wanted = [e for e in every if e["type"] in ("cluster_created", "cluster_closed")]
        assert 1 < len(wanted) < len(every)

        path = "/api/v1/events?type=cluster_created&type=cluster_closed&limit=1"
        found: list[dict[str, Any]] = []
        after: str | None = "0"
        while after is not None:
            _, answer = await client.get(f"{path}&after={after}")
            found += answer["items"]
            after = answer["next"]

        assert found == wanted

    async def test_stats_and_ledger(self, client: Client) -> None:
        _, stats = await client.get("/api/v1/stats")

        assert stats["stability"]["status"] == "insufficient_data"
        assert stats["index"]["vectors"] == 2
        assert stats["ledger"]["alerts"] == 3
        assert stats["ledger"]["notifications"] == 1
        assert stats["memory"]["max_vectors"] == 50_000
        assert stats["memory"]["pressure"] is stats["memory"]["archival_needed"] is False
        assert stats["memory"]["avg_age_days"] >= 0
        assert stats["memory"]["old_vectors_count"] == 0
        assert stats["storage"]["size_bytes"] >= stats["storage"]["used_bytes"] > 0
        assert stats["storage"]["limit_bytes"] == 16 * 2**30
        assert stats["storage"]["kept_from"] is None
        assert stats["storage"]["first_seq"] == 1

    async def test_storms_are_listed(self, client: Client) -> None:
        assert await client.items("/api/v1/storms") == []
        assert client.app.worker.restored

        now = datetime.now(UTC).isoformat()
        labels = [{"alertname": "PodDown", "pod": f"p{n}", "app": "shop"} for n in range(40)]
        await client.post(body(*(entry(labels=told, startsAt=now) for told in labels)))
        await client.settled()
        (storm,) = await client.items("/api/v1/storms?limit=1")
        _, stats = await client.get("/api/v1/stats")
        _, metrics = await client.get("/metrics")

        assert (storm["id"], storm["state"], storm["episodes"]) == (1, "onset", 40)
        assert storm["firing"] == 40
        assert len(storm["representatives"]) == 5
        assert stats["ledger"]["storms"] == 1
        assert "stormcell_storm_active 1.0" in metrics
        status, answer = await client.get("/api/v1/storms?state=all")
        assert (status, answer["error"]["field"]) == (400, "state")

    async def test_metrics_agree_with_what_happened(self, client: Client) -> None:
        _, metrics = await client.get("/metrics")

        for line in (
            'stormcell_alerts_received_total{outcome="new",status="firing"} 3.0',
            'stormcell_webhook_requests_total{code="200"} 1.0',
            "stormcell_pending_alerts 0.0",
            "stormcell_ready 1.0",
            'stormcell_cluster_firing_alerts{cluster_id="1"} 2.0',
            'stormcell_cluster_firing_alerts{cluster_id="other"} 0.0',
            'stormcell_clusters{state="forming"} 2.0',
            "stormcell_embedding_cache_misses_total 2.0",
            "stormcell_clusters_not_exported 0.0",
        ):
            assert line in metrics

    async def test_a_bug_is_500_and_tells_nothing(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(*args: Any) -> Any:
            raise ZeroDivisionError("secret")

        monkeypatch.setattr(client.app.queries, "ledger", broken)
        status, answer = await client.get("/api/v1/stats")

        assert status == 500
        assert "secret" not in json.dumps(answer)


async def test_health_and_readiness(client: Client) -> None:
    assert (await client.get("/-/healthy"))[0] == 200
    status = 0
    for _ in range(1000):
        status, _ = await client.get("/-/ready")
        if status == 200:
            break
        await asyncio.sleep(0.01)
    assert status == 200

    client.app.worker.restored = False
    assert (await client.get("/-/ready"))[0] == 503


async def test_before_anything_was_received_there_is_nothing_to_tell(client: Client) -> None:
    status, stats = 0, dict[str, Any]()
    for _ in range(1000):
        status, stats = await client.get("/api/v1/stats")
        if status == 200:
            break
        assert status == 503
        await asyncio.sleep(0.01)

    assert (status, stats["ledger"]["alerts"]) == (200, 0)
    assert await client.items("/api/v1/clusters") == []


@pytest.mark.parametrize("address", ["", "localhost", "x:y", "x:70000"])
def test_a_bad_address_is_refused(address: str) -> None:
    with pytest.raises(ConfigError, match=r"web.listen_address: got .*, expected HOST:PORT"):
        split_address(address)


def test_addresses_are_those_of_prometheus_tools() -> None:
    assert split_address(":9783") == (None, 9783)
    assert split_address("[::1]:80") == ("::1", 80)


async def test_what_the_loop_reports_is_said_and_counted(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    context = {"message": "socket.accept() out of system resource"}
    for _ in range(3):
        asyncio.get_running_loop().call_exception_handler(context)

    assert [record.message for record in caplog.records] == [context["message"]] * 3
    assert b"stormcell_event_loop_faults_total 3.0" in client.app.metrics.render()


ALIKE = [
    entry(
        name, labels={"alertname": name}, annotations={"summary": "the disk is full, writes fail"}
    )
    for name in ("A", "B")
]
"""Two alerts of one cluster."""


class TestTimeline:
    async def test_it_tells_how_many_fired_when(self, client: Client) -> None:
        await client.post(body(*ALIKE))
        await client.settled()
        await client.post(body(ALIKE[0] | {"status": "resolved", "endsAt": "2026-01-01T00:01:00Z"}))
        await client.settled()

        status, answer = await client.get("/api/v1/timeline")

        assert status == 200
        assert (sum(answer["fired"]), sum(answer["resolved"])) == (2, 1)
        assert (
            0 <= len(answer["fired"]) * answer["step_seconds"] - 1800 <= 2 * answer["step_seconds"]
        )
        assert answer["seq"] == (await client.items("/api/v1/events"))[-1]["seq"]
        (cluster,) = answer["clusters"]
        assert (cluster["id"], cluster["samples"][-1][1], cluster["firing"]) == (1, 1, 1)

    async def test_what_began_before_is_there_from_the_first_bucket(self, client: Client) -> None:
        await client.post(body(*ALIKE))
        await client.settled()
        await asyncio.sleep(1.1)

        now = int(time.time())
        _, answer = await client.get(f"/api/v1/timeline?from={now}&to={now + 60}&step=1")

        (cluster,) = answer["clusters"]
        assert cluster["samples"] == [[0, 2]]
        assert sum(answer["fired"]) == 0

    async def test_the_newest_are_kept_if_there_are_too_many(self, start: Start) -> None:
        async with start("clustering.threshold=1") as client:
            await client.post(body(*ALIKE))
            await client.settled()
            _, answer = await client.get("/api/v1/timeline?limit=1")

        assert answer["truncated"] is True
        assert [c["id"] for c in answer["clusters"]] == [2]

    @pytest.mark.parametrize(
        ("query", "field"),
        [
            ("from=x", "from"),
            ("from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", "from"),
            ("from=2020-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", "from"),
            ("from=2026-01-01T00:00:00Z&to=2026-01-31T00:00:00Z&step=1", "step"),
            ("step=0", "step"),
            ("limit=9999", "limit"),
            ("steps=1", "steps"),
        ],
    )
    async def test_bad_parameters_are_named(self, client: Client, query: str, field: str) -> None:
        status, answer = await client.get(f"/api/v1/timeline?{query}")

        assert (status, answer["error"]["field"]) == (400, field)


class TestOperator:
    async def test_what_an_operator_says_is_kept_and_told(self, client: Client) -> None:
        await client.post(body(entry("A")))
        await client.settled()
        said = {"title": "Disks", "pinned": True, "acked_by": "Ann", "note": "on it"}

        status, cluster = await client.call("PATCH", "/api/v1/clusters/1", json=said)

        assert status == 200
        assert {name: cluster[name] for name in said} == said
        _, kept = await client.get("/api/v1/clusters/1")
        assert {name: kept[name] for name in said} == said
        assert kept["url"] == f"{client.url}/#cluster=1"
        events = await client.items("/api/v1/events")
        assert [e["type"] for e in events[-2:]] == ["operator_command", "cluster_renamed"]

    async def test_likeness_to_a_cluster_that_is_not_names_the_parameter(
        self, start: Start
    ) -> None:
        async with start() as client:
            status, found = await client.get("/api/v1/similar?cluster_id=9")

        assert (status, found["error"]["field"]) == (404, "cluster_id")

    async def test_a_cluster_that_is_over_takes_a_note(self, start: Start) -> None:
        async with start("clustering.resolve_after=0") as client:
            await client.post(body(entry("A")))
            await client.settled()
            await client.post(body(entry("A", status="resolved", endsAt="2026-01-01T00:01:00Z")))
            await client.settled()
            _, before = await client.get("/api/v1/clusters/1")
            status, after = await client.call(
                "PATCH", "/api/v1/clusters/1", json={"note": "it was DNS"}
            )

        assert before["state"] == "resolved"
        assert (status, after["note"], after["state"]) == (200, "it was DNS", "resolved")

    @pytest.mark.parametrize(
        ("path", "said", "status", "word"),
        [
            ("1", b"{}", 400, "expected at least one of"),
            ("1", b"{", 400, "not JSON"),
            ("1", b'{"pinned":1}', 400, "pinned: got 1, expected true or false"),
            ("7", b'{"pinned":true}', 404, "cluster 7 does not exist"),
            ("x", b'{"pinned":true}', 400, "id: got 'x'"),
            ("1", b" " * (2**20 + 1), 413, "too"),
        ],
    )
    async def test_what_cannot_be_done_is_said(
        self, client: Client, path: str, said: bytes, status: int, word: str
    ) -> None:
        await client.post(body(entry("A")))
        await client.settled()

        found, answer = await client.call(
            "PATCH", f"/api/v1/clusters/{path}", data=io.BytesIO(said)
        )

        assert found == status
        assert word in json.dumps(answer).lower() or word in answer["error"]["message"]
        assert len(await client.items("/api/v1/events")) == 2
