"""Events, handlers and schedules of an app, and what leads from one to the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from crosswind_events.catalogue.approval import ApprovalRequested
from crosswind_events.catalogue.chain import BranchFailed, ChainStalled
from crosswind_events.catalogue.deadletter import DeadLettered
from crosswind_events.catalogue.schedule import Tick

if TYPE_CHECKING:
    from crosswind.app import App, Schedule
    from crosswind.handlers import Handler
    from crosswind_events import EventData

Kind = Literal["event", "handler", "schedule"]
Way = Literal["takes", "next", "later", "branch", "start", "ticks"]

_OURS = "dev.crosswind."
_FIRST_VERSION = ".v1"
_BY_ENGINE = frozenset(
    data.event_type for data in (ApprovalRequested, BranchFailed, ChainStalled, DeadLettered)
)


@dataclass(frozen=True, slots=True)
class Node:
    """An event type, a handler or a schedule.

    Attributes:
        label: what is shown; `title` is its full name.
        notes: what else there is to know of it, for people: what a handler reads and does.
        entry: an event that opens chains: no step of a chain emits it.
        ends: the outcome with which an event ends its chain.
        engine: an event that the engine itself makes.
    """

    id: str
    kind: Kind
    label: str
    title: str
    notes: tuple[str, ...] = ()
    entry: bool = False
    ends: str | None = None
    engine: bool = False


@dataclass(frozen=True, slots=True)
class Edge:
    """What leads to what, and how: at once, by a timer, as a branch, as a chain of its own."""

    source: str
    target: str
    way: Way


@dataclass(frozen=True, slots=True)
class Graph:
    """The graph of an app."""

    name: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]


def build(app: App) -> Graph:
    """The graph of an app, in the order in which its handlers were registered."""
    events: dict[str, type[EventData]] = {}
    ids: dict[str, str] = {}
    emitted: set[str] = set()
    edges: dict[tuple[str, str, Way], Edge] = {}
    nodes: list[Node] = []
    schedules = {schedule.handler: schedule for schedule in app.schedules}

    def lead(source: str, target: str, way: Way) -> None:
        edges.setdefault((source, target, way), Edge(source, target, way))

    def event(data: type[EventData]) -> str:
        events.setdefault(data.event_type, data)
        return ids.setdefault(data.event_type, f"e{len(ids)}")

    for number, handler in enumerate(app.handlers):
        own = f"h{number}"
        nodes.append(_handler(own, handler))
        schedule = schedules.get(handler.name)
        if schedule is not None:
            nodes.append(_schedule(f"s{number}", schedule))
            lead(f"s{number}", own, "ticks")
        for data in handler.takes:
            if schedule is not None and data is Tick:
                continue
            lead(event(data), own, "takes")
        for emits in handler.emits:
            if emits.via != "start":
                emitted.add(emits.data.event_type)
            lead(own, event(emits.data), emits.via)
    nodes += [_event(ids[name], data, emitted) for name, data in events.items()]
    return Graph(app.name, tuple(nodes), tuple(edges.values()))


def short(kind: str) -> str:
    """An event type as it is shown: without our own prefix, and without `.v1`."""
    return kind.removeprefix(_OURS).removesuffix(_FIRST_VERSION)


def _event(identity: str, data: type[EventData], emitted: set[str]) -> Node:
    engine = data.event_type in _BY_ENGINE
    notes = (f"ends its chain: {data.ends}",) if data.ends else ()
    return Node(
        id=identity,
        kind="event",
        label=short(data.event_type),
        title=data.event_type,
        notes=notes,
        entry=data.event_type not in emitted and not engine,
        ends=data.ends,
        engine=engine,
    )


def _handler(identity: str, handler: Handler) -> Node:
    notes = [f"reads {query.kind}" for query in handler.reads]
    notes += [f"does {action.kind}" for action in handler.acts]
    if handler.flight is not None:
        notes.append(f"flight {handler.flight.name}: the second {handler.flight.second}s")
    return Node(
        id=identity,
        kind="handler",
        label=handler.name.rpartition(":")[2].rpartition(".")[2],
        title=handler.name,
        notes=tuple(notes),
    )


def _schedule(identity: str, schedule: Schedule) -> Node:
    label = (
        f"every {schedule.every:g} s"
        if schedule.every is not None
        else f"{schedule.cron} ({schedule.tz})"
    )
    return Node(id=identity, kind="schedule", label=label, title=f"schedule of {schedule.handler}")
