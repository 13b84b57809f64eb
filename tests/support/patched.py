"""A receiver's process in which something is replaced before it starts: faults that no outside can make."""

from __future__ import annotations

import sys

from tests.support.processes import ReceiverProcess


def patch(receiver: ReceiverProcess, code: str) -> ReceiverProcess:
    """Have *receiver* run the Python *code* before its own main; return it."""
    script = f"{code}\nfrom receiver.__main__ import main\nmain()\n"
    assert receiver.command[1:3] == ["-m", "receiver"]
    receiver.command[:3] = [sys.executable, "-c", script]
    return receiver
