"""What earlier versions wrote into the journal is read as it was meant."""

from __future__ import annotations

import json
import zlib

import pytest

from receiver.core.model import Input, Merge, OperatorCommand, Split
from receiver.store import journal

OF_NOBODY: list[Input] = [
    OperatorCommand(5, 1, {"pinned": True}, 3),
    Merge(5, 2, 1, (["a"], ["b"]), 3),
    Split(5, 1, [], [7], 3),
]


def decoded(row: bytes) -> list[Input]:
    return list(journal.decode(row, lambda fingerprint: {}, lambda text_id: ("", None)))


@pytest.mark.parametrize("command", OF_NOBODY)
def test_a_command_of_before_names_were_kept(command: Input) -> None:
    row = journal.encode([command], len)
    assert row is not None
    (told,) = json.loads(zlib.decompress(row))
    before = zlib.compress(json.dumps([told[:-1]]).encode())

    assert decoded(before) == decoded(row) == [command]
