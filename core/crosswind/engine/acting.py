"""One action on its way: before the gate, to its performer, onto the record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crosswind.actions import Action, Call, Pending, Query
from crosswind.engine.approvals import approval_requested
from crosswind.engine.log import Log
from crosswind.engine.turns import Drop, RunAgain, Suspend
from crosswind.engine.writer import RunWriter
from crosswind.errors import ActionRefused, Returned, RunFailed
from crosswind.gate.gate import Assume, Closed, Go, Renew, Request, Stop, Wait
from crosswind.records.identity import action_key
from crosswind.records.joins import Joins
from crosswind.records.record import Entry

if TYPE_CHECKING:
    from crosswind_events import Event


class Acting:
    """Takes the actions of one run."""

    def __init__(self, writer: RunWriter, event: Event[Any]) -> None:
        self.writer = writer
        self.runtime = writer.runtime
        self.record = writer.record
        self.event = event

    def claim(self, action: Action[Any], args: Any, log: Log) -> Entry:
        """Put an action on record, durably, before anything of it is done."""
        simulated = bool(self.event.extensions.get("simulated")) or self.record.simulated
        mode = self.runtime.gate.mode(action, self.runtime.fleet, simulated)
        entry = Entry(f"act:{action.kind}", args, at=self.runtime.clock(), mode=mode)
        log.append(entry)
        self.writer.claim()
        return entry

    def take(
        self, action: Action[Any], entry: Entry, index: int, hop: int, log: Log, joins: Joins
    ) -> Any:
        """Bring an action before the gate, and have it performed where the gate lets it go.

        Args:
            index: its number among the actions of the run.

        Raises:
            Drop: the chain is closed.
            Suspend: it takes long, a person has to approve, or it is frozen.
            RunAgain: what it was decided on has changed.
            ActionRefused: it must not be taken.
        """
        self.writer.unsee_head()
        head = self.writer.read_head()
        key = action_key(self.record.chain, self.record.run, index)
        request = Request(
            action=action,
            entry=entry,
            key=key,
            chain=self.record.chain,
            run=self.record.run,
            index=index,
            hop=hop,
            head=None if head is None else head[0],
            fleet=self.runtime.fleet,
            after_end="ended" in self.event.extensions,
            proposal=self.record.proposals,
        )
        match self.runtime.gate.decide(request, joins):
            case Go():
                return self._perform(action, entry, key)
            case Closed(outcome):
                raise Drop(f"the chain is closed: {outcome}")
            case Assume():
                entry.simulated = self.record.simulated = True
                return self._done(entry, action.assumed())
            case Wait(until, why, proposed):
                out = []
                if proposed:
                    self.record.proposals += 1
                    out.append(
                        approval_requested(self.runtime, self.event, self.record, action, entry)
                    )
                raise Suspend(until, why, out)
            case Stop(outcome, by, reason):
                entry.refused = {"outcome": outcome, "by": by, "reason": reason}
                entry.result = None
                raise ActionRefused(action.kind, outcome, by, reason)
            case Renew():
                log.forget_pending()
                raise RunAgain

    def _perform(self, action: Action[Any], entry: Entry, key: str) -> Any:
        performer = self.runtime.performer(action)
        timeout = self.writer.time_left()
        if timeout <= 0:
            raise Returned("the lease is over", self.runtime.settings.lease)
        entry.asked += 1
        call = Call(key, timeout, attempt=entry.asked, checking=entry.pending is not None)
        answer = performer.perform(action, call)
        if isinstance(answer, Pending):
            entry.pending = answer.note or "under way"
            raise Suspend(self.runtime.clock() + answer.check_after, entry.pending, [])
        check_returned(action, answer)
        entry.pending = None
        return self._done(entry, answer)

    def _done(self, entry: Entry, answer: Any) -> Any:
        entry.result = answer.model_dump(mode="json")
        entry.took = round(self.runtime.clock() - entry.at, 6)
        return answer


def check_returned(asked: Action[Any] | Query[Any], answer: Any) -> None:
    """Demand that a performer returned what the kind says.

    Raises:
        RunFailed: it returned something else.
    """
    if not isinstance(answer, asked.returns):
        raise RunFailed(
            f"the performer of {asked.kind} returned {type(answer).__name__}, "
            f"not {asked.returns.__name__}"
        )
