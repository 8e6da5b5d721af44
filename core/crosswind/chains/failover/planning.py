"""Planning: from a request to a plan that the register has accepted.

    failover.requested -> observe, plan, accept -> failover.planned
                          | the register has changed: observe and plan again, a few times
                          | nothing to move, no safe plan, or refused: the workload is settled
    failback.requested -> the same for the way back

Accepting is the step that a person approves where the fleet says so; the run is suspended
meanwhile. What the plan was made from is seen anew when it goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Final, NamedTuple, TypeVar

from crosswind.chains.failover.chain import CONFLICTS, PLANS, TURNS, chain
from crosswind.chains.failover.failback import MARGIN, at_rest, restore
from crosswind.chains.failover.plan import Proposal, propose
from crosswind.chains.failover.situation import Situation, busy
from crosswind.chains.failover.words import taken_back
from crosswind.context import Context
from crosswind.emissions import Later, later
from crosswind.errors import ActionRefused
from crosswind.fleet.operations import AcceptPlan, ReadRegister, ReleasePlan
from crosswind.fleet.quantities import TOLERANCE
from crosswind.fleet.rules import depends_on, egress_cost
from crosswind.operations.endpoints import EndpointStatus
from crosswind.operations.telemetry import ReadTelemetry
from crosswind_events import Event
from crosswind_events.catalogue.failover import (
    Alternative,
    Decision,
    FailoverPlanned,
    FailoverRequested,
    Outcome,
    Plan,
    WorkloadSettled,
)
from crosswind_events.catalogue.recovery import FailbackPlanned, FailbackRequested

Asked = FailoverRequested | FailbackRequested
A = TypeVar("A", FailoverRequested, FailbackRequested)

_JITTER: Final = 5.0
"""Seconds within which chains that were refused at the same time plan again."""

_LONGEST: Final = 2000

_ANSWERING: Final = 0.5
"""Share of its requests from which a region that is asked too much is held and not left."""

_WAIT: Final = 300.0
_WAITS: Final = 12
"""Seconds after which a way back is tried that waits for demand to fall, and how often that is."""

_WINDOW: Final = 10.0
"""Seconds of real traffic from which demand is read, at the least."""


class Settled(NamedTuple):
    """The workload needs no plan, or can have none."""

    outcome: Outcome
    because: str


class Way(NamedTuple):
    """What the planner makes of a situation."""

    proposal: Proposal
    chosen: Alternative


class Agreed(NamedTuple):
    """A plan that the register has accepted."""

    plan: Plan
    decision: Decision
    because: str


class Refused(NamedTuple):
    """The register has accepted none of this run's plans."""

    because: str


@chain.on(reads=[ReadRegister, EndpointStatus, ReadTelemetry], acts=[AcceptPlan, ReleasePlan])
def plan_failover(
    event: Event[FailoverRequested], ctx: Context
) -> Iterator[FailoverPlanned | WorkloadSettled | Later[FailoverRequested]]:
    """Find a safe plan for one workload and have it accepted."""
    asked = event.data
    shift = ctx.fleet.workloads[asked.workload].shift
    found = _spent(asked, ctx) or _withdrawn(asked, ctx)
    match found or _agree(asked, _leave, shift.steps, shift.pause, ctx):
        case Agreed(plan, decision, because):
            yield FailoverPlanned(plan=plan, decision=decision, because=because)
        case Refused(because) if asked.conflicts < CONFLICTS:
            yield later(_once_more(asked, because), _jitter(ctx))
        case Refused(because) | Settled(_, because) as ended:
            yield _settle(asked, ended, because, ctx)


