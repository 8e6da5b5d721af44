"""Holds every call that reaches the world against what the journal and the gate say of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from crosswind.actions import Action, Call
from crosswind.records.record import Entry

if TYPE_CHECKING:
    from integration.proof.actors import Actor
    from integration.proof.director import Director


class Asking(NamedTuple):
    """One call that has reached the world."""

    key: str
    action: Action[Any]
    call: Call


class Watch:
    """Is told of every call before it takes effect.

    Attributes:
        asked: every call, in order.
        faults: what should never have been asked for, in words.
    """

    def __init__(self, director: Director) -> None:
        self.director = director
        self.asked: list[Asking] = []
        self.faults: list[str] = []

    def __call__(self, action: Action[Any], call: Call) -> None:
        """Look at one call."""
        self.asked.append(Asking(call.key, action, call))
        self.faults += (f"{action.kind} was asked for {why}" for why in self._faults(action, call))

    def _faults(self, action: Action[Any], call: Call) -> Iterator[str]:
        known = self.director.witness.actions.get(call.key)
        if known is None:
            yield "without a record of it"
            return
        if known.entry.args != action.model_dump(mode="json"):
            yield f"with {action!r}, the record says {known.entry.args}"
        at_work = self.director.at_work
        actor = next((one for one in self.director.actors if one.name == at_work), None)
        if actor is None:
            return  # it lands late: whether it was to be asked for was decided long ago
        looked, actor.looked = actor.looked, {}
        yield from self._brakes(actor, action, looked.get("brakes", -1))
        if not action.after_close:
            yield from self._chain(actor, known.chain, looked.get(f"chain:{known.chain} head", -1))
        yield from self._mode(known.chain, known.entry)

    def _brakes(self, actor: Actor, action: Action[Any], looked: int) -> Iterator[str]:
        director, workload = self.director, action.concerns()
        if looked < 0:
            yield "without a new look at the brakes"
        if director.witness.frozen(workload, director.now + actor.offset, looked):
            yield f"by {actor.name}, who knew of a freeze"
        since = director.witness.frozen_since(workload, actor.issued)
        if since is not None and actor.issued > since + director.scenario.settings.lease:
            yield f"{actor.issued - since:.1f} s into a freeze"

    def _chain(self, actor: Actor, chain: str, looked: int) -> Iterator[str]:
        witness = self.director.witness
        if looked < 0:
            yield "without a new look at the chain"
        if witness.closed(chain, looked):
            yield f"by {actor.name}, who knew that the chain was closed"
        since = witness.closed_since(chain)
        if since is not None and actor.issued > since + self.director.scenario.settings.lease:
            yield f"{actor.issued - since:.1f} s after the end"
        fenced = witness.fenced(chain, actor.written)
        if fenced:
            yield f"although {fenced}"

    def _mode(self, chain: str, entry: Entry) -> Iterator[str]:
        if entry.mode == "observe":
            yield "in mode observe"
        if entry.mode == "propose":
            key = f"settled:approval:{(entry.approval or {}).get('id')}"
            answer = self.director.witness.peek(f"chain:{chain}", key)
            if answer is None or b'"granted"' not in answer.value:
                yield "without approval"
