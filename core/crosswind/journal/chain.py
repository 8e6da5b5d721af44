"""Everything stored of one chain, decoded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic_core import from_json

from crosswind.records.head import Head
from crosswind.records.identity import EVIDENCE, HEAD, RUN, action_key, chain_partition
from crosswind.records.joins import Answered
from crosswind.records.ledger import Ledger
from crosswind.records.record import Entry, Outgoing, Record

_SETTLED = "settled:"
_SCOPE = "scope:"
LIVE = frozenset({"claimed", "suspended", "retrying", "redriven"})
"""States of a record in which its run goes on."""


@dataclass(frozen=True, slots=True)
class Run:
    """One recorded run, with the event that it handled as JSON."""

    record: Record
    event: Mapping[str, Any]

    @property
    def key(self) -> str:
        """The run's key."""
        return self.record.run

    @property
    def live(self) -> bool:
        """Whether it goes on."""
        return self.record.state in LIVE

    def emitted(self) -> tuple[Emitted, ...]:
        """The events of its outbox, without those by which the engine continues it."""
        return tuple(Emitted(out, from_json(out.body)) for out in self.record.out if not out.resume)

    def actions(self) -> tuple[tuple[str, Entry], ...]:
        """Its actions in order, each with the key under which it is asked for."""
        entries = [entry for entry in self.record.log if entry.is_action]
        record = self.record
        return tuple(
            (action_key(record.chain, record.run, index), entry)
            for index, entry in enumerate(entries)
        )


@dataclass(frozen=True, slots=True)
class Emitted:
    """One event of an outbox; `due` in seconds since the epoch, None for at once."""

    out: Outgoing
    event: Mapping[str, Any]

    @property
    def due(self) -> float | None:
        """When it becomes due."""
        return self.out.due


@dataclass(frozen=True, slots=True)
class Chain:
    """One chain as it is stored.

    Attributes:
        head: None while the first event waits for its target, or where it was dropped.
        runs: in the order in which they began.
        evidence: the first events that were weighed, structured JSON.
        answers: settled questions by the name under which they are stored.
        cancelled: scopes whose timers are void, as parts of keys.
    """

    id: str
    head: Head | None
    runs: tuple[Run, ...]
    evidence: tuple[Mapping[str, Any], ...]
    answers: Mapping[str, Answered]
    cancelled: frozenset[str]

    @property
    def opened(self) -> float:
        """When it was opened, seconds since the epoch."""
        if self.head is not None:
            return self.head.opened
        return min((run.record.began for run in self.runs), default=0.0)


def read_chain(ledger: Ledger, chain: str) -> Chain | None:
    """Read one chain; None where nothing of it is stored."""
    head: Head | None = None
    runs: list[Run] = []
    evidence: list[Mapping[str, Any]] = []
    answers: dict[str, Answered] = {}
    cancelled: list[str] = []
    items = ledger.scan(chain_partition(chain))
    for key, value, _, _ in items:
        if key == HEAD:
            head = Head.decode(value)
        elif key.startswith(RUN):
            record = Record.decode(value)
            runs.append(Run(record, from_json(record.event)))
        elif key.startswith(EVIDENCE):
            evidence.append(from_json(value))
        elif key.startswith(_SETTLED):
            answers[key.removeprefix(_SETTLED)] = Answered(**from_json(value))
        elif key.startswith(_SCOPE):
            cancelled.append(key.removeprefix(_SCOPE))
    # An event that joined another chain leaves its role here, and nothing else.
    if head is None and not runs:
        return None
    runs.sort(key=lambda run: (run.record.began, run.key))
    evidence.sort(key=lambda event: (event["time"], event["id"]))
    return Chain(chain, head, tuple(runs), tuple(evidence), answers, frozenset(cancelled))
