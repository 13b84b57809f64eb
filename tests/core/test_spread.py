"""In what order a cluster's alerts fired, and what is claimed of it."""

from __future__ import annotations

import itertools
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from receiver.core.labels import tokens
from receiver.core.spread import MAX_LABELS, MAX_VALUES, First, Spread
from receiver.core.timestamps import SECOND
from tests.builders import START, Site, alert, at, settings

Fired = tuple[float, dict[str, str]]


def spread_of(*fired: Fired, name: str = "Down") -> Spread:
    """Return the spread of alerts that fired at so many seconds, with such labels."""
    spread = Spread()
    for number, (seconds, labels) in enumerate(fired):
        spread.learn(tokens(labels, "severity"), First(at(seconds), f"f{number}", name))
    return spread


def told(*fired: Fired, **how: Any) -> Any:
    """Return the public form of it."""
    first = min(at(seconds) for seconds, _ in fired)
    return spread_of(*fired, **how).to_json(len(fired), first)


def by_service(**seconds: float) -> list[Fired]:
    return [(at_seconds, {"service": name}) for name, at_seconds in seconds.items()]


# -- waves -------------------------------------------------------------------------------------------


def test_what_fired_within_a_minute_of_the_first_is_one_wave() -> None:
    waves = told(*by_service(a=0, b=200, c=259, d=260, e=300))["waves"]

    assert [(w["offset_seconds"], w["values"]) for w in waves] == [
        (0, ["a"]),
        (200, ["b", "c"]),
        (260, ["d", "e"]),
    ]


def test_a_value_counts_from_its_earliest_alert_whenever_that_came() -> None:
    found = told(*by_service(db=90, web=80), (0, {"service": "db"}))

    assert found["waves"][0] == {
        "at": "2026-01-01T00:00:00.000Z",
        "offset_seconds": 0,
        "values": ["db"],
        "values_total": 1,
    }


def test_a_message_has_a_bounded_number_of_waves_and_values() -> None:
    fired = [(wave * 60.0, {"service": f"s{wave}-{n}"}) for wave in range(4) for n in range(7)]
    fired += [(600.0 + 60 * n, {"service": f"late-{n}"}) for n in range(4)]
    found = told(*fired)

    assert (len(found["waves"]), found["waves_total"], found["values"]) == (6, 8, 32)
    assert (len(found["waves"][0]["values"]), found["waves"][0]["values_total"]) == (5, 7)
    assert len(found["evidence"]["alerts"]) == 5


# -- what was first ----------------------------------------------------------------------------------


def test_the_first_is_told_with_its_evidence() -> None:
    found = told(*by_service(pay=0, web=95, cart=100))

    assert found["probable_first"] == "pay"
    assert found["evidence"] == {
        "reason": "Down in service pay fired 1.6 minutes before any other",
        "alerts": [
            {
                "fingerprint": "f0",
                "alertname": "Down",
                "value": "pay",
                "startsAt": "2026-01-01T00:00:00.000Z",
            }
        ],
        "values_in_first_wave": 1,
        "lead_seconds": 95.0,
        "same_rule_next": True,
    }


def test_another_rule_that_fired_next_may_have_waited_longer() -> None:
    spread = spread_of((0, {"service": "pay"}), name="")
    spread.learn(["service\x1fweb"], First(at(70), "g", "Slow"))

    found: Any = spread.to_json(2, at(0))
    evidence = found["evidence"]

    assert evidence["same_rule_next"] is False
    assert evidence["reason"] == "an alert in service pay fired 70 seconds before any other"


def test_nothing_is_the_first_of_what_fired_within_a_minute() -> None:
    found = told(*by_service(pay=0, web=59.9, cart=300))

    assert found["probable_first"] is None
    assert found["evidence"]["reason"] == (
        "2 values of service fired within 60 seconds, which counts as the same time"
    )
    assert found["evidence"]["values_in_first_wave"] == 2
    assert [a["value"] for a in found["evidence"]["alerts"]] == ["pay", "web"]
    assert found["evidence"]["lead_seconds"] == 300


def test_of_a_single_wave_nothing_is_told_of_a_next() -> None:
    evidence = told(*by_service(pay=0, web=10))["evidence"]

    assert (evidence["lead_seconds"], evidence["same_rule_next"]) == (None, None)


def test_an_alert_without_the_label_that_fired_before_casts_doubt() -> None:
    fired = by_service(pay=120, web=300)
    soon, long_before = told(*fired, (61, {"node": "n"})), told(*fired, (60, {"node": "n"}))

    assert soon["probable_first"] == "pay"
    assert long_before["probable_first"] is None
    assert long_before["evidence"]["reason"] == "an alert without service fired 60 seconds earlier"


# -- along which label -------------------------------------------------------------------------------