@chain.on(reads=[ReadRegister, EndpointStatus, ReadTelemetry], acts=[AcceptPlan, ReleasePlan])
def plan_failback(
    event: Event[FailbackRequested], ctx: Context
) -> Iterator[FailbackPlanned | WorkloadSettled | Later[FailbackRequested]]:
    """Find a safe way back for one workload and have it accepted."""
    asked = event.data
    policy = ctx.fleet.failover
    found = _spent(asked, ctx)
    if found is None and _crowded(asked, ctx):
        waiting = asked.model_copy(update={"waits": asked.waits + 1})
        yield later(waiting, _WAIT)
        return
    match found or _agree(asked, _return, policy.failback_steps, policy.failback_pause, ctx):
        case Agreed(plan, decision, because):
            yield FailbackPlanned(plan=plan, decision=decision, because=because)
        case Refused(because) if asked.conflicts < CONFLICTS:
            yield later(_once_more(asked, because), _jitter(ctx))
        case Refused(because) | Settled(_, because) as ended:
            yield _settle(asked, ended, because, ctx)


def _agree(
    asked: Asked,
    weigh: Callable[[Situation, Asked], Way | Settled],
    steps: int,
    pause: float,
    ctx: Context,
) -> Agreed | Refused | Settled:
    """Observe, plan and accept until the register agrees, or it has refused a few times."""
    refused = ""
    for turn in range(TURNS):
        situation = _situation(asked, ctx)
        if situation.busier is not None:
            situation = _braced(situation, situation.busier, weigh, asked)
        way = weigh(situation, asked)
        if isinstance(way, Settled):
            return way._replace(because=f"{way.because}{_busy(situation, ctx)}")
        plan = _plan(ctx.id(f"plan:{turn}"), situation, way, asked, steps, pause)
        try:
            accepted = ctx.act(_acceptance(plan, situation, way, ctx))
        except ActionRefused as refusal:
            return Settled("failed", str(refusal))
        if accepted.accepted:
            because = f"{way.proposal.decision.because}{_busy(situation, ctx)}; {asked.because}"
            agreed = plan.model_copy(update={"epoch": accepted.epoch})
            return Agreed(agreed, way.proposal.decision, because[:_LONGEST])
        refused = accepted.reason
    return Refused(f"the register refused: {refused}"[:_LONGEST])


def _braced(
    situation: Situation,
    busier: Situation,
    weigh: Callable[[Situation, Asked], Way | Settled],
    asked: Asked,
) -> Situation:
    """Which demand is planned for, where more is measured than is declared.

    What is measured, where there is a way for it. Else a region that still answers most of its
    requests is not left: it fails of too many, and where they would go is too little room for
    them, so that one region would fall after the other. One that is lost is left all the same, as
    far as the declared demand goes.
    """
    holds = asked.sweep.purpose == "failover" and situation.answering >= _ANSWERING
    return busier if holds or isinstance(weigh(busier, asked), Way) else situation


def _leave(situation: Situation, asked: Asked) -> Way | Settled:
    region = situation.region
    if situation.moving <= TOLERANCE:
        if asked.attempt > 1:
            return Settled("moved", f"none of its traffic is intended to go to {region} any more")
        return Settled("unaffected", f"no traffic of it is intended to go to {region}")
    proposal = propose(situation)
    if proposal.chosen is None:
        outcome: Outcome = "impossible" if asked.attempt == 1 else "failed"
        return Settled(outcome, proposal.decision.because)
    return Way(proposal, proposal.chosen)


def _return(situation: Situation, asked: Asked) -> Way | Settled:
    proposal = restore(situation)
    if proposal.chosen is None:
        return Settled("impossible", proposal.decision.because)
    if not at_rest(situation, proposal.chosen):
        return Way(proposal, proposal.chosen)
    region = situation.region
    share = situation.register.workload.weights.get(region, 0.0)
    if share < situation.spec.weights[region] - MARGIN:
        return Settled("failed", f"it can have no more of {region}: {_hurdles(proposal)}")
    return Settled("unaffected", f"it has its share of {region}")


