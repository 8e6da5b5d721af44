"""The forms in which the clouds write an instant.

RFC 3339 with an offset (CloudWatch writes it without the colon: `+0000`), RFC 1123 (AWS Health:
`Thu, 9 Feb 2023 05:01:10 GMT`), and seconds or milliseconds since the epoch as a number or as
digits (Cloud Monitoring). A time without an offset is refused: it could be anywhere's.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

_RFC3339: Final = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt ]([0-9]{2}):([0-9]{2}):([0-9]{2})"
    r"(?:\.([0-9]{1,9}))?([Zz]|[+-][0-9]{2}:?[0-9]{2})"
)
_RFC1123: Final = re.compile(
    r"(?:[A-Za-z]{3}, )?([0-9]{1,2}) ([A-Za-z]{3}) ([0-9]{4}) "
    r"([0-9]{2}):([0-9]{2}):([0-9]{2}) (GMT|UTC|[+-][0-9]{4})"
)
_EPOCH: Final = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,9})?")
_MONTHS: Final = (
    *("jan", "feb", "mar", "apr", "may", "jun"),
    *("jul", "aug", "sep", "oct", "nov", "dec"),
)
_MILLISECONDS_FROM: Final = 1e11
"""An epoch at or above this is in milliseconds: as seconds it would lie in the year 5138."""

_LONGEST: Final = 64


def instant(value: object) -> datetime:
    """Read an instant as UTC, to the microsecond; finer digits are cut off.

    Raises:
        ValueError: not one of the forms above, or no such date.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError("must be a time")
    if not isinstance(value, str):
        return _epoch(float(value))
    text = value.strip() if len(value) <= _LONGEST else ""
    try:
        if match := _RFC3339.fullmatch(text):
            year, month, day, hour, minute, second, fraction, offset = match.groups()
            microsecond = int((fraction or "").ljust(6, "0")[:6])
            there = datetime(
                *(int(year), int(month), int(day), int(hour), int(minute), int(second)),
                microsecond,
                tzinfo=_zone(offset),
            )
            return there.astimezone(UTC)
        if (match := _RFC1123.fullmatch(text)) and match[2].lower() in _MONTHS:
            day, name, year, hour, minute, second, offset = match.groups()
            there = datetime(
                *(int(year), _MONTHS.index(name.lower()) + 1, int(day)),
                *(int(hour), int(minute), int(second)),
                tzinfo=_zone(offset),
            )
            return there.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("is no date that exists") from None
    if _EPOCH.fullmatch(text):
        return _epoch(float(text))
    raise ValueError("must be a time: RFC 3339 with an offset, RFC 1123, or seconds since 1970")


def _epoch(number: float) -> datetime:
    seconds = number / 1000 if number >= _MILLISECONDS_FROM else number
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        raise ValueError("is no date that exists") from None


def _zone(offset: str) -> timezone:
    if offset[0] not in "+-":
        return UTC
    distance = timedelta(hours=int(offset[1:3]), minutes=int(offset[-2:]))
    return timezone(-distance if offset[0] == "-" else distance)
