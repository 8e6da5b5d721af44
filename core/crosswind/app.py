"""An App: the set of handlers, schedules and their types that a user deploys."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from crosswind.errors import DeclarationError
from crosswind.handlers import Flight, Function, Handler, Where, signature
from crosswind_events import Codec, EventData
from crosswind_events.catalogue.chain import ChainDeadline, RunResume

if TYPE_CHECKING:
    from crosswind.actions import Action, Query
    from crosswind.engine.settings import Settings

F = TypeVar("F", bound=Function)

_NAME = re.compile(r"[a-z][a-z0-9-]{0,62}")
_LONGEST = 256
_CRON = re.compile(r"(\S+\s+){4}\S+")

_OF_ENGINE = (RunResume, ChainDeadline)
"""What an engine says to itself, and so reads whatever the handlers are."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a handler of ticks is run.

    Exactly one of `cron` (five fields) and `every` (seconds) is set; `tz` is an IANA time zone.
    """

    name: str
    handler: str
    cron: str | None = None
    every: float | None = None
    tz: str = "UTC"


class App:
    """A set of reactions.

    Args:
        name: lower-case letters, digits and dashes; the source of its events is `//crosswind/NAME`.
        group: the deployed function that its handlers belong to, unless they name another.
        settings: bounds and times of the engine that runs it, where the defaults do not fit.
    """

    def __init__(
        self, name: str, *, group: str | None = None, settings: Settings | None = None
    ) -> None:
        if not _NAME.fullmatch(name):
            raise DeclarationError(
                f"App name {name!r}: use lower-case letters, digits and dashes, at most 63"
            )
        self.name = name
        self.group = group or name
        self.settings = settings
        self.source = f"//crosswind/{name}"
        self._handlers: dict[str, Handler] = {}
        self._schedules: dict[str, Schedule] = {}
        self._by_type: dict[str, tuple[Handler, ...]] | None = None
        self._codec: Codec | None = None
        self._ending: frozenset[str] | None = None

    @property
    def handlers(self) -> Sequence[Handler]:
        """All handlers in the order of their registration."""
        return tuple(self._handlers.values())

    @property
    def schedules(self) -> Sequence[Schedule]:
        """All schedules."""
        return tuple(self._schedules.values())

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups of its handlers: one deployed function each."""
        return tuple(dict.fromkeys(handler.group for handler in self._handlers.values()))

    @property
    def by_type(self) -> Mapping[str, tuple[Handler, ...]]:
        """Handlers by the event type that they take."""
        if self._by_type is None:
            table: dict[str, list[Handler]] = {}
            for handler in self._handlers.values():
                for data in handler.takes:
                    table.setdefault(data.event_type, []).append(handler)
            self._by_type = {name: tuple(handlers) for name, handlers in table.items()}
        return self._by_type

    @property
    def codec(self) -> Codec:
        """Reads and writes every event type that this app or Crosswind knows.

        The catalogue is loaded when a type occurs that no handler names: most apps use little of
        it, and a function on a cloud would wait for all of it at every start.
        """
        if self._codec is None:
            known: dict[str, type[EventData]] = {data.event_type: data for data in _OF_ENGINE}
            for handler in self._handlers.values():
                for data in (*handler.takes, *(e.data for e in handler.emits)):
                    named_alike = known.setdefault(data.event_type, data)
                    if named_alike is data and _claims_ours(data):
                        named_alike = _of_catalogue(data.event_type) or data
                    if named_alike is not data:
                        raise DeclarationError(
                            f"two classes are named {data.event_type}: "
                            f"{named_alike.__qualname__} and {data.__qualname__}"
                        )
            self._codec = Codec(known.values(), rest=_catalogue)
        return self._codec

    def handler(self, name: str) -> Handler | None:
        """The handler of this name, or that once had it."""
        found = self._handlers.get(name)
        if found is not None:
            return found
        return next((h for h in self._handlers.values() if name in h.was), None)

    def can_end(self, handler: Handler) -> bool:
        """Whether something that descends from this handler may end its chain."""
        if self._ending is None:
            ending = {h.name for h in self._handlers.values() if h.ends}
            grown = True
            while grown:
                grown = False
                for h in self._handlers.values():
                    if h.name not in ending and any(
                        follower.name in ending
                        for emits in h.emits
                        if emits.via != "start"
                        for follower in self.by_type.get(emits.data.event_type, ())
                    ):
                        ending.add(h.name)
                        grown = True
            self._ending = frozenset(ending)
        return handler.name in self._ending

    def on(
        self,
        *,
        reads: Iterable[type[Query[Any]]] = (),
        acts: Iterable[type[Action[Any]]] = (),
        where: Where | None = None,
        flight: Flight | None = None,
        deadline: float | None = None,
        aside: bool = False,
        attempts: int | None = None,
        group: str | None = None,
        name: str | None = None,
        was: Iterable[str] = (),
    ) -> Callable[[F], F]:
        """Register a reaction; the annotations of the function say to what and with what.

        Args:
            reads: kinds of query that it may observe.
            acts: kinds of action that it may take; its cloud permissions derive from both.
            where: which events of its types it wants.
            flight: one chain per target at a time.
            deadline: seconds after which an unfinished chain is declared stalled.
            aside: its dead letter never ends a chain (a notifier).
            attempts: how often it is tried; the engine's setting unless given.
            group: the deployed function that it belongs to.
            name: in journals; `module:function` unless given.
            was: earlier names, newest first.

        Raises:
            DeclarationError: says what is wrong with it.
        """

        def register(function: F) -> F:
            takes, emits, wants_context = signature(function)
            own = name or f"{function.__module__}:{function.__qualname__}"
            if len(own) > _LONGEST:
                raise DeclarationError(
                    f"{own:.60}…: a handler's name has at most {_LONGEST} characters; give name="
                )
            self._add(
                Handler(
                    name=own,
                    group=group or self.group,
                    function=function,
                    takes=takes,
                    emits=emits,
                    reads=tuple(reads),
                    acts=tuple(acts),
                    where=where,
                    flight=flight,
                    deadline=deadline,
                    aside=aside,
                    attempts=attempts,
                    was=tuple(was),
                    wants_context=wants_context,
                )
            )
            return function

        return register

    def schedule(
        self,
        cron: str | None = None,
        *,
        every: float | None = None,
        tz: str = "UTC",
        reads: Iterable[type[Query[Any]]] = (),
        acts: Iterable[type[Action[Any]]] = (),
        group: str | None = None,
        name: str | None = None,
    ) -> Callable[[F], F]:
        """Register a reaction to the passing of time; it takes `Event[Tick]`.

        Args:
            cron: five fields (minute, hour, day of month, month, day of week).
            every: seconds between ticks, instead of `cron`.
            tz: IANA time zone in which `cron` is read.
        """
        if (cron is None) == (every is None):
            raise DeclarationError("a schedule has either a cron line or every=SECONDS")
        if cron is not None and not _CRON.fullmatch(cron.strip()):
            raise DeclarationError(f"cron line {cron!r} does not have five fields")
        if every is not None and every <= 0:
            raise DeclarationError("every= takes a positive number of seconds")

        from crosswind_events.catalogue.schedule import Tick

        def register(function: F) -> F:
            own = name or f"{function.__module__}:{function.__qualname__}"
            takes = signature(function).takes
            if takes != (Tick,):
                raise DeclarationError(f"{own}: a scheduled handler takes Event[Tick]")
            self.on(
                reads=reads,
                acts=acts,
                group=group,
                name=own,
                where=Where(extensions=(("schedule", own),)),
            )(function)
            self._schedules[own] = Schedule(own, own, cron, every, tz)
            return function

        return register

    def include(self, other: App) -> None:
        """Take over the handlers and schedules of another app, with their names and groups."""
        for handler in other.handlers:
            self._add(handler)
        self._schedules.update({schedule.name: schedule for schedule in other.schedules})

    def _add(self, handler: Handler) -> None:
        for taken in (handler.name, *handler.was):
            other = self.handler(taken)
            if other is not None and other is not handler:
                raise DeclarationError(f"two handlers are named {taken}; give one of them name=")
        self._handlers[handler.name] = handler
        self._by_type = self._codec = self._ending = None


def _catalogue() -> Iterable[type[EventData]]:
    from crosswind_events import CATALOGUE

    return CATALOGUE


def _claims_ours(data: type[EventData]) -> bool:
    """Whether a class that is not of the catalogue is named as if it were."""
    ours = data.__module__.startswith("crosswind_events.")
    return data.event_type.startswith("dev.crosswind.") and not ours


def _of_catalogue(name: str) -> type[EventData] | None:
    return next((data for data in _catalogue() if data.event_type == name), None)
