"""What really happened: a file of outages and of what people did, one JSON object a line.

    {"region": "aws/us-east-1", "began": "2026-03-02T16:52:00Z", "ended": "2026-03-02T18:10:00Z",
     "acted": "2026-03-02T17:25:00Z", "note": "moved by hand"}

`ended` is left out while it goes on, `acted` where nobody moved the traffic.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO, Final

from crosswind.errors import CrosswindError
from crosswind.signals import SignalRejected
from crosswind.signals.reading import parse
from crosswind.signals.times import instant

MAX_LINES: Final = 10_000
"""Outages of one file."""

_MAX_LINE: Final = 16_384
_SHOWN: Final = 20
_FIELDS: Final = ("region", "began", "ended", "acted", "note")
_TIMES: Final = ("began", "ended", "acted")


class ActualInvalid(CrosswindError, ValueError):
    """The file does not say what happened; the message lists every fault with its line."""


@dataclass(frozen=True, slots=True)
class Outage:
    """An outage as it really was; times in seconds since the epoch.

    Attributes:
        ended: None while it goes on.
        acted: when people moved its traffic, None where they did not.
    """

    region: str
    began: float
    ended: float | None
    acted: float | None
    note: str = ""


def read_actual(stream: BinaryIO) -> tuple[Outage, ...]:
    """Read the outages, in the order of time.

    Raises:
        ActualInvalid: lists every fault with its line.
    """
    found: list[Outage] = []
    faults: list[str] = []
    number = 0
    while line := stream.readline(_MAX_LINE + 1):
        number += 1
        if number > MAX_LINES or len(line) > _MAX_LINE:
            what = f"more than {MAX_LINES:,} lines" if number > MAX_LINES else "a line too long"
            raise ActualInvalid(f"line {number}: the file has {what}; give a part of it")
        if not line.strip():
            continue
        wrong, outage = _read(line)
        faults += [f"line {number}: {problem}" for problem in wrong]
        if outage is not None:
            found.append(outage)
    if faults:
        more = f"\n  and {len(faults) - _SHOWN} more" if len(faults) > _SHOWN else ""
        listed = "\n  ".join(faults[:_SHOWN])
        raise ActualInvalid(f"the file of what really happened cannot be read:\n  {listed}{more}")
    return tuple(sorted(found, key=lambda one: (one.began, one.region)))


def _read(line: bytes) -> tuple[list[str], Outage | None]:
    try:
        value = parse(line.strip())
    except SignalRejected as refused:
        return [str(fault) for fault in refused.faults], None
    if not isinstance(value, dict):
        return [f"is no JSON object; write {', '.join(_FIELDS)}"], None
    times: dict[str, float] = {}
    faults = list(_faults(value, times))
    if faults:
        return faults, None
    note = str(value.get("note") or "")[:500]
    return [], Outage(value["region"], times["began"], times.get("ended"), times.get("acted"), note)


def _faults(value: Mapping[str, Any], times: dict[str, float]) -> Iterator[str]:
    """What is wrong with an object; its times are put where they are asked for."""
    unknown = sorted(str(name) for name in value if name not in _FIELDS)
    if unknown:
        known = ", ".join(_FIELDS)
        yield f"has fields that are not known here ({', '.join(unknown)[:120]}); write {known}"
    region = value.get("region")
    if not isinstance(region, str) or "/" not in region:
        yield f"region is {region!r:.60}; write one such as aws/us-east-1"
    for name in _TIMES:
        if value.get(name) is None:
            if name == "began":
                yield "has no began, the time at which it began"
            continue
        try:
            times[name] = instant(value[name]).timestamp()
        except ValueError as wrong:
            yield f"{name} {wrong}"
    began = times.get("began")
    for name in ("ended", "acted"):
        if began is not None and name in times and times[name] < began:
            yield f"{name} lies before began"
