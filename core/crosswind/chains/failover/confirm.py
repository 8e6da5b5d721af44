"""Confirming: is there enough independent evidence that a region fails?

region.unhealthy -> enough:     failover.confirmed; where it has to last first: a timer, once
                 -> not yet:    a timer, once; evidence joins until it comes
                 -> not needed: nothing of it can be moved, or that was tried just now; the chain
                    ends
                 -> every region fails, to all who look: nothing is moved, an incident is opened
                 -> enough, on the way back: the region has relapsed
the timer        -> failover.unconfirmed, the chain ends
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from crosswind.chains.failover.chain import (
    DEADLINE,
    FIRST_ROUND,
    FLIGHT,
    SWEEP,
    chain,
    incident_of,
    not_left,
)
from crosswind.chains.failover.evidence import Verdict, failing
from crosswind.chains.failover.hysteresis import look
from crosswind.chains.failover.recovery import recovery_due, relapsed
from crosswind.chains.failover.weighing import alerts_for
from crosswind.chains.failover.words import since_recovery
from crosswind.chains.incidents.operations import OpenIncidents
from crosswind.context import Context
from crosswind.emissions import Later, Start, later, start
from crosswind.fleet.operations import ReadRegions, ReadRegister
from crosswind.fleet.quantities import TOLERANCE
from crosswind.operations.telemetry import ProbeEndpoint, ReadTelemetry
from crosswind_events import Event, RegionUnhealthy
from crosswind_events.catalogue.failover import (
    EvidenceContradicted,
    EvidenceDue,
    FailoverConfirmed,
    FailoverUnconfirmed,
    FailoverUnneeded,
    Sweep,
)
from crosswind_events.catalogue.incident import IncidentOpened
from crosswind_events.catalogue.recovery import (
    RecoveryConfirmed,
    RecoveryUnconfirmed,
    RegionRelapsed,
)

Confirming = (
    FailoverConfirmed
    | EvidenceContradicted
    | Later[EvidenceDue]
    | FailoverUnneeded
    | RegionRelapsed
    | IncidentOpened
    | Start[RegionUnhealthy]
)

_READS: Final = 60
"""Workloads whose placement is read to see whether anything is left in an evacuated region."""

_LONGEST: Final = 2000

_REST: Final = 60.0
"""Seconds, and two rounds of probes, after which a region that could not be left is tried again."""

_KIN: Final = 4
"""Regions of a shared failing domain, and domains, that are named."""


@chain.on(
    reads=[ReadRegions, ReadRegister, ProbeEndpoint, ReadTelemetry, OpenIncidents],
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
    idle = _idle(region, ctx) or _tried(event, ctx)
    if idle:
        if ctx.settle("decision", "unneeded") == "unneeded":
            yield FailoverUnneeded(region=region, because=idle)
        return
    verdict, contradicted = _weighed(ctx.evidence(), region, ctx, ctx.now())
    if verdict.reached and not _held(verdict, event, ctx):
        ctx.cancel("evidence")
        yield from confirmed(region, verdict, ctx)
        return
    if verdict.reached and ctx.settle("blip", event.id) == event.id:
        yield later(_due(region, verdict, held=True), ctx.fleet.failover.hold, scope="evidence")
    if len(verdict.unsighted) >= ctx.fleet.failover.min_kinds:
        yield from _nothing_in_sight(region, verdict, event, ctx)
    if contradicted and ctx.settle("contradicted", event.id) == event.id:
        yield EvidenceContradicted(
            region=region,
            pieces=verdict.pieces,
            weighing=verdict.weighing,
            because=verdict.because[:_LONGEST],
        )
    if ctx.settle("window", event.id) == event.id:
        yield later(_due(region, verdict), ctx.fleet.failover.window, scope="evidence")


@chain.on(reads=[ReadRegions, ReadRegister, ProbeEndpoint, ReadTelemetry])
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
    now, events = ctx.now(), ctx.evidence()
    verdict = _weighed(events, region, ctx, now).verdict
    if verdict.reached:
        ctx.cancel("evidence")
        yield from confirmed(region, verdict, ctx)
        return
    if event.data.held:
        return  # it was a blip; what else is said until the window ends is heard as before
    if verdict.standing and not event.data.extended:
        age = (now - max(piece.at for piece in verdict.standing)).total_seconds()
        rest = ctx.fleet.failover.window - age
        if rest > 0:
            extended = event.data.model_copy(update={"extended": True})
            yield later(extended, rest, scope="evidence")
            return
    # Told as it stood with the last piece: by now all of them have grown old.
    last = max(word.time for word in events)
    told = _weighed(events, region, ctx, now, at=last).verdict
    because = told.because
    if told.reached:
        because += f"; that did not last, by now it is {verdict.because}"
    yield FailoverUnconfirmed(
        region=region,
        pieces=told.pieces,
        weighing=told.weighing,
        because=because[:_LONGEST],
    )


def _due(region: str, verdict: Verdict, *, held: bool = False) -> EvidenceDue:
    return EvidenceDue(
        region=region,
        about="failover",
        held=held,
        pieces=verdict.pieces,
        weighing=verdict.weighing,
        because=verdict.because,
    )


def _held(verdict: Verdict, event: Event[RegionUnhealthy], ctx: Context) -> bool:
    """Whether evidence that suffices has yet to last.

    It has to once in a chain: a region that comes back and fails again is no blip.
    """
    hold = ctx.fleet.failover.hold
    if hold <= 0 or any(piece.kind == "operator" for piece in verdict.standing):
        return False
    first = float(ctx.settle("held", repr(ctx.now().timestamp())))
    return ctx.now().timestamp() < first + hold


def confirmed(region: str, verdict: Verdict, ctx: Context) -> Iterator[FailoverConfirmed]:
    """The first round of a sweep, the same from every run that finds the evidence sufficient.

    The words may differ that two of them have seen: what the first makes of them counts.
    """
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
    because = (verdict.because + _kin(region, ctx))[:_LONGEST]
    said = FailoverConfirmed(
        sweep=sweep, pieces=verdict.pieces, weighing=verdict.weighing, because=because
    )
    yield FailoverConfirmed.model_validate_json(ctx.settle("confirmed", said.model_dump_json()))


def affected(region: str, verdict: Verdict, ctx: Context) -> tuple[str, ...]:
    """The workloads that the evidence is about, the most important first."""
    declared = ctx.fleet.workloads_in(region)
    if verdict.workloads is None:
        return declared
    return tuple(name for name in declared if name in verdict.workloads)


class Weighed(NamedTuple):
    """What the evidence amounts to, and whether only what speaks against it makes it too little."""

    verdict: Verdict
    contradicted: bool


def _weighed(
    events: Sequence[Event[Any]],
    region: str,
    ctx: Context,
    now: datetime,
    at: datetime | None = None,
) -> Weighed:
    """Weigh the evidence; where it would suffice, look once more.

    Args:
        at: the moment as of which it is weighed, where that is not now.
    """
    verdict = failing(events, region, ctx.fleet, at or now)
    if not verdict.reached:
        return Weighed(verdict, verdict.contradicted)
    seen = look(verdict, region, ctx, now)
    if not seen:
        return Weighed(verdict, False)
    heard = (*events, *seen.words)
    left = failing(heard, region, ctx.fleet, at or now, seen.doubts)
    return Weighed(left, not left.reached)


def _kin(region: str, ctx: Context) -> str:
    """What is to be known of the regions that share a failing domain; empty where none does.

    What was said of one region is no evidence about another, however likely they fail together.
    """
    fleet = ctx.fleet
    own = set(fleet.regions[region].failing_domains)
    shared = {
        other: sorted(own & set(spec.failing_domains))
        for other, spec in sorted(fleet.regions.items())
        if other != region and own & set(spec.failing_domains)
    }
    if not shared:
        return ""
    states = ctx.observe(ReadRegions(regions=tuple(shared)[:_KIN])).regions
    said = ", ".join(
        f"{other} ({', '.join(shared[other][:_KIN])}), which is {state.state}"
        for other, state in states.items()
    )
    more = f" and {len(shared) - _KIN} more" if len(shared) > _KIN else ""
    return f"; it shares a failing domain with {said}{more}, of which this says nothing"


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


def _tried(event: Event[RegionUnhealthy], ctx: Context) -> str:
    """Why a region that could not be left is not tried again yet; empty where it is.

    It goes on failing, and every round of probes says so; what a plan is made from rarely changes
    from one to the next. A person who says so is heard at once.
    """
    if event.data.evidence == "operator":
        return ""
    region, rest = event.data.region, max(_REST, 2 * ctx.fleet.probes.every)
    for incident in ctx.observe(OpenIncidents(prefix=incident_of(region))).incidents:
        if incident.latest == not_left(region) and incident.told is not None:
            ago = ctx.now().timestamp() - incident.told
            if ago < rest:
                return (
                    f"nothing to do: {region} could not be left {ago:.0f} s ago; that is tried "
                    f"again {rest:g} s after it was, or when an operator says so"
                )
    return ""


def _nothing_in_sight(
    region: str, verdict: Verdict, event: Event[RegionUnhealthy], ctx: Context
) -> Iterator[IncidentOpened]:
    """Tell people, once in a chain, that every region fails, or all who look at them do."""
    if ctx.settle("sight", event.id) != event.id:
        return
    views = sorted({by.vantage or by.kind for by in verdict.unsighted})
    yield IncidentOpened(
        incident=incident_of(region),
        title=f"{region} fails, and so does every region that was looked at beside it",
        cause=(
            f"seen from {', '.join(views)[:500]}. Either the whole fleet fails, or what looks at "
            "it; nothing is moved, for no region is known to be well"
        ),
        severity="critical",
        chain=ctx.chain,
        region=region,
    )


def _relapse(region: str, ctx: Context) -> Iterator[RegionRelapsed]:
    """On the way back it takes as much as at first; until then a word only holds it up."""
    verdict = failing(since_recovery(ctx.evidence()), region, ctx.fleet, ctx.now())
    if verdict.reached:
        yield from relapsed(region, f"{region} fails again; {verdict.because}", ctx)


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
