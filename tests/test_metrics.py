from __future__ import annotations

from typing import Any

from receiver.core.publication import Publication
from receiver.core.timestamps import SECOND
from receiver.metrics import SHOWN_CLUSTERS, Metrics

STATS = {
    "index": {"vectors": 1},
    "memory": {"max_vectors": 10, "usage_ratio": 0.1},
    "stability": {},
}


def cluster(number: int, firing: int, state: str = "steady", title: str = "t") -> dict[str, Any]:
    return {
        "id": number,
        "firing": firing,
        "state": state,
        "title": title,
        "severity": "info",
    }


def publish(metrics: Metrics, *clusters: dict[str, Any], seconds: int = 0) -> str:
    metrics.published(Publication(seconds * SECOND, 0, [], clusters, stats=STATS))
    return metrics.render().decode()


def shown(text: str) -> set[str]:
    head = "stormcell_cluster_firing_alerts{cluster_id="
    return {line.split('"')[1] for line in text.splitlines() if line.startswith(head)}


def test_the_largest_are_shown_and_the_rest_is_summed() -> None:
    metrics = Metrics("1")
    many = [cluster(n, n) for n in range(1, SHOWN_CLUSTERS + 11)]

    text = publish(metrics, *many)

    assert shown(text) == {"other"} | {str(n) for n in range(11, SHOWN_CLUSTERS + 11)}
    assert 'stormcell_cluster_firing_alerts{cluster_id="other"} 55.0' in text
    assert "stormcell_clusters_not_exported 10.0" in text


def test_who_is_shown_stays_until_five_minutes_after_it_resolved() -> None:
    metrics = Metrics("1")
    many = [cluster(n, n) for n in range(1, SHOWN_CLUSTERS + 1)]
    publish(metrics, *many)
    publish(metrics, cluster(999, 10_000), seconds=1)
    assert "999" not in shown(metrics.render().decode())

    text = publish(metrics, cluster(1, 0, "resolved"), seconds=10)
    assert 'stormcell_cluster_firing_alerts{cluster_id="1"} 0.0' in text
    publish(metrics, seconds=300)
    assert "1" in shown(metrics.render().decode())

    text = publish(metrics, seconds=311)
    assert "1" not in shown(text)
    assert "999" in shown(text)


def test_hostile_titles_stay_inside_their_label() -> None:
    text = publish(Metrics("1"), cluster(1, 1, title='a"b\\c\nd'))

    assert 'title="a\\"b\\\\c\\nd"' in text


def test_a_severity_of_any_length_is_cut() -> None:
    told = cluster(1, 1) | {"severity": "x" * 300_000 + "\x00"}

    assert len(publish(Metrics("1"), told)) < 50_000


def test_before_the_state_is_restored_no_cluster_is_told_of() -> None:
    text = Metrics("1").render().decode()

    assert shown(text) == set()
    assert 'stormcell_clusters{state="growing"} 0.0' in text
    assert 'stormcell_events_total{type="storm_started"} 0.0' in text
