from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.core import timestamps


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T00:00:01.5Z", 1_500_000_000),
        ("2026-01-01T09:00:00.123456789+09:00", 1_767_225_600_123_456_789),
        ("2025-12-31T19:30:00-04:30", 1_767_225_600_000_000_000),
        ("2026-01-01t00:00:00z", 1_767_225_600_000_000_000),
        ("1969-12-31T23:59:59.999999999Z", -1),
    ],
)
def test_any_offset_and_fraction_is_read(text: str, nanoseconds: int) -> None:
    assert timestamps.parse(text) == nanoseconds


def test_the_zero_time_is_none() -> None:
    assert timestamps.parse("0001-01-01T00:00:00Z") is None


@pytest.mark.parametrize(
    "text",
    ["", "now", "2026-01-01", "2026-13-01T00:00:00Z", "2026-01-01T00:00:00", "9999-01-01T00:00:00Z",
     "2026-01-01T00:00:60Z", "1500-01-01T00:00:00Z", "2026-01-01T00:00:00.1234567890Z"],
)  # fmt: skip
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"RFC 3339|years|must be in|out of range"):
        timestamps.parse(text)


@given(st.integers(min_value=-(2**61), max_value=2**62))
def test_rendering_keeps_milliseconds(at: int) -> None:
    assert timestamps.parse(timestamps.render(at)) == at // 1_000_000 * 1_000_000


def test_none_renders_as_none() -> None:
    assert timestamps.render_optional(None) is None
    assert timestamps.render_optional(0) == "1970-01-01T00:00:00.000Z"
