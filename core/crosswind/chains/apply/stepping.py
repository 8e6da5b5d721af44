"""Stepping: traffic moves in steps, and every step is judged before the next is taken.

convergence_step -> look at the regions that get traffic at the end
    well:    intend the step in the register, set the weights, come back after a pause
    not yet: hold, and look again after a pause
    bad:     everything is taken back, and the workload has failed
after the last: replicas that are no longer wanted are given back
"""

from __future__ import annotations

from collections.abc import Iterator

from crosswind.chains.apply.chain import chain, plan_of
from crosswind.chains.apply.steps import (
    SHORTEST,
    Judgement,
    judge,
    moved,
    pause_of,
    receiving,
    weights_at,
)
from crosswind.chains.apply.taking_back import take_back
from crosswind.context import Context
from crosswind.emissions import Later, later
from crosswind.errors import ActionRefused
from crosswind.fleet.operations import AcceptPlan, AdvanceShift, ReadRegister, ReleasePlan
from crosswind.operations.endpoints import EndpointStatus, ScaleEndpoint
from crosswind.operations.telemetry import ReadTelemetry
from crosswind.operations.traffic import SetWeights
from crosswind_events import Event
from crosswind_events.catalogue.fleet import Convergence, ConvergenceStep, WorkloadConverged

Stepping = Later[ConvergenceStep] | WorkloadConverged


@chain.on(
    reads=[EndpointStatus, ReadTelemetry, ReadRegister],
    acts=[AcceptPlan, AdvanceShift, ReleasePlan, SetWeights, ScaleEndpoint],
)
def step(event: Event[ConvergenceStep], ctx: Context) -> Iterator[Stepping]:
    """Judge the step before, and take the next."""
    due = event.data
    if event.extensions.get("simulated"):
        judgement = Judgement("go", "nothing was moved: this is only observed")
    else:
        judgement = _look(due, ctx)
    try:
        match judgement.verdict:
            case "hold":
                update = {"holds": due.holds + 1, "because": judgement.because}
                yield later(due.model_copy(update=update), pause_of(due))
            case "back":
                why = judgement.because
                back = take_back(due.application, due.workload, due.origin, due.before, why, ctx)
                yield _converged(due, "failed", f"{why}; {back}")
            case "go" if due.step > due.of:
                yield _finish(due, judgement, ctx)
            case "go":
                yield _take(due, judgement, ctx)
    except ActionRefused as refused:
        yield _given_up(due, f"step {due.step} of {due.of}: {refused}", ctx)


def _look(due: ConvergenceStep, ctx: Context) -> Judgement:
    regions, fleet = receiving(due), ctx.fleet
    spec = fleet.workloads[due.workload]
    endpoints = ctx.observe(EndpointStatus(workload=due.workload, regions=regions)).states
    window = max(SHORTEST, min(spec.shift.window, due.pause))
    telemetry = ctx.observe(ReadTelemetry(workload=due.workload, seconds=window))
    return judge(due, fleet, telemetry, endpoints)


def _take(due: ConvergenceStep, judgement: Judgement, ctx: Context) -> Stepping:
    """Intend the step, then carry it out under the register's new epoch."""
    before = weights_at(due.origin, due.target, due.step - 1, due.of)
    weights = weights_at(due.origin, due.target, due.step, due.of)
    advanced = ctx.act(
        AdvanceShift(
            workload=due.workload,
            plan=plan_of(due.application, due.workload),
            weights=weights,
            step=due.step,
            of=due.of,
            relies_on_epoch=due.epoch,
        )
    )
    if not advanced.applied:
        return _converged(due, "held", f"another plan has taken its place: {advanced.reason}")
    done = ctx.act(
        SetWeights(
            workload=due.workload,
            weights=weights,
            epoch=advanced.epoch,
            moved=moved(before, weights),
            plan=plan_of(due.application, due.workload),
        )
    )
    if not done.applied:
        why = f"the traffic's target holds epoch {done.epoch} already: {done.reason}"
        return _given_up(due, why, ctx)
    because = f"step {due.step} of {due.of} is taken; before it {judgement.because}"
    update = {"step": due.step + 1, "epoch": advanced.epoch, "holds": 0, "because": because}
    return later(due.model_copy(update=update), due.pause)


def _finish(due: ConvergenceStep, judgement: Judgement, ctx: Context) -> WorkloadConverged:
    """Give back what is no longer wanted; that one region refuses to harms nobody."""
    kept: list[str] = []
    regions = ctx.fleet.regions
    for region, count in sorted(due.replicas.items()):
        has = due.before.get(region, 0)
        if has <= count or region not in regions:
            continue
        try:
            ctx.act(
                ScaleEndpoint(
                    workload=due.workload,
                    region=region,
                    replicas=count,
                    epoch=due.epoch,
                    removed=has - count,
                    plan=plan_of(due.application, due.workload),
                )
            )
        except ActionRefused as refused:
            kept.append(f"{region} keeps its replicas: {refused}")
    said = "; ".join([f"{due.of} step(s) taken; {judgement.because}", *kept])
    if due.held:
        return _converged(due, "held", f"{due.held}; what could be applied was: {said}")
    return _converged(due, "applied", said)


def _given_up(due: ConvergenceStep, because: str, ctx: Context) -> WorkloadConverged:
    """The plan no longer holds off weaker ones; the traffic stays where it is."""
    try:
        ctx.act(
            ReleasePlan(
                workload=due.workload,
                plan=plan_of(due.application, due.workload),
                because=because[:2000],
            )
        )
    except ActionRefused as refused:
        because = f"{because}; the plan ends by itself: {refused}"
    return _converged(due, "failed", because)


def _converged(due: ConvergenceStep, outcome: Convergence, because: str) -> WorkloadConverged:
    return WorkloadConverged(
        application=due.application,
        workload=due.workload,
        round=due.round,
        outcome=outcome,
        because=because[:2000],
    )
