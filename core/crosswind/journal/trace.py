"""One chain as a tree of causes: each event, the runs that worked it, and what those said.

The tree is flat here: its nodes in the order in which they are shown, each with its depth. A timer
that a handler sends to itself stays at the depth of the one before, so that a long wait is a list
and not a staircase.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from crosswind.journal import findings
from crosswind.journal.chain import Chain, Emitted, Run
from crosswind.journal.deliveries import Deliveries, Fate
from crosswind.records.identity import chain_id
from crosswind.records.record import Entry
from crosswind_events.catalogue.chain import ChainDeadline

if TYPE_CHECKING:
    from crosswind.app import App

AMBIENT = frozenset({"now", "fleet", "lock"})
"""Kinds of observation that every run makes and that say little for themselves."""


@dataclass(frozen=True, slots=True)
class EventNode:
    """One event.

    Attributes:
        fate: what became of it; `first` for the events that began the chain.
        at: seconds since the chain was opened at which it was made.
        due: the same for when it becomes due, None for at once.
        again: it is shown in full elsewhere; runs that race for a join make the same event.
        starts: the chain that it opens, where it is the first event of another.
        runs: how many runs worked it.
    """

    depth: int
    event: Mapping[str, Any]
    fate: Fate | Literal["first"]
    at: float
    due: float | None = None
    again: bool = False
    starts: str | None = None
    runs: int = 0

    @property
    def because(self) -> str:
        """The reason that it gives."""
        return findings.because(self.event.get("data"))

    @property
    def pieces(self) -> tuple[findings.Piece, ...]:
        """The evidence that it holds."""
        return findings.evidence(self.event.get("data"))

    @property
    def weighing(self) -> findings.Weighing | None:
        """What the evidence that it holds came to."""
        return findings.weighing(self.event.get("data"))

    @property
    def decisions(self) -> tuple[findings.Decision, ...]:
        """The decisions that it holds."""
        return findings.decisions(self.event.get("data"))


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that a run saw or did; `key` is an action's."""

    entry: Entry
    key: str | None
    at: float


@dataclass(frozen=True, slots=True)
class RunNode:
    """One run.

    Attributes:
        at: seconds since the chain was opened at which it began.
        took: seconds until it ended, None while it goes on.
        rest: seconds until it is continued, None where it is not waiting.
    """

    depth: int
    run: Run
    at: float
    took: float | None
    rest: float | None
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Trace:
    """A chain, ready to be shown."""

    chain: Chain
    now: float
    nodes: tuple[EventNode | RunNode, ...]

    @property
    def seconds(self) -> float:
        """How long it took, or has taken so far."""
        head = self.chain.head
        end = self.now if head is None or head.closed_at is None else head.closed_at
        return max(end - self.chain.opened, 0.0)

    @property
    def believed(self) -> EventNode | None:
        """The event that holds what was believed last, and why; None where nothing was weighed."""
        weighed = [node for node in self.nodes if isinstance(node, EventNode) and node.pieces]
        return max(reversed(weighed), key=lambda node: node.at, default=None)

    @property
    def simulated(self) -> bool:
        """Whether anything in it was only assumed."""
        return any(run.record.simulated for run in self.chain.runs)

    def as_json(self) -> dict[str, Any]:
        """The whole of it, for programs; times are seconds since the chain was opened."""
        chain, head = self.chain, self.chain.head
        lock = None if head is None else head.lock
        return {
            "chain": chain.id,
            "open": head is not None and head.open,
            "outcome": None if head is None else head.outcome,
            "opened": written(chain.opened),
            "seconds": round(self.seconds, 6),
            "lock": None
            if lock is None
            else {"flight": lock.flight, "target": lock.target, "epoch": lock.epoch},
            "simulated": self.simulated,
            "evidence": [event["id"] for event in chain.evidence],
            "believed": _believed_as_json(self.believed),
            "nodes": [_node_as_json(node) for node in self.nodes],
            "answers": {name: answer._asdict() for name, answer in chain.answers.items()},
        }


def trace(chain: Chain, app: App, now: float) -> Trace:
    """Build the tree of a chain; `now` is in seconds since the epoch."""
    return Trace(chain, now, tuple(_Tree(chain, app, now).nodes()))


