"""Confirming: is there enough independent evidence that a region fails?

region.unhealthy -> enough:     failover.confirmed
                 -> not yet:    a timer, once; evidence joins until it comes
                 -> not needed: nothing of it can be moved, the chain ends
                 -> on the way back: the region has relapsed
the timer        -> failover.unconfirmed, the chain ends
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from crosswind.chains.failover.chain import DEADLINE, FIRST_ROUND, FLIGHT, SWEEP, chain
from crosswind.chains.failover.evidence import Verdict, alerts_for, failing, since_recovery
from crosswind.chains.failover.hysteresis import doubts
from crosswind.chains.failover.recovery import recovery_due
from crosswind.context import Context
from crosswind.emissions import Later, Start, later, start
from crosswind.fleet.operations import ReadRegions, ReadRegister
from crosswind.fleet.quantities import TOLERANCE
from crosswind.operations.telemetry import ProbeEndpoint, ReadTelemetry
from crosswind_events import Event, RegionUnhealthy
from crosswind_events.catalogue.failover import (
    EvidenceDue,
    FailoverConfirmed,
    FailoverUnconfirmed,
    FailoverUnneeded,
    Sweep,
)
from crosswind_events.catalogue.recovery import (
    RecoveryConfirmed,
    RecoveryUnconfirmed,
    RegionRelapsed,
)

Confirming = (
    FailoverConfirmed
    | Later[EvidenceDue]
    | FailoverUnneeded
    | RegionRelapsed
    | Start[RegionUnhealthy]
)

_READS: Final = 60
"""Workloads whose placement is read to see whether anything is left in an evacuated region."""


@chain.on(
    reads=[ReadRegions, ReadRegister, ProbeEndpoint, ReadTelemetry],
    flight=FLIGHT,
    deadline=DEADLINE,
)
def hear_unhealthy(event: Event[RegionUnhealthy], ctx: Context) -> Iterator[Confirming]:
    """Weigh one more piece of evidence that a region fails."""
    region = event.data.region
    purpose = ctx.settle("purpose", "failover")
    yield from _passed_on(event, ctx)
    if purpose == "recovery":
        yield from _relapse(region, ctx)
        return
    if ctx.answered(FIRST_ROUND) is not None:
        return  # the region is being left; what is said now is weighed when that is done
    idle = _idle(region, ctx)
    if idle:
        if ctx.settle("decision", "unneeded") == "unneeded":
            yield FailoverUnneeded(region=region, because=idle)
        return
    verdict = _weighed(region, ctx, ctx.now()).verdict
    if verdict.reached:
        ctx.cancel("evidence")
        yield from confirmed(region, verdict, ctx)
    elif ctx.settle("window", event.id) == event.id:
        due = EvidenceDue(
            region=region, about="failover", pieces=verdict.pieces, because=verdict.because
        )
        yield later(due, ctx.fleet.failover.window, scope="evidence")


@chain.on(reads=[ProbeEndpoint, ReadTelemetry])
def evidence_due(
    event: Event[EvidenceDue], ctx: Context
) -> Iterator[
    FailoverConfirmed
    | FailoverUnconfirmed
    | RecoveryConfirmed
    | RecoveryUnconfirmed
    | Later[EvidenceDue]
]:
    """Give up, unless the last piece of evidence is so young that another may be on its way."""
    if event.data.about == "recovery":
        yield from recovery_due(event, ctx)
        return
    region = event.data.region
    now = ctx.now()
    events, doubted, verdict = _weighed(region, ctx, now)
    if verdict.reached:
        yield from confirmed(region, verdict, ctx)
        return
    if verdict.standing and not event.data.extended:
        age = (now - max(piece.at for piece in verdict.standing)).total_seconds()
        rest = ctx.fleet.failover.window - age
        if rest > 0:
            extended = event.data.model_copy(update={"extended": True})
            yield later(extended, rest, scope="evidence")
            return
    # Told as it stood with the last piece: by now all of them have grown old.
    last = failing(events, region, ctx.fleet, max(event.time for event in events), doubted)
    yield FailoverUnconfirmed(region=region, pieces=last.pieces, because=last.because)


def confirmed(region: str, verdict: Verdict, ctx: Context) -> Iterator[FailoverConfirmed]:
    """The first round of a sweep, the same from every run that finds the evidence sufficient."""
    if ctx.settle("decision", "sweep") != "sweep":
        return
    workloads = affected(region, verdict, ctx)
    sweep = Sweep(
        purpose="failover",
        region=region,
        workloads=workloads[:SWEEP],
        waiting=workloads[SWEEP:],
        began=verdict.began or ctx.now(),
    )
    yield FailoverConfirmed(sweep=sweep, pieces=verdict.pieces, because=verdict.because)


def affected(region: str, verdict: Verdict, ctx: Context) -> tuple[str, ...]:
    """The workloads that the evidence is about, the most important first."""
    declared = ctx.fleet.workloads_in(region)
    if verdict.workloads is None:
        return declared
    return tuple(name for name in declared if name in verdict.workloads)


class Weighed(NamedTuple):
    """The evidence, what a fresh look contradicts of it, and what is left of it then."""

    events: tuple[Event[Any], ...]
    doubted: Mapping[str, str]
    verdict: Verdict


def _weighed(region: str, ctx: Context, now: datetime) -> Weighed:
    """Weigh the evidence; where it would suffice, look again at what has grown old of it."""
    events = ctx.evidence()
    verdict = failing(events, region, ctx.fleet, now)
    if not verdict.reached:
        return Weighed(events, {}, verdict)
    doubted = doubts(verdict, region, ctx, now)
    if doubted:
        verdict = failing(events, region, ctx.fleet, now, doubted)
    return Weighed(events, doubted, verdict)


def _idle(region: str, ctx: Context) -> str:
    """Why nothing of the region can be moved; empty where something can, or that is not known."""
    fleet = ctx.fleet
    if region not in fleet.regions:
        return f"nothing to do: {region} is not a region of fleet {fleet.name}"
    workloads = fleet.workloads_in(region)
    if not workloads:
        return f"nothing to do: no workload is declared in {region}"
    state = ctx.observe(ReadRegions(regions=(region,))).regions[region]
    if state.state != "evacuated" or len(workloads) > _READS:
        return ""
    for workload in workloads:
        view = ctx.observe(ReadRegister(workload=workload))
        if view.workload.weights.get(region, 0.0) > TOLERANCE:
            return ""
    return f"nothing to do: {region} is evacuated already, no traffic is intended to go there"


def _relapse(region: str, ctx: Context) -> Iterator[RegionRelapsed]:
    """On the way back one standing word is enough: the region is not yet trusted."""
    verdict = failing(since_recovery(ctx.evidence()), region, ctx.fleet, ctx.now())
    if verdict.standing and ctx.settle("turn", "relapsed") == "relapsed":
        last = verdict.standing[-1]
        said = f"{last.kind} evidence says again that {region} fails; {verdict.because}"
        yield RegionRelapsed(region=region, because=said)


def _passed_on(event: Event[RegionUnhealthy], ctx: Context) -> Iterator[Start[RegionUnhealthy]]:
    """An alarm that the fleet maps to another region is evidence there."""
    data: Any = event.data
    others = {
        alert.region
        for alert in alerts_for(event, ctx.fleet)
        if alert.region is not None and alert.region != data.region
    }
    for other in sorted(others):
        ctx.settle(f"passed-on:{event.id}:{other}", "yes")
        yield start(data.model_copy(update={"region": other}), subject=other)
