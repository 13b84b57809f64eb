"""Real Alertmanagers that are asked what they know: what no webhook ever tells."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.e2e.conftest import MakeAlertmanager, MakeReceiver
from tests.support.alertmanager import Alertmanager, firing, resolved
from tests.support.processes import ReceiverProcess
from tests.support.waiting import wait_until

pytestmark = pytest.mark.e2e

DISKS: list[dict[str, Any]] = []


@pytest.fixture(autouse=True)
def disks_that_are_full_now() -> None:
    """An alert is told for some minutes: one made when tests are collected may be over when they run."""
    DISKS[:] = [
        firing({"alertname": "DiskFull", "severity": "critical", "instance": f"fs-{n}"})
        for n in range(4)
    ]


class Asking:
    """A receiver that asks Alertmanagers, and these."""

    def __init__(
        self, make_receiver: MakeReceiver, start_alertmanager: MakeAlertmanager, count: int = 1
    ) -> None:
        self.receiver: ReceiverProcess = make_receiver()
        self.alertmanagers: list[Alertmanager] = [
            start_alertmanager(self.receiver, name=f"alertmanager-{n}", group_by=["alertname"])
            for n in range(count)
        ]
        urls = json.dumps([one.url for one in self.alertmanagers])
        # A minimal uptime is for a Prometheus that was away; here alerts are posted by hand.
        for setting in (f"urls={urls}", "interval=1s", "min_uptime=0"):
            self.receiver.command += ["--set", f"reconciliation.{setting}"]
        self.receiver.start()

    def post(self, alerts: Sequence[dict[str, Any]]) -> None:
        for one in self.alertmanagers:
            one.post(alerts)

    def await_counts(self, firing: int, suppressed: int) -> None:
        wanted = (firing, suppressed)
        wait_until(f"(firing, suppressed) to be {wanted}", lambda: self.counts() == wanted)

    def counts(self) -> tuple[int, int]:
        clusters = self.receiver.clusters()
        return sum(c["firing"] for c in clusters), sum(c["suppressed"] for c in clusters)

    def await_polls(self) -> None:
        before = self.polls()
        wait_until("two polls", lambda: self.polls() > before + 1.5)

    def polls(self) -> float:
        return self.receiver.metric("stormcell_reconciliation_timestamp_seconds")

    def states(self) -> dict[str, str]:
        return {a["labels"]["instance"]: a["state"] for a in self.receiver.alerts()}


def silence(alertmanager: Alertmanager, instance: str) -> str:
    """Silence the alerts of *instance*; return the silence's id."""
    now = datetime.now(UTC)
    told = {
        "matchers": [{"name": "instance", "value": instance, "isRegex": False, "isEqual": True}],
        "startsAt": now.isoformat(),
        "endsAt": (now + timedelta(hours=1)).isoformat(),
        "createdBy": "test",
        "comment": "known",
    }
    answer = alertmanager.request("POST", "/api/v2/silences", json.dumps(told).encode())
    assert answer.status == 200, answer.body
    found: str = answer.json()["silenceID"]
    return found


def test_what_is_silenced_is_shown_as_suppressed_until_the_silence_ends(
    make_receiver: MakeReceiver, start_alertmanager: MakeAlertmanager
) -> None:
    asking = Asking(make_receiver, start_alertmanager)
    (alertmanager,) = asking.alertmanagers
    asking.post(DISKS)
    asking.await_counts(4, 0)
    ids = [silence(alertmanager, name) for name in ("fs-0", "fs-1")]
    asking.await_counts(2, 2)
    assert asking.states() == {
        "fs-0": "suppressed", "fs-1": "suppressed", "fs-2": "firing", "fs-3": "firing"
    }  # fmt: skip
    assert [a["labels"]["instance"] for a in asking.receiver.alerts(state="suppressed")] == [
        "fs-1", "fs-0"
    ]  # fmt: skip
    assert asking.receiver.metric("stormcell_suppressed_alerts") == 2

    # Kept, as everything is.
    asking.receiver.kill()
    asking.receiver.start()
    assert asking.counts() == (2, 2)
    alertmanager.request("DELETE", f"/api/v2/silence/{ids[0]}")
    asking.await_counts(3, 1)
    told = [e["type"] for e in asking.receiver.events() if "suppressed" in e["type"]]
    assert told == ["alert_suppressed"] * 2 + ["alert_unsuppressed"]


