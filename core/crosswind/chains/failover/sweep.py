"""A sweep: one branch for each workload, and the join that counts how each of them ended.

failover.confirmed | failback.begun -> a plan is requested for each workload
workload_settled, or a branch's dead letter -> when all have come: sweep_settled

Where the workloads that leave a region would all like to go to one that has not room for all, they
are planned for together first, those of later rounds as well. Each branch is told its own part of
that plan; it sees its endpoints itself, and keeps to its part as long as that serves it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from crosswind.chains.failover.chain import chain, sweep_name
from crosswind.context import Context, Joined
from crosswind.emissions import Branch, branch
from crosswind.fleet.declaration import Fleet
from crosswind.fleet.operations import ReadRegions
from crosswind.fleet.placements import ReadPlacements
from crosswind.planner.sharing import share_out
from crosswind.planner.survey import Known, survey
from crosswind_events import Event
from crosswind_events.catalogue.failover import (
    Allotted,
    FailoverConfirmed,
    FailoverRequested,
    Outcome,
    Sweep,
    SweepSettled,
    WorkloadSettled,
)
from crosswind_events.catalogue.recovery import FailbackBegun, FailbackRequested


@chain.on(reads=[ReadRegions, ReadPlacements])
def fan_out(
    event: Event[FailoverConfirmed | FailbackBegun], ctx: Context
) -> Iterator[Branch[FailoverRequested] | Branch[FailbackRequested] | SweepSettled]:
    """Ask for a plan for each workload of the round."""
    sweep, because = event.data.sweep, event.data.because
    if not sweep.workloads:
        yield SweepSettled(sweep=sweep, outcomes={}, reasons={}, slowest=sweep.slowest)
        return
    allotted = _allotted(sweep, ctx) if sweep.purpose == "failover" else {}
    name = sweep_name(sweep)
    ctx.settle(name, sweep.model_dump_json())
    # What only the end of the round needs is not carried by each of its branches.
    slim = sweep.model_copy(update={"waiting": (), "earlier": {}, "slowest": None})
    for workload in sweep.workloads:
        if sweep.purpose == "failover":
            leave = FailoverRequested(
                sweep=slim,
                workload=workload,
                allotted=allotted.get(workload, {}),
                because=because,
            )
            yield branch(leave, join=name, member=workload)
        else:
            back = FailbackRequested(sweep=slim, workload=workload, because=because)
            yield branch(back, join=name, member=workload)


def _allotted(sweep: Sweep, ctx: Context) -> Mapping[str, Mapping[str, Allotted]]:
    """What each workload may have of regions that not all of them fit into.

    Planned from the register alone: what endpoints answer is seen by each branch. Empty where no
    two of them can be in each other's way.
    """
    fleet = ctx.fleet
    together = [name for name in (*sweep.workloads, *sweep.waiting) if name in fleet.workloads]
    if not _meet(fleet, sweep.region, together):
        return {}
    states = ctx.observe(ReadRegions()).regions
    placements = ctx.observe(ReadPlacements(region=sweep.region))
    known = {name: Known(*placements.of(fleet, name)) for name in together}
    shared = share_out(survey(fleet, states, known, (sweep.region,)))
    return {
        workload: {
            region: Allotted(replicas=one.replicas, most=one.most)
            for region, one in regions.items()
        }
        for workload, regions in shared.items()
    }


def _meet(fleet: Fleet, left: str, workloads: list[str]) -> bool:
    """Whether some region that is limited may be wanted by two of them."""
    wanted: set[str] = set()
    for name in workloads:
        for region in fleet.workloads[name].regions:
            declared = fleet.regions[region]
            if region == left or (declared.quota is None and not declared.gpus):
                continue
            if region in wanted:
                return True
            wanted.add(region)
    return False


@chain.on()
def count_workload(event: Event[WorkloadSettled], ctx: Context) -> Iterator[SweepSettled]:
    """Count one workload as done with."""
    done = event.data
    said = {
        "outcome": done.outcome,
        "seconds": done.recovery_seconds,
        "because": done.because,
        "plan": done.plan,
    }
    name = sweep_name(done.sweep)
    sweep = Sweep.model_validate_json(ctx.settle(name, done.sweep.model_dump_json()))
    joined = ctx.join(name, done.workload, sweep.workloads, said)
    if joined is not None:
        yield settled(sweep, joined)


def settled(sweep: Sweep, joined: Joined) -> SweepSettled:
    """What a decided join of workloads says."""
    outcomes: dict[str, Outcome] = {}
    reasons: dict[str, str] = {}
    plan: str | None = None
    seconds = [] if sweep.slowest is None else [sweep.slowest]
    for workload in sweep.workloads:
        value = joined.values.get(workload)
        if value is None:
            why = joined.failed.get(workload, "nothing was heard of it")
            outcomes[workload] = "failed"
            reasons[workload] = f"given up: {why}"[:2000]
            continue
        outcomes[workload] = value["outcome"]
        reasons[workload] = value["because"]
        plan = value["plan"] or plan
        if value["seconds"] is not None:
            seconds.append(value["seconds"])
    return SweepSettled(
        sweep=sweep,
        outcomes=outcomes,
        reasons=reasons,
        plan=plan,
        slowest=max(seconds, default=None),
    )
