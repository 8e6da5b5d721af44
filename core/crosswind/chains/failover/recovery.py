"""Recovery: a region that was left is well again.

region.recovered -> in an open failover: one more piece of evidence, nothing else
                 -> enough: recovery.confirmed; not yet: a timer, once
                 -> nothing to recover from: the chain ends
recovery.confirmed -> the region soaks, the longer the more often it was left of late
the soak is over -> failback.begun; some word that it fails still stands: it goes on
unhealthy meanwhile -> enough, as at first: the region has relapsed, it is left again, and its
                       traffic with it; not enough: no step is taken until that is over
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from crosswind.chains.failover.chain import (
    FLIGHT,
    RECOVERY_DEADLINE,
    SWEEP,
    chain,
    incident_of,
)
from crosswind.chains.failover.evidence import Verdict, failing, recovered
from crosswind.chains.failover.words import since_recovery
from crosswind.chains.incidents.operations import OpenIncidents
from crosswind.context import Context
from crosswind.emissions import Later, later
from crosswind.errors import ActionRefused
from crosswind.fleet.declaration import FailoverPolicy
from crosswind.fleet.operations import MarkRegion, ReadRegions
from crosswind_events import Event, RegionRecovered, RegionUnhealthy
from crosswind_events.catalogue.failover import EvidenceDue, FailoverConfirmed, Sweep
from crosswind_events.catalogue.incident import IncidentOpened
from crosswind_events.catalogue.recovery import (
    FailbackBegun,
    FailbackFailed,
    RecoveryConfirmed,
    RecoveryUnconfirmed,
    RecoveryUnneeded,
    RegionRelapsed,
    SoakOver,
)

SOAKING: Final = "soaking"
"""Settled when a region that is well again has begun to soak, or waits for the leave to."""

_REMEMBERED: Final = 86_400.0
"""Seconds for which a region is held to have been left."""

_LONGEST: Final = 8.0
"""Times the policy's soak that a region soaks at the most."""

_SHORTEST_REST: Final = 1.0


@chain.on(
    reads=[ReadRegions, OpenIncidents],
    flight=FLIGHT,
    deadline=RECOVERY_DEADLINE,
)
def hear_recovered(
    event: Event[RegionRecovered], ctx: Context
) -> Iterator[RecoveryConfirmed | Later[EvidenceDue] | RecoveryUnneeded]:
    """Weigh one more piece of evidence that a region is well."""
    region = event.data.region
    lack = _lack(region, ctx)
    purpose = ctx.settle("purpose", "recovery" if lack else "failover")
    if ctx.answered(SOAKING) is not None:
        return  # the way back has begun; nothing is to be added
    events = ctx.evidence()
    if purpose == "failover":
        heard = any(isinstance(one.data, RegionUnhealthy) for one in events)
        if not heard and ctx.settle("decision", "unneeded") == "unneeded":
            why = f"nothing to do: {region} serves, and no incident about it is open"
            yield RecoveryUnneeded(region=region, because=why)
        return
    verdict = recovered(since_recovery(events), region, ctx.fleet, ctx.now())
    if verdict.reached:
        ctx.cancel("evidence")
        yield _confirmed(region, verdict, f"{lack or 'it was left'}; {verdict.because}", ctx)
    elif ctx.settle("window", event.id) == event.id:
        due = EvidenceDue(
            region=region,
            about="recovery",
            pieces=verdict.pieces,
            weighing=verdict.weighing,
            because=verdict.because,
        )
        yield later(due, ctx.fleet.failover.window, scope="evidence")


def recovery_due(
    event: Event[EvidenceDue], ctx: Context
) -> Iterator[RecoveryConfirmed | RecoveryUnconfirmed | Later[EvidenceDue]]:
    """Give up, unless the last word is so young that another may be on its way."""
    region, now = event.data.region, ctx.now()
    events = since_recovery(ctx.evidence())
    verdict = recovered(events, region, ctx.fleet, now)
    if verdict.reached:
        yield _confirmed(region, verdict, verdict.because, ctx)
        return
    if verdict.standing and not event.data.extended:
        age = (now - max(piece.at for piece in verdict.standing)).total_seconds()
        rest = ctx.fleet.failover.window - age
        if rest > 0:
            yield later(event.data.model_copy(update={"extended": True}), rest, scope="evidence")
            return
    # Told as it stood with the last piece: by now all of them have grown old.
    last = recovered(events, region, ctx.fleet, max(event.time for event in events))
    yield RecoveryUnconfirmed(
        region=region, pieces=last.pieces, weighing=last.weighing, because=last.because
    )


