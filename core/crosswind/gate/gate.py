"""What every action passes before its performer.

| asked in this order             | answer                                                   |
|---------------------------------|----------------------------------------------------------|
| is the chain closed?            | `Closed`, except for what may be done after the end      |
| is the mode observe?            | `Assume`: nothing is done, the result is assumed         |
| is the glass broken?            | `Go`                                                     |
| is it frozen?                   | `Wait`, not counted as a failure; not what tells people  |
| does a freeze window stand?     | a person must approve, whatever the mode                 |
| must a person approve?          | `Wait` with a proposal; `Go` or `Stop` when answered     |
| is it within the limits?        | `Go`, counted; beyond a limit a person must approve      |
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from crosswind.actions import Action
from crosswind.gate.brakes import Brakes
from crosswind.gate.limits import Limits
from crosswind.records.identity import name_id
from crosswind.records.joins import Joins

if TYPE_CHECKING:
    from crosswind.fleet.declaration import Fleet
    from crosswind.fleet.freezes import Standing
    from crosswind.records.head import Head
    from crosswind.records.record import Entry


class Go(NamedTuple):
    """Perform it."""


class Assume(NamedTuple):
    """Do nothing; go on with the assumed result."""


class Closed(NamedTuple):
    """The chain has ended; drop the run."""

    outcome: str


class Wait(NamedTuple):
    """Suspend the run until then.

    `proposed` is set where a person has to be asked.
    """

    until: float
    why: str
    proposed: bool = False


class Stop(NamedTuple):
    """It must not be taken."""

    outcome: str
    by: str | None
    reason: str


class Renew(NamedTuple):
    """What the granted proposal relied on has changed: observe and decide again.

    Where that comes out the same, what was granted holds; else the grant is void, and what comes
    out instead is proposed.
    """

    why: str


Verdict = Go | Assume | Closed | Wait | Stop | Renew


@dataclass(slots=True)
class Request:
    """One action before the gate.

    Attributes:
        entry: its entry in the record; mode and proposal are noted there.
        key: its stable key.
        after_end: the run descends from the event that ended the chain.
        proposal: the number that a proposal made now would have.
    """

    action: Action[Any]
    entry: Entry
    key: str
    chain: str
    run: str
    index: int
    hop: int
    head: Head | None
    fleet: Fleet | None
    after_end: bool
    proposal: int


class Gate:
    """Decides on each action of a fleet."""

    def __init__(
        self,
        brakes: Callable[[], Brakes],
        limits: Limits,
        clock: Callable[[], float],
        *,
        approval: float,
        freeze_check: float,
        skew: float,
    ) -> None:
        self.brakes = brakes
        self.limits = limits
        self.clock = clock
        self.approval = approval
        self.freeze_check = freeze_check
        self.skew = skew

    def mode(self, action: Action[Any], fleet: Fleet | None, simulated: bool) -> str:
        """The mode of an action: observe, propose or act; after a simulation all is observed."""
        if simulated or fleet is None:
            return "observe"
        mode = fleet.mode_for(action.concerns(), action.kind)
        return "propose" if mode == "act" and not action.idempotent else mode

    def decide(self, request: Request, joins: Joins) -> Verdict:
        """Answer one request; see the table above."""
        action, entry, head = request.action, request.entry, request.head
        if (
            head is not None
            and head.outcome is not None
            and not (action.after_close and request.after_end)
        ):
            return Closed(head.outcome)
        if entry.mode == "observe" or request.fleet is None:
            return Assume()
        now, workload = self.clock(), action.concerns()
        brakes = self.brakes()
        if brakes.break_glass is not None and brakes.break_glass.applies(workload, now):
            entry.mode = "break-glass"
            return Go()
        # What only tells people is not stopped: a freeze is when they most need to know.
        freeze = None if action.after_close else brakes.freeze
        if freeze is not None and freeze.applies(workload, now):
            until = min(now + self.freeze_check, freeze.until or float("inf"))
            return Wait(until, f"frozen by {freeze.by}: {freeze.reason}")
        window = self._window(request, now)
        if entry.mode == "act" and window is not None:
            # Kept in the record: what was asked is answered, also where the window ends before.
            entry.mode = "propose"
            return self._approved(request, joins, now, str(window)) or self._count(request)
        if entry.mode == "act":
            excess = self.limits.count(request.fleet, workload, action.effects(), request.key)
            if excess is None:
                return Go()
            entry.mode = "propose"
            proposal = self._proposal(request, f"beyond a limit ({excess})")
            return self._propose(request, proposal)
        why = "approval is required" + (f"; {window}" if window is not None else "")
        return self._approved(request, joins, now, why) or self._count(request)

    def _window(self, request: Request, now: float) -> Standing | None:
        """The freeze window that holds the action back.

        What tells people is never held back, nor is what has been begun: it was let through.
        """
        action, fleet = request.action, request.fleet
        if action.after_close or request.entry.asked or fleet is None or not fleet.freezes:
            return None
        return fleet.frozen(action.concerns(), action.kind, now)

    def _approved(self, request: Request, joins: Joins, now: float, why: str) -> Verdict | None:
        """None when a person has granted it; `why` says why one is asked."""
        entry, approval = request.entry, request.entry.approval
        plan = request.action.covered_by()
        if approval is None:
            if plan is not None:
                answer = joins.settled(f"plan:{plan}")
                if answer is not None and answer.outcome == "granted":
                    return None
            proposal = self._proposal(request, why)
            answer = joins.settled(f"approval:{proposal['id']}")
            if answer is None or answer.outcome != "granted":
                return self._propose(request, proposal)
            # It was granted, then decided anew on later evidence, and came out the same.
            entry.approval = approval = proposal
        else:
            answer = joins.settled(f"approval:{approval['id']}")
            if answer is None:
                if now < approval["expires"] - self.skew:
                    return Wait(approval["expires"], "waiting for approval")
                answer = joins.settle(f"approval:{approval['id']}", "expired", request.hop)
            if answer.outcome != "granted":
                return Stop(answer.outcome, answer.by, answer.reason)
            if _evidence(request) != approval["evidence"]:
                return Renew("evidence came in after it was proposed")
        approval["by"] = answer.by
        if plan is not None:
            joins.settle(f"plan:{plan}", "granted", request.hop, answer.by)
        return None

    def _count(self, request: Request) -> Verdict:
        assert request.fleet is not None
        action = request.action
        self.limits.count(
            request.fleet, action.concerns(), action.effects(), request.key, force=True
        )
        return Go()

    def _proposal(self, request: Request, why: str) -> dict[str, Any]:
        """The question to a person; the same action of the same run is the same question."""
        return {
            "id": name_id("approval", request.run, request.index, request.action.question()),
            "number": request.proposal,
            "expires": self.clock() + self.approval,
            "evidence": _evidence(request),
            "why": why,
        }

    def _propose(self, request: Request, proposal: dict[str, Any]) -> Wait:
        request.entry.approval = proposal
        return Wait(proposal["expires"], proposal["why"], proposed=True)


def _evidence(request: Request) -> int:
    return 0 if request.head is None else request.head.evidence
