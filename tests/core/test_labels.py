from __future__ import annotations

import math

import pytest

from receiver.core.labels import MOST_LABELS, LabelFrequencies, label_of, token, tokens
from receiver.core.timestamps import SECOND

DAY = 86_400 * SECOND


def test_severity_and_who_watched_are_no_topology() -> None:
    told = {"alertname": "A", "severity": "x", "grade": "y", "job": "node", "pod": "p" * 500}

    assert tokens(told, "grade") == (token("pod", "p" * 500),)
    assert len(token("n" * 500, "p" * 500)) < 250


def test_of_labels_without_end_the_first_are_looked_at() -> None:
    told = tokens({"alertname": "A"} | {f"l{n:06}": "v" for n in range(10_000)}, "severity")

    assert told == tuple(token(f"l{n:06}", "v") for n in range(MOST_LABELS))


def test_a_token_gives_back_name_and_value() -> None:
    assert label_of(token("a=b", "c=d")) == ("a=b", "c=d")
    assert label_of(token("a\x1fb", "c\x1fd")) == ("a b", "c\x1fd")


def test_the_rarer_value_weighs_more() -> None:
    counts = LabelFrequencies(100)
    for n in range(50):
        counts.observe(["namespace=prod", f"pod={n}"], 0)

    assert counts.weight("pod=3", 0) > 3 * counts.weight("namespace=prod", 0) > 0
    assert counts.weight("pod=new", 0) > counts.weight("pod=3", 0)


def test_weights_and_shares_of_many_are_those_of_each() -> None:
    counts = LabelFrequencies(100)
    for n in range(9):
        counts.observe(["namespace=prod", f"pod={n}"], n * DAY)
    told = ("pod=3", "namespace=prod", "pod=new", "pod=3")

    weights, shares = counts.rarities(told, 11 * DAY)

    assert weights == {each: counts.weight(each, 11 * DAY) for each in told}
    assert shares == {each: counts.share(each, 11 * DAY) for each in told}


def test_a_value_is_everywhere_when_nearly_all_of_many_alerts_have_it() -> None:
    counts = LabelFrequencies(100)
    for n in range(19):
        counts.observe(["cluster=prod"] * (n > 3), 0)

    assert not counts.is_everywhere("cluster=prod", 0)
    counts.observe(["cluster=prod"], 0)
    assert counts.is_everywhere("cluster=prod", 0)
    counts.observe([], 0)
    counts.observe([], 0)
    counts.observe([], 0)
    assert not counts.is_everywhere("cluster=prod", 0)


def test_the_names_known_are_those_that_are_held() -> None:
    counts = LabelFrequencies(2)
    for n, name in enumerate(("PodDown", "PodDown", "NodeDown", "DiskFull")):
        counts.meet(name, n * SECOND)
    again = LabelFrequencies(2)
    again.restore(counts.rows())

    assert counts.vocabulary.names == again.vocabulary.names == 2
    assert [counts.vocabulary.count(w) for w in ("pod", "down", "node", "disk")] == [
        again.vocabulary.count(w) for w in ("pod", "down", "node", "disk")
    ]
    assert counts.vocabulary.count("pod") == 1


def test_a_name_that_few_clusters_had_tells_more() -> None:
    counts = LabelFrequencies(100)
    for _ in range(9):
        counts.open(0)
        counts.meet("HighErrorRate", 0)
    counts.meet("PostgresDown", 0)

    assert counts.name_rarity("PostgresDown", 0) > 2 * counts.name_rarity("HighErrorRate", 0) > 0


def test_what_was_seen_long_ago_fades() -> None:
    counts = LabelFrequencies(100)
    for _ in range(64):
        counts.observe(["a=1"], 0)
    for _ in range(64):
        counts.observe(["b=1"], 6 * DAY)

    assert counts.weight("a=1", 6 * DAY) > counts.weight("b=1", 6 * DAY)


def test_the_rarest_are_forgotten_beyond_the_limit() -> None:
    counts = LabelFrequencies(10)
    for n in range(10):
        counts.observe([f"a={n}"] * (n + 1), 0)
    counts.changes()

    counts.observe(["a=10"], 0)
    changed, dropped = counts.changes()

    assert len(counts) == 10
    assert dropped == ["a=0"]
    assert ("a=10", 1.0, 0) in changed


def test_changes_are_told_once_and_restore_everything() -> None:
    counts = LabelFrequencies(100)
    counts.observe(["a=1", "b=1"], 5)
    counts.observe(["a=1"], 7 * DAY)
    first, _ = counts.changes()
    assert counts.changes() == ([], [])

    other = LabelFrequencies(100)
    other.restore(first)

    assert list(other.rows()) == list(counts.rows())
    assert other.weight("a=1", 8 * DAY) == counts.weight("a=1", 8 * DAY)


