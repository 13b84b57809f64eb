from __future__ import annotations

from receiver.core import wire
from receiver.core.severity import SeveritySettings
from receiver.core.timestamps import SECOND
from tests.builders import Site, alert

NAMES = """
id title state accepting severity size firing suppressed stale opened_at updated_at closed_at
resolved_at source_quiet_at labels affected spread confidence recurs novel first_seen
merged_into split_from pinned acked_by note
"""


def test_a_cluster_has_the_public_fields() -> None:
    site = Site()
    site.receive(0, alert("A", node="n1"), alert("A", node="n1", pod="b"))

    found = wire.cluster_json(site.engine.live.by_id[1])

    assert sorted(found) == sorted(NAMES.split())
    assert (found["size"], found["firing"], found["opened_at"]) == (
        2,
        2,
        "2026-01-01T00:00:00.000Z",
    )
    assert 0.5 < found["confidence"] <= 1


def test_a_lone_founder_has_no_confidence_to_show() -> None:
    site = Site()
    site.receive(0, alert("A"))

    assert wire.cluster_json(site.engine.live.by_id[1])["confidence"] is None


def test_an_alert_keeps_the_senders_names() -> None:
    site = Site()
    site.receive(0, alert("A", severity="info"))
    (episode,) = site.engine.episodes.values()
    told = {"annotations": {"a": "b"}, "generatorURL": "u", "links": {}, "sender_fingerprint": "f"}

    found = wire.alert_json(episode, told, SeveritySettings())

    assert (found["state"], found["severity"], found["endsAt"]) == ("firing", "info", None)
    assert (found["annotations"], found["generatorURL"]) == ({"a": "b"}, "u")


def test_differing_labels_and_the_order_of_first_firing() -> None:
    site = Site()
    members = [
        alert("A", node="n1", starts=0),
        alert("A", node="n2", starts=-5),
        alert("B", node="n1", zone="z", starts=9),
    ]
    site.receive(10, *members)
    episodes = [site.engine.episodes[m.fingerprint] for m in members]

    assert wire.differing(episodes) == {
        "alertname": {"A": 2, "B": 1},
        "node": {"n1": 2, "n2": 1},
        "zone": {"z": 1},
    }
    found = wire.cascade(episodes, 5 * SECOND)
    assert [(v["value"], v["wave"]) for v in found["node"]] == [("n2", 1), ("n1", 2)]
    assert [v["wave"] for v in wire.cascade(episodes, 6 * SECOND)["node"]] == [1, 1]
    assert "zone" not in found
