"""Converging: a plan for one workload is accepted by the register, and replicas come first.

look at the declaration, the register and the world
    nothing recorded yet:      what is there is adopted
    a failover has it in hand: it is left alone
    all is as declared:        what the world lacks is asserted again
    else:                      the plan is accepted, replicas are asked for, the steps begin
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from crosswind.chains.apply.chain import TURNS, chain, plan_of
from crosswind.chains.apply.steps import moved
from crosswind.chains.apply.taking_back import take_back
from crosswind.chains.drift.assertion import assert_intended, intended
from crosswind.context import Context
from crosswind.errors import ActionRefused
from crosswind.fleet.applications import AdoptPlacement, Placed, ReadDeclaration
from crosswind.fleet.convergence import Aim, aim, division
from crosswind.fleet.declaration import Fleet
from crosswind.fleet.operations import AcceptPlan, AdvanceShift, ReadRegister, ReleasePlan
from crosswind.fleet.state import RegisterView, WorkloadState
from crosswind.operations.endpoints import EndpointState, EndpointStatus, ScaleEndpoint
from crosswind.operations.traffic import CurrentWeights, SetWeights
from crosswind_events import Event
from crosswind_events.catalogue.fleet import (
    Application,
    Convergence,
    ConvergenceRequested,
    ConvergenceStep,
    WorkloadConverged,
)


class Ended(NamedTuple):
    """The workload is done with."""

    outcome: Convergence
    because: str


class Agreed(NamedTuple):
    """A plan that the register has accepted.

    Attributes:
        origin: what was intended before.
        there: replicas that are there, by region.
        epoch: the register's.
    """

    origin: WorkloadState
    aim: Aim
    there: Mapping[str, int]
    epoch: int


@chain.on(
    reads=[ReadDeclaration, ReadRegister, CurrentWeights, EndpointStatus],
    acts=[AdoptPlacement, AcceptPlan, AdvanceShift, ReleasePlan, ScaleEndpoint, SetWeights],
)
def converge(
    event: Event[ConvergenceRequested], ctx: Context
) -> Iterator[ConvergenceStep | WorkloadConverged]:
    """Find out what one workload lacks, and begin to give it that."""
    asked, fleet = event.data, ctx.fleet
    try:
        found = _agree(asked.application, asked.workload, fleet, ctx)
        if isinstance(found, Agreed):
            found = _scaled(asked, found, fleet, ctx) or found
    except ActionRefused as refused:
        found = Ended("failed", str(refused))
    if isinstance(found, Ended):
        yield _converged(asked, found)
        return
    origin, goal = found.origin, found.aim
    shift = fleet.workloads[asked.workload].shift
    moves = moved(origin.weights, goal.weights) > 0
    yield ConvergenceStep(
        application=asked.application,
        workload=asked.workload,
        round=asked.round,
        origin=origin.weights,
        before=origin.capacity,
        target=goal.weights,
        replicas=goal.replicas,
        step=1,
        of=shift.steps if moves else 1,
        pause=shift.pause if moves else 0.0,
        epoch=found.epoch,
        held=goal.held,
        because="it is brought to its declared placement",
    )


def _agree(application: Application, workload: str, fleet: Fleet, ctx: Context) -> Agreed | Ended:
    """Look, plan and accept until the register agrees, or it has refused a few times."""
    if workload not in fleet.workloads:
        return Ended("failed", "it is not declared where this is worked; deploy the file first")
    query = ReadDeclaration(digest=application.digest, workloads=(workload,))
    declared = ctx.observe(query).workloads.get(workload)
    if declared is None:
        return Ended("failed", f"declaration {application.digest:.12} does not hold it")
    refused = ""
    for _ in range(TURNS):
        known = tuple(sorted(r for r in declared.weights if r in fleet.regions))
        view = ctx.observe(ReadRegister(workload=workload, regions=known))
        if view.workload.moving is not None:
            return Ended("held", aim(declared, view.workload, view.regions).held)
        there = _there(workload, declared, view, fleet, ctx)
        state = _state(application, workload, declared, view, there, ctx)
        if state is None:
            continue  # another has recorded it meanwhile
        goal = aim(declared, state, view.regions)
        if not goal.changes:
            return _as_it_is(application, workload, goal, ctx)
        accepted = ctx.act(_plan(application, workload, state, goal, fleet, ctx))
        if accepted.accepted:
            return Agreed(state, goal, _replicas(there), accepted.epoch)
        refused = accepted.reason
        if not accepted.changed:
            break  # a rule: looking again would not change it
    return Ended("failed", f"the register refused: {refused}"[:2000])


def _there(
    workload: str, declared: Placed, view: RegisterView, fleet: Fleet, ctx: Context
) -> Mapping[str, EndpointState]:
    """The endpoints in all regions that it has or shall have, as far as they are declared."""
    places = {*declared.weights, *view.workload.weights, *view.workload.capacity}
    regions = tuple(sorted(places & fleet.regions.keys()))
    return ctx.observe(EndpointStatus(workload=workload, regions=regions)).states


def _replicas(there: Mapping[str, EndpointState]) -> dict[str, int]:
    return {r: one.ready + one.starting for r, one in there.items() if one.reachable}


def _state(
    application: Application,
    workload: str,
    declared: Placed,
    view: RegisterView,
    there: Mapping[str, EndpointState],
    ctx: Context,
) -> WorkloadState | None:
    """What is intended, of which the register holds a record from now on at the latest."""
    state = view.workload
    if intended(workload, view).recorded:
        held = {r: n for r, n in state.capacity.items() if r not in view.unrecorded}
        return state.model_copy(update={"capacity": held})
    traffic = ctx.observe(CurrentWeights(workload=workload))
    # A workload that gets no traffic yet is new: what it has is what it is declared to have.
    weights = traffic.weights if division(traffic.weights) else declared.weights
    capacity = {r: _replicas(there).get(r, declared.replicas.get(r, 0)) for r in there}
    adopted = ctx.act(
        AdoptPlacement(
            workload=workload,
            weights=weights,
            capacity=capacity,
            epoch=traffic.epoch,
            plan=plan_of(application, workload),
        )
    )
    if not adopted.adopted:
        return None
    return WorkloadState(epoch=adopted.epoch, weights=weights, capacity=capacity)


def _plan(
    application: Application,
    workload: str,
    state: WorkloadState,
    goal: Aim,
    fleet: Fleet,
    ctx: Context,
) -> AcceptPlan:
    regions = fleet.regions
    cost = sum(
        (count - state.capacity.get(region, 0)) * regions[region].price
        for region, count in goal.replicas.items()
        if region in regions
    )
    why = f"declaration {application.digest:.12} by {application.by}"
    return AcceptPlan(
        workload=workload,
        plan=plan_of(application, workload),
        target_weights=goal.weights,
        capacity=goal.replicas,
        priority="rollback" if application.rollback else "rollout",
        chain=ctx.chain,
        relies_on_epoch=state.epoch,
        added_cost=max(0.0, round(cost, 4)),
        because=f"{why}; {goal.held}" if goal.held else why,
    )


def _as_it_is(application: Application, workload: str, goal: Aim, ctx: Context) -> Ended:
    """Nothing is to be intended otherwise; what the world lacks of it is asserted again."""
    asserted = assert_intended(workload, ctx, plan=plan_of(application, workload))
    if asserted.outcome == "refused":
        return Ended("failed", asserted.because)
    if goal.held:
        return Ended("held", goal.held)
    if asserted.outcome == "asserted":
        return Ended("applied", f"asserted again: {asserted.because}")
    return Ended("unchanged", asserted.because)


def _scaled(
    asked: ConvergenceRequested, agreed: Agreed, fleet: Fleet, ctx: Context
) -> Ended | None:
    """Ask for the replicas that are wanting; where less is granted, everything is taken back."""
    for region, count in sorted(agreed.aim.replicas.items()):
        if count <= agreed.there.get(region, 0) or region not in fleet.regions:
            continue
        if agreed.origin.capacity.get(region) == count and region not in agreed.there:
            continue  # nothing is asked of a region that gives no answer
        scaled = ctx.act(
            ScaleEndpoint(
                workload=asked.workload,
                region=region,
                replicas=count,
                epoch=agreed.epoch,
                plan=plan_of(asked.application, asked.workload),
            )
        )
        if scaled.granted < count:
            why = f" ({scaled.reason})" if scaled.reason else ""
            said = f"{region} grants {scaled.granted} of {count} replicas{why}"
            back = take_back(
                asked.application,
                asked.workload,
                agreed.origin.weights,
                agreed.origin.capacity,
                said,
                ctx,
            )
            return Ended("failed", f"{said}; {back}")
    return None


def _converged(asked: ConvergenceRequested, ended: Ended) -> WorkloadConverged:
    return WorkloadConverged(
        application=asked.application,
        workload=asked.workload,
        round=asked.round,
        outcome=ended.outcome,
        because=ended.because[:2000],
    )
