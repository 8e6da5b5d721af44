"""The shift: traffic moves in steps, and every step is judged before the next is taken.

    traffic.shift(step) -> look at the regions that serve at the end
        well:     intend the step in the register, set the weights, come back after a pause
        not yet:  hold, and look again after a pause
        bad:      plan again without the region that is bad
        overtaken by another plan: wait until that has moved the region's traffic
        after the last step: measure the outage; the workload is settled

On the way back a bad look at the region that has recovered is a relapse; and while anybody says
that it fails, no further step is taken.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Final

from crosswind.chains.failover.capacity import again
from crosswind.chains.failover.chain import chain
from crosswind.chains.failover.evidence import failing
from crosswind.chains.failover.recovery import relapsed
from crosswind.chains.failover.steps import (
    PATIENCE,
    Judgement,
    judge,
    moved,
    pause_of,
    weights_at,
)
from crosswind.chains.failover.words import since_recovery
from crosswind.context import Context
from crosswind.emissions import Later, later
from crosswind.errors import ActionRefused
from crosswind.fleet.operations import AdvanceShift, ReadRegister, ReleasePlan
from crosswind.fleet.quantities import TOLERANCE
from crosswind.operations.endpoints import EndpointState, EndpointStatus, ScaleEndpoint
from crosswind.operations.telemetry import MeasureOutage, ReadTelemetry
from crosswind.operations.traffic import SetWeights
from crosswind_events import Event
from crosswind_events.catalogue.failover import FailoverRequested, Outcome, Plan, WorkloadSettled
from crosswind_events.catalogue.recovery import FailbackRequested, RegionRelapsed
from crosswind_events.catalogue.traffic import TrafficShift

Shifting = (
    Later[TrafficShift] | FailoverRequested | FailbackRequested | WorkloadSettled | RegionRelapsed
)

WAITS: Final = 60
"""Pauses for which another plan that moves the same workload is waited for, or that a word against
a region may hold up its way back."""

_WINDOW: Final = 1.0
"""Seconds of traffic that are looked at, at the least."""


@chain.on(
    reads=[ReadTelemetry, EndpointStatus, ReadRegister, MeasureOutage],
    acts=[AdvanceShift, ReleasePlan, SetWeights, ScaleEndpoint],
)
def shift(event: Event[TrafficShift], ctx: Context) -> Iterator[Shifting]:
    """Judge the step before, and take the next."""
    due = event.data
    if due.waits:
        yield from _overtaken(due, due.because, ctx)
        return
    if event.extensions.get("simulated"):
        yield from _rehearse(due, ctx)
        return
    endpoints = _endpoints(due.plan, ctx)
    judgement = _look(due, endpoints, ctx)
    match judgement.verdict:
        case "hold":
            held = due.model_copy(update={"holds": due.holds + 1, "because": judgement.because})
            yield later(held, pause_of(due.plan))
        case "leave":
            yield from _turn(due.plan, judgement, ctx)
        case "go" if due.step > due.plan.steps:
            yield from _finish(due, judgement, endpoints, ctx)
        case "go" if doubt := _doubt(due.plan, ctx):
            yield from _held_up(due, doubt, ctx)
        case "go":
            yield from _step(due, judgement, ctx)


def _doubt(plan: Plan, ctx: Context) -> str:
    """Why no more traffic comes back to a region: too little for a relapse; empty if nothing."""
    if plan.sweep.purpose != "failback":
        return ""
    region = plan.sweep.region
    against = failing(since_recovery(ctx.evidence()), region, ctx.fleet, ctx.now())
    if not against.standing:
        return ""
    last = against.standing[-1]
    return f"{last.kind} evidence says that {region} fails; {against.because}"


def _held_up(due: TrafficShift, doubt: str, ctx: Context) -> Iterator[Shifting]:
    """Wait until a word against the region is taken back, or no longer counts."""
    if due.holds < WAITS:
        held = due.model_copy(update={"holds": due.holds + 1, "because": doubt})
        yield later(held, pause_of(due.plan))
    else:
        yield _given_up(due.plan, doubt, ctx)


def _rehearse(due: TrafficShift, ctx: Context) -> Iterator[Shifting]:
    """Nothing of the chain is done for real, so nothing that it did can be seen or judged."""
    why = "nothing was moved: this is only observed"
    if due.step > due.plan.steps:
        yield _settled(due.plan, "moved", why)
    else:
        yield from _step(due, Judgement("go", why), ctx)


def _endpoints(plan: Plan, ctx: Context) -> Mapping[str, EndpointState]:
    regions = tuple(sorted(plan.target))
    if plan.sweep.purpose == "failover":
        # Those that are left are not asked: their silence would only cost time.
        regions = tuple(region for region in regions if plan.target[region] > 0)
    return ctx.observe(EndpointStatus(workload=plan.workload, regions=regions)).states


def _look(due: TrafficShift, endpoints: Mapping[str, EndpointState], ctx: Context) -> Judgement:
    plan, fleet = due.plan, ctx.fleet
    spec = fleet.workloads[plan.workload]
    # Not further back than the step before, whose effect is to be seen.
    window = max(_WINDOW, min(spec.shift.window, plan.pause))
    telemetry = ctx.observe(ReadTelemetry(workload=plan.workload, seconds=window))
    return judge(plan, due.step, due.holds, spec, fleet.failover, telemetry, endpoints)


def _step(due: TrafficShift, judgement: Judgement, ctx: Context) -> Iterator[Shifting]:
    """Intend the step, then carry it out under the register's new epoch."""
    plan, step = due.plan, due.step
    weights = weights_at(plan, step)
    try:
        advanced = ctx.act(
            AdvanceShift(
                workload=plan.workload,
                plan=plan.id,
                weights=weights,
                step=step,
                of=plan.steps,
                relies_on_epoch=due.epoch,
            )
        )
        if not advanced.applied:
            yield from _overtaken(due, advanced.reason, ctx)
            return
        done = ctx.act(
            SetWeights(
                workload=plan.workload,
                weights=weights,
                epoch=advanced.epoch,
                moved=moved(weights_at(plan, step - 1), weights),
                plan=plan.id,
            )
        )
    except ActionRefused as refused:
        yield _given_up(plan, f"step {step} of {plan.steps}: {refused}", ctx)
        return
    if not done.applied:
        why = f"the traffic's target holds epoch {done.epoch} already: {done.reason}"
        yield from _overtaken(due, why, ctx)
        return
    because = f"step {step} of {plan.steps} is taken; before it {judgement.because}"
    following = TrafficShift(plan=plan, step=step + 1, epoch=advanced.epoch, because=because)
    yield later(following, plan.pause)


