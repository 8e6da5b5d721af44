"""When a timer is due: NCRONTAB expressions and fixed intervals.

Source: learn.microsoft.com/azure/azure-functions/functions-bindings-timer#ncrontab-expressions
and, for what that leaves open, github.com/atifaziz/NCrontab: six fields from second to day of
week, or five without the second; both the day and the day of the week must match.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from crosswind_local.functions_host.configuration import seconds_of

_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]

_FIELDS: Sequence[tuple[str, int, int, Sequence[str]]] = (
    ("second", 0, 59, ()),
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day", 1, 31, ()),
    ("month", 1, 12, _MONTHS),
    ("day of week", 0, 6, _DAYS),
)
_WITHOUT_SECONDS = 5

_HORIZON = 366 * 9
"""Days: between two 29ths of February there may be eight years."""


class InvalidSchedule(ValueError):
    """An expression that is none, or that is never due."""


class Schedule(Protocol):
    """When a timer is due."""

    expression: str

    def after(self, moment: float) -> float:
        """The first time it is due after a moment; both in seconds since 1970."""
        ...


class Every:
    """A fixed interval from one call to the next."""

    def __init__(self, expression: str) -> None:
        """`expression` is a time span such as `00:05:00`.

        Raises:
            InvalidSchedule: it is none, or nothing.
        """
        self.expression = expression
        try:
            self._seconds = seconds_of(expression)
        except ValueError as error:
            raise InvalidSchedule(str(error)) from error
        if self._seconds <= 0:
            raise InvalidSchedule(f"{expression!r} is no time")

    def after(self, moment: float) -> float:
        return moment + self._seconds


class Cron:
    """An NCRONTAB expression in a time zone."""

    def __init__(self, expression: str, zone: str = "UTC") -> None:
        """Read an expression.

        Raises:
            InvalidSchedule: it is none, the zone is unknown, or it is never due.
        """
        self.expression = expression
        fields = expression.split()
        if len(fields) == _WITHOUT_SECONDS:
            fields.insert(0, "0")
        if len(fields) != len(_FIELDS):
            raise InvalidSchedule(
                f"{expression!r} has {len(fields)} fields; there are six: {{second}} {{minute}} "
                "{hour} {day} {month} {day-of-week}"
            )
        try:
            self._zone = ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise InvalidSchedule(f"the time zone {zone!r} is unknown") from error
        values = [_values(field, *about) for field, about in zip(fields, _FIELDS, strict=True)]
        self._seconds, self._minutes, self._hours = (sorted(found) for found in values[:3])
        self._days, self._months, self._weekdays = values[3:]
        self.after(0.0)  # which raises where no such day is ever

    def after(self, moment: float) -> float:
        """The first time it is due after a moment; both in seconds since 1970.

        Raises:
            InvalidSchedule: there is none.
        """
        start = datetime.fromtimestamp(moment, self._zone).replace(tzinfo=None)
        begin = start.replace(microsecond=0) + timedelta(seconds=1)
        for ahead in range(_HORIZON):
            day = begin.date() + timedelta(days=ahead)
            if day.month not in self._months or day.day not in self._days:
                continue
            if day.isoweekday() % 7 not in self._weekdays:
                continue
            earliest = begin if ahead == 0 else datetime(day.year, day.month, day.day)
            for local in self._times(earliest):
                due = local.replace(tzinfo=self._zone).astimezone(UTC)
                # A time that the clocks skip is not; one that they repeat is, once.
                if due.astimezone(self._zone).replace(tzinfo=None) == local:
                    seconds = due.timestamp()
                    if seconds > moment:
                        return seconds
        raise InvalidSchedule(f"{self.expression!r} is never due")

    def _times(self, earliest: datetime) -> "list[datetime]":
        """The first times of a day from one on; a few, since the clocks may skip an hour or two."""
        found: list[datetime] = []
        for hour in self._hours:
            if hour < earliest.hour:
                continue
            for minute in self._minutes:
                if (hour, minute) < (earliest.hour, earliest.minute):
                    continue
                for second in self._seconds:
                    local = earliest.replace(hour=hour, minute=minute, second=second)
                    if local >= earliest:
                        found.append(local)
                        break
                else:
                    continue
                break
        return found


def read_schedule(expression: str, zone: str) -> Schedule:
    """The schedule that an expression means.

    Raises:
        InvalidSchedule: none.
    """
    if re.fullmatch(r"[\d.:]+", expression):
        return Every(expression)
    return Cron(expression, zone)


def _values(text: str, name: str, least: int, most: int, names: Sequence[str]) -> set[int]:
    """The values that a field stands for."""

    def number(part: str) -> int:
        if part[:3].lower() in names:
            return names.index(part[:3].lower()) + least
        if not re.fullmatch(r"\d{1,2}", part) or not least <= int(part) <= most:
            raise InvalidSchedule(f"{text!r} is no {name}: {part!r} is not in {least}-{most}")
        return int(part)

    found: set[int] = set()
    for item in text.split(","):
        span, slash, step = item.partition("/")
        if slash and not re.fullmatch(r"[1-9]\d?", step):
            raise InvalidSchedule(f"{text!r} is no {name}: {step!r} is no step")
        if span == "*":
            first, last = least, most
        elif "-" in span:
            first, last = (number(part) for part in span.split("-", 1))
        else:
            first = number(span)
            last = most if slash else first
        if first > last:
            raise InvalidSchedule(f"{text!r} is no {name}: {span!r} runs backwards")
        found.update(range(first, last + 1, int(step) if slash else 1))
    return found
