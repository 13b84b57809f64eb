"""Labels without end, no two alike: what is remembered of them, and told to Prometheus, stays bounded.

`python -m benchmarks.labels` does so with millions, and measures what it takes.
"""

from __future__ import annotations

from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from tests.builders import body, entry
from tests.web.conftest import Client, Start

ALERTS, LABELS, AT_ONCE = 400, 50, 100
REMEMBERED = 1000


def alert(number: int, **changed: Any) -> dict[str, Any]:
    """Return the alert *number*, whose names and values no other has."""
    labels = {f"l{number}x{n}": f"v{number}x{n}" for n in range(LABELS)}
    labels |= {"alertname": f"A{number}", "severity": f"s{number}", "namespace": f"n{number}"}
    return entry(labels=labels, starts=number * 3600, **changed)


async def series(client: Client) -> int:
    _, text = await client.get("/metrics")
    return sum(len(f.samples) for f in text_string_to_metric_families(text))


async def test_what_is_remembered_is_bounded(start: Start) -> None:
    async with start(f"memory.max_label_values={REMEMBERED}") as client:
        counted = []
        for first in range(0, ALERTS, AT_ONCE):
            alerts = [alert(number) for number in range(first, first + AT_ONCE)]
            assert (await client.post(body(*alerts)))[0] == 200
            await client.settled()
            counted.append(await series(client))
        engine = client.app.worker._engine
        assert engine is not None
        remembered = list(engine.frequencies.rows())
        found = await client.items("/api/v1/alerts?limit=1000")

        assert len(remembered) <= 2 * REMEMBERED
        # The fifty that are shown, and no more with any number of alerts.
        assert counted[-1] == counted[len(counted) // 2]
        assert counted[-1] < 2000
        # All of it is kept on disk, and found.
        assert len(found) == ALERTS
        (one,) = await client.items(f"/api/v1/alerts?label=l{ALERTS // 2}x7=v{ALERTS // 2}x7")
        assert len(one["labels"]) == LABELS + 3