def _turn(plan: Plan, judgement: Judgement, ctx: Context) -> Iterator[Shifting]:
    """The plan does not hold: go another way."""
    because = judgement.because
    if plan.sweep.purpose == "failover":
        excluded = () if judgement.ceilings else judgement.regions
        yield again(plan, because, excluded=excluded, ceilings=judgement.ceilings)
        return
    region = plan.sweep.region
    if region in judgement.regions and not judgement.ceilings:
        yield _given_up(plan, because, ctx)
        yield from relapsed(region, because, ctx)
    elif judgement.ceilings:
        yield again(plan, because, ceilings=judgement.ceilings)
    else:
        yield _given_up(plan, because, ctx)


def _overtaken(due: TrafficShift, reason: str, ctx: Context) -> Iterator[Shifting]:
    """The register did not take the step: see whose plan is in force, and obey it.

    A plan for the same workload that was accepted later knows of everything that this one knew:
    the region is evacuated in the register it was made from.
    """
    plan, region = due.plan, due.plan.sweep.region
    state = ctx.observe(ReadRegister(workload=plan.workload)).workload
    share = state.weights.get(region, 0.0)
    there = share <= TOLERANCE
    if plan.sweep.purpose == "failback":
        there = share >= plan.target.get(region, 0.0) - TOLERANCE
    if there and state.plan != plan.id and state.moving is None:
        yield _settled(plan, "moved", f"plan {state.plan} has done it: {reason}")
    elif plan.sweep.purpose == "failback":
        yield _given_up(plan, f"another plan is in force: {reason}", ctx)
    elif state.moving is not None and state.moving.plan == plan.id and due.holds < PATIENCE:
        # Its own plan, at another epoch: something else about the workload was changed.
        update = {"epoch": state.epoch, "holds": due.holds + 1, "waits": 0, "because": reason}
        yield later(due.model_copy(update=update), pause_of(plan))
    elif state.moving is not None and state.moving.plan != plan.id and due.waits < WAITS:
        update = {"waits": due.waits + 1, "because": reason}
        yield later(due.model_copy(update=update), pause_of(plan))
    else:
        yield again(plan, f"the plan is no longer in force: {reason}")


