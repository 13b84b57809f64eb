"""Our metrics as Prometheus' own linter sees them."""

from __future__ import annotations

import subprocess

import pytest

from tests.support.processes import ReceiverProcess
from tests.support.webhook import alert, body

pytestmark = pytest.mark.e2e

STARTS_AT = "2026-03-01T10:00:00Z"


def test_promtool_has_nothing_to_say_about_our_metrics(
    receiver: ReceiverProcess, promtool: str
) -> None:
    strange = 'quote " backslash \\ line\nbreak'
    alerts = [
        alert({"alertname": "DiskFull", "instance": str(n)}, starts_at=STARTS_AT) for n in range(3)
    ]
    alerts.append(alert({"alertname": strange, "severity": strange}, starts_at=STARTS_AT))
    assert receiver.post(body(alerts)).status == 200
    ends = [{**entry, "status": "resolved", "endsAt": "2026-03-01T11:00:00Z"} for entry in alerts]
    assert receiver.post(body(ends[:1])).status == 200
    assert receiver.post(b"no JSON").status == 400
    receiver.settle()
    answer = receiver.get("/metrics")
    checked = subprocess.run(
        [promtool, "check", "metrics"], input=answer.body, capture_output=True, check=False
    )

    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")


def test_promtool_has_nothing_to_say_before_the_first_alert(
    receiver: ReceiverProcess, promtool: str
) -> None:
    checked = subprocess.run(
        [promtool, "check", "metrics"],
        input=receiver.get("/metrics").body,
        capture_output=True,
        check=False,
    )

    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")
