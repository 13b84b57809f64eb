from __future__ import annotations

import dataclasses
import typing
from dataclasses import dataclass
from typing import Any

import pytest

from receiver.core.settings import (
    Bytes,
    ConfigError,
    Seconds,
    meaning_of,
    parse_duration,
    read_section,
    setting,
    unit_of,
)


@dataclass(frozen=True)
class Section:
    wait: Seconds = setting(Seconds(5.0), "Waits.", low=0, high=3600)
    room: Bytes = setting(Bytes(10), "Room.")
    share: float = setting(0.5, "Share.", unit="0 to 1")
    count: int = setting(3, "Count.")
    on: bool = setting(True, "On.")
    name: str = setting("a", "Name.", choices=("a", "b"))
    names: tuple[str, ...] = setting((), "Names.")
    files: tuple[str, ...] = setting((), "Files with secrets.", hidden=True)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"wait": "1m30s"}, {"wait": 90.0}),
        ({"wait": 7}, {"wait": 7.0}),
        ({"room": "2KiB"}, {"room": 2048}),
        ({"room": 5}, {"room": 5}),
        ({"share": 1, "count": 2, "on": False, "name": "b", "names": ["x"]}, {"names": ("x",)}),
        (None, {"wait": 5.0}),
    ],
)
def test_values_are_read(given: Any, expected: dict[str, Any]) -> None:
    section = read_section(Section, "s", given)

    assert {key: getattr(section, key) for key in expected} == expected


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"wait": "soon"}, "s.wait: got 'soon', expected a duration"),
        ({"wait": ""}, "s.wait: got '', expected a duration"),
        ({"wait": None}, "s.wait: got null, expected a number"),
        ({"wait": -1}, "s.wait: got -1.0, expected at least 0"),
        ({"wait": "2h"}, "s.wait: got 7200.0, expected at most 3600"),
        ({"room": "big"}, "s.room: got 'big', expected a size"),
        ({"room": True}, "s.room: got true, expected a size"),
        ({"share": "x"}, "s.share: got 'x', expected a number"),
        ({"share": float("nan")}, "s.share: got nan, expected a finite number"),
        ({"share": 10**400}, "s.share: got 1000+, expected a finite number"),
        ({"wait": "9" * 5000 + "s"}, "s.wait: got '9+s', expected a duration"),
        ({"wait": 2**20000}, "s.wait: got a number of thousands of digits, expected a finite"),
        ({"count": 1.5}, "s.count: got 1.5, expected a whole number"),
        ({"count": True}, "s.count: got true, expected a whole number"),
        ({"on": 1}, "s.on: got 1, expected true or false"),
        ({"name": 1}, "s.name: got 1, expected a text"),
        ({"name": "c"}, "s.name: got 'c', expected one of a, b"),
        ({"names": "x"}, "s.names: got 'x', expected a list of texts"),
        ({"names": [1]}, r"s.names: got \[1\], expected a list of texts"),
        (
            {"nam": 1},
            r"s.nam: unknown setting \(.*not shown.*\), expected one of count, files, name",
        ),
        ([], r"s: got \[\], expected a section"),
    ],
)
def test_errors_name_key_value_and_what_was_expected(given: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        read_section(Section, "s", given)


@pytest.mark.parametrize("given", ["s3cret", ["s3cret", 1], {"s3cret": "s3cret"}])
def test_what_may_be_a_secret_is_not_shown(given: Any) -> None:
    with pytest.raises(ConfigError, match=r"s.files: got .*not shown.* a list of texts") as refused:
        read_section(Section, "s", {"files": given})

    assert "s3cret" not in str(refused.value)


def test_a_type_without_reader_is_a_bug() -> None:
    @dataclass(frozen=True)
    class Odd:
        thing: bytes = setting(b"", "Odd.")

    hints = {"thing": bytes}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(typing, "get_type_hints", lambda _: hints)
        with pytest.raises(TypeError, match="no reader"):
            read_section(Odd, "s", {"thing": b""})


def test_units_are_told() -> None:
    hints = typing.get_type_hints(Section)
    units = {f.name: unit_of(f, hints[f.name]) for f in dataclasses.fields(Section)}

    assert units["wait"] == "seconds"
    assert units["room"] == "bytes"
    assert units["share"] == "0 to 1"
    assert units["names"] == "list"
    assert units["count"] == ""
    assert meaning_of(dataclasses.fields(Section)[0]).help == "Waits."


def test_durations_are_prometheus_durations() -> None:
    assert parse_duration("1d2h3m4s5ms") == pytest.approx(93784.005)
    assert parse_duration("5 m") is None
