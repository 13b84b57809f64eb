"""Starts real processes for a test, ends them after it, and shows their logs if it failed."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.absent import absent
from tests.support.alertmanager import BINARIES, Alertmanager, find_binary
from tests.support.processes import ReceiverProcess, ServerProcess
from tests.support.prometheus import Prometheus
from tests.support.stubs import Pager, Site

MakeReceiver = Callable[..., ReceiverProcess]
MakeAlertmanager = Callable[..., Alertmanager]
MakePrometheus = Callable[..., Prometheus]


@pytest.fixture
def processes() -> Iterator[list[ServerProcess]]:
    """What the test started; killed after it."""
    started: list[ServerProcess] = []
    yield started
    for process in reversed(started):
        process.ensure_ended()
        print(f"--- log of {process.name} on port {process.port}", file=sys.stderr)
        print(process.log_text()[-20_000:], file=sys.stderr)


@pytest.fixture
def make_receiver(tmp_path: Path, processes: list[ServerProcess]) -> MakeReceiver:
    """Makes a receiver that is not started yet, in a folder *name* of the test's own."""

    def make(name: str = "stormcell", **options: Any) -> ReceiverProcess:
        receiver = ReceiverProcess(tmp_path / name, **options)
        processes.append(receiver)
        return receiver

    return make


@pytest.fixture
def receiver(make_receiver: MakeReceiver) -> ReceiverProcess:
    """A receiver that is ready."""
    made = make_receiver()
    made.start()
    return made


@pytest.fixture
def start_alertmanager(tmp_path: Path, processes: list[ServerProcess]) -> MakeAlertmanager:
    """Starts an Alertmanager in a folder *name* of the test's own that notifies a receiver."""
    binary = find_binary()
    if binary is None:
        absent(" or ".join(BINARIES))

    def start(to: ReceiverProcess, *, name: str = "alertmanager", **options: Any) -> Alertmanager:
        alertmanager = Alertmanager(binary, tmp_path / name, to.webhook_url, **options)
        processes.append(alertmanager)
        alertmanager.start()
        return alertmanager

    return start


@pytest.fixture
def promtool() -> str:
    """The path of promtool."""
    found = shutil.which("promtool")
    if found is None:
        absent("promtool")
    return found


@pytest.fixture
def amtool() -> str:
    """Path of the real amtool."""
    found = shutil.which("amtool")
    return found or absent("amtool")


@pytest.fixture
def start_prometheus(tmp_path: Path, processes: list[ServerProcess]) -> MakePrometheus:
    """Starts a Prometheus in a folder of the test's own."""
    binary = shutil.which("prometheus")
    if binary is None:
        absent("prometheus")

    def start(**options: Any) -> Prometheus:
        prometheus = Prometheus(binary, tmp_path / "prometheus", **options)
        processes.append(prometheus)
        prometheus.start()
        return prometheus

    return start


@pytest.fixture
def pager() -> Iterator[Pager]:
    """A pager that listens."""
    stub = Pager()
    stub.start()
    yield stub
    stub.stop()


@pytest.fixture
def site() -> Iterator[Site]:
    """A site that can be scraped."""
    stub = Site()
    stub.start()
    yield stub
    stub.stop()