def test_what_resolves_while_silenced_is_not_shown_as_firing_for_ever(
    make_receiver: MakeReceiver, start_alertmanager: MakeAlertmanager
) -> None:
    asking = Asking(make_receiver, start_alertmanager)
    asking.post(DISKS)
    asking.await_counts(4, 0)
    silence(asking.alertmanagers[0], "fs-0")
    asking.await_counts(3, 1)
    asking.post([resolved(DISKS[0])])
    asking.await_counts(3, 0)

    (over,) = asking.receiver.alerts(state="resolved")
    assert (over["labels"]["instance"], over["ending"]) == ("fs-0", "gone")
    assert asking.receiver.received(status="resolved") == 0


def test_what_is_inhibited_is_shown_as_suppressed(
    make_receiver: MakeReceiver, start_alertmanager: MakeAlertmanager
) -> None:
    receiver = make_receiver()
    configuration = {
        "route": {"receiver": "stormcell", "group_wait": "0s", "group_interval": "1s"},
        "receivers": [{"name": "stormcell", "webhook_configs": [{"url": receiver.webhook_url}]}],
        "inhibit_rules": [
            {"source_matchers": ["alertname=NodeDown"], "target_matchers": ["alertname=DiskFull"]}
        ],
    }
    alertmanager = start_alertmanager(receiver, configuration=json.dumps(configuration))
    for setting in (f"urls=[{alertmanager.url}]", "interval=1s", "min_uptime=0"):
        receiver.command += ["--set", f"reconciliation.{setting}"]
    receiver.start()
    alertmanager.post(DISKS[:2])
    wait_until("both to fire", lambda: len(receiver.alerts(state="firing")) == 2)
    alertmanager.post([firing({"alertname": "NodeDown", "severity": "critical", "instance": "n"})])
    wait_until("both to be inhibited", lambda: len(receiver.alerts(state="suppressed")) == 2)

    # The answer to a question may come before the webhook that tells of what inhibits.
    wait_until("what inhibits to fire", lambda: names(receiver) == ["NodeDown"])


def names(receiver: ReceiverProcess) -> list[str]:
    return [alert["labels"]["alertname"] for alert in receiver.alerts(state="firing")]


def test_of_two_alertmanagers_both_must_have_forgotten_it(
    make_receiver: MakeReceiver, start_alertmanager: MakeAlertmanager
) -> None:
    """Nothing is concluded from one that is dead; nor from one alone."""
    asking = Asking(make_receiver, start_alertmanager, count=2)
    first, second = asking.alertmanagers
    asking.post(DISKS)
    asking.await_counts(4, 0)
    for one in asking.alertmanagers:
        silence(one, "fs-0")
    asking.await_counts(3, 1)

    # One knows the end, the other does not.
    first.post([resolved(DISKS[0])])
    asking.await_polls()
    assert asking.counts() == (3, 1)

    def failures() -> float:
        return asking.receiver.metric("stormcell_reconciliation_failures_total")

    def said() -> int:
        return asking.receiver.log_text().count("nothing is concluded from an alertmanager")

    failed, before = failures(), said()
    second.kill()
    wait_until("it to be asked in vain", lambda: failures() >= failed + 2)
    assert asking.counts() == (3, 1)
    assert said() == before + 1

    # Back again, it knows nothing any more: nor does the first of fs-0.
    second.start()
    second.post(DISKS[1:])
    asking.await_counts(3, 0)


def test_what_was_forgotten_and_is_posted_again_fires_again(
    make_receiver: MakeReceiver, start_alertmanager: MakeAlertmanager
) -> None:
    """Started anew it knows no alerts, but whom it notified: it does so again in an hour only."""
    asking = Asking(make_receiver, start_alertmanager)
    asking.post(DISKS)
    asking.await_counts(4, 0)
    asking.await_polls()
    asking.alertmanagers[0].stop()
    asking.alertmanagers[0].start()
    wait_until("all to be gone", lambda: len(asking.receiver.alerts(state="resolved")) == 4)

    asking.post(DISKS)
    asking.await_counts(4, 0)
    assert len(asking.receiver.alerts()) == 4


def test_one_that_has_just_started_proves_nothing(
    make_receiver: MakeReceiver, start_alertmanager: MakeAlertmanager
) -> None:
    asking = Asking(make_receiver, start_alertmanager)
    asking.receiver.command += ["--set", "reconciliation.min_uptime=1h"]
    asking.receiver.stop()
    asking.receiver.start()
    asking.post(DISKS)
    asking.await_counts(4, 0)
    wait_until(
        "it to be asked",
        lambda: asking.receiver.metric("stormcell_reconciliation_failures_total") >= 2,
    )

    assert "started too short ago" in asking.receiver.log_text()
    assert asking.receiver.metric("stormcell_reconciliation_timestamp_seconds") == 0
    assert asking.counts() == (4, 0)
