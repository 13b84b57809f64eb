from __future__ import annotations

import numpy as np

from benchmarks import filled, stability
from receiver.core.labels import kind, token
from receiver.core.past import PastCluster, Signature


def test_a_cluster_that_is_over_is_remembered_as_it_was_meant() -> None:
    items = frozenset({token("pod", "a"), kind("Down")})
    past = PastCluster(7, 5, 10, 20, Signature(np.ones(4, np.float32), items), title="Cluster 7")

    again = PastCluster.of(filled.over(past))

    assert again.signature.items == items
    assert (again.id, again.size, again.opened_at, again.resolved_at) == (7, 5, 10, 20)


def test_the_scenario_is_a_labelled_stream_in_order() -> None:
    rows = stability.scenario()
    times = [row["t"] for row in rows]

    assert times == sorted(times)
    assert {row["status"] for row in rows} == {"firing", "resolved"}
    assert all(row["truth"] for row in rows)
    assert not any(row["labels"]["alertname"] == "Watchdog" for row in rows)
