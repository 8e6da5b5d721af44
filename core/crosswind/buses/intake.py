"""What becomes of what has arrived: worked, passed on, translated, or parked.

    an event             the engine works it; from a dead-letter queue it is buried instead
    a delayed event      opened when it is due, else put back for what is left
    a notification       translated; what it means is published, so that every group gets it
    what cannot be read  parked with the reason

A cloud says how its messages are opened and what its notifications mean, and sends delayed events.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from pydantic_core import to_json

from crosswind.buses.contents import MAX_ENVELOPES, Content, Native, Neutral, Unreadable
from crosswind.buses.later import DelayingBus, Later
from crosswind.engine.dispatch import Again, Around, Engine
from crosswind.errors import NotAccepted, Throttled, Unreachable
from crosswind.ports import Delivery, Message

if TYPE_CHECKING:
    from crosswind.signals import Translated
    from crosswind_events import Event

_FREE: Final = 4
"""Deliveries of a message after which it is tried less and less often."""

_LONGEST: Final = 300.0
"""Seconds between two tries at most."""

_SHARE: Final = 0.5
"""Of the time that is left, how much must remain for what is begun."""

_QUIET: Final = {"worked", "relayed", "translated"}


class Arrival(Protocol):
    """One message as it has arrived; an adapter's own holds more.

    `id` names it, `body` is given to what opens it, and `receipts` says how often it was
    delivered, this time included.
    """

    @property
    def id(self) -> str: ...

    @property
    def body(self) -> Any: ...

    @property
    def receipts(self) -> int: ...


class Outcome(NamedTuple):
    """What became of one part of a message, for logs and counts; `again` where it must come again.

    `what` is one of: worked, buried, relayed, translated, ignored, rejected, returned.
    """

    record: Arrival
    what: str
    type: str | None = None
    chain: str | None = None
    again: Again | None = None
    detail: str = ""

    @property
    def expected(self) -> bool:
        """Whether it is how things should go, and nothing that an operator looks for."""
        return self.what in _QUIET

    def told(self) -> dict[str, Any]:
        """What a log says of it, but for what became of it."""
        told: dict[str, Any] = {
            "message_id": self.record.id,
            "receipts": self.record.receipts,
            "chain": self.chain,
            "event_type": self.type,
            "detail": self.detail or None,
            "again_after": self.again.after if self.again else None,
        }
        return {name: value for name, value in told.items() if value is not None}


class _Part(NamedTuple):
    record: Arrival
    id: str
    content: Content

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
        opens: says what a body holds, at least one thing: the body of an arrival, or the text of
            a delayed event. What it raises is that message's alone.
        translate: makes events of a notification.
        around: entered while an event is worked; see `Engine.handle_batch`.
    """

    def __init__(
        self,
        engine: Engine,
        bus: DelayingBus,
        group: str,
        opens: Callable[[Any], list[Content]],
        translate: Callable[[Any], list[Translated]],
        around: Around | None = None,
    ) -> None:
        self.engine = engine
        self.bus = bus
        self.group = group
        self.around = around
        self._opens = opens
        self._translate = translate

    def until(self, left: float) -> float:
        """Until when something may be begun, so that it can be ended while the function lives.

        It may hold its lease for all of that; where the function's whole timeout is shorter, half
        of it must do.

        Args:
            left: seconds that the platform leaves the function.

        Returns:
            Seconds since the epoch.
        """
        return self.engine.clock() + left - min(self.engine.settings.lease, left * _SHARE)

    def take(
        self, records: Sequence[Arrival], until: float | None, *, dead: bool = False
    ) -> list[Outcome]:
        """Take in messages; one that fails does not touch its neighbours.

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
        outcomes += [self._guarded(part, until, self._pass_on) for part in others]
        return outcomes

    def put_back(self, outcomes: Sequence[Outcome], body: Callable[[Arrival], bytes]) -> list[str]:
        """Send copies of what must come again, where the bus itself would not bring it in time.

        Args:
            outcomes: of what was taken in.
            body: of an arrival, such as its group's queue holds it.

        Returns:
            Which were not accepted, why they must come again and why they cannot: whoever invoked
            the function has to see to those.
        """
        lost: list[str] = []
        due = comes_again(outcomes)
        # Not by their names: without a queue nobody promises that those differ.
        for record in {id(outcome.record): outcome.record for outcome in outcomes}.values():
            again = due.get(record.id)
            if again is None:
                continue
            at = self.engine.clock() + again.after
            refused = self.bus.send_later(self.group, record.id, body(record), at)
            if refused is not None:
                lost.append(f"{record.id}: {again.reason}; {refused}")
        return lost

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

    def _parts(self, record: Arrival) -> list[_Part]:
        found = self._due(self._opens(record.body), MAX_ENVELOPES)
        if len(found) == 1:
            return [_Part(record, record.id, found[0])]
        return [_Part(record, f"{record.id}:{n}", content) for n, content in enumerate(found)]

    def _due(self, found: list[Content], depth: int) -> list[Content]:
        """Open what was delayed and is due."""
        now = self.engine.clock()
        opened: list[Content] = []
        for content in found:
            if isinstance(content, Later) and content.due <= now and depth:
                opened += self._due(self._opens(content.event.decode()), depth - 1)
            else:
                opened.append(content)
        return opened

    def _work(self, parts: Sequence[_Part], until: float | None) -> Iterator[Outcome]:
        if not parts:
            return
        # One that kills the function takes the rest of its batch with it. So each time others are
        # first: what has been worked by then is known to the engine, however the batch ends.
        turn = (max(part.record.receipts for part in parts) - 1) % len(parts)
        deliveries = [part.delivery for part in (*parts[turn:], *parts[:turn])]
        try:
            again = self.engine.handle_batch(deliveries, self.group, until, around=self.around)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is one record's
            if len(parts) > 1:
                # Which one it was is not known; what was worked already is known to the engine.
                for part in sorted(parts, key=lambda one: one.record.receipts):
                    yield from self._work([part], until)
                return
            again = {parts[0].id: unexpected(error)}
        for part in parts:
            yield self._outcome(part, "worked", again.get(part.id))

    def _bury(self, parts: Sequence[_Part], until: float | None) -> Iterator[Outcome]:
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

    def _pass_on(self, part: _Part) -> Outcome:
        content = part.content
        if isinstance(content, Later):
            refused = self.bus.send_later(self.group, part.id, content.event, content.due)
            again = None if refused is None else Again(f"it could not be delayed: {refused}", 1.0)
            return self._outcome(part, "relayed", again)
        if isinstance(content, Unreadable):
            return self._park(part, f"undecodable: {content.reason}")
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
            return self._park(part, "; ".join(rejected))
        if not events:
            return self._outcome(part, "ignored", detail="; ".join(dict.fromkeys(ignored)))
        kinds = ", ".join(dict.fromkeys(event.type for event in events))
        return self._outcome(part, "translated", detail=kinds)

    def _park(self, part: _Part, reason: str) -> Outcome:
        self.engine.park(part.delivery, self.group, reason)
        return self._outcome(part, "rejected", detail=reason)

    def _outcome(
        self, part: _Part, what: str, again: Again | None = None, detail: str = ""
    ) -> Outcome:
        known = part.content if isinstance(part.content, Neutral) else None
        kind, chain = (known.type, known.chain) if known else (None, None)
        if again is None:
            return Outcome(part.record, what, kind, chain, detail=detail)
        again = Again(again.reason, patience(again.after, part.record.receipts))
        return Outcome(part.record, "returned", kind, chain, again, again.reason)


def comes_again(outcomes: Iterable[Outcome]) -> dict[str, Again]:
    """By message, when it must come again: as late as any part of it wishes."""
    due: dict[str, Again] = {}
    for outcome in outcomes:
        name = outcome.record.id
        if outcome.again is not None and (name not in due or due[name].after < outcome.again.after):
            due[name] = outcome.again
    return due


def unexpected(error: Exception) -> Again:
    """Why something comes again where nobody has foreseen it."""
    return Again(f"unexpected {type(error).__name__}: {error}", 1.0)


def patience(after: float, receipts: int) -> float:
    """Seconds until a message is tried again: what was asked for, and longer the older it gets.

    A store that is away for half an hour must not use up the deliveries that a message has.
    """
    return max(after, min(2.0 ** (receipts - _FREE), _LONGEST) if receipts >= _FREE else 0.0)


def _bytes(content: Content) -> bytes:
    assert not isinstance(content, Later), "it is sent on, and never handed over"
    if isinstance(content, Native):
        payload = content.payload
        return payload.encode() if isinstance(payload, str) else to_json(payload)
    return content.body
