"""A sweep: one branch for each workload, and the join that counts how each of them ended.

failover.confirmed | failback.begun -> a plan is requested for each workload
workload_settled, or a branch's dead letter -> when all have come: sweep_settled
"""

from __future__ import annotations

from collections.abc import Iterator

from crosswind.chains.failover.chain import chain, sweep_name
from crosswind.context import Context, Joined
from crosswind.emissions import Branch, branch
from crosswind_events import Event
from crosswind_events.catalogue.failover import (
    FailoverConfirmed,
    FailoverRequested,
    Outcome,
    Sweep,
    SweepSettled,
    WorkloadSettled,
)
from crosswind_events.catalogue.recovery import FailbackBegun, FailbackRequested


@chain.on()
def fan_out(
    event: Event[FailoverConfirmed | FailbackBegun], ctx: Context
) -> Iterator[Branch[FailoverRequested] | Branch[FailbackRequested] | SweepSettled]:
    """Ask for a plan for each workload of the round."""
    sweep, because = event.data.sweep, event.data.because
    if not sweep.workloads:
        yield SweepSettled(sweep=sweep, outcomes={}, reasons={}, slowest=sweep.slowest)
        return
    name = sweep_name(sweep)
    ctx.settle(name, sweep.model_dump_json())
    for workload in sweep.workloads:
        if sweep.purpose == "failover":
            leave = FailoverRequested(sweep=sweep, workload=workload, because=because)
            yield branch(leave, join=name, member=workload)
        else:
            back = FailbackRequested(sweep=sweep, workload=workload, because=because)
            yield branch(back, join=name, member=workload)


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
    joined = ctx.join(sweep_name(done.sweep), done.workload, done.sweep.workloads, said)
    if joined is not None:
        yield settled(done.sweep, joined)


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
