"""Receivers forked from a process that has imported everything: to start one takes no second.

In all else each is a receiver's process, and is killed alone. Run as `-m tests.support.forking` this is the
process that forks; `ForkedReceiver` talks to it by lines of JSON.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn, cast

from tests.support.processes import REPOSITORY, ReceiverProcess


class Forker:
    """The process that forks receivers."""

    def __init__(self) -> None:
        """Start it."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.forking"],
            cwd=REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, *question: object) -> Any:
        """Ask it, and return what it answers."""
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(question) + "\n")
        process.stdin.flush()
        return json.loads(process.stdout.readline())

    def close(self) -> None:
        """End it, not its children."""
        with contextlib.suppress(BrokenPipeError):
            self._process.communicate(timeout=60)


class _Child:
    """A forked process, as `subprocess.Popen` shows those it starts."""

    def __init__(self, forker: Forker, arguments: Sequence[str], log: Path) -> None:
        self._forker = forker
        self.pid: int = forker.ask("fork", list(arguments), str(log))
        self._code: int | None = None

    def poll(self) -> int | None:
        if self._code is None:
            self._code = self._forker.ask("poll", self.pid)
        return self._code

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def wait(self, timeout: float) -> int:
        deadline = time.monotonic() + timeout
        while (code := self.poll()) is None:
            if time.monotonic() > deadline:
                raise subprocess.TimeoutExpired("stormcell", timeout)
            time.sleep(0.005)
        return code


class ForkedReceiver(ReceiverProcess):
    """A receiver that a `Forker` starts."""

    def __init__(self, forker: Forker, directory: Path, **options: Any) -> None:
        """Describe it, as `ReceiverProcess` does."""
        super().__init__(directory, **options)
        self._forker = forker

    def launch(self) -> None:
        """Fork it, and wait for nothing."""
        assert not self.running, f"{self.name} runs already"
        child = _Child(self._forker, self.command[3:], self.log)
        self._child = cast("subprocess.Popen[bytes]", child)


@contextlib.contextmanager
def forker() -> Iterator[Forker]:
    """Have a process that forks receivers meanwhile."""
    made = Forker()
    try:
        yield made
    finally:
        made.close()


# -- the process -------------------------------------------------------------------------------------


def _serve(arguments: list[str], log: str) -> NoReturn:
    """Become a receiver, as the command line starts one."""
    code = 1
    try:
        with open(log, "ab") as file, open(os.devnull, "rb") as nothing:
            for stream, number in ((nothing, 0), (file, 1), (file, 2)):
                os.dup2(stream.fileno(), number)
        from receiver import cli

        code = cli.run(arguments)
    finally:
        os._exit(code)


def _answer(question: list[Any]) -> Any:
    if question[0] == "fork":
        pid = os.fork()
        if pid == 0:
            _serve(*question[1:])
        return pid
    pid, status = os.waitpid(question[1], os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if pid else None


def main() -> None:
    """Import everything, then do as asked until stdin ends."""
    # The second is imported late by a receiver.
    for module in ("receiver.cli", "receiver.embedding.hashing"):
        importlib.import_module(module)
    gc.freeze()
    for line in sys.stdin:
        print(json.dumps(_answer(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
