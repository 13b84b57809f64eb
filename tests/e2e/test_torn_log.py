"""A torn end of SQLite's write-ahead log, as a disk leaves it that lost what it said it had written.

Nothing that was answered 200 is lost when the process is killed: the kernel has all of it. Where a disk
lies, or loses its last writes, or a bit, the log ends at the first frame whose checksum does not fit.
Then there must be, whole, what was true at some moment before: every earlier commit, and no later one.
"""

from __future__ import annotations

import random
import secrets
import shutil
from pathlib import Path

import pytest

from receiver.core.core_settings import CoreSettings
from receiver.store import DATABASE_NAME, Database, check
from tests.support.processes import ReceiverProcess
from tests.support.webhook import alert, body

pytestmark = pytest.mark.e2e

WEBHOOKS = 28
"""So few that the log does not reach the thousand pages after which it is begun anew."""

CUTS = 40
FLIPS = 40
LOG = f"{DATABASE_NAME}-wal"


def told(number: int) -> bytes:
    labels = {"alertname": "DiskFull", "case": f"case-{number}"}
    return body([alert(labels, starts_at="2026-03-01T10:00:00Z", summary=f"part {number % 7}")])


def killed_under_load(receiver: ReceiverProcess) -> list[int]:
    """Post until there is some log, kill; return how long the log was after each webhook's answer."""
    sizes = []
    for number in range(WEBHOOKS):
        assert receiver.post(told(number)).status == 200
        sizes.append((receiver.storage / LOG).stat().st_size)
        if number == WEBHOOKS // 2:
            receiver.settle()
    receiver.kill()
    assert sizes == sorted(set(sizes)), "the log was begun anew: what stands where is not known"
    return sizes


def kept(storage: Path) -> set[int]:
    """Return the webhooks of which anything is there: applied, or in the inbox."""
    database = Database(storage)
    try:
        rows = database._db.execute("SELECT labels FROM alerts").fetchall()
        rows += database._db.execute("SELECT body FROM inbox").fetchall()
    finally:
        database.close()
    texts = [row[0] if isinstance(row[0], str) else row[0].decode() for row in rows]
    return {n for n in range(WEBHOOKS) for text in texts if f'"case-{n}"' in text}


def check_whole(storage: Path) -> None:
    """Assert that what is there was true once: `check-db` finds nothing wrong."""
    findings = list(check(storage / DATABASE_NAME, CoreSettings()))
    assert [(one.name, one.text) for one in findings if one.good is False] == []


def spoilt(storage: Path, place: Path, log: bytes) -> Path:
    """Return a copy of *storage* whose log is *log*."""
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    shutil.copy(storage / DATABASE_NAME, place)
    (place / LOG).write_bytes(log)
    return place


def test_of_a_torn_log_what_came_before_is_there(receiver: ReceiverProcess, tmp_path: Path) -> None:
    seed = secrets.randbelow(2**32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    sizes = killed_under_load(receiver)
    log = (receiver.storage / LOG).read_bytes()
    place = tmp_path / "spoilt"
    cuts = [0, 31, 32, len(log) - 1, len(log), *(chance.randrange(len(log)) for _ in range(CUTS))]
    for cut in cuts:
        storage = spoilt(receiver.storage, place, log[:cut])
        promised = {n for n, size in enumerate(sizes) if size <= cut}
        found = kept(storage)
        check_whole(storage)

        assert found >= promised, f"cut at {cut}"
        assert found == set(range(len(found))), f"cut at {cut}: a hole"
    for flip in (chance.randrange(len(log)) for _ in range(FLIPS)):
        changed = bytearray(log)
        changed[flip] ^= 1 << chance.randrange(8)
        storage = spoilt(receiver.storage, place, bytes(changed))
        promised = {n for n, size in enumerate(sizes) if size <= flip}
        found = kept(storage)
        check_whole(storage)

        assert found >= promised, f"bit flipped at {flip}"
        assert found == set(range(len(found))), f"bit flipped at {flip}: a hole"


def test_a_receiver_goes_on_from_a_torn_log_and_takes_what_is_told_again(
    receiver: ReceiverProcess,
) -> None:
    sizes = killed_under_load(receiver)
    with (receiver.storage / LOG).open("r+b") as file:
        file.truncate(sizes[WEBHOOKS * 2 // 3] + 1000)
    receiver.start()
    receiver.settle()
    there = {entry["labels"]["case"] for entry in receiver.alerts()}
    lost = {f"case-{number}" for number in range(WEBHOOKS)} - there
    # Its sender repeats what fires, at the latest after its repeat_interval.
    for number in range(WEBHOOKS):
        assert receiver.post(told(number)).status == 200
    receiver.settle()

    cases = sorted(entry["labels"]["case"] for entry in receiver.alerts())
    assert cases == sorted(f"case-{number}" for number in range(WEBHOOKS))
    events = receiver.events()
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert lost
    assert receiver.stop() == 0
    check_whole(receiver.storage)
