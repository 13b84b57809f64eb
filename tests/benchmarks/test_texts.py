from __future__ import annotations

import json
from math import gcd
from pathlib import Path

from benchmarks import texts
from receiver.core import payload
from receiver.core.identity import IdentitySettings, fingerprint


def test_no_two_alerts_have_the_same_text() -> None:
    drawn = [texts.distinct(number).text for number in range(5000)]

    assert len(set(drawn)) == len(drawn)
    assert gcd(texts._STRIDE, texts.COUNT) == 1


def test_elsewhere_is_another_alert_of_the_same_text() -> None:
    drawn = texts.distinct(7)
    other = drawn.elsewhere(1)

    assert other.text == drawn.text
    assert fingerprint(dict(other.labels)) != fingerprint(dict(drawn.labels))


def test_a_webhook_of_them_is_one_that_the_receiver_takes() -> None:
    body = texts.webhook([texts.distinct(0).told(10**18), texts.distinct(1).told(1, ended_at=2)])

    notification = payload.parse(body, IdentitySettings())

    assert [alert.status.value for _, alert in notification.alerts] == ["firing", "resolved"]
    assert not notification.dead_letters


def test_of_a_file_each_text_comes_once(tmp_path: Path) -> None:
    rows = [{"labels": {"alertname": name, "pod": pod}, "annotations": {"summary": "s"}}
            for name, pod in (("A", "1"), ("A", "2"), ("B", "1"))]  # fmt: skip
    path = tmp_path / "alerts.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))

    assert [drawn.labels["alertname"] for drawn in texts.source(path)] == ["A", "B"]
