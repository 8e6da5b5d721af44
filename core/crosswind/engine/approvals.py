"""Approvals: what a person is asked, and how the answer reaches the run that waits.

A proposal is a question of its chain, settled once: granted, rejected, expired or voided. Who
answers comes from a verified identity, never from event data.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from crosswind.engine import emit
from crosswind.engine.outbox import publish
from crosswind.errors import CrosswindError
from crosswind.records.identity import RUN, chain_partition, emitted_id, name_id
from crosswind.records.joins import Answered, Joins
from crosswind.records.record import Entry, Outgoing, Record
from crosswind_events import Event
from crosswind_events.catalogue.approval import ApprovalRequested, ApprovalSettled

if TYPE_CHECKING:
    from crosswind.actions import Action
    from crosswind.app import App
    from crosswind.engine.runtime import Runtime
    from crosswind.ports import Bus


_SUMMARY = 2_000


class NoSuchProposal(CrosswindError, LookupError):
    """No run of the chain waits for this approval."""


class NotAnApprover(CrosswindError, PermissionError):
    """Somebody answers who may not, by the fleet's `modes.approvers`."""


class Proposal(NamedTuple):
    """A question that waits for a person; times in seconds since the epoch."""

    approval: str
    chain: str
    run: str
    turn: int
    handler: str
    group: str
    action: str
    args: dict[str, Any]
    why: str
    expires: float


def shortened(text: str, most: int) -> str:
    """A text for people, cut where it is too long for an event."""
    return text if len(text) <= most else text[: most - 1] + "…"


def approval_requested(
    runtime: Runtime, cause: Event[Any], record: Record, action: Action[Any], entry: Entry
) -> Outgoing:
    """The event that asks for an approval."""
    approval = entry.approval or {}
    app = runtime.app
    relies_on = entry.args.get("relies_on") if isinstance(entry.args, dict) else None
    event = Event.of(
        ApprovalRequested(
            approval=approval["id"],
            chain=record.chain,
            run=record.run,
            workload=action.concerns(),
            action=action.kind,
            summary=shortened(action.summary(), _SUMMARY),
            arguments_digest=name_id(entry.args),
            relies_on=relies_on if isinstance(relies_on, dict) else {},
            proposal=approval["number"],
            expires=datetime.fromtimestamp(approval["expires"], UTC),
        ),
        id=emitted_id(record.chain, f"approval:{approval['id']}", 0),
        source=app.source,
        time=datetime.fromtimestamp(runtime.clock(), UTC),
        subject=cause.subject,
        extensions={
            "correlationid": record.chain,
            "partitionkey": record.chain,
            "causationid": cause.id,
            "hop": int(cause.extensions.get("hop", 0)) + 1,
        },
    )
    return emit.pack(app, event)


class Approvals:
    """Lists and answers the proposals of chains."""

    def __init__(self, app: App, runtime: Runtime, bus: Bus) -> None:
        self.app = app
        self.runtime = runtime
        self.bus = bus

    def waiting(self, chain: str) -> list[Proposal]:
        """The proposals of a chain that wait for a person."""
        found = []
        for item in self.runtime.ledger.scan(chain_partition(chain), RUN):
            record = Record.decode(item.value)
            entry = record.log[-1] if record.log else None
            if record.state != "suspended" or entry is None or entry.approval is None:
                continue
            if self._joins(chain).settled(f"approval:{entry.approval['id']}") is not None:
                continue
            found.append(_proposal(record, entry))
        return found

    def answer(
        self,
        chain: str,
        approval: str,
        outcome: Literal["granted", "rejected"],
        by: str,
        reason: str = "",
    ) -> Answered:
        """Answer a proposal, once, and wake the run that waits for it.

        Returns:
            The answer that won; another's, where another was quicker or it has expired.

        Raises:
            NoSuchProposal: no run of the chain waits for it.
            NotAnApprover: the fleet declares who may answer, and this is none of them.
        """
        for item in self.runtime.ledger.scan(chain_partition(chain), RUN):
            record = Record.decode(item.value)
            entry = record.log[-1] if record.log else None
            if entry is None or entry.approval is None or entry.approval["id"] != approval:
                continue
            self._check(by, record, entry)
            if entry.approval["expires"] <= self.runtime.clock():
                answer = self._joins(chain).settle(f"approval:{approval}", "expired", 1)
            else:
                answer = self._joins(chain).settle(f"approval:{approval}", outcome, 1, by, reason)
            self._wake(record, approval, answer)
            return answer
        raise NoSuchProposal(f"no run of chain {chain} waits for approval {approval}")

    def _check(self, by: str, record: Record, entry: Entry) -> None:
        """Demand that somebody may answer, by the fleet as it is declared now."""
        fleet = self.runtime.fleet
        if fleet is None:
            return
        proposal = _proposal(record, entry)
        workload = proposal.args.get("workload")
        if not fleet.modes.may_approve(by, workload, proposal.action):
            may = ", ".join(one.who for one in fleet.modes.approvers)
            raise NotAnApprover(
                f"{by} may not answer for {proposal.action} of "
                f"{workload or 'the fleet'}; fleet {fleet.name} names {may} under modes.approvers"
            )

    def _wake(self, record: Record, approval: str, answer: Answered) -> None:
        """Continue the run that waits, and tell whoever wants to know."""
        outcome = answer.outcome
        wake = emit.resume(
            self.app,
            handler=record.handler,
            group=record.group,
            chain=record.chain,
            run=record.run,
            turn=record.turn,
            now=self.runtime.clock(),
            due=None,
            again=f"{record.turn}-{outcome}",
        )
        told = Event.of(
            ApprovalSettled(
                approval=approval,
                chain=record.chain,
                outcome=outcome,
                by=answer.by,
                reason=answer.reason or None,
            ),
            id=emitted_id(record.chain, f"approval:{approval}", 1),
            source=self.app.source,
            time=datetime.fromtimestamp(answer.at, UTC),
            extensions={"correlationid": record.chain, "partitionkey": record.chain, "hop": 1},
        )
        publish(self.bus, [wake, emit.pack(self.app, told)])

    def _joins(self, chain: str) -> Joins:
        clock = self.runtime.clock
        return Joins(self.runtime.ledger, chain, clock, self.runtime.expires(clock()))


def _proposal(record: Record, entry: Entry) -> Proposal:
    approval = entry.approval or {}
    return Proposal(
        approval=approval["id"],
        chain=record.chain,
        run=record.run,
        turn=record.turn,
        handler=record.handler,
        group=record.group,
        action=entry.kind.partition(":")[2],
        args=entry.args,
        why=approval["why"],
        expires=approval["expires"],
    )
