"""Run a command on a terminal of its own: `python -m tests.support.terminal COMMAND…`.

What it writes is copied to stdout, SIGTERM is passed on, and its exit code is ours. Leaves out input.
"""

from __future__ import annotations

import os
import pty
import signal
import sys


def main(command: list[str]) -> int:
    """Run *command* and return its exit code."""
    child, terminal = pty.fork()
    if child == 0:
        os.execvp(command[0], command)
    signal.signal(signal.SIGTERM, lambda number, frame: os.kill(child, signal.SIGTERM))
    while True:
        try:
            data = os.read(terminal, 65536)
        except OSError:  # how Linux says that the last writer has gone
            break
        if not data:
            break
        os.write(sys.stdout.fileno(), data)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
