"""Points in time: whole nanoseconds since 1970 in UTC inside, RFC 3339 at the borders.

Nanoseconds because the sender gives up to nine fraction digits and identity is decided by equality.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

SECOND = 1_000_000_000
_MILLISECOND = 1_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_RFC3339 = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:([Zz])|([+-])(\d\d):(\d\d))",
    re.ASCII,
)
# What SQLite's signed 64-bit integer holds; years 1677 to 2262.
_LOWEST, _HIGHEST = -(2**63), 2**63 - 1


def seconds(nanoseconds: int) -> float:
    """Return *nanoseconds* as seconds."""
    return nanoseconds / SECOND


@lru_cache(maxsize=1024)
def nanoseconds(seconds: float) -> int:
    """Return *seconds* as whole nanoseconds; of a setting, which each alert asks for, remembered."""
    return round(seconds * SECOND)


@lru_cache(maxsize=8192)
def parse(text: str) -> int | None:
    """Return the nanoseconds of an RFC 3339 *text*, or None for the zero time `0001-01-01T00:00:00Z`.

    Any offset and up to nine fraction digits are taken, as the sender passes both through.

    Raises:
        ValueError: *text* is not RFC 3339, or lies outside the years 1677 to 2262.
    """
    match = _RFC3339.fullmatch(text)
    if match is None:
        raise ValueError("not RFC 3339")
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    if year == 1 and match[8]:
        return None
    whole = datetime(year, month, day, hour, minute, second, tzinfo=UTC) - _EPOCH
    if match[9]:
        offset = timedelta(hours=int(match[10]), minutes=int(match[11]))
        whole -= offset if match[9] == "+" else -offset
    fraction = int((match[7] or "").ljust(9, "0"))
    result = (whole // timedelta(seconds=1)) * SECOND + fraction
    if not _LOWEST <= result <= _HIGHEST:
        raise ValueError("outside the years 1677 to 2262")
    return result


@lru_cache(maxsize=8192)
def render(at: int) -> str:
    """Return *at* (nanoseconds) as RFC 3339 in UTC with milliseconds."""
    moment = _EPOCH + timedelta(milliseconds=at // _MILLISECOND)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def render_optional(at: int | None) -> str | None:
    """Return *at* as `render` does, or None for None."""
    return None if at is None else render(at)
