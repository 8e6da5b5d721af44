"""Which groups an event goes to, told by its attributes alone."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from crosswind.handlers import Where, equal

if TYPE_CHECKING:
    from crosswind.app import App

Attributes = Mapping[str, str | int | bool]


class Binding(NamedTuple):
    """That a group wants the events of a type, all of them or those that pass a filter."""

    type: str
    where: Where | None = None

    def admits(self, attributes: Attributes) -> bool:
        """Whether an event of this type passes; agrees with `Where.admits` on the event itself."""
        where = self.where
        if where is None:
            return True
        if where.subject and not str(attributes.get("subject", "")).startswith(where.subject):
            return False
        return all(equal(attributes.get(name), value) for name, value in where.extensions)

    def filter(self) -> str:
        """The filter as canonical JSON, for other processes to read."""
        if self.where is None:
            return "null"
        extensions = sorted(self.where.extensions, key=lambda pair: pair[0])
        return json.dumps([self.where.subject, extensions], separators=(",", ":"))

    @classmethod
    def of(cls, kind: str, text: str) -> Binding:
        """The binding of a type and what `filter` gave."""
        parts = json.loads(text)
        if parts is None:
            return cls(kind)
        subject, extensions = parts
        return cls(kind, Where(subject, tuple((name, value) for name, value in extensions)))


class Routes:
    """The bindings of all groups, by the type of an event.

    An event that is addressed, by the attribute `group`, goes to that group alone, whether it has
    bindings or not; any other goes once to each group that has a binding for it. As on every bus,
    an event that nobody wants goes nowhere.
    """

    def __init__(self, bindings: Iterable[tuple[str, Binding]]) -> None:
        self._by_type: dict[str, list[tuple[str, Binding]]] = {}
        for group, binding in bindings:
            self._by_type.setdefault(binding.type, []).append((group, binding))

    def groups(self, attributes: Attributes) -> Iterable[str]:
        """The groups that an event goes to, each once; it has passed `limits.refusal`."""
        addressed = attributes.get("group")
        if addressed is not None:
            return (str(addressed),)
        wanted = self._by_type.get(str(attributes["type"]), ())
        return dict.fromkeys([group for group, binding in wanted if binding.admits(attributes)])


def bindings(app: App) -> Iterator[tuple[str, Binding]]:
    """Which events the groups of an app want, handler by handler."""
    for handler in app.handlers:
        for data in handler.takes:
            yield handler.group, Binding(data.event_type, handler.where)
