"""Detection: on a schedule the world is compared with the register, twice before anything is said.

Between a step that is intended and its landing the world differs from the register, as it does
while a performer tries again. What differs is therefore looked at once more after a grace, and is
drift only if the register still intends the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil
from typing import Final

from crosswind.chains.drift.assertion import difference
from crosswind.chains.incidents.operations import OpenIncidents
from crosswind.context import Context
from crosswind.emissions import Later, Start, later, start
from crosswind.fleet.applications import ReadIntention
from crosswind.fleet.operations import ReadRegions
from crosswind_events import Event
from crosswind_events.catalogue.drift import DriftDetected, DriftDue, DriftSuspected, ReplicaDrift
from crosswind_events.catalogue.incident import IncidentResolved
from crosswind_events.catalogue.schedule import Tick

GRACE: Final = 30.0
"""Seconds between the two looks."""

INCIDENTS: Final = "drift"
"""The first part of the name of each incident about drift."""

_CHUNK: Final = 20
"""Workloads that one run looks at, unless the fleet is so large that it has to be more."""

_EVENTS: Final = 90
"""Events of one round."""


def incident_of(workload: str) -> str:
    """The name of a workload's incident: the same drift is one incident, however often met."""
    return f"{INCIDENTS}:{workload}"


def tick(event: Event[Tick], ctx: Context) -> Iterator[DriftDue]:
    """One round: all workloads, some in each run."""
    names = sorted(ctx.fleet.workloads)
    chunk = max(_CHUNK, ceil(len(names) / _EVENTS))
    for first in range(0, len(names), chunk):
        yield DriftDue(workloads=tuple(names[first : first + chunk]))


def compare(
    event: Event[DriftDue], ctx: Context
) -> Iterator[Later[DriftSuspected] | IncidentResolved]:
    """Look at some workloads for the first time.

    Drift that nobody could mend may be gone by itself, or by hand: then its incident is over.
    """
    declared = ctx.fleet.workloads
    # Read once for all of them, and not with each what its rules depend on.
    regions = ctx.observe(ReadRegions()).regions
    troubled = {one.incident for one in ctx.observe(OpenIncidents(prefix=INCIDENTS)).incidents}
    for workload in event.data.workloads:
        if workload not in declared:
            continue  # it was taken out of the fleet since the tick
        intention = ctx.observe(ReadIntention(workload=workload))
        found = difference(workload, intention, regions, ctx)
        if found is not None and found[0]:
            epoch, why = intention.workload.epoch, str(found[0])[:2000]
            suspected = DriftSuspected(workload=workload, epoch=epoch, because=why)
            yield later(suspected, GRACE, subject=workload)
        elif found is not None and incident_of(workload) in troubled:
            why = f"{workload} is as the register intends it again"
            yield IncidentResolved(incident=incident_of(workload), summary=why)


def look_again(event: Event[DriftSuspected], ctx: Context) -> Iterator[Start[DriftDetected]]:
    """Look once more; what still differs from the same intention is drift."""
    workload = event.data.workload
    if workload not in ctx.fleet.workloads:
        return
    intention = ctx.observe(ReadIntention(workload=workload))
    state = intention.workload
    if state.epoch != event.data.epoch:
        return  # something was on its way; the next round looks at what it led to
    found = difference(workload, intention, ctx.observe(ReadRegions()).regions, ctx)
    if found is None or not found[0]:
        return
    differs, seen = found
    detected = DriftDetected(
        workload=workload,
        epoch=state.epoch,
        actual_epoch=seen.epoch,
        intended=state.weights,
        actual=(seen.weights or {}) if differs.moved else {},
        replicas={
            region: ReplicaDrift(intended=count.intended, actual=count.actual)
            for region, count in differs.replicas.items()
        },
        because=str(differs)[:2000],
    )
    yield start(detected, subject=workload)
