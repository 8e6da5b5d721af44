"""A store that tells of what was written to it, and a performer that tells of what is asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from crosswind.actions import Action, Call, Pending, Performer, Query
    from crosswind.ports import Change, Item, Store


class WatchedStore:
    """See `Store`; whatever else the store can do, this one can too.

    Args:
        store: where everything is kept.
        wrote: is told of partition and changes of every write that was made.
    """

    def __init__(self, store: Store, wrote: Callable[[str, Sequence[Change]], None]) -> None:
        self.store = store
        self.read: Callable[[str, str], Item | None] = store.read
        self.scan: Callable[..., Sequence[Item]] = store.scan
        self._wrote = wrote

    def write(self, partition: str, changes: Sequence[Change], token: str) -> Mapping[str, str]:
        """See `Store.write`."""
        versions = self.store.write(partition, changes, token)
        self._wrote(partition, changes)
        return versions

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)


class WatchedPerformer:
    """See `Performer`.

    Args:
        performer: who carries it out.
        called: is told of every action before it is asked for.
    """

    def __init__(self, performer: Performer, called: Callable[[Action[Any], Call], None]) -> None:
        self.performer = performer
        self.performs: tuple[type[Action[Any]], ...] = performer.performs
        self.answers: tuple[type[Query[Any]], ...] = performer.answers
        self.answer: Callable[[Any, float], Any] = performer.answer
        self._called = called

    def perform(self, action: Any, call: Call) -> Any | Pending:
        """See `Performer.perform`."""
        self._called(action, call)
        return self.performer.perform(action, call)
