"""From a delivery to what each notification in it became: the part that all clouds share.

    delivery ──open──▶ envelopes, batches ──open──▶ ... ──▶ notification ──read──▶ events | Ignored

A cloud supplies `open` (takes one envelope off, or says that there is none) and `read` (turns a
bare notification into events). Envelopes nest as they really do: EventBridge in SNS in SQS.
What goes wrong in one record of a batch stays in that record.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, Final, NamedTuple, TypeAlias

from crosswind_events import Event, Fault

from . import reading
from .fields import MAX_ITEMS, Fields
from .outcome import Ignored, SignalRejected, Translated

Payload: TypeAlias = bytes | str | Mapping[str, Any] | Sequence[Any]
Attributes: TypeAlias = Mapping[str, str]

MAX_ENVELOPES: Final = 8
"""Most envelopes around one notification; EventBridge through SNS, SQS and Lambda has four."""

MAX_RECORDS: Final = MAX_ITEMS
"""Most records and envelopes in one delivery."""


class Inner(NamedTuple):
    """What is inside an envelope: JSON text or values, the attributes beside it, and its path."""

    content: Any
    where: str
    attributes: Attributes


class Batch(NamedTuple):
    """An envelope around many records."""

    records: Sequence[Inner]


Opened: TypeAlias = Inner | Batch | Ignored | None
Open: TypeAlias = Callable[[Fields, Attributes], Opened]
Plain: TypeAlias = Callable[[str], Ignored | None]
Read: TypeAlias = Callable[[Fields], list[Event[Any]] | Ignored]


@dataclass(frozen=True, slots=True)
class Translator:
    """The translation of one cloud's notifications.

    Args:
        open: takes one envelope off; None means that this is the notification itself.
        read: turns a notification into events.
        plain: knows the notifications that are not JSON at all; None refuses the text.
    """

    open: Open
    read: Read
    plain: Plain | None = None

    def each(self, payload: Payload, attributes: Attributes | None = None) -> list[Translated]:
        """What became of each record, in order; see `translate_each` of a cloud."""
        beside = attributes or {}
        if not all(isinstance(text, str) for pair in beside.items() for text in pair):
            return [reading.refusal("attributes", "must be texts by name")]
        try:
            return list(self._each(Inner(payload, "", beside), 0, count()))
        except _TooMany:
            return [reading.refusal("", f"holds more than {MAX_RECORDS} records")]

    def one(
        self, payload: Payload, attributes: Attributes | None = None
    ) -> list[Event[Any]] | Ignored:
        """What became of the whole delivery; see `translate` of a cloud."""
        events: list[Event[Any]] = []
        ignored: list[Ignored] = []
        faults: list[Fault] = []
        for outcome in self.each(payload, attributes):
            if isinstance(outcome, SignalRejected):
                faults.extend(outcome.faults)
            elif isinstance(outcome, Ignored):
                ignored.append(outcome)
            else:
                events.extend(outcome)
        if faults:
            raise SignalRejected(faults)
        if events:
            return events
        if len(set(ignored)) == 1:
            return ignored[0]
        reasons = "; ".join(dict.fromkeys(each.reason for each in ignored))
        kinds = {each.kind for each in ignored}
        return Ignored(
            reasons or "the batch holds no notification", kinds.pop() if len(kinds) == 1 else None
        )

    def _each(self, inner: Inner, depth: int, visits: Iterator[int]) -> Iterator[Translated]:
        if next(visits) > MAX_RECORDS:
            raise _TooMany
        try:
            opened = self._opened(inner, depth)
            if isinstance(opened, Fields):
                yield self.read(opened)
                return
        except SignalRejected as refused:
            yield refused
            return
        if isinstance(opened, Ignored):
            yield opened
            return
        for record in opened.records if isinstance(opened, Batch) else (opened,):
            yield from self._each(record, depth + 1, visits)

    def _opened(self, inner: Inner, depth: int) -> Fields | Inner | Batch | Ignored:
        content, where, attributes = inner
        if depth > MAX_ENVELOPES:
            raise reading.refusal(where, f"has more than {MAX_ENVELOPES} envelopes around it")
        if isinstance(content, bytearray | memoryview):
            content = bytes(content)
        if isinstance(content, str | bytes):
            if self.plain and (known := self.plain(_beginning(content))):
                return known
            content = reading.parse(content, where)
        if isinstance(content, Sequence) and not isinstance(content, str):
            if len(content) > MAX_RECORDS:
                raise _TooMany
            return Batch(
                [Inner(item, f"{where}[{i}]", attributes) for i, item in enumerate(content)]
            )
        if not isinstance(content, Mapping):
            raise reading.refusal(where, "must be a JSON object or a list of them")
        fields = Fields(content, where)
        opened = self.open(fields, attributes)
        faults = (
            list(reading.shallow(content, where))
            if isinstance(opened, Batch)
            else reading.inspect(content, where)
        )
        if faults:
            raise SignalRejected(faults)
        fields.check()
        return fields if opened is None else opened


def _beginning(content: str | bytes) -> str:
    head = content[:1000]
    return head if isinstance(head, str) else head.decode("utf-8", "replace")


class _TooMany(Exception):
    """More records than one delivery can have; raised and caught within `each`."""
