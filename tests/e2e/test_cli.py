"""Bad things at the command line: one clear line, the right exit code, and no traceback."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from receiver import __version__
from tests.e2e.conftest import MakeReceiver
from tests.support.processes import HOST, REPOSITORY, ReceiverProcess, free_port
from tests.support.waiting import PATIENCE_SECONDS, wait_until
from tests.support.webhook import alert, body

pytestmark = pytest.mark.e2e

STARTS_AT = "2026-03-01T10:00:00Z"


def stormcell(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command that ends by itself."""
    return subprocess.run(
        [sys.executable, "-m", "receiver", *arguments],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )


def serve(storage: Path, *arguments: str, port: int | None = None) -> tuple[int, list[str]]:
    """Run a server that is expected to end by itself; return its exit code and what it said."""
    ended = stormcell(
        "serve",
        f"--storage.path={storage}",
        f"--web.listen-address={HOST}:{free_port() if port is None else port}",
        "--set=embedding.backend=hashing",
        *arguments,
    )
    assert ended.stdout == ""
    return ended.returncode, ended.stderr.splitlines()


def assert_one_line(said: list[str], *parts: str) -> None:
    """Assert that *said* is one line of ours with all *parts* in it."""
    assert len(said) == 1, "\n".join(said)
    (line,) = said
    assert line.startswith("stormcell: ")
    for part in parts:
        assert part in line


# -- configuration -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("clustering:\n  treshold: 0.5\n", ["clustering.treshold", "expected", "threshold"]),
        ("clustering:\n  threshold: a lot\n", ["clustering.threshold", "'a lot'", "a number"]),
        ("a: [\n", ["stormcell.yml", "not YAML"]),
    ],
)
@pytest.mark.parametrize("command", ["serve", "check-config"])
def test_a_wrong_setting_is_named_with_its_value_and_what_was_expected(
    tmp_path: Path, command: str, text: str, parts: list[str]
) -> None:
    file = tmp_path / "stormcell.yml"
    file.write_text(text, encoding="utf-8")
    flag = "--config.file=" if command == "serve" else ""
    ended = stormcell(command, f"{flag}{file}")

    assert ended.returncode == 2
    assert ended.stdout == ""
    assert_one_line(ended.stderr.splitlines(), *parts)


def test_a_configuration_file_that_does_not_exist_is_named(tmp_path: Path) -> None:
    code, said = serve(tmp_path / "storage", f"--config.file={tmp_path / 'none.yml'}")

    assert code == 2
    assert_one_line(said, "none.yml", "No such file")


@pytest.mark.parametrize(
    ("override", "parts"),
    [
        ("nonsense", ["--set", "'nonsense'", "section.key=value"]),
        ("clustering.threshold=: [", ["clustering.threshold", ": ["]),
        ("web.listen_address=nowhere", ["web.listen_address", "'nowhere'", "HOST:PORT"]),
    ],
)
def test_a_wrong_override_is_named(tmp_path: Path, override: str, parts: list[str]) -> None:
    ended = stormcell("serve", f"--storage.path={tmp_path / 'storage'}", "--set", override)

    assert ended.returncode == 2
    assert_one_line(ended.stderr.splitlines(), *parts)


def test_version_is_told() -> None:
    ended = stormcell("--version")

    assert (ended.returncode, ended.stdout, ended.stderr) == (0, f"stormcell {__version__}\n", "")


def test_an_unknown_flag_ends_with_code_2() -> None:
    ended = stormcell("serve", "--no.such-flag")

    assert ended.returncode == 2
    assert "--no.such-flag" in ended.stderr
    assert "Traceback" not in ended.stderr


# -- address and storage -------------------------------------------------------------------------


def test_an_address_in_use_is_told(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        code, said = serve(tmp_path / "storage", port=taken.getsockname()[1])

    assert code == 1
    assert_one_line(said, "--web.listen-address", "in use")


def test_an_address_that_others_reach_is_refused_without_a_token(tmp_path: Path) -> None:
    code, said = serve(tmp_path / "storage", "--web.listen-address=0.0.0.0:0")

    assert code == 2
    assert "no token and no user is configured" in said[0]
    assert "web.anonymous_roles" in said[0]


def test_an_address_of_another_machine_is_told(tmp_path: Path) -> None:
    # 203.0.113.0/24 is for documentation: nobody has it.
    address = "--web.listen-address=203.0.113.9:9783"
    code, said = serve(tmp_path / "storage", address, "--set=web.anonymous_roles=[read]")

    assert code == 1
    assert_one_line(said, "--web.listen-address")


def test_storage_that_another_process_uses_is_told(receiver: ReceiverProcess) -> None:
    code, said = serve(receiver.storage)

    assert code == 1
    assert_one_line(said, str(receiver.storage), "another stormcell")
    assert receiver.get("/-/ready").status == 200


def test_storage_that_is_a_file_is_told(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()

    for storage in (file, file / "below"):
        code, said = serve(storage)
        assert code == 1
        assert_one_line(said, "--storage.path", str(storage))


def test_a_file_that_is_no_database_is_told_and_left_as_it_is(tmp_path: Path) -> None:
    storage = tmp_path / "storage"
    storage.mkdir()
    file = storage / "stormcell.db"
    file.write_bytes(b"not a database " * 1000)
    code, said = serve(storage)

    assert code == 1
    assert_one_line(said, str(file), "not a database")
    assert file.read_bytes() == b"not a database " * 1000


def test_a_database_of_a_newer_version_is_told_and_left_as_it_is(receiver: ReceiverProcess) -> None:
    assert receiver.stop() == 0
    file = receiver.storage / "stormcell.db"
    with contextlib.closing(sqlite3.connect(file)) as database, database:
        database.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at)"
            " VALUES ('stormcell', '9999_future', '2030-01-01')"
        )
    before = dump(file)
    code, said = serve(receiver.storage)

    assert code == 1
    assert_one_line(said, "newer", "9999_future", "--storage.path")
    assert dump(file) == before


