"""Texts that mean something elsewhere: they are data here, and stay so where they are shown."""

from __future__ import annotations

import json
import logging

import pytest
from prometheus_client.parser import text_string_to_metric_families

from receiver import logs
from tests.builders import body, entry
from tests.hostile.strategies import VALUES
from tests.hostile.test_bodies import cleaned
from tests.web.conftest import Client, Start


async def told_all(client: Client) -> None:
    """Have an alert fire for each of VALUES, with it wherever a text may stand."""
    for number, value in enumerate(VALUES):
        labels = {"alertname": value, "severity": value, "namespace": value, value: value}
        told = entry(
            # Far apart, so that each has a cluster, and a title, of its own.
            starts=number * 90_000,
            labels={**labels, "number": f"n{number}"},
            annotations={"summary": value, "description": value, value: value},
            generatorURL=value,
            silenceURL=value,
        )
        status, answer = await client.post(body(told, receiver=value, groupKey=value))
        assert (status, answer["accepted"]) == (200, 1), value
    await client.settled()


async def test_they_come_back_as_they_are(client: Client) -> None:
    await told_all(client)
    items = await client.items("/api/v1/alerts?limit=1000")

    assert len(items) == len(VALUES)
    for item in items:
        value = VALUES[int(item["labels"]["number"][1:])]
        labels = {"alertname": value, "severity": value, "namespace": value, value: value}
        assert item["labels"] == cleaned({**labels, "number": item["labels"]["number"]})
    status, _ = await client.get("/api/v1/clusters?state=all&limit=1000")
    assert status == 200


async def test_what_prometheus_reads_is_what_it_would_be_without_them(client: Client) -> None:
    before = names(await client.get("/metrics"))
    await client.post(body(entry()))
    await client.settled()
    harmless = names(await client.get("/metrics"))
    await told_all(client)
    told = await client.get("/metrics")
    families = {f.name: f for f in text_string_to_metric_families(told[1])}
    titles = [s.labels["title"] for s in families["stormcell_cluster_info"].samples]

    assert before <= harmless == names(told)
    # A forged sample would be another ready, or one of a label that we do not have.
    assert [s.value for s in families["stormcell_ready"].samples] == [1]
    assert all(title.isprintable() and len(title.encode()) <= 120 for title in titles)
    assert len(titles) > 3


def names(told: tuple[int, str]) -> set[tuple[str, tuple[str, ...]]]:
    """Return name and labels of all that *told*, an answer of /metrics, has."""
    status, text = told
    assert status == 200
    return {
        (sample.name, tuple(sorted(sample.labels)))
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if not sample.name.startswith("stormcell_cluster_place_info")
    }


@pytest.mark.parametrize("form", logs.FORMATS)
async def test_the_log_stays_one_line_an_event(
    start: Start, form: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with start() as client:
        await told_all(client)
        for value in VALUES:
            bad = entry(labels={"alertname": "A", value: 1}, status=value)
            await client.post(body(bad, 7, entry(labels={"alertname": "A", value: None})))
            await client.post(body(version=value))
            await client.post(body(alerts=value))
            await client.post(json.dumps(value).encode())
            await client.post(json.dumps({value: value}).encode(), "/api/v1/classify")
    formatter = logs._Formatter(form)
    lines = [formatter.format(record) for record in caplog.records if record.name != "aiohttp"]

    assert len(lines) > 3 * len(VALUES)
    for line in lines:
        assert line.isascii(), line
        assert line.isprintable(), line
