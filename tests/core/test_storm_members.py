from __future__ import annotations

from typing import Any

from receiver.core.model import Episode
from receiver.core.severity import SeveritySettings
from receiver.core.storm_members import members, representatives

SEVERITY = SeveritySettings()


def test_small_clusters_stay_outside_a_storm_of_large_ones() -> None:
    tally = {1: 600, 2: 300, 3: 15, 4: 1, 5: 2, 6: 20}

    assert members(tally, 938) == [1, 2, 6]


def test_a_pair_is_outside_even_a_small_storm_and_three_are_not() -> None:
    assert members({7: 2, 8: 3, 9: 25}, 30) == [9, 8]


def test_a_storm_in_many_small_pieces_is_one_of_all_of_them() -> None:
    pieces = dict.fromkeys(range(1, 91), 10)

    assert members(pieces, 900) == list(range(1, 91))
    assert members({**pieces, 200: 4}, 904) == list(range(1, 91))


def test_a_storm_of_strangers_has_no_clusters() -> None:
    assert members(dict.fromkeys(range(300), 1), 300) == []
    assert members({}, 30) == []


def test_no_more_than_a_hundred_are_listed() -> None:
    assert len(members(dict.fromkeys(range(400), 5), 2000)) == 100


def episode(number: int, cluster_id: int, name: str, severity: str = "warning") -> Episode:
    labels = {"alertname": name, "severity": severity, "pod": str(number)}
    return Episode(number, f"{number:016x}", labels, 0, 0, 0, cluster_id=cluster_id)


def numbers(chosen: list[dict[str, Any]]) -> list[int]:
    return [int(entry["fingerprint"], 16) for entry in chosen]


def test_each_cluster_is_represented_before_any_is_twice_by_its_worst() -> None:
    firing = [
        episode(1, 10, "A"),
        episode(2, 10, "B", "critical"),
        episode(3, 20, "C", "info"),
        episode(4, 20, "D"),
        episode(5, 30, "E"),
        episode(6, 99, "F", "critical"),
    ]

    chosen = representatives([10, 20, 30], firing[::-1], [], SEVERITY)

    assert numbers(chosen) == [2, 4, 5, 1, 3]
    assert chosen[0] == {
        "fingerprint": f"{2:016x}",
        "cluster_id": 10,
        "labels": {"alertname": "B", "severity": "critical", "pod": "2"},
    }


def test_of_one_cluster_each_name_comes_before_a_second_of_any() -> None:
    firing = [*(episode(n, 10, "A", "critical") for n in range(1, 5)), episode(5, 10, "B")]

    assert numbers(representatives([10], firing, [], SEVERITY)) == [1, 5, 2, 3, 4]


def test_many_clusters_give_one_each_of_the_five_largest() -> None:
    firing = [episode(n, n % 7, f"A{n}") for n in range(1, 50)]

    assert numbers(representatives([3, 1, 6, 2, 5, 4, 0], firing, [], SEVERITY)) == [3, 1, 6, 2, 5]


def test_what_fires_no_more_fills_up() -> None:
    before = [
        {"fingerprint": f"{n:016x}", "cluster_id": cluster, "labels": {}}
        for n, cluster in ((1, 10), (2, 10), (3, 55))
    ]

    chosen = representatives([10, 20], [episode(2, 10, "B")], before, SEVERITY)

    assert numbers(chosen) == [2, 1]
