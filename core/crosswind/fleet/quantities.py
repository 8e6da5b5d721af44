"""Field types of a fleet declaration: names, shares, counts, money and times, all bounded."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Final

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, Strict

TOLERANCE: Final = 1e-6
"""How far shares that must sum to 1 may be off."""

MAX_REGIONS: Final = 64
"""Regions of a fleet. One plan may have to demand the version of each of them in one write, of
which `crosswind.ports.MAX_CHANGES` is the limit."""

MAX_WORKLOADS: Final = 2000
"""Workloads of a fleet: the reservations of all of them fit in the item of one region."""

DAY: Final = 86_400.0
"""Seconds of a day."""

_YEAR: Final = 366 * DAY
_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": DAY}
_RFC_3339: Final = r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d{1,6})?([Zz]|[+-]\d{2}:\d{2})$"
_DURATION: Final = r"^[0-9]{1,9}(\.[0-9]{1,6})?(ms|s|m|h|d)$"


def _seconds(value: object) -> object:
    """Turn "90s", "5m", "2h" into seconds; numbers are seconds already."""
    if not isinstance(value, str):
        return value
    if not re.fullmatch(_DURATION, value):
        raise ValueError('is not a duration; write seconds or "500ms", "90s", "5m", "2h", "1d"')
    amount = value.rstrip("dhms")
    return float(amount) * _UNITS[value[len(amount) :]]


def _moment(value: object) -> object:
    """Turn a date and time of RFC 3339 into one in UTC; numbers and bare dates are neither."""
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str) or not re.match(_RFC_3339, value):
        raise ValueError('is no moment; write it with its offset, "2026-12-20T18:00:00Z"')
    try:
        return datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("is a day or time that does not exist; correct it") from None


FleetName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,62}$")]
WorkloadName = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$")]
Label = Annotated[str, Field(min_length=1, max_length=256)]
Domain = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9:._-]{0,62}$")]
GpuKind = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")]
Jurisdiction = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
KindPattern = Annotated[
    str, Field(pattern=r"^[a-z][a-z0-9-]*(\.[a-z0-9-]+)*(\.\*)?$", max_length=128)
]

# Strict, so that `floor: true` or `replicas: "3"` is a fault instead of a guess.
Number = Annotated[float, Strict(), Field(allow_inf_nan=False)]
Share = Annotated[Number, Field(ge=0.0, le=1.0)]
Positive = Annotated[Number, Field(gt=0.0, le=1e9)]
Amount = Annotated[Number, Field(ge=0.0, le=1e9)]
Count = Annotated[int, Strict(), Field(ge=0, le=100_000)]
Steps = Annotated[int, Strict(), Field(ge=1, le=100)]
_Written = Annotated[str, Field(pattern=_DURATION)]
Seconds = Annotated[
    Number,
    Field(ge=0.0, le=_YEAR),
    BeforeValidator(
        _seconds, json_schema_input_type=Annotated[Number, Field(ge=0.0, le=_YEAR)] | _Written
    ),
]
PositiveSeconds = Annotated[
    Number,
    Field(gt=0.0, le=_YEAR),
    BeforeValidator(
        _seconds, json_schema_input_type=Annotated[Number, Field(gt=0.0, le=_YEAR)] | _Written
    ),
]

Moment = Annotated[
    AwareDatetime,
    BeforeValidator(_moment, json_schema_input_type=Annotated[str, Field(pattern=_RFC_3339)]),
]


class Declared(BaseModel):
    """A piece of a declaration: frozen, and a field it does not know is a fault."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
