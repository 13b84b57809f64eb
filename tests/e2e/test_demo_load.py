"""The demo's storm, told to a real Alertmanager that feeds a receiver of its own."""

from __future__ import annotations

import subprocess
import sys

import pytest

from receiver.demo.draft import WATCHDOG
from receiver.demo.scenario import build_scenario
from tests.e2e.conftest import MakeAlertmanager
from tests.support.processes import REPOSITORY, ReceiverProcess
from tests.support.waiting import wait_until

pytestmark = pytest.mark.e2e


def test_all_of_it_reaches_the_receiver(
    receiver: ReceiverProcess, start_alertmanager: MakeAlertmanager
) -> None:
    alertmanager = start_alertmanager(receiver)
    command = [sys.executable, "-m", "receiver", "demo", f"--alertmanager={alertmanager.url}"]
    told = subprocess.run(
        [*command, "--seconds=10"], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    # What fires to the end; what was over sooner than a group waits is never told of by Alertmanager.
    last = {
        firing.labels["alertname"]
        for firing in build_scenario().firings
        if firing.until is None and firing.labels["alertname"] != WATCHDOG
    }
    wait_until(
        "what fires to the end to be received",
        lambda: last <= {a["labels"]["alertname"] for a in receiver.alerts()},
    )

    assert told.returncode == 0, told.stderr
    assert "told: " in told.stdout
    assert last
    assert receiver.received(outcome="new") > 100
