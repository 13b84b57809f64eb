"""Serves as of an earlier time: `python -m benchmarks.later NANOSECONDS serve ...`.

A storage made some hours ago would age at once: its clusters would close, its alerts go stale. The
receiver's clock is set back by so much that for it no time has passed.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from receiver.__main__ import main as stormcell


@contextmanager
def clock_set_back(by: int) -> Iterator[None]:
    """Set the clock of every receiver that is started in this process back *by* nanoseconds."""
    with patch("receiver.app.clock", lambda: time.time_ns() - by):
        yield


def main(arguments: list[str]) -> int:
    """Run the command line after the first argument."""
    with clock_set_back(int(arguments[0])):
        sys.argv[1:] = arguments[1:]
        stormcell()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
