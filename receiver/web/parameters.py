"""Query parameters, read and checked; a bad one is a 400 that names it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from receiver.core import timestamps
from receiver.core.errors import SenderError

_LAST_SECOND = 9e9
"""Unix seconds, in the year 2255: what nanoseconds in 64 bits can tell."""

LIMIT_DEFAULT, LIMIT_MOST = 100, 1000


def integer(
    query: Mapping[str, str], name: str, default: int, *, low: int = 0, high: int = 2**63 - 1
) -> int:
    """Return the whole number *name* of *query*.

    Raises:
        SenderError: It is no whole number from *low* to *high*.
    """
    text = query.get(name)
    if text is None:
        return default
    if text.isascii() and text.isdecimal() and len(text) < 20 and low <= int(text) <= high:
        return int(text)
    raise _bad(name, text, f"a whole number from {low} to {high}")


def only(query: Mapping[str, str], *names: str) -> None:
    """Refuse what is not among *names*: a misspelt filter must not look like an answer.

    Raises:
        SenderError: *query* has another parameter.
    """
    for name in query:
        if name not in names:
            expected = "one of " + ", ".join(names) if names else "none"
            raise SenderError(
                f"{ascii(name)[:100]}: unknown parameter, expected {expected}", field=name
            )


def limit(query: Mapping[str, str]) -> int:
    """Return how many items are wanted."""
    return integer(query, "limit", LIMIT_DEFAULT, low=1, high=LIMIT_MOST)


def moment(query: Mapping[str, str], name: str) -> int | None:
    """Return the time *name* of *query*, nanoseconds; RFC 3339 or unix seconds.

    Raises:
        SenderError: It is neither.
    """
    text = query.get(name)
    if text is None:
        return None
    # A plus sign that was not escaped arrives as a space.
    text = text.replace(" ", "+")
    try:
        if not _is_number(text):
            parsed = timestamps.parse(text)
            if parsed is not None:
                return parsed
        elif float(text) <= _LAST_SECOND:
            return timestamps.nanoseconds(float(text))
    except ValueError:
        pass
    raise _bad(name, text, "a time in RFC 3339, or unix seconds")


def _is_number(text: str) -> bool:
    return text.isascii() and len(text) < 20 and text.replace(".", "", 1).isdecimal()


def choice(query: Mapping[str, str], name: str, choices: Sequence[str]) -> str:
    """Return *name* of *query*, one of *choices*, or empty.

    Raises:
        SenderError: It is none of them.
    """
    text = query.get(name, "")
    if text and text not in choices:
        raise _bad(name, text, "one of " + ", ".join(choices))
    return text


def choices(texts: Sequence[str], name: str, known: Sequence[str]) -> tuple[str, ...]:
    """Return *texts*, the values of a parameter that may repeat, each of them one of *known*.

    Raises:
        SenderError: One is none of them.
    """
    for text in texts:
        if text not in known:
            raise _bad(name, text, "one of " + ", ".join(known))
    return tuple(dict.fromkeys(texts))


def pairs(texts: Sequence[str], name: str) -> list[tuple[str, str]]:
    """Return each `label=value` of *texts* as a pair.

    Raises:
        SenderError: One has no label or no equals sign.
    """
    found = []
    for text in texts:
        label, equals, value = text.partition("=")
        if not label or not equals:
            raise _bad(name, text, "label=value")
        found.append((label, value))
    return found


def _bad(name: str, text: str, expected: str) -> SenderError:
    return SenderError(f"{name}: got {ascii(text)[:100]}, expected {expected}", field=name)
