"""How settings are described, read and checked.

A section is a frozen dataclass whose fields are made by `setting`. `read_section` builds one from a
mapping; every refusal is a `ConfigError` that names the key, the value and what was expected. This
file knows no section: those stand beside the code they steer, and in `config`.
"""

from __future__ import annotations

import dataclasses
import re
import types
import typing
from collections.abc import Mapping
from typing import Any, NewType, TypeVar

Seconds = NewType("Seconds", float)
"""A duration; written in YAML as a number of seconds or as Prometheus writes it: `30s`, `4h35m`."""

Bytes = NewType("Bytes", int)
"""A size; written in YAML as a number of bytes or with a binary unit: `64MiB`."""

# No more digits than any duration or size has: Python refuses to read some thousands.
_DURATION = re.compile("".join(rf"(?:(\d{{1,12}}){unit})?" for unit in ("d", "h", "m", "s", "ms")))
_DURATION_UNITS = (86400.0, 3600.0, 60.0, 1.0, 0.001)
_SIZE = re.compile(r"(\d{1,15})\s*([KMGT]iB|B)")
_SIZE_UNITS = {"B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}

T = TypeVar("T")


class ConfigError(Exception):
    """A setting cannot be used; the text names the key, the value and what was expected."""


@dataclasses.dataclass(frozen=True, slots=True)
class Meaning:
    """What a person needs to know of a setting, beside its type and default."""

    help: str
    unit: str = ""
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    hidden: bool = False


def setting(
    default: Any,
    help: str,
    *,
    unit: str = "",
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] = (),
    hidden: bool = False,
) -> Any:
    """Describe one setting of a section.

    Args:
        default: The value when nothing is said; also used for `check-config` and the docs.
        help: One sentence on what it does.
        unit: What its number counts, for people.
        low: Smallest value allowed, inclusive.
        high: Largest value allowed, inclusive.
        choices: The only values allowed, if not empty.
        hidden: Whether no error may show a wrong value: where the name of a secret's file belongs, the
            secret itself may have been written.
    """
    meaning = Meaning(help=help, unit=unit, low=low, high=high, choices=choices, hidden=hidden)
    return dataclasses.field(default=default, metadata={"meaning": meaning})


def meaning_of(field: dataclasses.Field[Any]) -> Meaning:
    """Return what `setting` was told about *field*."""
    meaning: Meaning = field.metadata["meaning"]
    return meaning


def parse_duration(text: str) -> float | None:
    """Return the seconds that *text* (`1d2h3m4s5ms`, any part optional) stands for, or None."""
    match = _DURATION.fullmatch(text)
    if match is None or not text:
        return None
    return sum(
        int(count) * unit
        for count, unit in zip(match.groups(), _DURATION_UNITS, strict=True)
        if count is not None
    )


def _parse_size(text: str) -> int | None:
    match = _SIZE.fullmatch(text)
    return int(match[1]) * _SIZE_UNITS[match[2]] if match else None


def _refuse(key: str, value: object, expected: str) -> ConfigError:
    return ConfigError(f"{key}: got {shown(value)}, expected {expected}")


def shown(value: object) -> str:
    """Return *value*, read from YAML, as an error repeats it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    try:
        return repr(value)
    except ValueError:
        # YAML's hexadecimal numbers may have more digits than Python writes.
        return "a number of thousands of digits"


def _as_number(key: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _refuse(key, value, "a number")
    try:
        number = float(value)
    except OverflowError:
        number = float("inf")
    if number != number or number in (float("inf"), float("-inf")):
        raise _refuse(key, value, "a finite number")
    return number


HIDDEN = "a value that is not shown (it may be a secret)"


def _convert(key: str, value: object, hint: Any, hidden: bool) -> Any:
    """Return *value* as *hint* wants it, or raise ConfigError."""
    if hint is Seconds:
        seconds = parse_duration(value) if isinstance(value, str) else None
        if seconds is not None:
            return seconds
        if isinstance(value, str):
            raise _refuse(key, value, "a duration such as 30s, 5m or 4h35m, or a number of seconds")
        return _as_number(key, value)
    if hint is Bytes:
        size = _parse_size(value) if isinstance(value, str) else None
        if size is not None:
            return size
        if isinstance(value, bool) or not isinstance(value, int):
            raise _refuse(key, value, "a size such as 64MiB, or a whole number of bytes")
        return value
    if hint is float:
        return _as_number(key, value)
    if hint is int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise _refuse(key, value, "a whole number")
        return value
    if hint is bool:
        if not isinstance(value, bool):
            raise _refuse(key, value, "true or false")
        return value
    if hint is str:
        if not isinstance(value, str):
            raise _refuse(key, value, "a text")
        return value
    if hint == tuple[str, ...]:
        if not isinstance(value, list | tuple) or not all(isinstance(v, str) for v in value):
            if hidden:
                raise ConfigError(f"{key}: got {HIDDEN}, expected a list of texts")
            raise _refuse(key, value, "a list of texts")
        return tuple(value)
    raise TypeError(f"{key}: no reader for {hint!r}")


def _check(key: str, value: Any, meaning: Meaning) -> None:
    if meaning.choices and value not in meaning.choices:
        raise _refuse(key, value, "one of " + ", ".join(meaning.choices))
    if meaning.low is not None and value < meaning.low:
        raise _refuse(key, value, f"at least {meaning.low:g}")
    if meaning.high is not None and value > meaning.high:
        raise _refuse(key, value, f"at most {meaning.high:g}")


def read_section(section: type[T], name: str, mapping: object) -> T:
    """Build *section* from the YAML *mapping* found under *name*.

    Raises:
        ConfigError: An unknown key, a wrong type, or a value out of range.
    """
    if mapping is None:
        mapping = {}
    if not isinstance(mapping, Mapping):
        raise _refuse(name, mapping, "a section with settings in it")
    hints = typing.get_type_hints(section)
    fields = {f.name: f for f in dataclasses.fields(typing.cast(Any, section))}
    values: dict[str, Any] = {}
    for key, value in mapping.items():
        if key not in fields:
            expected = "one of " + ", ".join(sorted(fields))
            raise ConfigError(
                f"{name}.{key}: unknown setting (its value is not shown, it may be a secret),"
                f" expected {expected}"
            )
        meaning = meaning_of(fields[key])
        values[key] = _convert(f"{name}.{key}", value, hints[key], meaning.hidden)
        _check(f"{name}.{key}", values[key], meaning)
    return section(**values)


def unit_of(field: dataclasses.Field[Any], hint: Any) -> str:
    """Return what *field* is counted in, for a table of settings."""
    unit = meaning_of(field).unit
    if unit:
        return unit
    if hint is Seconds:
        return "seconds"
    if hint is Bytes:
        return "bytes"
    if isinstance(hint, types.GenericAlias):
        return "list"
    return ""