def _hurdles(proposal: Proposal) -> str:
    broken = dict.fromkeys(rule for one in proposal.decision.alternatives for rule in one.breaks)
    return "; ".join(list(broken)[:8]) or proposal.decision.because


def _spent(asked: Asked, ctx: Context) -> Settled | None:
    """No further plan is made when too many did not hold, or it took too long."""
    if asked.attempt > PLANS:
        return Settled("failed", f"{PLANS} plans did not hold: {asked.because}")
    most = ctx.fleet.failover.deadline
    late = asked.sweep.began + timedelta(seconds=most)
    if asked.sweep.purpose == "failover" and asked.attempt > 1 and ctx.now() > late:
        said = f"no plan is made {most:g} s after the first evidence: {asked.because}"
        return Settled("failed", said)
    return None


def _withdrawn(asked: FailoverRequested, ctx: Context) -> Settled | None:
    """Nothing is moved where nobody says any more that the region fails."""
    if asked.attempt > 1 or asked.sweep.relapse:
        return None
    if taken_back(ctx.evidence(), asked.sweep.region):
        return Settled("unaffected", "every observer has taken back its word before anything moved")
    return None


def _situation(asked: Asked, ctx: Context) -> Situation:
    fleet, workload, sweep = ctx.fleet, asked.workload, asked.sweep
    excluded: frozenset[str] = frozenset()
    if isinstance(asked, FailoverRequested):
        excluded = frozenset(asked.excluded)
    register = ctx.observe(ReadRegister(workload=workload, regions=depends_on(fleet, workload)))
    # A region that is being left is not asked: its silence would only cost time.
    left = excluded | {sweep.region} if sweep.purpose == "failover" else excluded
    regions = tuple(sorted(set(fleet.workloads[workload].regions) - left))
    states = {}
    demand = answering = 0.0
    if regions:
        states = dict(ctx.observe(EndpointStatus(workload=workload, regions=regions)).states)
        demand, answering = _seen(workload, sweep.region, ctx)
    return Situation(
        fleet=fleet,
        demand=demand,
        answering=answering,
        workload=workload,
        region=sweep.region,
        register=register,
        endpoints=states,
        excluded=excluded,
        ceilings=asked.ceilings,
        allotted=asked.allotted if isinstance(asked, FailoverRequested) else {},
        rest=asked.rest if isinstance(asked, FailoverRequested) else {},
    )


def _crowded(asked: FailbackRequested, ctx: Context) -> bool:
    """Whether it is put off: more is asked for than is declared, and the survivors serve that."""
    if asked.attempt > 1 or asked.waits == _WAITS:
        return False
    spec = ctx.fleet.workloads[asked.workload]
    return busy(spec, _seen(asked.workload, asked.sweep.region, ctx)[0])


def _seen(workload: str, region: str, ctx: Context) -> tuple[float, float]:
    """Requests per second of a workload in all regions, and which share of its own one answers.

    Both are 0 where they are not known for now.
    """
    fleet, now = ctx.fleet, ctx.now().timestamp()
    seconds = max(_WINDOW, min(fleet.workloads[workload].shift.window, fleet.probes.every))
    seen = ctx.observe(ReadTelemetry(workload=workload, seconds=seconds))
    if seen.until is not None and now - seen.until > fleet.failover.window:
        return 0.0, 0.0
    here = seen.regions.get(region)
    answering = here.answered / here.requests if here is not None and here.requests else 0.0
    return sum(one.requests for one in seen.regions.values()) / seen.seconds, answering


def _busy(situation: Situation, ctx: Context) -> str:
    """That another demand than the declared one is planned for, in words; empty where it is not."""
    rate, declared = situation.spec.rate, ctx.fleet.workloads[situation.workload].rate
    if rate == declared:
        return ""
    return (
        f"; {rate:.0f} requests/s are measured, {declared:g} are declared, and "
        f"{situation.region} answers {situation.answering:.0%} of its own"
    )


