"""A store, a bus and a performer that work as the ones they wrap, but for the faults they meet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from crosswind.actions import Action, Call, Pending, Performer, Query
from crosswind.errors import NotAccepted, Throttled, Unreachable
from crosswind.ports import Bus, Change, Item, Message, Store
from crosswind.testing.faults import Faults, PortCall, meet


class FaultyStore:
    """A store that meets faults.

    Args:
        store: what is done is done there.
        faults: decide on every call.
    """

    def __init__(self, store: Store, faults: Faults) -> None:
        self.store = store
        self.faults = faults

    def read(self, partition: str, key: str) -> Item | None:
        """See `Store.read`."""
        call = PortCall("store", "read", f"{partition} {key}", changes=False)
        return meet(
            self.faults, call, lambda: self.store.read(partition, key), _unreachable, _throttled
        )

    def scan(
        self, partition: str, prefix: str = "", after: str = "", limit: int = 100
    ) -> Sequence[Item]:
        """See `Store.scan`."""
        call = PortCall("store", "scan", f"{partition} {prefix}*", changes=False)
        return meet(
            self.faults,
            call,
            lambda: self.store.scan(partition, prefix, after, limit),
            _unreachable,
            _throttled,
        )

    def write(self, partition: str, changes: Sequence[Change], token: str) -> Mapping[str, str]:
        """See `Store.write`."""
        keys = " ".join(change.key for change in changes)
        call = PortCall("store", "write", f"{partition} {keys}", changes=True)
        return meet(
            self.faults,
            call,
            lambda: self.store.write(partition, changes, token),
            _unreachable,
            _throttled,
        )


class FaultyBus:
    """A bus that meets faults; asked for patience, it has taken the first half of the messages.

    Args:
        bus: what is published is published there.
        faults: decide on every call.
    """

    def __init__(self, bus: Bus, faults: Faults) -> None:
        self.bus = bus
        self.faults = faults

    def publish(self, messages: Sequence[Message]) -> None:
        """See `Bus.publish`."""
        ids = " ".join(str(message.attributes.get("type", message.id)) for message in messages)

        def unanswered() -> Exception:
            return NotAccepted(messages, "no answer")

        def throttled() -> Exception:
            half = len(messages) // 2
            if half:
                self.bus.publish(messages[:half])
            return NotAccepted(messages[half:], "throttled")

        call = PortCall("bus", "publish", ids, changes=True)
        meet(self.faults, call, lambda: self.bus.publish(messages), unanswered, throttled)


class FaultyPerformer:
    """A performer that meets faults.

    Args:
        performer: what is performed is performed by it.
        faults: decide on every call.
    """

    def __init__(self, performer: Performer, faults: Faults) -> None:
        self.performer = performer
        self.faults = faults
        self.performs: tuple[type[Action[Any]], ...] = performer.performs
        self.answers: tuple[type[Query[Any]], ...] = performer.answers

    def perform(self, action: Any, call: Call) -> Any | Pending:
        """See `Performer.perform`."""
        met = PortCall("performer", "perform", f"{action.kind} {call.key}", changes=True)
        return meet(
            self.faults,
            met,
            lambda: self.performer.perform(action, call),
            lambda: TimeoutError(f"{action.kind} was not answered"),
            lambda: ConnectionRefusedError(f"{action.kind}: too many requests"),
        )

    def answer(self, query: Any, timeout: float) -> Any:
        """See `Performer.answer`."""
        met = PortCall("performer", "answer", str(query.kind), changes=False)
        return meet(
            self.faults,
            met,
            lambda: self.performer.answer(query, timeout),
            lambda: TimeoutError(f"{query.kind} was not answered"),
            lambda: ConnectionRefusedError(f"{query.kind}: too many requests"),
        )


def _unreachable() -> Exception:
    return Unreachable("no answer")


def _throttled() -> Exception:
    return Throttled("too many requests")
