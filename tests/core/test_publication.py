from __future__ import annotations

from receiver.core.inbox import InboxRow
from receiver.core.publication import Publication
from receiver.core.query import AlertQuery


def test_defaults_are_nothing_at_all() -> None:
    assert (Publication(0, 0, [], []).outcomes, AlertQuery().labels) == ({}, ())
    assert InboxRow(1, 2, 3, 0, b"x").applied == 0