def _plan(
    name: str, situation: Situation, way: Way, asked: Asked, steps: int, pause: float
) -> Plan:
    now, chosen = situation.register.workload, way.chosen
    return Plan(
        id=name,
        sweep=asked.sweep,
        workload=situation.workload,
        attempt=asked.attempt,
        excluded=tuple(sorted(situation.excluded)),
        ceilings=asked.ceilings,
        origin=now.weights,
        target=dict.fromkeys(now.weights, 0.0) | dict(chosen.weights),
        replicas=chosen.replicas,
        ready={region: situation.ready(region) for region in chosen.replicas},
        spare=way.proposal.spare,
        rest=_rest(situation, way) if asked.sweep.purpose == "failover" else {},
        allotted=situation.allotted,
        demand=situation.spec.rate,
        epoch=now.epoch,
        steps=steps,
        pause=pause,
    )


def _asked(replicas: Mapping[str, int], spare: Mapping[str, int]) -> dict[str, int]:
    """Replicas by region, with those that are asked for besides."""
    return {**replicas, **{r: max(count, replicas.get(r, 0)) for r, count in spare.items()}}


def _rest(situation: Situation, way: Way) -> dict[str, int]:
    """What was intended in regions of which this plan, or one before it, asks for more."""
    more = {
        region: situation.before(region)
        for region, count in _asked(way.chosen.replicas, way.proposal.spare).items()
        if count > situation.before(region)
    }
    return {**more, **situation.rest}


def _acceptance(plan: Plan, situation: Situation, way: Way, ctx: Context) -> AcceptPlan:
    leaves = plan.sweep.purpose == "failover"
    state = situation.register.regions.get(plan.sweep.region)
    newly_off = leaves and (state is None or state.state != "evacuated")
    return AcceptPlan(
        workload=plan.workload,
        plan=plan.id,
        target_weights=plan.target,
        capacity={**plan.rest, **plan.replicas},
        spare=plan.spare,
        priority="failover",
        chain=ctx.chain,
        region=plan.sweep.region,
        state="evacuated" if leaves else "soaking",
        lock=ctx.lock,
        relies_on_epoch=plan.epoch,
        off=int(newly_off),
        added_cost=_added_cost(plan, situation, way),
        because=way.proposal.decision.because[:_LONGEST],
        decision=way.proposal.decision,
    )


def _added_cost(plan: Plan, situation: Situation, way: Way) -> float:
    """USD per hour beyond what the register counts with already, spare replicas with it."""
    fleet, now = situation.fleet, situation.register.workload
    running = sum(
        (count - now.capacity.get(region, 0)) * fleet.regions[region].price
        for region, count in _asked(plan.replicas, plan.spare).items()
    )
    sent = way.chosen.egress - egress_cost(fleet, situation.spec, now.weights)
    return max(0.0, round(running + sent, 4))


def _settle(asked: Asked, ended: Refused | Settled, because: str, ctx: Context) -> WorkloadSettled:
    """The workload is done with; a plan of this chain that is under way is given up."""
    outcome: Outcome = ended.outcome if isinstance(ended, Settled) else "failed"
    if asked.attempt > 1 and outcome != "moved":
        moving = ctx.observe(ReadRegister(workload=asked.workload)).workload.moving
        if moving is not None and moving.owner == ctx.chain:
            ctx.act(ReleasePlan(workload=asked.workload, plan=moving.plan, because=because))
    return WorkloadSettled(
        sweep=asked.sweep, workload=asked.workload, outcome=outcome, because=because[:_LONGEST]
    )


def _once_more(asked: A, because: str) -> A:
    return asked.model_copy(update={"conflicts": asked.conflicts + 1, "because": because})


def _jitter(ctx: Context) -> float:
    """A delay that differs between chains and is the same whenever this run is run."""
    return 0.2 + int(ctx.id("jitter")[:8], 16) / 0xFFFFFFFF * _JITTER
