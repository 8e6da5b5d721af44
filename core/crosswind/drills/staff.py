"""Who answers proposals in a drill: the approvers that the fleet names, after an assumed time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from crosswind.sim import Answering, Reply

if TYPE_CHECKING:
    from crosswind.fleet.declaration import Fleet
    from crosswind.fleet.policies import ModePolicy
    from crosswind.sim import Draws
    from crosswind_events.catalogue.approval import ApprovalRequested


@dataclass(frozen=True, slots=True)
class Staff:
    """People who answer as somebody whom the fleet lets answer.

    Args:
        modes: of the fleet, which name the approvers.
        answering: when they answer, and which proposals nobody answers.
    """

    modes: ModePolicy
    answering: Answering = field(default_factory=lambda: Answering(after=300.0))

    @classmethod
    def of(cls, fleet: Fleet, after: float, spread: float, never: float) -> Staff:
        """The people of a fleet; see `Answering`."""
        return cls(fleet.modes, Answering(after=after, spread=spread, never=never))

    def asked(self, question: ApprovalRequested, draws: Draws) -> Iterable[Reply]:
        """See `People.asked`."""
        by = self.who(question.workload, question.action)
        for reply in self.answering.asked(question, draws):
            yield reply._replace(by=by)

    def who(self, workload: str | None, kind: str) -> str:
        """Somebody who may answer: of a pattern of names, one that it fits."""
        for approver in self.modes.approvers:
            name = approver.who.replace("*", "person").replace("?", "a")
            if approver.may(name, workload, kind):
                return name
        return self.answering.by

    def approvers(self, workload: str | None, kind: str) -> tuple[str, ...]:
        """The patterns of those who may answer; empty where the fleet names nobody."""
        return tuple(
            approver.who
            for approver in self.modes.approvers
            if approver.may(self.who(workload, kind), workload, kind)
        )