def dump(file: Path) -> list[str]:
    """Return all that is in the database *file*, as SQL."""
    with contextlib.closing(sqlite3.connect(file)) as database:
        return list(database.iterdump())


@contextlib.contextmanager
def write_protected(file: Path) -> Iterator[None]:
    """Make *file* one that cannot be written, by root neither; skip where that cannot be done."""
    if os.geteuid() != 0:
        file.chmod(0o444)
        yield
        file.chmod(0o644)
        return
    # Permissions do not bind root; the immutable attribute does, where the file system has it.
    try:
        done = subprocess.run(["chattr", "+i", str(file)], capture_output=True, check=False)
    except FileNotFoundError:
        pytest.skip("running as root, and chattr is not installed")
    if done.returncode:
        pytest.skip("running as root, and this file system has no immutable files")
    try:
        yield
    finally:
        subprocess.run(["chattr", "-i", str(file)], check=True)


def test_a_database_that_cannot_be_written_is_told(receiver: ReceiverProcess) -> None:
    assert receiver.stop() == 0
    file = receiver.storage / "stormcell.db"
    with write_protected(file):
        code, said = serve(receiver.storage)

    assert code == 1
    assert_one_line(said, str(file), "readonly")


# -- a model that cannot be had, and the end -----------------------------------------------------


def test_without_its_model_it_takes_alerts_keeps_them_pending_and_says_so(
    make_receiver: MakeReceiver, tmp_path: Path
) -> None:
    receiver = make_receiver(
        settings={
            "embedding.backend": "onnx",
            "embedding.model": "no-such-model",
            "embedding.cache_dir": str(tmp_path / "cache"),
        },
        # So that nothing is asked of the network before it is said that there is no such model.
        environment={"HF_HUB_OFFLINE": "1"},
    )
    receiver.start()
    entry = alert({"alertname": "DiskFull"}, starts_at=STARTS_AT)
    assert receiver.post(body([entry])).status == 200
    wait_until("the log to say so", lambda: "model is not ready" in receiver.log_text())

    assert "no-such-model" in receiver.log_text()
    assert receiver.get("/-/ready").status == 200
    assert receiver.pending() == 1
    assert receiver.metric("stormcell_oldest_pending_age_seconds") > 0
    assert receiver.metric("stormcell_embedder_ready") == 0
    assert receiver.metric("stormcell_retries_total") >= 1
    assert receiver.post(body([entry])).status == 200


def test_a_stop_while_the_model_is_prepared_leaves_no_process_behind(
    make_receiver: MakeReceiver, tmp_path: Path
) -> None:
    with socket.socket() as silent_hub:
        silent_hub.bind((HOST, 0))
        silent_hub.listen()
        receiver = make_receiver(
            settings={
                "embedding.backend": "onnx",
                "embedding.model": "no-such-model",
                "embedding.cache_dir": str(tmp_path / "cache"),
            },
            environment={"HF_ENDPOINT": f"http://{HOST}:{silent_hub.getsockname()[1]}"},
        )
        receiver.start()
        wait_until(
            "the export to run, where it can",
            lambda: exporters(tmp_path) or "not installed" in receiver.log_text(),
        )
        code = receiver.stop()
        left = exporters(tmp_path)
        for number in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(number, signal.SIGKILL)

    assert (code, left) == (0, {})


def exporters(folder: Path) -> dict[int, str]:
    """Return, by process id, the commands that prepare a model somewhere below *folder*."""
    found = {}
    for process in Path("/proc").iterdir():
        if process.name.isdecimal():
            with contextlib.suppress(OSError):
                command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                if "receiver.embedding" in command and str(folder) in command:
                    found[int(process.name)] = command
    return found


def test_a_stop_under_load_ends_with_code_0_and_loses_nothing(receiver: ReceiverProcess) -> None:
    taken: list[str] = []

    def post(sender: int) -> None:
        """Post until the server is gone."""
        for number in range(100_000):
            name = f"{sender}-{number}"
            entry = alert({"alertname": "DiskFull", "instance": name}, starts_at=STARTS_AT)
            try:
                answer = receiver.post(body([entry]))
            except OSError:
                return
            if answer.status == 200:
                taken.append(name)

    senders = [threading.Thread(target=post, args=(number,)) for number in range(4)]
    for sender in senders:
        sender.start()
    wait_until("some load", lambda: len(taken) > 200)
    assert receiver.stop() == 0
    for sender in senders:
        sender.join()
    assert "Traceback" not in receiver.log_text()
    receiver.start()
    receiver.settle()

    kept = sorted(entry["labels"]["instance"] for entry in receiver.alerts())
    assert len(kept) == len(set(kept))
    assert set(taken) <= set(kept)