def written(seconds: float) -> str:
    """A time as RFC 3339, UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


@dataclass(frozen=True, slots=True)
class _Pending:
    """An event or a run that is still to be shown."""

    depth: int
    event: Mapping[str, Any]
    emitted: Emitted | None = None
    run: Run | None = None


class _Tree:
    """Walks a chain from its first events; a stack instead of recursion, as chains may be deep."""

    def __init__(self, chain: Chain, app: App, now: float) -> None:
        self.chain = chain
        self.deliveries = Deliveries(chain, app, now)
        self.now = now
        self.seen: set[tuple[str, str]] = set()
        self.by_event: dict[tuple[str, str], list[Run]] = {}
        for run in chain.runs:
            self.by_event.setdefault(_name(run.event), []).append(run)

    def nodes(self) -> Iterator[EventNode | RunNode]:
        first = [run.event for run in self.chain.runs if "hop" not in run.event]
        roots = sorted([*first, *self.chain.evidence], key=lambda e: (e["time"], e["id"]))
        # After them what a redrive has taken out of an outbox: its runs stand all the same.
        for root in [*roots, *(run.event for run in self.chain.runs)]:
            if _name(root) not in self.seen:
                yield from self._under(root)

    def _under(self, root: Mapping[str, Any]) -> Iterator[EventNode | RunNode]:
        stack = [_Pending(0, root)]
        while stack:
            pending = stack.pop()
            if pending.run is not None:
                yield self._run(pending.depth, pending.run)
                emitted = self._emitted(pending.run, again=False)
                stack += [_Pending(pending.depth + 1, e.event, e) for e in reversed(emitted)]
                continue
            node = self._event(pending)
            yield node
            if node.again:
                continue
            self.seen.add(_name(node.event))
            runs = self.by_event.get(_name(node.event), [])
            timers = [timer for run in runs for timer in self._emitted(run, again=True)]
            stack += [_Pending(node.depth, e.event, e) for e in reversed(timers)]
            stack += [_Pending(node.depth + 1, node.event, run=run) for run in reversed(runs)]

    def _emitted(self, run: Run, *, again: bool) -> list[Emitted]:
        """The events of a run: the timers to itself, or all others."""
        return [
            emitted
            for emitted in run.emitted()
            if again == ("tick" in emitted.event and emitted.event["type"] == run.event["type"])
            and (
                emitted.event["type"] != ChainDeadline.event_type
                or _name(emitted.event) in self.by_event
            )
        ]

    def _event(self, pending: _Pending) -> EventNode:
        event, emitted = pending.event, pending.emitted
        again = _name(event) in self.seen
        runs = len(self.by_event.get(_name(event), ()))
        at = datetime.fromisoformat(event["time"]).timestamp() - self.chain.opened
        if emitted is None:
            fate: Fate | Literal["first"] = "worked" if "hop" in event else "first"
            return EventNode(pending.depth, event, fate, at, runs=runs)
        fate = self.deliveries.fate(emitted)
        due = None if emitted.due is None else emitted.due - self.chain.opened
        starts = chain_id(event["source"], event["id"]) if fate == "elsewhere" else None
        return EventNode(pending.depth, event, fate, at, due, again, starts, runs)

    def _run(self, depth: int, run: Run) -> RunNode:
        record, opened = run.record, self.chain.opened
        keys = iter([key for key, _ in run.actions()])
        steps = tuple(
            Step(entry, next(keys) if entry.is_action else None, entry.at - opened)
            for entry in record.log
        )
        return RunNode(
            depth=depth,
            run=run,
            at=record.began - opened,
            took=None if record.ended is None else record.ended - record.began,
            rest=None if record.until is None else record.until - self.now,
            steps=steps,
        )


def _name(event: Mapping[str, Any]) -> tuple[str, str]:
    return str(event["source"]), str(event["id"])


def _believed_as_json(node: EventNode | None) -> dict[str, Any] | None:
    """What was believed last: each piece as it was weighed, the sum, and what it had to come to."""
    if node is None:
        return None
    sums = node.weighing
    return {
        "event": node.event["id"],
        "at": round(node.at, 6),
        "because": node.because,
        "weighing": None if sums is None else asdict(sums),
        "pieces": [asdict(piece) for piece in node.pieces],
    }


def _node_as_json(node: EventNode | RunNode) -> dict[str, Any]:
    if isinstance(node, EventNode):
        return {
            "node": "event",
            "depth": node.depth,
            "at": round(node.at, 6),
            "due": node.due,
            "fate": node.fate,
            "again": node.again,
            "starts": node.starts,
            "event": dict(node.event),
        }
    record = node.run.record
    return {
        "node": "run",
        "depth": node.depth,
        "run": record.run,
        "handler": record.handler,
        "group": record.group,
        "code": record.code,
        "state": record.state,
        "why": record.why,
        "at": round(node.at, 6),
        "took": node.took,
        "turn": record.turn,
        "simulated": record.simulated,
        "redrives": record.redrives,
        "steps": [
            {"key": step.key, **step.entry.as_json(), "at": round(step.at, 6)}
            for step in node.steps
        ],
        "failures": [
            {"at": fail.at, "turn": fail.turn, "error": fail.error} for fail in record.fails
        ],
        "emitted": [
            emitted.event["id"]
            for emitted in node.run.emitted()
            if emitted.event["type"] != ChainDeadline.event_type
        ],
    }
