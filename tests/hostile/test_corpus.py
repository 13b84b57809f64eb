"""What fuzzing was begun with, and what it once found, is put to every parser again."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scripts import fuzz
from tests.hostile.strategies import CAPTURES
from tests.hostile.targets import TARGETS

CORPUS = sorted(path for path in fuzz.CORPUS.rglob("*") if path.is_file())


def test_each_target_is_fuzzed_and_has_a_beginning() -> None:
    assert tuple(TARGETS) == fuzz.NAMES
    assert {path.parent.name for path in CORPUS} == set(TARGETS)


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_what_was_kept_breaks_nothing(path: Path) -> None:
    TARGETS[path.parent.name](path.read_bytes())


def test_a_capture_that_is_cut_anywhere_breaks_nothing() -> None:
    for whole, at in ((w, at) for w in CAPTURES for at in range(0, len(w), len(w) // 20 + 1)):
        TARGETS["webhook"](whole[:at])
        TARGETS["webhook"](whole[:at] + whole[at + 1 :])


@pytest.mark.parametrize("name", TARGETS)
@given(st.data())
@settings(max_examples=60, deadline=None)
def test_any_bytes_break_nothing(name: str, data: st.DataObject) -> None:
    TARGETS[name](data.draw(st.binary(max_size=200) | st.text(max_size=100).map(_encoded)))


def _encoded(text: str) -> bytes:
    return text.encode(errors="surrogatepass")
