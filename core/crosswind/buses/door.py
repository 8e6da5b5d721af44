"""A way onto the bus over HTTP: events and notifications, taken in and published.

Binary, structured and batched CloudEvents (CloudEvents 1.0.2, HTTP protocol binding, section 3),
and native notifications that come by webhook. What is accepted is on the bus when it is answered;
whoever wants it receives it from there.

    202  all of it was published
    400  some of it cannot be read; it is named with every fault, and all else was published
    503  the bus did not take some of it; send those again
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pydantic_core import to_json

from crosswind.errors import NotAccepted
from crosswind.signals import Ignored, SignalRejected
from crosswind_events import Event, InvalidEvent

if TYPE_CHECKING:
    from crosswind.buses.intake import Intake

_BATCH: Final = "application/cloudevents-batch+json"
_STRUCTURED: Final = "application/cloudevents+json"
_BINARY: Final = "ce-specversion"

Read = Event[Any] | InvalidEvent | SignalRejected | Ignored


class Answer(NamedTuple):
    """What a request is answered with.

    Attributes:
        body: JSON.
        headers: beside those that say what the body is.
        accepted, refused: how many events and notifications were.
    """

    status: int
    body: str
    headers: Mapping[str, str]
    accepted: int
    refused: int


class Door:
    """Answers requests.

    Args:
        intake: publishes and translates.
    """

    def __init__(self, intake: Intake) -> None:
        self._intake = intake

    def answer(self, headers: Mapping[str, str], body: bytes) -> Answer:
        """Take in what a request brings.

        Args:
            headers: their names in any case.
        """
        headers = {name.lower(): value for name, value in headers.items()}
        try:
            read = self._read(headers, body)
        except InvalidEvent as invalid:
            read = [invalid]
        events = [one for one in read if isinstance(one, Event)]
        late: tuple[str, ...] = ()
        reason = ""
        try:
            self._intake.publish(events)
        except NotAccepted as error:
            late, reason = tuple(message.id for message in error.messages), error.reason
        refused = [
            {"record": n, "faults": [{"where": f.where, "problem": f.problem} for f in one.faults]}
            for n, one in enumerate(read)
            if isinstance(one, InvalidEvent | SignalRejected)
        ]
        told: dict[str, Any] = {"accepted": [e.id for e in events if e.id not in late]}
        if refused:
            told["refused"] = refused
        if ignored := [one.reason for one in read if isinstance(one, Ignored)]:
            told["ignored"] = ignored
        status, more = (400 if refused else 202), dict[str, str]()
        if late:
            told |= {"again": list(late), "reason": reason}
            status, more = 503, {"Retry-After": "1"}
        text = to_json(told).decode()
        return Answer(status, text, more, len(events) - len(late), len(refused))

    def _read(self, headers: Mapping[str, str], body: bytes) -> list[Read]:
        codec = self._intake.engine.app.codec
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind == _BATCH:
            return [*codec.decode_batch(body)]
        if kind == _STRUCTURED:
            return [codec.decode(body)]
        if _BINARY in headers:
            return [codec.decode_binary(headers, body)]
        read: list[Read] = []
        for translated in self._intake.translate(body.decode("utf-8", "replace")):
            read += translated if isinstance(translated, list) else [translated]
        return read
