from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from receiver.core import envelope
from receiver.core.errors import SenderError, TooLarge

_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(
    st.dictionaries(st.text() | st.just("alerts"), _VALUES),
    st.sampled_from([None, 2]),
    st.booleans(),
)
@settings(max_examples=50, deadline=None)
def test_it_reads_what_json_reads(
    document: dict[str, Any], indent: int | None, ascii: bool
) -> None:
    body = json.dumps(document, indent=indent, ensure_ascii=ascii)
    try:
        encoded = body.encode()
    except UnicodeEncodeError:
        return

    assert envelope.read(encoded + b"\n") == json.loads(body)


@given(st.text() | st.from_regex(r'\{"alerts": ?\[.*', fullmatch=True))
def test_it_refuses_what_json_refuses(text: str) -> None:
    try:
        document = json.loads(text)
    except ValueError:
        document = None
    if isinstance(document, dict):
        assert envelope.read(text.encode()) == document
    else:
        with pytest.raises(SenderError):
            envelope.read(text.encode(errors="replace"))


def test_a_repeated_key_counts_last() -> None:
    assert envelope.read(b'{"alerts": [1], "a": 1, "alerts": [2, 3], "a": 2}') == {
        "alerts": [2, 3],
        "a": 2,
    }


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[1]", b"nul", b'{"a" 1}', b'{"a":1', b'{"a":1}x', b'{"alerts":[1', b"{a:1}",
     b'{"alerts":[1 2]}', b'{"alerts":[1,]}', b'{"a":1 "b":2}', b"[1]x", b'"text"'],
)  # fmt: skip
def test_what_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(SenderError, match="body is"):
        envelope.read(body)


def test_a_depth_bomb_is_refused() -> None:
    with pytest.raises(SenderError, match="nested too deeply"):
        envelope.read(b'{"a":' + b"[" * 200_000)
    with pytest.raises(SenderError, match="nested too deeply"):
        envelope.read(b'{"alerts":[' + b'{"a":' * 200_000)


@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_it_reads_as_deep_as_every_thread_can_read_again(opening: str) -> None:
    closing = "]" if opening == "[" else "}"
    for depth, good in ((envelope.MAX_DEPTH, True), (envelope.MAX_DEPTH + 1, False)):
        inner = opening * (depth - 1) + "[]" + closing * (depth - 1)
        body = f'{{"a":{inner}}}'.encode()
        if good:
            assert envelope.read(body) == json.loads(body)
        else:
            with pytest.raises(SenderError, match="expected at most 100 levels"):
                envelope.read(body)


def test_a_number_of_any_length_is_read() -> None:
    read = envelope.read(b'{"a":' + b"9" * 1000 + b',"b":-' + b"9" * 5000 + b"}")

    assert read == {"a": 10**1000 - 1, "b": float("-inf")}


def test_far_more_values_than_alerts_have_are_refused() -> None:
    filler = b'"' + b"x" * 2_000_000 + b'"'
    assert len(envelope.read(b'{"a":[' + b"[]," * 300_000 + filler + b"]}")["a"]) == 300_001
    with pytest.raises(TooLarge, match="has some 600001 values, expected at most one in 4 bytes"):
        envelope.read_list(b"[" + b"[]," * 300_000 + b"1]")


def test_what_is_not_utf8_is_refused() -> None:
    with pytest.raises(SenderError, match="byte 6"):
        envelope.read(b'{"a":"\xff"}')


def test_lone_surrogates_become_replacement_characters() -> None:
    text = envelope.read(rb'{"a":"x\ud800y"}')["a"]

    assert envelope.clean(text) == "x\ufffdy"
    assert envelope.clean("plain") == "plain"