def test_the_share_of_a_value_is_never_none_and_never_all() -> None:
    counts = LabelFrequencies(100)
    for _ in range(8):
        counts.observe(["a=1"], 0)

    assert counts.share("a=1", 0) == 0.9
    assert counts.share("a=2", 0) == 0.1


def test_names_are_counted_by_cluster_and_fade() -> None:
    counts = LabelFrequencies(100)
    counts.meet("DiskFull", 0)
    counts.meet("DiskFull", DAY)

    assert counts.met("DiskFull", DAY) == 1.5
    assert counts.met("NetDown", DAY) == 0.0


def test_how_often_clusters_open_is_learned() -> None:
    counts = LabelFrequencies(100)
    assert counts.opening_rate(3600.0, 0) == 1 / 3600

    for minute in range(0, 14 * 1440, 10):
        counts.open(minute * 60 * SECOND)
    busy = counts.opening_rate(3600.0, 14 * DAY)

    assert 1 / 640 < busy < 1 / 600
    assert counts.opening_rate(3600.0, 24 * DAY) < busy / 100


def test_a_site_of_years_knows_that_it_is_old() -> None:
    counts = LabelFrequencies(100)
    counts.open(0)

    rates = [counts.opening_rate(3600.0, days * DAY) for days in (1000, 1100, 4000)]

    assert rates == pytest.approx([1 / (3600 + 86_400 / math.log(2))] * 3)


def test_a_label_without_a_name_is_no_alert_name() -> None:
    labels = {"": "DiskFull", "alertname": "NetDown", "pod": "a"}
    assert tokens(labels, "severity") == (token("pod", "a"),)

    counts = LabelFrequencies(10)
    for n in range(30):
        counts.observe(tokens({**labels, "pod": str(n)}, "severity"), n * DAY)
    assert counts.met("DiskFull", 0) == 0.0


def test_what_is_no_label_value_is_kept_beyond_the_limit() -> None:
    counts = LabelFrequencies(10)
    counts.open(0)
    for n in range(30):
        counts.meet(f"Alert{n}", n * SECOND)
        counts.observe(["a\x1f1"], n * SECOND)

    assert len(counts) == 10
    assert counts.opening_rate(3600.0, 0) == 2 / 3600

    other = LabelFrequencies(10)
    other.restore(counts.rows())
    assert other.opening_rate(60.0, DAY) == counts.opening_rate(60.0, DAY)
    assert other.met("Alert29", DAY) == counts.met("Alert29", DAY) > 0


def compared(times: int, value: str, members: dict[str, int], limit: int = 100) -> LabelFrequencies:
    counts = LabelFrequencies(limit)
    for _ in range(times):
        counts.compare([token("ns", value)], members, 0)
    return counts


def test_a_label_is_constant_where_members_of_a_cluster_have_one_value_of_it() -> None:
    members = {token("ns", "a"): 3, token("ns", "b"): 1, token("pod", "p"): 4}

    unknown = LabelFrequencies(100).constancy("ns", 0)
    same, mixed, apart = (compared(50, v, members).constancy("ns", 0) for v in ("a", "b", "c"))

    assert 0 < apart < mixed < unknown < same < 1
    assert same == pytest.approx(0.75, abs=0.01)
    assert mixed == pytest.approx(0.25, abs=0.03)


def test_a_label_that_the_cluster_has_not_is_not_compared() -> None:
    assert list(compared(5, "a", {token("pod", "p"): 4}).rows()) == [("", 0.0, 0)]


def test_constancy_fades_to_what_is_taken_before_it_is_known() -> None:
    counts = compared(50, "c", {token("ns", "a"): 1})

    assert counts.constancy("ns", 30 * DAY) == pytest.approx(
        LabelFrequencies(9).constancy("ns", 0), abs=1e-3
    )


@pytest.mark.parametrize("gone", ["same ns", "differed ns"])
def test_constancy_is_a_share_whichever_of_its_counts_was_forgotten(gone: str) -> None:
    for value in ("a", "b"):
        counts = compared(50, value, {token("ns", "a"): 1})
        again = LabelFrequencies(100)
        again.restore(row for row in counts.rows() if row[0] != gone)

        assert 0 < again.constancy("ns", 0) < 1


def test_labels_compared_are_bounded_and_come_back() -> None:
    counts = LabelFrequencies(10)
    for n in range(30):
        counts.compare([token(f"l{n}", "a")], {token(f"l{n}", "a"): 1}, n * SECOND)
    again = LabelFrequencies(10)
    again.restore(counts.rows())

    assert len(counts) <= 10
    assert list(again.rows()) == list(counts.rows())
    assert all(0 < counts.constancy(f"l{n}", 30 * SECOND) < 1 for n in range(30))
