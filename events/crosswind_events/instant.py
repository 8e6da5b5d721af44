"""Points in time: RFC 3339 in, UTC inside, RFC 3339 with `Z` out."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

PROBLEM = "must be a date and time with an offset, as RFC 3339 writes it: 2030-01-31T12:00:00Z"

# RFC 3339, section 5.6. `fromisoformat` alone would take much more of ISO 8601, and 24:00 too.
_SHAPE = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ](?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]+)?"
    r"(?:[Zz]|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
).fullmatch


def parse(text: str) -> datetime:
    """Read an RFC 3339 date and time; digits beyond the microsecond are dropped.

    Raises ValueError where it is not one, or lies outside the years 1 to 9999 in UTC. A leap
    second (`:60`) is refused: Python has no value for it.
    """
    if not _SHAPE(text):
        raise ValueError(PROBLEM)
    # Python reads `Z`, but not `z`.
    moment = datetime.fromisoformat(text if text[-1] != "z" else text.upper())
    return moment if moment.tzinfo is UTC else utc(moment)


def utc(moment: datetime) -> datetime:
    """Move an aware datetime to UTC; raises ValueError for a naive one."""
    if moment.tzinfo is UTC:
        return moment
    if moment.utcoffset() is None:
        raise ValueError(PROBLEM)
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("must lie within the years 1 to 9999 in UTC") from None


def written(moment: datetime) -> str:
    """Write a UTC datetime the way the JSON serializer does: `2030-01-31T12:00:00Z`."""
    return moment.isoformat().replace("+00:00", "Z")


def in_utc(schema: CoreSchema) -> CoreSchema:
    """Wrap pydantic's datetime schema so that it takes RFC 3339 only and yields UTC."""
    return core_schema.no_info_wrap_validator_function(_read, schema)


def is_in_utc(schema: Mapping[str, Any]) -> bool:
    """Say whether a core schema is one that `in_utc` made."""
    function = schema.get("function")
    return isinstance(function, dict) and function.get("function") is _read


def _read(value: object, validated: Callable[[object], datetime]) -> datetime:
    if isinstance(value, str):
        value = parse(value)
    elif not isinstance(value, datetime):
        raise ValueError(PROBLEM)
    return utc(validated(value))


class InUtc:
    """The mark that `Instant` carries."""

    @staticmethod
    def __get_pydantic_core_schema__(source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return in_utc(handler(source))


Instant = Annotated[datetime, InUtc]
"""A point in time. On event data a plain `datetime` means the same; nested classes need this."""
