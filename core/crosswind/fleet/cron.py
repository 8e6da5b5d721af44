"""Cron lines of five fields, read without a library: the gate asks them wherever it runs.

minute hour day-of-month month day-of-week, each `*`, a number, a range `1-5`, a step `*/15` or a
list of those; months and days also by their English names of three letters, Sunday is 0 and 7.
Where both days are restricted either suffices, as in every cron since Vixie's (crontab(5)).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Final, NamedTuple

_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_MONTHS = (
    "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
)  # fmt: skip
_LENGTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_PART: Final = re.compile(r"(\*|(\w+)(?:-(\w+))?)(?:/([0-9]{1,3}))?")
_LONGEST: Final = 256


class _Field(NamedTuple):
    name: str
    least: int
    most: int
    names: Mapping[str, int] = {}


_FIELDS: Final = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of the month", 1, 31),
    _Field("month", 1, 12, {name: number for number, name in enumerate(_MONTHS, 1)}),
    _Field("day of the week", 0, 7, {name: number for number, name in enumerate(_DAYS)}),
)


@dataclass(frozen=True, slots=True)
class Cron:
    """A line as what it admits; `either` says that a day of either kind suffices."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either: bool

    def admits(self, day: date) -> bool:
        """Whether it falls due on this day at all."""
        if day.month not in self.months:
            return False
        by_month, by_week = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        return by_month or by_week if self.either else by_month and by_week

    def latest(self, now: float, within: float, zone: tzinfo = UTC) -> float | None:
        """When it fell due last, if that is no longer than `within` seconds ago.

        A time that the clock skips in spring counts as when it would have been, one that it
        shows twice in autumn counts the first time.

        Args:
            now: seconds since the epoch.
        """
        today = datetime.fromtimestamp(now, zone).date()
        # One more day on either side, for what the clock skips at midnight.
        for back in range(-1, int(within // 86_400.0) + 3):
            day = today - timedelta(days=back)
            if not self.admits(day):
                continue
            for hour in reversed(self.hours):
                for minute in reversed(self.minutes):
                    due = datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone)
                    moment = due.timestamp()
                    if moment <= now:
                        return moment if now - moment <= within else None
        return None


@lru_cache(maxsize=1024)
def read_cron(line: str) -> Cron:
    """Read a line.

    Raises:
        ValueError: says which field is at fault and what may stand there.
    """
    parts = line.split()
    if len(parts) != len(_FIELDS) or len(line) > _LONGEST:
        raise ValueError(
            "is not a cron line; write minute, hour, day of the month, month and day of the week, "
            'such as "0 18 * * FRI"'
        )
    minutes, hours, days, months, weekdays = (
        _admitted(field, part) for field, part in zip(_FIELDS, parts, strict=True)
    )
    either = not (parts[2].startswith("*") or parts[4].startswith("*"))
    if not either and min(days) > max(_LENGTHS[month - 1] for month in months):
        raise ValueError("is a cron line that never falls due; correct the day or the month")
    return Cron(
        minutes=tuple(sorted(minutes)),
        hours=tuple(sorted(hours)),
        days=frozenset(days),
        months=frozenset(months),
        weekdays=frozenset(day % 7 for day in weekdays),
        either=either,
    )


def _admitted(field: _Field, text: str) -> set[int]:
    return {number for part in text.split(",") for number in _numbers(field, part)}


def _numbers(field: _Field, part: str) -> Iterator[int]:
    found = _PART.fullmatch(part)
    if found is None:
        raise _wrong(field, part)
    whole, first, last, step = found.groups()
    if whole == "*":
        begin, end = field.least, field.most
    else:
        begin = _number(field, first, part)
        end = _number(field, last, part) if last else field.most if step else begin
    if begin > end or (step is not None and int(step) == 0):
        raise _wrong(field, part)
    return iter(range(begin, end + 1, int(step or 1)))


def _number(field: _Field, text: str, part: str) -> int:
    number = field.names.get(text.upper(), -1)
    if text.isascii() and text.isdigit() and len(text) <= 2:
        number = int(text)
    if not field.least <= number <= field.most:
        raise _wrong(field, part)
    return number


def _wrong(field: _Field, part: str) -> ValueError:
    named = f" or {min(field.names, key=field.names.__getitem__)} and so on" if field.names else ""
    return ValueError(
        f"is not a cron line: {part!r} is no {field.name}; write numbers from {field.least} to "
        f"{field.most}{named}, alone, as 1-5, */2 or as a list of those"
    )
