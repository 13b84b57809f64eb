"""A child process that ends when its parent does, even by kill -9."""

from __future__ import annotations

import os
import threading


def end_with_parent() -> None:
    """End this process when its stdin, a pipe that the parent holds open, comes to its end."""
    threading.Thread(target=_wait, name="parent", daemon=True).start()


def _wait() -> None:
    # Not through sys.stdin, whose lock a thread may not hold when the interpreter ends.
    while os.read(0, 1024):
        pass
    os._exit(1)
