"""The reaction to drift: what the register intends is asserted again, through the gate."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from crosswind.app import App
from crosswind.chains.drift.assertion import Asserted, assert_intended
from crosswind.chains.drift.detection import incident_of
from crosswind.chains.incidents.operations import OpenIncidents, ResolveIncident
from crosswind.context import Context
from crosswind.errors import ActionRefused
from crosswind.fleet.operations import ReadRegister
from crosswind.handlers import Flight
from crosswind.operations.endpoints import EndpointStatus, ScaleEndpoint
from crosswind.operations.traffic import CurrentWeights, SetWeights
from crosswind_events import Event
from crosswind_events.catalogue.drift import (
    DriftDetected,
    DriftGone,
    DriftReconciled,
    DriftUnresolved,
)
from crosswind_events.catalogue.incident import IncidentOpened, IncidentResolved

chain: Final = App("drift")

DEADLINE: Final = 86_400.0
"""Seconds after which a chain is declared stalled; it leaves time for an approval."""

Ending = DriftReconciled | DriftGone | DriftUnresolved | IncidentOpened | IncidentResolved


def _workload(event: Event[Any]) -> str:
    return str(event.data.workload)


FLIGHT: Final = Flight("drift", key=_workload, second="join")
"""One chain for a workload at a time: while a person is asked, nobody asks again."""


@chain.on(
    reads=[ReadRegister, CurrentWeights, EndpointStatus, OpenIncidents],
    acts=[SetWeights, ScaleEndpoint, ResolveIncident],
    flight=FLIGHT,
    deadline=DEADLINE,
)
def reconcile(event: Event[DriftDetected], ctx: Context) -> Iterator[Ending]:
    """Assert what is intended, and say what has come of it."""
    workload = event.data.workload
    if ctx.settle("reconcile", event.id) != event.id:
        return  # another run of this chain is at it
    if workload not in ctx.fleet.workloads:
        yield DriftGone(workload=workload, because="it is no longer declared")
        return
    try:
        asserted = assert_intended(workload, ctx)
    except ActionRefused as refused:
        yield from _unresolved(workload, event.data.epoch, str(refused), ctx)
        return
    match asserted.outcome:
        case "refused":
            yield from _unresolved(workload, asserted.epoch, asserted.because, ctx)
        case "busy":
            yield DriftGone(workload=workload, because=asserted.because)
        case "holds" | "asserted":
            yield from _over(workload, asserted, ctx)


def _over(workload: str, asserted: Asserted, ctx: Context) -> Iterator[Ending]:
    name, why = incident_of(workload), f"the world is as intended again: {asserted.because}"
    for incident in ctx.observe(OpenIncidents(prefix=name)).incidents:
        try:
            ended = ctx.act(ResolveIncident(incident=incident.incident, because=why[:2000]))
        except ActionRefused:
            continue  # it stays open until a person resolves it
        if ended.was_open:
            yield IncidentResolved(incident=incident.incident, summary=why[:2000])
    if asserted.outcome == "holds":
        yield DriftGone(workload=workload, because=asserted.because)
        return
    yield DriftReconciled(
        workload=workload,
        epoch=asserted.epoch,
        weights=asserted.weights,
        replicas=asserted.replicas,
        because=f"asserted what is intended at epoch {asserted.epoch}: {asserted.because}"[:2000],
    )


def _unresolved(workload: str, epoch: int, why: str, ctx: Context) -> Iterator[Ending]:
    yield IncidentOpened(
        incident=incident_of(workload),
        title=f"{workload} is not as the register intends it"[:300],
        cause=why[:2000],
        severity="major",
        chain=ctx.chain,
        workload=workload,
    )
    yield DriftUnresolved(workload=workload, epoch=epoch, because=why[:2000])
