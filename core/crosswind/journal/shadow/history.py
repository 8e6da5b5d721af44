"""Past signals: a file of one JSON object a line, each with the time at which it arrived.

    {"time": "2026-03-02T17:01:05Z", "cloud": "gcp", "payload": {...}, "attributes": {...}}
    {"time": "2026-03-02T17:01:05Z", "event": {"specversion": "1.0", ...}}
    {"specversion": "1.0", ...}

The first form is a cloud's own notification as it was delivered, in whatever envelopes, with the
message attributes beside it where there were any. The second is a neutral event, and the third is
one that arrived at its own time. Lines may stand in any order.

Whatever a line holds is accounted for: it became events, was ignored with a reason, or is refused
with its number and every fault. A bad line does not touch its neighbours.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Final, Literal, NamedTuple, get_args

from crosswind.errors import CrosswindError
from crosswind.signals import MAX_BYTES, Ignored, SignalRejected, Translated
from crosswind.signals.reading import parse
from crosswind.signals.times import instant
from crosswind_events import Codec, Event, InvalidEvent

MAX_LINES: Final = 200_000
"""Lines of one history: a year of an alarm every three minutes."""

MAX_LINE: Final = 2 * MAX_BYTES
"""Bytes of one line: the largest payload that is read, written as a text in JSON."""

MAX_EVENTS: Final = 500_000
"""Events of one history."""

SHOWN: Final = 100
"""Refused lines of which the faults are kept; all are counted."""

_CHUNK: Final = 1 << 16
_LONG: Final = 500

Cloud = Literal["aws", "gcp", "azure"]
CLOUDS: Final[tuple[Cloud, ...]] = get_args(Cloud)
Translate = Callable[[Cloud, Any, Mapping[str, str]], Sequence[Translated]]
"""A cloud's adapter by the cloud's name; it says of each record what it became."""

_NATIVE: Final = frozenset({"time", "cloud", "payload", "attributes"})
_WRAPPED: Final = frozenset({"time", "event"})
_FORMS: Final = "write time, cloud and payload, or time and event, or a CloudEvent alone"


class HistoryTooLong(CrosswindError, ValueError):
    """A history holds more than is read at once."""


class Arrival(NamedTuple):
    """Events that arrived together; `at` in seconds since the epoch."""

    at: float
    line: int
    events: tuple[Event[Any], ...]


class Refused(NamedTuple):
    """A line, or one record of it, that could not be read."""

    line: int
    problem: str


@dataclass(slots=True)
class History:
    """What was read of a history.

    Attributes:
        arrivals: in the order of their time, then of their lines.
        lines: that were not blank.
        ignored: records that say nothing about the health of a region, by cloud and reason.
        refused: lines and records that could not be read; the first of them.
        unread: how many those are in all.
        repeated: events that had come before.
    """

    arrivals: list[Arrival] = field(default_factory=list)
    lines: int = 0
    ignored: Counter[str] = field(default_factory=Counter)
    refused: list[Refused] = field(default_factory=list)
    unread: int = 0
    repeated: int = 0

    @property
    def events(self) -> int:
        """Events of all arrivals."""
        return sum(len(arrival.events) for arrival in self.arrivals)

    def refuse(self, line: int, problem: str) -> None:
        """Count a line or a record that cannot be read."""
        self.unread += 1
        if len(self.refused) < SHOWN:
            words = problem if len(problem) <= _LONG else problem[: _LONG - 1] + "…"
            self.refused.append(Refused(line, words))


def read_history(
    stream: BinaryIO, codec: Codec, translate: Translate, *, ahead: float, most: int = MAX_LINES
) -> History:
    """Read a history, within bounds of time and memory.

    Args:
        codec: reads the neutral events.
        translate: reads the notifications of a cloud.
        ahead: seconds by which what is said may lie after its arrival: clocks differ.
        most: lines that are read at the most.

    Raises:
        HistoryTooLong: it has more lines or events.
    """
    reader = _Reader(codec, translate, ahead)
    for number, line in _lines(stream):
        if line is not None and not line.strip():
            continue
        reader.found.lines += 1
        if reader.found.lines > most:
            raise HistoryTooLong(
                f"it has more than {most:,} lines; give a part of it, such as one month"
            )
        if line is None:
            reader.found.refuse(number, f"is longer than {MAX_LINE:,} bytes")
        else:
            reader.read(number, line)
    found = reader.found
    found.arrivals.sort(key=lambda arrival: (arrival.at, arrival.line))
    return found


class _Reader:
    def __init__(self, codec: Codec, translate: Translate, ahead: float) -> None:
        self.codec = codec
        self.translate = translate
        self.ahead = ahead
        self.found = History()
        self.events = 0
        self.known: set[tuple[str, str]] = set()

    def read(self, number: int, line: bytes) -> None:
        found = self.found
        try:
            value = parse(line.strip())
        except SignalRejected as refused:
            found.refuse(number, "; ".join(map(str, refused.faults)))
            return
        if not isinstance(value, dict):
            found.refuse(number, f"is no JSON object; {_FORMS}")
        elif "specversion" in value:
            self._event(number, line, None)
        else:
            self._wrapped(number, value)

    def _wrapped(self, number: int, value: Mapping[str, Any]) -> None:
        faults = list(_faults(value))
        at = 0.0
        if "time" in value:
            try:
                at = instant(value["time"]).timestamp()
            except ValueError as wrong:
                faults.append(f"time {wrong}")
        if faults:
            self.found.refuse(number, "; ".join(faults))
        elif "event" in value:
            from pydantic_core import to_json

            self._event(number, to_json(value["event"]), at)
        else:
            payload, attributes = value["payload"], value.get("attributes") or {}
            self._native(number, at, value["cloud"], payload, attributes)

    def _event(self, number: int, body: bytes, at: float | None) -> None:
        try:
            event: Event[Any] = self.codec.decode(body)
        except InvalidEvent as invalid:
            self.found.refuse(number, "; ".join(map(str, invalid.faults)))
            return
        self._arrived(number, event.time.timestamp() if at is None else at, [event])

    def _native(
        self,
        number: int,
        at: float,
        cloud: Cloud,
        payload: Any,
        attributes: Mapping[str, str],
    ) -> None:
        for outcome in self.translate(cloud, payload, attributes):
            if isinstance(outcome, SignalRejected):
                self.found.refuse(number, "; ".join(map(str, outcome.faults)))
            elif isinstance(outcome, Ignored):
                self.found.ignored[f"{cloud}: {outcome.reason}"] += 1
            else:
                self._arrived(number, at, outcome)

    def _arrived(self, number: int, at: float, events: Sequence[Event[Any]]) -> None:
        kept = []
        for event in events:
            early = event.time.timestamp() - at
            name = (event.source, event.id)
            if early > self.ahead:
                self.found.refuse(
                    number,
                    f"what it says happened {early:.0f} s after it arrived; correct its time",
                )
            elif name in self.known:
                self.found.repeated += 1
            else:
                self.known.add(name)
                kept.append(event)
        self.events += len(kept)
        if self.events > MAX_EVENTS:
            raise HistoryTooLong(f"it holds more than {MAX_EVENTS:,} events; give a part of it")
        if kept:
            self.found.arrivals.append(Arrival(at, number, tuple(kept)))


def _faults(value: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with the fields of a line that is no event itself."""
    known = _WRAPPED if "event" in value else _NATIVE
    unknown = sorted(str(name) for name in value if name not in known)
    if unknown:
        yield f"has fields that are not known here ({', '.join(unknown)[:120]}); {_FORMS}"
    for name in ("time", "event") if "event" in value else ("time", "cloud", "payload"):
        if name not in value:
            yield f"has no {name}; {_FORMS}"
    cloud = value.get("cloud")
    if "cloud" in value and cloud not in CLOUDS:
        yield f"cloud is {cloud!r:.40}; write one of {', '.join(CLOUDS)}"
    payload = value.get("payload")
    if "payload" in value and not isinstance(payload, dict | list | str):
        yield "payload must be an object, a list or a text"
    if "event" in value and not isinstance(value["event"], dict):
        yield "event must be an object"
    beside = value.get("attributes") or {}
    if not isinstance(beside, dict) or not all(isinstance(one, str) for one in beside.values()):
        yield "attributes must be texts by name"


def _lines(stream: BinaryIO) -> Iterator[tuple[int, bytes | None]]:
    """The lines with their numbers; None for one that is too long, of which nothing is kept."""
    number = 0
    while line := stream.readline(MAX_LINE + 1):
        number += 1
        if len(line) <= MAX_LINE:
            yield number, line
            continue
        while not line.endswith(b"\n"):
            line = stream.readline(_CHUNK)
            if not line:
                break
        yield number, None
