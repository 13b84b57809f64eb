from __future__ import annotations

from typing import Any

from receiver.core.evolution import Event, EventType
from receiver.core.publication import Publication
from receiver.core.timestamps import SECOND
from receiver.metrics import SHOWN_CLUSTERS, Metrics

STATS = {
    "index": {"vectors": 1, "measured_recall": 0.995},
    "memory": {"max_vectors": 10, "usage_ratio": 0.1, "past_clusters": 3, "max_past_clusters": 9},
    "stability": {},
}


def cluster(number: int, firing: int, state: str = "steady", title: str = "t") -> dict[str, Any]:
    return {
        "id": number,
        "firing": firing,
        "suppressed": 0,
        "state": state,
        "title": title,
        "severity": "info",
        "labels": {},
        "spread": None,
        "novel": None,
    }


def publish(metrics: Metrics, *clusters: dict[str, Any], seconds: int = 0) -> str:
    metrics.published(Publication(seconds * SECOND, 0, [], clusters, stats=STATS))
    return metrics.render().decode()


def shown(text: str) -> set[str]:
    head = "stormcell_cluster_firing_alerts{cluster_id="
    return {line.split('"')[1] for line in text.splitlines() if line.startswith(head)}


SPREAD = {
    "label": "service",
    "values": 4,
    "waves": [{"at": "2026-01-01T00:00:00.000Z"}],
    "probable_first": "db",
    "evidence": {"alerts": [{"alertname": "PgDown", "value": "db"}]},
}
STORM = {
    "started_at": "2026-01-01T00:00:00.000Z",
    "intensity": 12.5,
    "firing": 310,
    "cluster_ids": [3, 4],
}


def storm_gauges(metrics: Metrics) -> list[str]:
    lines = metrics.render().decode().splitlines()
    return [line.removeprefix("stormcell_storm_") for line in lines if "stormcell_storm_" in line]


def test_storm_gauges_are_absent_until_the_state_is_known_and_0_in_calm() -> None:
    metrics = Metrics("1")
    assert storm_gauges(metrics) == []

    publish(metrics)

    assert [line for line in storm_gauges(metrics) if "#" not in line] == [
        "active 0.0",
        "intensity_ratio 0.0",
        "firing_alerts 0.0",
        "clusters 0.0",
        "start_timestamp_seconds 0.0",
    ]
    assert "stormcell_storms_total 0.0" in metrics.render().decode()


def test_storm_gauges_tell_of_the_storm_that_goes_on() -> None:
    metrics = Metrics("1")
    started = Event(1, 0, EventType.STORM_STARTED, None, 0, 0, 3, detail={"storm_id": 1})

    metrics.published(Publication(0, 1, [started], [], stats=STATS, storm=STORM))

    assert [line for line in storm_gauges(metrics) if "#" not in line] == [
        "active 1.0",
        "intensity_ratio 12.5",
        "firing_alerts 310.0",
        "clusters 2.0",
        "start_timestamp_seconds 1.7672256e+09",
    ]
    assert "stormcell_storms_total 1.0" in metrics.render().decode()


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


def test_how_far_a_shown_cluster_has_spread_is_told() -> None:
    text = publish(Metrics("1"), cluster(1, 5) | {"spread": SPREAD}, cluster(2, 1))

    assert 'stormcell_cluster_spread_values{cluster_id="1"} 4.0' in text
    assert 'stormcell_cluster_spread_values{cluster_id="2"} 0.0' in text
    assert 'stormcell_cluster_spread_values{cluster_id="other"}' not in text


def test_what_fired_first_is_told_where_the_order_tells() -> None:
    unsure = SPREAD | {"probable_first": None}

    text = publish(
        Metrics("1"), cluster(1, 5) | {"spread": SPREAD}, cluster(2, 5) | {"spread": unsure}
    )

    began = "stormcell_cluster_spread_start_timestamp_seconds"
    assert [line for line in text.splitlines() if line.startswith(began)] == [
        f'{began}{{along="service",cluster_id="1",first_alert="PgDown",first_value="db"}} 1.7672256e+09',
        f'{began}{{along="service",cluster_id="2",first_alert="",first_value=""}} 1.7672256e+09',
    ]


def test_the_namespace_is_told_that_all_alerts_name() -> None:
    named = {"labels": {"namespace": "shop"}}

    text = publish(Metrics("1"), cluster(1, 1) | named, cluster(2, 1))

    told = [line for line in text.splitlines() if line.startswith("stormcell_cluster_place_info")]
    assert told == ['stormcell_cluster_place_info{alert_namespace="shop",cluster_id="1"} 1.0']


def test_whether_a_cluster_belongs_to_the_storm_is_told_until_the_storm_ends() -> None:
    metrics = Metrics("1")
    both = [cluster(3, 9), cluster(5, 1)]

    def told() -> list[str]:
        head = "stormcell_cluster_in_storm{"
        lines = metrics.render().decode().splitlines()
        return [line.removeprefix(head) for line in lines if line.startswith(head)]

    metrics.published(Publication(0, 1, [], both, stats=STATS, storm=STORM))
    assert told() == ['cluster_id="3"} 1.0', 'cluster_id="5"} 0.0']

    metrics.published(Publication(1, 2, [], [], stats=STATS))
    assert told() == ['cluster_id="3"} 0.0', 'cluster_id="5"} 0.0']


def test_the_measured_recall_is_told() -> None:
    assert "stormcell_index_recall_ratio 0.995" in publish(Metrics("1"))


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


def test_what_is_new_is_told_where_it_is_known() -> None:
    text = publish(
        Metrics("1"),
        cluster(1, 1) | {"novel": True},
        cluster(2, 1) | {"novel": False},
        cluster(3, 1),
    )

    told = [line for line in text.splitlines() if line.startswith("stormcell_cluster_novel")]
    assert told == [
        'stormcell_cluster_novel{cluster_id="1"} 1.0',
        'stormcell_cluster_novel{cluster_id="2"} 0.0',
    ]
    assert "stormcell_past_clusters 3.0" in text
    assert "stormcell_past_clusters_limit 9.0" in text


def test_what_is_suppressed_is_summed_over_live_clusters() -> None:
    metrics = Metrics("1")
    held = [{**cluster(number, 1), "suppressed": number} for number in (2, 3)]
    over = {**cluster(4, 0), "suppressed": 4, "state": "resolved"}
    text = publish(metrics, *held, over)

    assert "stormcell_suppressed_alerts 5.0" in text


def test_links_are_told_the_address_that_browsers_use_if_one_was_set() -> None:
    labels = 'stormcell_build_info{external_url="%s",version="1"} 1.0'

    assert (
        labels % "https://storm.example/x"
        in Metrics("1", "https://storm.example/x/").render().decode()
    )
    assert labels % "" in Metrics("1").render().decode()
