"""What becomes of the records that have arrived: worked, passed on, translated, or parked.

    an event             the engine works it; from a dead-letter queue it is buried instead
    a delayed event      opened when it is due, else put back for what is left
    a notification       translated; what it means is published, so that every group gets it
    what cannot be read  parked with the reason

Nothing here is particular to a cloud but what it is given: the translation and the delays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from pydantic_core import to_json

from crosswind.engine.dispatch import Again, Engine
from crosswind.errors import NotAccepted, Throttled, Unreachable
from crosswind.ports import Bus, Delivery, Message
from crosswind_aws.arrivals import Record
from crosswind_aws.contents import MAX_ENVELOPES, Native, Neutral, contents
from crosswind_aws.later import Later

if TYPE_CHECKING:
    from crosswind.signals import Translated
    from crosswind_events import Event

_FREE: Final = 4
"""Deliveries of a message after which it is tried less and less often."""

_LONGEST: Final = 300.0
"""Seconds between two tries at most."""


class DelayingBus(Bus, Protocol):
    """A bus that can also send to one group at a later time."""

    def send_later(self, group: str, name: str, event: bytes, due: float) -> str | None:
        """Send; why it was not accepted, None where it was."""
        ...


class Outcome(NamedTuple):
    """What became of one part of a record, for logs and counts; `again` where it must come again.

    `what` is one of: worked, buried, relayed, translated, ignored, rejected, returned.
    """

    record: Record
    what: str
    type: str | None = None
    chain: str | None = None
    again: Again | None = None
    detail: str = ""


class _Part(NamedTuple):
    record: Record
    id: str
    content: Neutral | Later | Native

    @property
    def delivery(self) -> Delivery:
        """As the engine is handed it."""
        return Delivery(self.id, _bytes(self.content), self.record.receipts)


class Intake:
    """Takes in what arrives at one group's function.

    Args:
        engine: works events.
        bus: where translated events go out, and delayed ones back.
        group: whose function it is.
        translate: makes events of a notification.
    """

    def __init__(
        self,
        engine: Engine,
        bus: DelayingBus,
        group: str,
        translate: Callable[[Any], list[Translated]],
    ) -> None:
        self.engine = engine
        self.bus = bus
        self.group = group
        self._translate = translate

    def take(
        self, records: Sequence[Record], until: float | None, *, dead: bool = False
    ) -> list[Outcome]:
        """Take in records; one that fails does not touch its neighbours.

        Args:
            until: seconds since the epoch after which none is begun.
            dead: they come from a dead-letter queue.
        """
        parts: list[_Part] = []
        outcomes: list[Outcome] = []
        for record in records:
            try:
                parts += self._parts(record)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is this record's
                outcomes.append(Outcome(record, "returned", again=unexpected(error)))
        events = [part for part in parts if isinstance(part.content, Neutral)]
        outcomes += self._bury(events, until) if dead else self._work(events, until)
        others = [part for part in parts if not isinstance(part.content, Neutral)]
        outcomes += [self._guarded(part, until, self._relay_or_translate) for part in others]
        return outcomes

    def publish(self, events: Iterable[Event[Any]]) -> None:
        """Publish events that come from outside.

        Raises:
            NotAccepted: names those that were not taken.
        """
        # Imported here, as most of what arrives is worked and not published.
        from crosswind.engine.emit import pack

        out = [pack(self.engine.app, event) for event in events]
        self.bus.publish([Message(o.message_id, o.body, o.attributes) for o in out])

    def translate(self, payload: str | Mapping[str, Any]) -> list[Translated]:
        """What each notification in a payload means."""
        return self._translate(payload)

    def _parts(self, record: Record) -> list[_Part]:
        found = self._due(contents(record.body), MAX_ENVELOPES)
        if len(found) == 1:
            return [_Part(record, record.id, found[0])]
        return [_Part(record, f"{record.id}:{n}", content) for n, content in enumerate(found)]

    def _due(
        self, found: list[Neutral | Later | Native], depth: int
    ) -> list[Neutral | Later | Native]:
        """Open what was delayed and is due."""
        now = self.engine.clock()
        opened: list[Neutral | Later | Native] = []
        for content in found:
            if isinstance(content, Later) and content.due <= now and depth:
                opened += self._due(contents(content.event.decode()), depth - 1)
            else:
                opened.append(content)
        return opened

    def _work(self, parts: Sequence[_Part], until: float | None) -> Iterable[Outcome]:
        if not parts:
            return
        # One that kills the function takes the rest of its batch with it. So each time others are
        # first: what has been worked by then is known to the engine, however the batch ends.
        turn = (max(part.record.receipts for part in parts) - 1) % len(parts)
        deliveries = [part.delivery for part in (*parts[turn:], *parts[:turn])]
        try:
            again = self.engine.handle_batch(deliveries, self.group, until)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is one record's
            if len(parts) > 1:
                # Which one it was is not known; what was worked already is known to the engine.
                for part in sorted(parts, key=lambda one: one.record.receipts):
                    yield from self._work([part], until)
                return
            again = {parts[0].id: unexpected(error)}
        for part in parts:
            yield self._outcome(part, "worked", again.get(part.id))

    def _bury(self, parts: Sequence[_Part], until: float | None) -> Iterable[Outcome]:
        for part in parts:
            yield self._guarded(part, until, self._bury_one)

    def _bury_one(self, part: _Part) -> Outcome:
        return self._outcome(part, "buried", self.engine.bury(part.delivery, self.group))

    def _guarded(
        self, part: _Part, until: float | None, step: Callable[[_Part], Outcome]
    ) -> Outcome:
        if until is not None and self.engine.clock() >= until:
            return self._outcome(part, "", Again("there was no time left to start it", 0.0))
        try:
            return step(part)
        except Throttled as error:
            again = Again(f"the store is throttled: {error}", 1.0)
        except Unreachable as error:
            again = Again(f"the store is unreachable: {error}", self.engine.settings.wait)
        except NotAccepted as error:
            again = Again(str(error), 1.0)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is this record's
            again = unexpected(error)
        return self._outcome(part, "", again)

    def _relay_or_translate(self, part: _Part) -> Outcome:
        content = part.content
        if isinstance(content, Later):
            refused = self.bus.send_later(self.group, part.id, content.event, content.due)
            again = None if refused is None else Again(f"it could not be delayed: {refused}", 1.0)
            return self._outcome(part, "relayed", again)
        assert isinstance(content, Native), "events are worked"
        events: list[Event[Any]] = []
        ignored: list[str] = []
        rejected: list[str] = []
        for translated in self._translate(content.payload):
            if isinstance(translated, list):
                events += translated
            elif isinstance(translated, Exception):
                rejected.append(str(translated))
            else:
                ignored.append(translated.reason)
        self.publish(events)
        if rejected:
            reason = "; ".join(rejected)
            self.engine.parking.park(self.group, part.delivery, reason, None)
            return self._outcome(part, "rejected", detail=reason)
        if not events:
            return self._outcome(part, "ignored", detail="; ".join(dict.fromkeys(ignored)))
        kinds = ", ".join(dict.fromkeys(event.type for event in events))
        return self._outcome(part, "translated", detail=kinds)

    def _outcome(
        self, part: _Part, what: str, again: Again | None = None, detail: str = ""
    ) -> Outcome:
        known = part.content if isinstance(part.content, Neutral) else None
        kind, chain = (known.type, known.chain) if known else (None, None)
        if again is None:
            return Outcome(part.record, what, kind, chain, detail=detail)
        again = Again(again.reason, patience(again.after, part.record.receipts))
        return Outcome(part.record, "returned", kind, chain, again, again.reason)


def unexpected(error: Exception) -> Again:
    """Why a record comes again where nobody has foreseen it."""
    return Again(f"unexpected {type(error).__name__}: {error}", 1.0)


def patience(after: float, receipts: int) -> float:
    """Seconds until a message is tried again: what was asked for, and longer the older it gets.

    A store that is away for half an hour must not use up the deliveries that a message has.
    """
    return max(after, min(2.0 ** (receipts - _FREE), _LONGEST) if receipts >= _FREE else 0.0)


def _bytes(content: Neutral | Later | Native) -> bytes:
    if isinstance(content, Neutral):
        return content.body
    if isinstance(content, Later):
        return content.event
    payload = content.payload
    return payload.encode() if isinstance(payload, str) else to_json(payload)
