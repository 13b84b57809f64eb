"""Whatever is posted: a clear refusal, or it is there as it was given; and never the end of the next."""

from __future__ import annotations

import itertools
import os
import re
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.builders import body, entry
from tests.hostile import strategies
from tests.web.conftest import Client

NUMBERS = itertools.count()
SURROGATE = re.compile("[\ud800-\udfff]")
EXAMPLES = int(os.environ.get("STORMCELL_BODIES", "60"))
PATHS = ("/api/v1/webhook", "/api/v2/alerts", "/api/v1/classify")

posting = settings(
    max_examples=EXAMPLES,
    deadline=None,
    # One receiver takes them all: that is what is tried.
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def clean_text(text: str) -> str:
    """Return *text* as it comes back: two halves that meet are a pair, one alone is no character."""
    joined = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
    return SURROGATE.sub("\ufffd", joined)


def cleaned(told: dict[str, str]) -> dict[str, str]:
    """Return *told*, labels as they were sent, as they come back."""
    clean = {clean_text(name): clean_text(value) for name, value in told.items() if value}
    kept = {name: value for name, value in clean.items() if name != "prometheus_replica"}
    return kept or clean


async def check_refusal(status: int, answer: Any) -> None:
    assert status in (400, 413), (status, answer)
    error = answer["error"]
    assert error["code"] in ("bad_request", "too_large")
    assert 0 < len(error["message"]) <= 500
    assert error["message"].isprintable()
    # What was found and what was expected; or where it stops being JSON.
    assert re.search(r"expected|body is not JSON|not UTF-8", error["message"]), error


async def check_it_goes_on(client: Client) -> None:
    """Fail unless a good alert is taken, and found."""
    number = f"{next(NUMBERS)}"
    status, answer = await client.post(body(entry(labels={"alertname": "Good", "number": number})))
    assert (status, answer) == (200, {"accepted": 1, "dead_letters": []})
    await client.settled()
    (found,) = await client.items(f"/api/v1/alerts?label=number={number}")
    assert found["labels"] == {"alertname": "Good", "number": number}


@given(st.lists(strategies.alerts, min_size=1, max_size=5))
@posting
async def test_what_was_taken_comes_back_as_it_was_given(
    client: Client, alerts: list[dict[str, Any]]
) -> None:
    number = f"{next(NUMBERS)}"
    for alert in alerts:
        alert["labels"]["number"] = number

    status, answer = await client.post(strategies.written({"version": "4", "alerts": alerts}))
    await client.settled()
    found = await client.items(f"/api/v1/alerts?label=number={number}&limit=1000")
    taken = {tuple(sorted(each["labels"].items())) for each in found}

    assert (status, answer) == (200, {"accepted": len(alerts), "dead_letters": []})
    assert taken == {tuple(sorted(cleaned(alert["labels"]).items())) for alert in alerts}
    for each in found:
        told, one = await client.get(f"/api/v1/alerts/{each['fingerprint']}")
        assert (told, one["labels"]) == (200, each["labels"])
    assert (await client.get("/metrics"))[0] == 200


@given(strategies.changed() | strategies.nonsense, st.sampled_from(PATHS))
@posting
async def test_nonsense_is_refused_in_words_and_stops_nothing(
    client: Client, content: bytes, path: str
) -> None:
    status, answer = await client.post(content, path)

    if status != 200:
        await check_refusal(status, answer)
    await check_it_goes_on(client)
    assert client.app.metrics.registry.get_sample_value("stormcell_worker_restarts_total") == 0
