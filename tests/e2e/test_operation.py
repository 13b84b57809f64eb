"""Signals, as whoever runs a service sends them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.e2e.conftest import MakeReceiver
from tests.support.absent import absent
from tests.support.patched import patch
from tests.support.processes import REPOSITORY
from tests.support.waiting import wait_until
from tests.support.webhook import alert, body

pytestmark = pytest.mark.e2e

STARTS_AT = "2026-03-01T10:00:00Z"


def notification(name: str) -> bytes:
    return body([alert({"alertname": name}, starts_at=STARTS_AT)])


def test_sighup_reloads_and_names_what_needs_a_restart(
    make_receiver: MakeReceiver, tmp_path: Path
) -> None:
    config = tmp_path / "stormcell.yml"
    config.write_text("intake: {max_body_bytes: 1MiB}\n")
    receiver = make_receiver()
    receiver.command.append(f"--config.file={config}")
    receiver.start()
    assert receiver.post(notification("A")).status == 200
    config.write_text("intake: {max_body_bytes: 1KiB}\nclustering: {threshold: 0.9}\n")
    os.kill(receiver.pid, signal.SIGHUP)
    wait_until("the reload", lambda: receiver.post(notification("x" * 2000)).status == 413)

    assert "applied=intake.max_body_bytes" in receiver.log_text()
    assert 'msg="settings that need a restart" settings=clustering.threshold' in receiver.log_text()
    assert receiver.metric("stormcell_config_settings_need_restart") == 1

    config.write_text("intake: {max_body_bytes: many}\n")
    os.kill(receiver.pid, signal.SIGHUP)
    wait_until(
        "the refusal", lambda: receiver.metric("stormcell_config_last_reload_successful") == 0
    )
    assert "intake.max_body_bytes: got 'many'" in receiver.log_text()
    assert receiver.post(notification("A")).status == 200
    assert receiver.stop() == 0


HANGING_CLOSE = """
import asyncio
from receiver import cli, feed
cli._STOP_SECONDS = {seconds}
async def close(self):
    await asyncio.sleep(1e6)
feed.Feed.close = close
"""


def test_a_stop_that_hangs_is_bounded(make_receiver: MakeReceiver) -> None:
    receiver = patch(make_receiver(), HANGING_CLOSE.format(seconds=0.5))
    receiver.start()
    assert receiver.post(notification("A")).status == 200

    assert receiver.stop() == 1
    assert 'msg="ending at once" reason="not stopped in time"' in receiver.log_text()


def test_a_second_signal_ends_at_once(make_receiver: MakeReceiver) -> None:
    receiver = patch(make_receiver(), HANGING_CLOSE.format(seconds=1e6))
    receiver.start()
    assert receiver.post(notification("A")).status == 200
    os.kill(receiver.pid, signal.SIGINT)
    wait_until("the stop", lambda: "stopping" in receiver.log_text())

    assert receiver.stop() == 1
    assert 'reason="a second signal"' in receiver.log_text()


UNIT = REPOSITORY / "systemd" / "stormcell.service"


def test_the_unit_is_one_that_systemd_takes(tmp_path: Path) -> None:
    """With a program that exists in place of ours, whose path differs from machine to machine."""
    unit = tmp_path / "stormcell.service"
    unit.write_text(UNIT.read_text().replace("/opt/stormcell/bin/stormcell", "/bin/true"))
    told = _systemd_analyze("verify", "--man=no", str(unit))

    assert (told.returncode, told.stdout + told.stderr) == (0, "")


def test_the_unit_leaves_little_to_be_had(tmp_path: Path) -> None:
    told = _systemd_analyze(
        "security", "--offline=true", "--json=short", "--threshold=15", str(UNIT)
    )

    assert told.returncode == 0, told.stdout + told.stderr
    assert json.loads(told.stdout)


def _systemd_analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            ["systemd-analyze", *arguments], capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        absent("systemd-analyze")
