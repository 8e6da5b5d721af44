"""Freeze windows: declared times in which things are proposed to a person instead of done.

A window is one stretch of time (`begins`, `ends`), or comes again (`cron`, `lasts`). It only ever
brakes: what the modes propose or observe stays so, and no mode loosens it.
"""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from fnmatch import fnmatchcase
from typing import Annotated, NamedTuple

from pydantic import AfterValidator, Field, model_validator

from crosswind.fleet.cron import read_cron
from crosswind.fleet.quantities import Declared, Label, Moment, PositiveSeconds

Patterns = Annotated[tuple[Label, ...], Field(min_length=1, max_length=64)]


def _zone(name: str) -> tzinfo:
    if name == "UTC":  # needs no database of time zones, which small images lack
        return UTC
    from zoneinfo import ZoneInfo

    return ZoneInfo(name)


def _known_zone(name: str) -> str:
    try:
        _zone(name)
    except (LookupError, ValueError, OSError):
        raise ValueError(
            "is not a time zone that is known here; write a name of the IANA database such as "
            "Europe/Berlin"
        ) from None
    return name


def _known_cron(line: str) -> str:
    read_cron(line)
    return line


class Standing(NamedTuple):
    """A window that is open: until when, in seconds since the epoch."""

    window: FreezeWindow
    until: float

    def __str__(self) -> str:
        until = datetime.fromtimestamp(self.until, UTC).strftime("%Y-%m-%d %H:%M UTC")
        why = f": {self.window.because}" if self.window.because else ""
        return f"freeze {self.window.name} until {until}{why}"


class FreezeWindow(Declared):
    """A time in which actions are proposed to a person instead of done.

    Attributes:
        name: what it is called where it holds something back.
        begins, ends: the moments of a single window (RFC 3339).
        cron: when a window that comes again begins, in five fields.
        lasts: seconds for which it then stands.
        tz: IANA time zone of `cron`.
        workloads: globs over the names of workloads; an action on the whole fleet is held back
            by a window that takes them all.
        kinds: globs over kinds of actions. What tells people of it (incidents, notifications) is
            never held back.
        because: why, for whoever is asked.
    """

    name: Label = Field(examples=["year-end"])
    begins: Moment | None = None
    ends: Moment | None = None
    cron: Annotated[Label, AfterValidator(_known_cron)] | None = None
    lasts: PositiveSeconds | None = None
    tz: Annotated[Label, AfterValidator(_known_zone)] = "UTC"
    workloads: Patterns = ("*",)
    kinds: Patterns = ("*",)
    because: Annotated[str, Field(max_length=1000)] = ""

    @model_validator(mode="after")
    def _is_one_time(self) -> FreezeWindow:
        once = (self.begins is not None, self.ends is not None)
        again = (self.cron is not None, self.lasts is not None)
        if once + again not in ((True, True, False, False), (False, False, True, True)):
            raise ValueError(
                "is no window; write `begins` and `ends` for a single one, or `cron` and `lasts` "
                "for one that comes again"
            )
        if self.begins is not None and self.ends is not None and self.ends <= self.begins:
            raise ValueError(
                f"ends at {self.ends:%Y-%m-%dT%H:%M:%SZ}, before it begins; write a later `ends`"
            )
        return self

    def covers(self, workload: str | None, kind: str) -> bool:
        """Whether actions of this kind on this workload, or on all of the fleet, are meant."""
        if workload is None:
            meant = "*" in self.workloads
        else:
            meant = any(fnmatchcase(workload, pattern) for pattern in self.workloads)
        return meant and any(fnmatchcase(kind, pattern) for pattern in self.kinds)

    def stands(self, now: float) -> float | None:
        """Until when it stands, in seconds since the epoch; None where it does not."""
        if self.begins is not None and self.ends is not None:
            begins, ends = self.begins.timestamp(), self.ends.timestamp()
        elif self.cron is not None and self.lasts is not None:
            due = read_cron(self.cron).latest(now, self.lasts, _zone(self.tz))
            if due is None:
                return None
            begins, ends = due, due + self.lasts
        return ends if begins <= now < ends else None
