"""A simulation with everything that listens to it: rules, accounts, proposals, incidents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from crosswind.sim import Accounts, Invariants
from crosswind_events.catalogue.approval import ApprovalRequested, ApprovalSettled
from crosswind_events.catalogue.incident import IncidentOpened

if TYPE_CHECKING:
    from crosswind.ports import Message
    from crosswind.sim import Simulation


@dataclass(slots=True)
class Proposal:
    """What was proposed to a person. Moments are seconds since the beginning.

    Attributes:
        outcome: `granted`, `rejected`, `expired` or `voided`; None where it still stands open.
    """

    at: float
    workload: str | None
    action: str
    summary: str
    outcome: str | None = None
    settled: float | None = None

    @property
    def unanswered(self) -> bool:
        """Whether nobody has answered it, in its time or so far."""
        return self.outcome in (None, "expired")


@dataclass(frozen=True, slots=True)
class Met:
    """An incident that was opened, once for each trouble however often it was met.

    Attributes:
        at: seconds since the beginning.
    """

    at: float
    severity: str
    title: str
    cause: str
    region: str | None
    workload: str | None


class Watched:
    """Listens to a simulation from now on.

    Attributes:
        proposals: by approval. incidents: by name, each as it was opened first.
    """

    def __init__(self, simulation: Simulation) -> None:
        self.simulation = simulation
        self.invariants = Invariants(simulation)
        self.accounts = Accounts.of(simulation)
        self.proposals: dict[str, Proposal] = {}
        self.incidents: dict[str, Met] = {}
        simulation.on_message(self._hear)

    def _hear(self, message: Message) -> None:
        match message.attributes["type"]:
            case ApprovalRequested.event_type:
                self._asked(self._data(message))
            case ApprovalSettled.event_type:
                self._settled(self._data(message))
            case IncidentOpened.event_type:
                self._opened(self._data(message))

    def _data(self, message: Message) -> Any:
        return self.simulation.app.codec.decode(message.body).data

    def _asked(self, asked: ApprovalRequested) -> None:
        if asked.approval not in self.proposals:  # it is published again, and still the same
            self.proposals[asked.approval] = Proposal(
                self.simulation.now, asked.workload, asked.action, asked.summary
            )

    def _settled(self, settled: ApprovalSettled) -> None:
        proposal = self.proposals.get(settled.approval)
        if proposal is not None and proposal.outcome is None:
            proposal.outcome, proposal.settled = settled.outcome, self.simulation.now

    def _opened(self, opened: IncidentOpened) -> None:
        self.incidents.setdefault(
            opened.incident,
            Met(
                self.simulation.now,
                opened.severity,
                opened.title,
                opened.cause,
                opened.region,
                opened.workload,
            ),
        )