def _finish(
    due: TrafficShift,
    judgement: Judgement,
    endpoints: Mapping[str, EndpointState],
    ctx: Context,
) -> Iterator[Shifting]:
    plan = due.plan
    if plan.sweep.purpose == "failback":
        _give_back(plan, endpoints, due.epoch, ctx)
        yield _settled(plan, "moved", f"all {plan.steps} steps are taken; {judgement.because}")
        return
    since = plan.sweep.began.timestamp() - ctx.fleet.failover.window
    outage = ctx.observe(MeasureOutage(workload=plan.workload, since=since))
    if outage.began is not None and outage.ended is None and due.holds < PATIENCE:
        why = "its callers still see failures"
        yield later(due.model_copy(update={"holds": due.holds + 1, "because": why}), pause_of(plan))
        return
    ends: Outcome = "moved"
    if outage.began is None and outage.counted == 0:
        seconds, said = None, "nobody measured what its callers saw"
    elif outage.began is None:
        seconds, said = 0.0, "its callers saw no outage"
    elif outage.seconds is None:
        seconds, said = None, "its callers still see failures, so no recovery time was measured"
        ends = "unrelieved"
    else:
        seconds, said = (
            max(0.0, outage.seconds),
            f"its callers saw {outage.seconds:.1f} s of outage",
        )
    _give_back_surplus(plan, due.epoch, ctx)
    yield _settled(
        plan, ends, f"all {plan.steps} steps are taken; {judgement.because}; {said}", seconds
    )


def _give_back(
    plan: Plan, endpoints: Mapping[str, EndpointState], epoch: int, ctx: Context
) -> None:
    """Return the replicas that the failover had added; that one is refused harms nobody."""
    for region, count in sorted(plan.replicas.items()):
        ready = endpoints[region].ready if region in endpoints else 0
        if ready <= count:
            continue
        release = ScaleEndpoint(
            workload=plan.workload,
            region=region,
            replicas=count,
            epoch=epoch,
            removed=ready - count,
            plan=plan.id,
        )
        # Refused, its replicas stay: that costs money, and is on record.
        with suppress(ActionRefused):
            ctx.act(release)


def _give_back_surplus(plan: Plan, epoch: int, ctx: Context) -> None:
    """Return what plans of this chain have asked for and this one does not need.

    It counts against no limit: nothing is taken away but what the chain itself has added.
    """
    kept = {**plan.rest, **plan.replicas}
    asked = tuple(sorted(plan.rest.keys() - set(plan.excluded)))
    if not asked or (plan.attempt == 1 and not plan.spare):
        return  # no more was asked for than is needed
    endpoints = ctx.observe(EndpointStatus(workload=plan.workload, regions=asked)).states
    for region in asked:
        seen = endpoints.get(region)
        if seen is None or not seen.reachable or seen.ready + seen.starting <= kept[region]:
            continue
        release = ScaleEndpoint(
            workload=plan.workload,
            region=region,
            replicas=kept[region],
            epoch=epoch,
            plan=plan.id,
        )
        with suppress(ActionRefused):
            ctx.act(release)


def _given_up(plan: Plan, because: str, ctx: Context) -> WorkloadSettled:
    """The workload has failed; its plan no longer holds off weaker ones."""
    # Refused, it ends by itself when its time is over.
    with suppress(ActionRefused):
        ctx.act(ReleasePlan(workload=plan.workload, plan=plan.id, because=because[:2000]))
    return _settled(plan, "failed", because)


def _settled(
    plan: Plan, outcome: Outcome, because: str, seconds: float | None = None
) -> WorkloadSettled:
    return WorkloadSettled(
        sweep=plan.sweep,
        workload=plan.workload,
        outcome=outcome,
        plan=plan.id,
        recovery_seconds=seconds,
        because=because[:2000],
    )