@chain.on(reads=[ReadRegions], acts=[MarkRegion])
def soak(
    event: Event[RecoveryConfirmed], ctx: Context
) -> Iterator[Later[SoakOver] | IncidentOpened | FailbackFailed]:
    """Let the region prove itself before it gets traffic back."""
    region = event.data.region
    ctx.settle(SOAKING, "yes")
    found = ctx.observe(ReadRegions(regions=(region,))).regions[region]
    since = ctx.now()
    if found.state == "evacuated":
        refused = _soak(region, event.data.because, ctx)
        if refused:
            yield _incident(region, refused, ctx)
            yield FailbackFailed(region=region, outcomes={}, because=refused)
            return
    lasts = soak_of(ctx.fleet.failover, found.left, since.timestamp())
    yield later(SoakOver(region=region, since=since), lasts, scope="soak")


def soak_of(policy: FailoverPolicy, left: Sequence[float], now: float) -> float:
    """Seconds for which a region has to stay well.

    What has failed again and again is trusted the less: each time that it was left within a day,
    but for the last, makes it longer.

    Args:
        left: when the region was left, in seconds since the epoch.
    """
    again = sum(now - at <= _REMEMBERED for at in left) - 1
    return float(policy.soak * min(_LONGEST, policy.soak_growth ** max(0, again)))


@chain.on()
def soak_over(
    event: Event[SoakOver], ctx: Context
) -> Iterator[FailbackBegun | RegionRelapsed | Later[SoakOver]]:
    """Begin the way back, if nobody says that the region fails."""
    region, fleet, now = event.data.region, ctx.fleet, ctx.now()
    against = failing(since_recovery(ctx.evidence()), region, fleet, now)
    if against.reached:
        yield from relapsed(region, against.because, ctx)
        return
    if against.standing:
        last = max(piece.at for piece in against.standing)
        rest = fleet.failover.soak - (now - last).total_seconds()
        again = SoakOver(region=region, since=last)
        yield later(again, max(_SHORTEST_REST, rest), scope="soak")
        return
    workloads = fleet.workloads_in(region)
    sweep = Sweep(
        purpose="failback",
        region=region,
        workloads=workloads[:SWEEP],
        waiting=workloads[SWEEP:],
        began=event.data.since,
    )
    because = f"{region} has stayed well for {(now - event.data.since).total_seconds():.0f} s"
    yield FailbackBegun(sweep=sweep, because=because)


def relapsed(region: str, because: str, ctx: Context) -> Iterator[RegionRelapsed]:
    """The region fails again, unless the way back has ended: the same from whoever sees it."""
    if ctx.settle("turn", "relapsed") != "relapsed":
        return
    said = RegionRelapsed(region=region, because=because[:2000])
    yield RegionRelapsed.model_validate_json(ctx.settle("relapsed", said.model_dump_json()))


@chain.on(reads=[ReadRegions])
def relapse(
    event: Event[RegionRelapsed], ctx: Context
) -> Iterator[FailoverConfirmed | RecoveryUnconfirmed]:
    """Leave the region again; its traffic that had come back goes with it."""
    region, because = event.data.region, event.data.because
    ctx.cancel("evidence")
    ctx.cancel("soak")
    state = ctx.observe(ReadRegions(regions=(region,))).regions[region].state
    if state == "evacuated":
        yield RecoveryUnconfirmed(region=region, pieces=(), because=because)
        return
    workloads = ctx.fleet.workloads_in(region)
    sweep = Sweep(
        purpose="failover",
        region=region,
        workloads=workloads[:SWEEP],
        waiting=workloads[SWEEP:],
        began=ctx.now(),
        relapse=True,
    )
    yield FailoverConfirmed(sweep=sweep, pieces=(), because=because)


def _confirmed(region: str, verdict: Verdict, because: str, ctx: Context) -> RecoveryConfirmed:
    """The same from every run that finds the evidence sufficient, whatever words it has seen."""
    said = RecoveryConfirmed(
        region=region, pieces=verdict.pieces, weighing=verdict.weighing, because=because
    )
    return RecoveryConfirmed.model_validate_json(ctx.settle("recovered", said.model_dump_json()))


def _lack(region: str, ctx: Context) -> str:
    """What the region has to recover from; empty where nothing."""
    if region not in ctx.fleet.regions:
        return ""
    state = ctx.observe(ReadRegions(regions=(region,))).regions[region].state
    if state != "serving":
        return f"{region} is {state}"
    found = ctx.observe(OpenIncidents(prefix=incident_of(region))).incidents
    return f"incident {found[0].incident} is open" if found else ""


def _soak(region: str, because: str, ctx: Context) -> str:
    """Why the region could not be marked as soaking; empty where it was."""
    mark = MarkRegion(region=region, state="soaking", lock=ctx.lock, because=because[:2000])
    try:
        marked = ctx.act(mark)
    except ActionRefused as refused:
        return str(refused)
    return "" if marked.marked else f"{region} stays {marked.state}: {marked.reason}"


def _incident(region: str, cause: str, ctx: Context) -> IncidentOpened:
    return IncidentOpened(
        incident=incident_of(region),
        title=f"{region} could not be brought back",
        cause=cause,
        severity="major",
        chain=ctx.chain,
        region=region,
    )
