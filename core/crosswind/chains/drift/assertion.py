"""Asserting what is intended: the register's newest weights and replicas, under its present epoch.

read the register -> look at the world -> assert what differs -> read the register again
    the same epoch: done
    another one meanwhile: once more, so that what was asserted last is the newest
the target refuses: it holds a newer epoch; the register is read again, and obeyed
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

from crosswind.context import Context
from crosswind.fleet import keys
from crosswind.fleet.applications import Intention
from crosswind.fleet.comparison import Drift, Seen, drift
from crosswind.fleet.operations import ReadRegister
from crosswind.fleet.rules import SERVING
from crosswind.fleet.state import RegionState, RegisterView
from crosswind.operations.endpoints import EndpointStatus, ScaleEndpoint
from crosswind.operations.traffic import CurrentWeights, SetWeights
from crosswind.ports import ABSENT

TURNS: Final = 4
"""How often the register may change while something is asserted."""


class Asserted(NamedTuple):
    """How an assertion ended.

    Attributes:
        outcome: `asserted`; `holds`, where nothing differed; `busy`, where a plan is under way or
            nothing is intended; `refused`, where the world does not follow.
        epoch: the register's.
        weights, replicas: what was asserted, of what differed.
    """

    outcome: Literal["asserted", "holds", "busy", "refused"]
    epoch: int
    because: str
    weights: Mapping[str, float]
    replicas: Mapping[str, int]


def look(
    workload: str, intention: Intention, regions: Mapping[str, RegionState], ctx: Context
) -> Seen:
    """What the world has of a workload, in the regions of which the register holds replicas."""
    weights, declared = ctx.observe(CurrentWeights(workload=workload)), ctx.fleet.regions
    places = tuple(
        sorted(
            region
            for region in intention.workload.capacity
            if region in declared
            and region not in intention.unrecorded
            and regions.get(region, SERVING).state == "serving"
        )
    )
    replicas: dict[str, int] = {}
    if places:
        states = ctx.observe(EndpointStatus(workload=workload, regions=places)).states
        replicas = {
            region: one.ready + one.starting for region, one in states.items() if one.reachable
        }
    return Seen(weights.weights, weights.epoch, replicas)


def difference(
    workload: str, intention: Intention, regions: Mapping[str, RegionState], ctx: Context
) -> tuple[Drift, Seen] | None:
    """How the world differs; None where nothing is intended, or a plan is under way.

    Args:
        regions: states of the workload's regions; one that is missing serves.
    """
    if intention.workload.moving is not None or not intention.recorded:
        return None
    seen = look(workload, intention, regions, ctx)
    return drift(intention.workload, intention.unrecorded, regions, seen), seen


def intended(workload: str, view: RegisterView) -> Intention:
    """What a view of the register says is intended."""
    return Intention(
        workload=view.workload,
        recorded=view.versions.get(keys.workload(workload), ABSENT) != ABSENT,
        unrecorded=view.unrecorded,
    )


def assert_intended(workload: str, ctx: Context, *, plan: str | None = None) -> Asserted:
    """Bring the world to what the register intends for a workload.

    Args:
        plan: a granted plan that covers it.

    Raises:
        ActionRefused: a person has refused it.
    """
    epoch, because = 0, ""
    for _ in range(TURNS):
        view = ctx.observe(ReadRegister(workload=workload))
        state = view.workload
        epoch = state.epoch
        found = difference(workload, intended(workload, view), view.regions, ctx)
        if found is None:
            moving = state.moving
            why = f"plan {moving.plan} is under way" if moving else "nothing is recorded of it"
            return Asserted("busy", epoch, why, {}, {})
        differs, _ = found
        if not differs:
            return Asserted("holds", epoch, str(differs), {}, {})
        because = str(differs)
        refused = _assert(workload, state.weights, epoch, differs, plan, ctx)
        if ctx.observe(ReadRegister(workload=workload)).workload.epoch != epoch:
            continue  # what was asserted is no longer the newest
        replicas = {region: count.intended for region, count in differs.replicas.items()}
        weights = state.weights if differs.moved else {}
        if refused:
            return Asserted("refused", epoch, f"{because}; {refused}", weights, replicas)
        return Asserted("asserted", epoch, because, weights, replicas)
    why = f"{because}; the register has changed {TURNS} times meanwhile"
    return Asserted("refused", epoch, why, {}, {})


def _assert(
    workload: str,
    weights: Mapping[str, float],
    epoch: int,
    differs: Drift,
    plan: str | None,
    ctx: Context,
) -> str:
    """Assert what differs; why the world does not follow, empty where it does."""
    said: list[str] = []
    if differs.moved:
        done = ctx.act(
            SetWeights(
                workload=workload, weights=weights, epoch=epoch, moved=differs.moved, plan=plan
            )
        )
        if not done.applied:
            said.append(f"the traffic's target holds epoch {done.epoch}: {done.reason}")
    for region, count in differs.replicas.items():
        scaled = ctx.act(
            ScaleEndpoint(
                workload=workload,
                region=region,
                replicas=count.intended,
                epoch=epoch,
                removed=max(0, count.actual - count.intended),
                plan=plan,
            )
        )
        if scaled.granted != count.intended:
            why = f" ({scaled.reason})" if scaled.reason else ""
            said.append(f"{region} grants {scaled.granted} of {count.intended} replicas{why}")
    return "; ".join(said)
