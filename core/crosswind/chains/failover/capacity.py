"""Capacity: replicas come before traffic.

planned -> one request for each region that lacks replicas, and a timer
        -> where a grant is uncertain, one for each region that would be asked next: it starts
           already while the others answer, and what is not needed in the end goes back
all answered, or the timer -> enough: the shift begins
                           -> less:   plan again with what was granted
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from crosswind.chains.failover.chain import capacity_name, chain, patience, spare_name
from crosswind.context import Context, Joined
from crosswind.emissions import Branch, Later, branch, later
from crosswind.errors import ActionRefused
from crosswind.fleet.operations import ReadRegister
from crosswind.operations.endpoints import ScaleEndpoint
from crosswind_events import Event
from crosswind_events.catalogue.capacity import CapacityDue, CapacityRequested
from crosswind_events.catalogue.failover import FailoverPlanned, FailoverRequested, Plan
from crosswind_events.catalogue.recovery import FailbackPlanned, FailbackRequested
from crosswind_events.catalogue.traffic import TrafficShift


@chain.on()
def secure(
    event: Event[FailoverPlanned | FailbackPlanned], ctx: Context
) -> Iterator[Branch[CapacityRequested] | Later[CapacityDue] | TrafficShift]:
    """Ask every region for the replicas that it lacks."""
    plan = event.data.plan
    wanted = lacking(plan)
    if not wanted:
        why = "every region has the replicas that the plan needs"
        yield TrafficShift(plan=plan, step=1, epoch=plan.epoch, because=why)
        return
    name = capacity_name(plan)
    ctx.settle(name, plan.model_dump_json())
    for region in wanted:
        request = CapacityRequested(
            plan=plan,
            region=region,
            replicas=plan.replicas[region],
            ready=plan.ready.get(region, 0),
        )
        yield branch(request, join=name, member=region)
    for region, count in sorted(plan.spare.items()):
        besides = CapacityRequested(plan=plan, region=region, replicas=count, ready=0, spare=True)
        yield branch(besides, join=spare_name(plan), member=region)
    yield later(CapacityDue(plan=plan), patience(ctx.fleet, plan.workload), scope=name)


@chain.on(reads=[ReadRegister], acts=[ScaleEndpoint])
def scale(
    event: Event[CapacityRequested], ctx: Context
) -> Iterator[TrafficShift | FailoverRequested | FailbackRequested]:
    """Ask one region for replicas, and count what it grants."""
    asked = event.data
    plan, region = asked.plan, asked.region
    granted, reason = asked.ready, _overtaken(plan, region, ctx)
    if not reason:
        try:
            scaled = ctx.act(
                ScaleEndpoint(
                    workload=plan.workload,
                    region=region,
                    replicas=asked.replicas,
                    epoch=plan.epoch,
                    plan=plan.id,
                )
            )
            granted, reason = scaled.granted, scaled.reason
        except ActionRefused as refused:
            reason = str(refused)
    if asked.spare:
        return  # what came of it is seen where it is needed
    said = {"granted": granted, "reason": reason}
    joined = ctx.join(capacity_name(plan), region, lacking(plan), said)
    if joined is not None:
        ctx.cancel(capacity_name(plan))
        yield secured(plan, joined)


def _overtaken(plan: Plan, region: str, ctx: Context) -> str:
    """Why no replicas are asked for any more; empty where they are.

    Between a plan's acceptance and this moment another chain may have left the very region.
    """
    view = ctx.observe(ReadRegister(workload=plan.workload, regions=(region,)))
    if view.regions[region].state == "evacuated":
        return f"{region} has been left since this was planned"
    moving = view.workload.moving
    # Where everything is only observed, no plan stands in the register.
    if moving is not None and moving.plan != plan.id:
        return "another plan has taken its place"
    return ""


@chain.on()
def capacity_due(
    event: Event[CapacityDue], ctx: Context
) -> Iterator[TrafficShift | FailoverRequested | FailbackRequested]:
    """Go on with what was granted in time."""
    plan = event.data.plan
    yield secured(plan, ctx.close_join(capacity_name(plan), lacking(plan)))


def lacking(plan: Plan) -> tuple[str, ...]:
    """The regions that have fewer replicas than the plan needs."""
    return tuple(
        region
        for region, count in sorted(plan.replicas.items())
        if count > plan.ready.get(region, 0)
    )


def secured(plan: Plan, joined: Joined) -> TrafficShift | FailoverRequested | FailbackRequested:
    """What follows from what the regions granted: the shift, or another plan."""
    ceilings: dict[str, int] = {}
    said: list[str] = []
    for region in lacking(plan):
        needed, has = plan.replicas[region], plan.ready.get(region, 0)
        value = joined.values.get(region)
        if value is not None:
            granted, reason = value["granted"], value["reason"]
        elif region in joined.failed:
            granted, reason = has, f"the request failed: {joined.failed[region]}"
        else:
            granted, reason = has, "no answer in time"
        if granted < needed:
            ceilings[region] = granted
            why = f" ({reason})" if reason else ""
            said.append(f"{region} grants {granted} of {needed} replicas{why}")
    if not ceilings:
        why = "every region granted the replicas that the plan needs"
        return TrafficShift(plan=plan, step=1, epoch=plan.epoch, because=why)
    because = "; ".join(said)[:2000]
    return again(plan, because, ceilings=ceilings)


def again(
    plan: Plan,
    because: str,
    *,
    excluded: Iterable[str] = (),
    ceilings: Mapping[str, int] | None = None,
) -> FailoverRequested | FailbackRequested:
    """Ask for another plan that heeds what this one has met, and those before it."""
    bounds = {**plan.ceilings, **(ceilings or {})}
    if plan.sweep.purpose == "failback":
        return FailbackRequested(
            sweep=plan.sweep,
            workload=plan.workload,
            attempt=plan.attempt + 1,
            ceilings=bounds,
            because=because,
        )
    return FailoverRequested(
        sweep=plan.sweep,
        workload=plan.workload,
        attempt=plan.attempt + 1,
        allotted=plan.allotted,
        excluded=tuple(sorted({*plan.excluded, *excluded})),
        ceilings=bounds,
        rest=plan.rest,
        because=because,
    )
