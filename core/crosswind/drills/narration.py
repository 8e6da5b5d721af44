"""What happened in a drill, step by step, in words.

Told is what was said and what took effect in the world; rounds of probes, retries and the engine's
talk to itself are left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from crosswind.journal.review.wording import lasting
from crosswind_events.catalogue.approval import ApprovalRequested, ApprovalSettled
from crosswind_events.catalogue.chain import ChainStalled
from crosswind_events.catalogue.failover import (
    EvidenceContradicted,
    FailoverCompleted,
    FailoverConfirmed,
    FailoverFailed,
    FailoverImpossible,
    FailoverPlanned,
    FailoverUnconfirmed,
    WorkloadSettled,
)
from crosswind_events.catalogue.incident import IncidentOpened, IncidentResolved
from crosswind_events.catalogue.recovery import (
    FailbackAbandoned,
    FailbackBegun,
    FailbackCompleted,
    FailbackFailed,
    FailbackPlanned,
    RecoveryConfirmed,
    RecoveryUnconfirmed,
    RegionRelapsed,
)
from crosswind_events.catalogue.region import RegionRecovered, RegionUnhealthy

if TYPE_CHECKING:
    from crosswind.drills.staff import Staff
    from crosswind.ports import Message
    from crosswind.sim import Happening, Simulation
    from crosswind_events import EventData

_NOTHING: Final = 1e-6

_DECIDED: Final[Mapping[type[EventData], str]] = {
    EvidenceContradicted: "the evidence is contradicted",
    FailoverConfirmed: "the evidence suffices",
    FailoverCompleted: "the failover is over: completed",
    FailoverFailed: "the failover is over: failed",
    FailoverImpossible: "the failover is over: no plan is safe",
    FailoverUnconfirmed: "the failover is over: the evidence did not suffice",
    RecoveryConfirmed: "it is well again, and has to stay so",
    RecoveryUnconfirmed: "too little says that it is well",
    RegionRelapsed: "it fails again",
    FailbackBegun: "the way back begins",
    FailbackCompleted: "the way back is over: completed",
    FailbackFailed: "the way back is over: failed",
    FailbackAbandoned: "the way back is given up",
    ChainStalled: "a chain did not end in its time",
}
"""Events that are told with the reason that they give."""


class Step(NamedTuple):
    """Something that happened.

    Attributes:
        at: seconds since the outage began.
        what: in a few words. why: the reason that was given, or details.
    """

    at: float
    what: str
    why: str = ""


class Narration:
    """Listens to a simulation and tells of it.

    Args:
        began: when the outage begins, in seconds since the beginning.
        staff: who answers proposals.
    """

    def __init__(self, simulation: Simulation, began: float, staff: Staff) -> None:
        self.steps: list[Step] = []
        self._simulation = simulation
        self._began = began
        self._staff = staff
        self._known = {data.event_type for data in _DECIDED} | _OTHERS
        self._seen: set[str] = set()
        self._witnesses: set[tuple[str, ...]] = set()
        simulation.on_message(self._hear)
        simulation.on_event(self._happen)

    def _tell(self, what: str, why: str = "") -> None:
        self.steps.append(Step(self._simulation.now - self._began, what, why))

    def _hear(self, message: Message) -> None:
        if message.attributes["type"] not in self._known or message.id in self._seen:
            return
        self._seen.add(message.id)
        data: Any = self._simulation.app.codec.decode(message.body).data
        for step in self._said(data):
            self._tell(*step)

    def _said(self, data: Any) -> Iterator[tuple[str, str]]:
        words = _DECIDED.get(type(data))
        if words is not None:
            region = getattr(data, "region", None) or getattr(
                getattr(data, "sweep", None), "region", None
            )
            yield (words if region is None else f"{region}: {words}"), data.because
            return
        match data:
            case RegionUnhealthy() | RegionRecovered():
                yield from self._heard(data)
            case FailoverPlanned() | FailbackPlanned():
                way = "plan" if isinstance(data, FailoverPlanned) else "plan for the way back"
                yield f"{data.plan.workload}: {way}: {_shares(data.plan.target)}", data.because
            case WorkloadSettled():
                yield f"{data.workload}: {data.outcome}", data.because
            case ApprovalRequested():
                yield self._question(data)
            case ApprovalSettled():
                yield f"the proposal is {data.outcome}", f"by {data.by}" if data.by else ""
            case IncidentOpened():
                yield f"{data.severity} incident: {data.title}", data.cause
            case IncidentResolved():
                yield "an incident is over", data.summary

    def _heard(self, data: RegionUnhealthy | RegionRecovered) -> Iterator[tuple[str, str]]:
        """The first word of each witness."""
        says = "fails" if isinstance(data, RegionUnhealthy) else "is well"
        witness = (says, data.region, data.evidence, data.vantage or "")
        if witness not in self._witnesses:
            self._witnesses.add(witness)
            if says == "fails":
                # Whoever says now that it fails may later say for the first time that it is well.
                self._witnesses.discard(("is well", *witness[1:]))
            where = f" from {data.vantage}" if data.vantage else ""
            yield f"{data.evidence}{where} says that {data.region} {says}", data.reason

    def _question(self, asked: ApprovalRequested) -> tuple[str, str]:
        may = ", ".join(self._staff.approvers(asked.workload, asked.action)) or "anybody"
        return (
            f"proposed to a person: {asked.summary}",
            f"may be approved by {may}; assumed to take {lasting(self._staff.answering.after)}",
        )

    def _happen(self, _: Simulation, what: Happening) -> None:
        if what.kind == "world":
            change = what.detail
            fault = change.fault
            place = fault.region or fault.domain or fault.cloud or "everywhere"
            self._tell(f"{place}: {what.about}")
        elif what.kind == "order" and what.detail.region is None:
            order = what.detail
            self._tell(f"{order.workload}: requests go {_moved(order.before, order.after)}")
        elif what.kind == "order":
            order = what.detail
            if order.before != order.after:
                self._tell(
                    f"{order.workload}: replicas in {order.region}: {order.before} → {order.after}"
                )


_OTHERS: Final = {
    data.event_type
    for data in (
        RegionUnhealthy,
        RegionRecovered,
        FailoverPlanned,
        FailbackPlanned,
        WorkloadSettled,
        ApprovalRequested,
        ApprovalSettled,
        IncidentOpened,
        IncidentResolved,
    )
}


def _shares(weights: Mapping[str, float]) -> str:
    return ", ".join(f"{region} {share:.0%}" for region, share in weights.items() if share)


def _moved(before: Mapping[str, float], after: Mapping[str, float]) -> str:
    """What has changed of where requests go."""
    return ", ".join(
        f"{region} {before.get(region, 0.0):.0%} → {after.get(region, 0.0):.0%}"
        for region in {**before, **after}
        if abs(before.get(region, 0.0) - after.get(region, 0.0)) > _NOTHING
    )
