"""Moments, as the host writes them."""

from datetime import UTC, datetime

NEVER = "9999-12-31T23:59:59.9999999"
"""The last moment of .NET, which stands for one that never comes."""


def moment(seconds: float) -> datetime:
    """Seconds since 1970 as a time of day in UTC."""
    return datetime.fromtimestamp(seconds, UTC)


def rfc3339(seconds: float) -> str:
    """Seconds since 1970, with milliseconds and a Z."""
    return f"{moment(seconds):%Y-%m-%dT%H:%M:%S}.{int(seconds % 1 * 1000):03d}Z"


def without_zone(when: datetime | None) -> str:
    """As Newtonsoft writes a DateTime of no kind: no zone, and no zeros at the end of a fraction.

    Nothing, which is an expiry that there is not, is the last moment there is.
    """
    if when is None:
        return NEVER
    utc = when.astimezone(UTC)
    fraction = f"{utc.microsecond:06d}".rstrip("0")
    return f"{utc:%Y-%m-%dT%H:%M:%S}" + (f".{fraction}" if fraction else "")


def with_zone(when: datetime | None) -> str:
    """As Newtonsoft writes a DateTimeOffset in UTC."""
    return f"{without_zone(when)}+00:00"
