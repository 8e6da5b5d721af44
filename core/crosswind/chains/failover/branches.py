"""Branches that ended in a dead letter: what they were for counts as refused, and the rest goes on.

A join knows its members only from those who arrive. What was asked for is therefore kept as the
answer to a question of the join's own name, and read back here.
"""

from __future__ import annotations

from collections.abc import Iterator

from crosswind.chains.failover.capacity import lacking, secured
from crosswind.chains.failover.chain import (
    CAPACITY_PREFIX,
    SWEEP_PREFIX,
    chain,
)
from crosswind.chains.failover.sweep import settled
from crosswind.context import Context
from crosswind_events import Event
from crosswind_events.catalogue.chain import BranchFailed
from crosswind_events.catalogue.failover import FailoverRequested, Plan, Sweep, SweepSettled
from crosswind_events.catalogue.recovery import FailbackRequested
from crosswind_events.catalogue.traffic import TrafficShift


@chain.on()
def lose_branch(
    event: Event[BranchFailed], ctx: Context
) -> Iterator[SweepSettled | TrafficShift | FailoverRequested | FailbackRequested]:
    """Count a lost branch, and go on if it was the last that was waited for."""
    name, member = event.data.join, event.data.member
    if name.startswith(SWEEP_PREFIX):
        sweep = Sweep.model_validate_json(ctx.settle(name, ""))
        joined = ctx.join(name, member, sweep.workloads, None)
        if joined is not None:
            yield settled(sweep, joined)
    elif name.startswith(CAPACITY_PREFIX):
        plan = Plan.model_validate_json(ctx.settle(name, ""))
        joined = ctx.join(name, member, lacking(plan), None)
        if joined is not None:
            ctx.cancel(name)
            yield secured(plan, joined)
