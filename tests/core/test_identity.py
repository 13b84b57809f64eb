from __future__ import annotations

import json
from pathlib import Path

from receiver.core import identity

CAPTURES = Path(__file__).parent.parent / "captures"


def test_the_fingerprint_is_the_senders_in_every_capture() -> None:
    seen = 0
    for path in sorted(CAPTURES.glob("[0-9]*.json")):
        for alert in json.loads(path.read_text())["alerts"]:
            assert identity.fingerprint(alert["labels"]) == alert["fingerprint"], path.name
            seen += 1

    assert seen > 580


def test_labels_that_tell_replicas_apart_are_dropped() -> None:
    assert identity.without({"b": "2", "r": "x", "a": "1"}, ("r",)) == {"a": "1", "b": "2"}


def test_an_alert_of_nothing_but_dropped_labels_keeps_them() -> None:
    assert identity.without({"r": "x"}, ("r",)) == {"r": "x"}
