"""A database is copied and checked by the command, while its server takes alerts."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.support.processes import REPOSITORY, ReceiverProcess
from tests.support.waiting import PATIENCE_SECONDS
from tests.support.webhook import alert, body

pytestmark = pytest.mark.e2e


def stormcell(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "receiver", *arguments],
        cwd=REPOSITORY,
        capture_output=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )


def notification(number: int) -> bytes:
    labels = {"alertname": f"A{number % 7}", "instance": f"{number}"}
    return body([alert(labels, starts_at="2026-03-01T10:00:00Z")])


def test_a_copy_is_taken_under_load_and_a_server_goes_on_with_it(
    receiver: ReceiverProcess, tmp_path: Path
) -> None:
    stop, sent = threading.Event(), [0]

    def post() -> None:
        # Some a second: what is tested is that they come meanwhile, and each is replayed thrice.
        while not stop.wait(0.05):
            assert receiver.post(notification(sent[0])).status == 200
            sent[0] += 1

    thread = threading.Thread(target=post)
    thread.start()
    copy, piped = tmp_path / "copy.db", tmp_path / "piped.db"
    storage = f"--storage.path={receiver.storage}"
    try:
        before = sent[0]
        to_file = stormcell("backup", storage, str(copy))
        to_pipe = stormcell("backup", storage, "-")
        running = stormcell("check-db", str(receiver.storage))
    finally:
        stop.set()
        thread.join()
    piped.write_bytes(to_pipe.stdout)

    assert (to_file.returncode, to_file.stdout) == (0, b"")
    assert (to_pipe.returncode, to_pipe.stderr) == (0, b"")
    for told in (running, *(stormcell("check-db", str(path)) for path in (copy, piped))):
        assert told.returncode == 0, told.stdout
        assert told.stdout.count(b"ok") == 6, told.stdout
        assert b"the same state" in told.stdout

    # Put back in the place of the database, it is a server's again; what was sent before it is there.
    assert receiver.stop() == 0
    for path in receiver.storage.iterdir():
        path.unlink()
    copy.rename(receiver.storage / "stormcell.db")
    receiver.start()
    receiver.settle()
    kept = {int(entry["labels"]["instance"]) for entry in receiver.alerts()}
    assert kept >= set(range(before))
    assert kept == set(range(len(kept)))


def test_a_faulty_database_is_told_with_code_1(receiver: ReceiverProcess) -> None:
    assert receiver.post(notification(1)).status == 200
    receiver.settle()
    assert receiver.stop() == 0
    with sqlite3.connect(receiver.storage / "stormcell.db") as database:
        database.execute("DELETE FROM events WHERE seq = 1")
    database.close()
    told = stormcell("check-db", f"--set=storage.path={receiver.storage}")

    assert told.returncode == 1
    assert b"FAILED  events" in told.stdout
    assert told.stderr == b""


def test_what_is_not_there_is_told_in_a_line(tmp_path: Path) -> None:
    for arguments in (
        ("check-db", str(tmp_path / "absent")),
        ("backup", f"--storage.path={tmp_path}", "x"),
    ):
        told = stormcell(*arguments)

        assert told.returncode == 1
        assert told.stdout == b""
        assert told.stderr.count(b"\n") == 1
        assert b"No such file" in told.stderr
