"""Handlers: a function, what it takes and gives, and how it is to be run.

The event type comes from the parameter's annotation, the emitted types from the return
annotation; both are enforced, so the graph drawn from them is the truth.
"""

from __future__ import annotations

import hashlib
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args, get_origin

from crosswind.context import Context
from crosswind.emissions import Branch, Later, Start
from crosswind.errors import DeclarationError
from crosswind_events import Event, EventData

if TYPE_CHECKING:
    from crosswind.actions import Action, Query

Function = Callable[..., Any]
Via = Literal["next", "later", "branch", "start"]

_WRAPPERS: dict[Any, Via] = {Later: "later", Branch: "branch", Start: "start"}
_SEQUENCES = (Iterator, Iterable, Sequence, list, tuple)


class Emits(NamedTuple):
    """One type that a handler may emit, and in which way."""

    data: type[EventData]
    via: Via


@dataclass(frozen=True, slots=True)
class Where:
    """A neutral filter, compiled by each adapter into the filter language of its bus.

    Attributes:
        subject: prefix of the event's subject.
        extensions: extension attributes that must be equal.
    """

    subject: str = ""
    extensions: tuple[tuple[str, str | int | bool], ...] = ()

    def admits(self, event: Event[Any]) -> bool:
        """Whether an event passes; this is what every compiled filter must agree with."""
        if self.subject and not (event.subject or "").startswith(self.subject):
            return False
        return all(equal(event.extensions.get(name), value) for name, value in self.extensions)


def equal(given: str | int | bool | None, wanted: str | int | bool) -> bool:
    """Whether an extension has a value, of the same type: True is not 1, nor "1"."""
    return type(given) is type(wanted) and given == wanted


@dataclass(frozen=True, slots=True)
class Flight:
    """One chain per target at a time; for handlers of first events.

    Args:
        name: several handlers may share one (failover and recovery of a region do).
        key: the target, from the event.
        second: what an event does that comes while another chain holds the target: `join` runs
            in that chain, `supersede` replaces it if newer by (time, id), `queue` waits.
    """

    name: str
    key: Callable[[Event[Any]], str]
    second: Literal["join", "supersede", "queue"] = "join"


@dataclass(frozen=True)
class Handler:
    """One registered reaction; made by `App.on`."""

    name: str
    group: str
    function: Function
    takes: tuple[type[EventData], ...]
    emits: tuple[Emits, ...]
    reads: tuple[type[Query[Any]], ...] = ()
    acts: tuple[type[Action[Any]], ...] = ()
    where: Where | None = None
    flight: Flight | None = None
    deadline: float | None = None
    aside: bool = False
    attempts: int | None = None
    was: tuple[str, ...] = ()
    wants_context: bool = True
    _types: frozenset[type[EventData]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_types", frozenset(e.data for e in self.emits))

    @property
    def key_name(self) -> str:
        """The name used in run keys: the oldest it has had."""
        return self.was[-1] if self.was else self.name

    @cached_property
    def ends(self) -> bool:
        """Whether it may emit an event that ends its chain."""
        return any(e.data.ends for e in self.emits if e.via != "start")

    @cached_property
    def code(self) -> str:
        """Digest of the function's code, to tell which version made a decision."""
        digest = hashlib.sha256()
        _feed(digest, self.function.__code__)
        return digest.hexdigest()[:16]

    def matches(self, event: Event[Any]) -> bool:
        """Whether this handler reacts to an event of a type that it takes."""
        return self.where is None or self.where.admits(event)

    def may_emit(self, data: EventData) -> bool:
        """Whether the return annotation names the type of `data`."""
        return type(data) in self._types


def _feed(digest: Any, code: types.CodeType) -> None:
    digest.update(code.co_code)
    digest.update(repr(code.co_names).encode())
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            _feed(digest, constant)
        else:
            digest.update(repr(constant).encode())


class Signature(NamedTuple):
    """What a function's annotations say."""

    takes: tuple[type[EventData], ...]
    emits: tuple[Emits, ...]
    wants_context: bool


def signature(function: Function) -> Signature:
    """Read a handler's annotations.

    Raises:
        DeclarationError: says what is missing and how to write it.
    """
    name = f"{function.__module__}:{function.__qualname__}"
    try:
        hints = typing.get_type_hints(function)
    except NameError as error:
        raise DeclarationError(
            f"{name}: an annotation cannot be resolved ({error}); "
            "define its types at module level, outside of TYPE_CHECKING"
        ) from error
    code = function.__code__
    parameters = code.co_varnames[: code.co_argcount]
    if len(parameters) not in (1, 2) or code.co_kwonlyargcount:
        raise DeclarationError(f"{name}: write it as def handler(event: Event[...], ctx: Context)")
    if len(parameters) == 2 and hints.get(parameters[1]) is not Context:
        raise DeclarationError(f"{name}: annotate its second parameter as Context")
    event = hints.get(parameters[0])
    if get_origin(event) is not Event:
        raise DeclarationError(f"{name}: annotate its first parameter as Event[SomeEventData]")
    if "return" not in hints:
        raise DeclarationError(
            f"{name}: annotate what it returns: None, SomeEventData or Iterator[A | B]"
        )
    takes = tuple(_data(name, option) for option in _options(get_args(event)[0]))
    return Signature(takes, tuple(_emits(name, hints["return"])), len(parameters) == 2)


def _options(annotation: Any) -> tuple[Any, ...]:
    if get_origin(annotation) in (typing.Union, types.UnionType):
        return get_args(annotation)
    return (annotation,)


def _emits(name: str, annotation: Any) -> Iterator[Emits]:
    for option in _options(annotation):
        origin = get_origin(option)
        if option is type(None):
            continue
        if origin in _SEQUENCES or origin is types.GeneratorType or _is_generator(origin):
            for inner in _options(get_args(option)[0]):
                if inner is not type(None):
                    yield _emit(name, inner)
        else:
            yield _emit(name, option)


def _is_generator(origin: Any) -> bool:
    import collections.abc

    return origin is collections.abc.Generator


def _emit(name: str, option: Any) -> Emits:
    via = _WRAPPERS.get(get_origin(option))
    if via is not None:
        return Emits(_data(name, get_args(option)[0]), via)
    return Emits(_data(name, option), "next")


def _data(name: str, option: Any) -> type[EventData]:
    if isinstance(option, type) and issubclass(option, EventData):
        return option
    raise DeclarationError(f"{name}: {option!r} is not a class of event data")
