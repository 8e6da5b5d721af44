"""Taking back: a workload that did not bear its new placement gets the one that it had."""

from __future__ import annotations

from collections.abc import Mapping

from crosswind.chains.apply.chain import plan_of
from crosswind.chains.apply.steps import moved
from crosswind.context import Context
from crosswind.errors import ActionRefused
from crosswind.fleet.operations import AcceptPlan, AdvanceShift, ReadRegister
from crosswind.operations.endpoints import ScaleEndpoint
from crosswind.operations.traffic import SetWeights
from crosswind_events.catalogue.fleet import Application


def take_back(
    application: Application,
    workload: str,
    weights: Mapping[str, float],
    replicas: Mapping[str, int],
    because: str,
    ctx: Context,
) -> str:
    """Intend and assert the placement from before, in one step; says what has come of it.

    It goes by the same plan: what a person has granted includes the way back.

    Args:
        weights, replicas: from before.
        because: what went wrong.
    """
    plan = plan_of(application, workload)
    state = ctx.observe(ReadRegister(workload=workload)).workload
    if (state.moving.plan if state.moving else state.plan) != plan:
        return f"not taken back: plan {state.plan} is in force"
    try:
        accepted = ctx.act(
            AcceptPlan(
                workload=workload,
                plan=plan,
                target_weights=weights,
                capacity={**dict.fromkeys(state.capacity, 0), **replicas},
                priority="rollback" if application.rollback else "rollout",
                chain=ctx.chain,
                relies_on_epoch=state.epoch,
                because=f"taken back: {because}"[:2000],
            )
        )
        if not accepted.accepted:
            return f"not taken back: {accepted.reason}"
        advanced = ctx.act(
            AdvanceShift(
                workload=workload,
                plan=plan,
                weights=weights,
                step=1,
                of=1,
                relies_on_epoch=accepted.epoch,
            )
        )
        if not advanced.applied:
            return f"not taken back: {advanced.reason}"
        ctx.act(
            SetWeights(
                workload=workload,
                weights=weights,
                epoch=advanced.epoch,
                moved=moved(state.weights, weights),
                plan=plan,
            )
        )
        regions = ctx.fleet.regions
        for region, count in sorted(state.capacity.items()):
            before = replicas.get(region, 0)
            if count > before and region in regions:
                ctx.act(
                    ScaleEndpoint(
                        workload=workload,
                        region=region,
                        replicas=before,
                        epoch=advanced.epoch,
                        removed=count - before,
                        plan=plan,
                    )
                )
    except ActionRefused as refused:
        return f"not all taken back: {refused}"
    return "taken back"