def test_it_spread_along_the_label_people_think_in_that_differs() -> None:
    fired = [
        (0.0, {"region": "eu", "namespace": "shop", "service": "a", "pod": "1", "zzz": "1"}),
        (99.0, {"region": "us", "namespace": "shop", "service": "a", "pod": "2", "zzz": "2"}),
    ]

    assert told(*fired)["label"] == "region"
    assert spread_of(*fired).label(2) == "region"
    assert told((0, {"zzz": "1", "yyy": "1"}), (0, {"zzz": "2", "yyy": "2"}))["label"] == "yyy"


def test_a_label_that_most_members_lack_tells_nothing() -> None:
    few = [*by_service(a=0, b=100), *[(5.0, {"node": f"n{n % 2}"}) for n in range(3)]]

    assert told(*few)["label"] == "node"
    assert told(*few[:4])["label"] == "service"


def test_what_is_alike_everywhere_did_not_spread() -> None:
    assert told((0, {"service": "a"}), (99, {"service": "a"})) is None
    assert told((0, {"alertname": "A", "severity": "x"}), (99, {"alertname": "B"})) is None


def test_a_label_of_which_all_values_are_held_is_preferred() -> None:
    fired = [(float(n), {"service": f"s{n}", "zone": f"z{n % 2}"}) for n in range(MAX_VALUES + 1)]
    only = [(second, {"service": labels["service"]}) for second, labels in fired]

    assert told(*fired)["label"] == "zone"
    assert (told(*only)["values"], told(*only)["more_values"]) == (MAX_VALUES, True)
    assert told(*only)["evidence"]["reason"].startswith(f"at least {MAX_VALUES} values of service")
    assert told(*only[:-1])["more_values"] is False


# -- bounded, and the same in any order --------------------------------------------------------------


def test_the_labels_that_tell_least_give_way() -> None:
    labels = {f"l{n}": "x" for n in range(MAX_LABELS)}
    spread = spread_of((0, labels), (1, {"service": "a", **labels}), (2, {"l9": "y"}))

    assert set(spread.labels) == {"service", *(f"l{n}" for n in range(MAX_LABELS - 1))}
    spread.move(["l9\x1fy", "service\x1fa"], First(at(-50), "f1", "N" * 500))
    assert spread.labels["service"].firsts == {"a": First(at(-50), "f1", "N" * 120)}
    assert "l9" not in spread.labels


MEMBERS = st.lists(
    st.tuples(
        st.integers(0, 300),
        st.dictionaries(
            st.sampled_from(["service", "node", *(f"l{n}" for n in range(9))]),
            st.sampled_from([str(n) for n in range(MAX_VALUES + 8)]),
            max_size=4,
        ),
    ),
    max_size=80,
)


@given(MEMBERS, st.randoms(use_true_random=False), st.integers(0, 80))
def test_neither_the_order_of_receipt_nor_merging_changes_anything(
    members: list[tuple[int, dict[str, str]]], random: Any, cut: int
) -> None:
    fired = [(float(second), labels) for second, labels in members]
    whole = spread_of(*fired)
    # Which alert it was is told by its fingerprint, which is drawn by position: keep it.
    named = list(enumerate(fired))
    random.shuffle(named)

    parts = [Spread(), Spread()]
    for place, (number, (seconds, labels)) in enumerate(named):
        first = First(at(seconds), f"f{number}", "Down")
        parts[place >= cut].learn(tokens(labels, "severity"), first)
    parts[0].absorb(parts[1])

    assert parts[0] == whole
    assert Spread.of(json.loads(json.dumps(whole.dump()))) == whole


# -- in a cluster ------------------------------------------------------------------------------------


def test_a_second_sender_that_saw_it_fire_earlier_counts() -> None:
    site = Site(settings(threshold=0))
    site.receive(100, *(alert("Down", service=s, starts=90) for s in ("a", "b")))
    cluster = site.cluster_of(alert("Down", service="a"))
    before = cluster.spread.to_json(cluster.size, cluster.first_onset)

    site.receive(101, alert("Down", service="b", starts=10))
    after = cluster.spread.to_json(cluster.size, cluster.first_onset)

    assert before is not None
    assert after is not None
    assert (before["probable_first"], after["probable_first"]) == (None, "b")
    assert cluster.first_onset == at(10)


def test_receipt_does_not_count() -> None:
    orders: list[Any] = []
    for order in itertools.permutations(("a", "b", "c")):
        site = Site(settings(threshold=0))
        starts = {"a": 0.0, "b": 70.0, "c": 140.0}
        site.receive(150, *(alert("Down", service=s, starts=starts[s]) for s in order))
        cluster = site.cluster_of(alert("Down", service="a"))
        orders.append(cluster.spread.to_json(cluster.size, cluster.first_onset))

    assert orders[0]["probable_first"] == "a"
    assert all(found == orders[0] for found in orders)


def test_gaps_that_count_as_simultaneous_are_a_setting() -> None:
    spread = Spread(within=10 * SECOND)
    spread.learn(["service\x1fa"], First(START, "f", "A"))
    spread.learn(["service\x1fb"], First(START + 10 * SECOND, "g", "A"))

    found: Any = spread.to_json(2, START)

    assert found["probable_first"] == "a"
