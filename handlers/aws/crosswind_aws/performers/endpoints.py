"""Serving endpoints on AWS: services of ECS and endpoints of SageMaker."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from crosswind.actions import Action, Call, Pending, Query
from crosswind.operations.endpoints import (
    EndpointState,
    EndpointStates,
    EndpointStatus,
    Scaled,
    ScaleEndpoint,
)
from crosswind_aws.performers.asking import LEAST, Deadline, Services, digest, patiently
from crosswind_aws.performers.ecs import Tasks
from crosswind_aws.performers.failures import (
    CallFailed,
    NotFound,
    Refused,
    Throttled,
    Unreachable,
)
from crosswind_aws.performers.replicas import Replicas
from crosswind_aws.performers.resources import (
    EcsService,
    Quota,
    Resources,
    SageMakerEndpoint,
    aws_region,
)
from crosswind_aws.performers.sagemaker import Instances
from crosswind_aws.performers.scaling import Scaling

if TYPE_CHECKING:
    from crosswind_aws.performers.intentions import Intentions

CHECK_AFTER: Final = 5.0
"""Seconds after which replicas that are starting are looked at again."""

QUOTA_AGE: Final = 300.0
"""Seconds for which a quota that was read is good enough."""


class EndpointPerformer:
    """Scales endpoints, and reads their state, as the resources declare them.

    A repeated key: it is left as a tag of the endpoint once the order was taken, and an order whose
    key stands there is not made again. Where the answer to the order was lost, the number that is
    asked for already is recognised. How far the replicas are is read anew every time.

    A lower epoch: the epoch is a tag as well, and a lower one is refused. Neither service compares
    it in one step, so two calls at the very same time may both pass; where a store is given, the
    register is read again after the order, and where it holds a newer plan that one is asserted.
    What is left is for the reconciliation to find.

    Args:
        resources: what stands for the fleet.
        intentions: of the register.
        check_after: seconds after which replicas that are starting are looked at again.
    """

    performs: tuple[type[Action[Any]], ...] = (ScaleEndpoint,)
    answers: tuple[type[Query[Any]], ...] = (EndpointStatus,)

    def __init__(
        self,
        resources: Resources,
        intentions: Intentions | None = None,
        *,
        check_after: float = CHECK_AFTER,
    ) -> None:
        self._resources = resources
        self._intentions = intentions
        self._check_after = check_after
        self._tasks = Tasks()
        self._instances = Instances()
        self._quotas = Quotas()

    def perform(self, action: ScaleEndpoint, call: Call) -> Scaled | Pending:
        """Ask for replicas; pending until those granted serve, or AWS says that they cannot.

        Raises:
            CallFailed: see `failures`.
        """
        deadline = Deadline(call.timeout)
        if not action.region.startswith("aws/"):
            raise Refused("endpoint.scale", "NotInAws", f"{action.region} is another cloud's")
        endpoint = self._declared(action.workload, action.region)
        scaling = Scaling(
            self._replicas(endpoint),
            endpoint,
            action,
            digest(call.key),
            deadline,
            self._intentions,
            self._check_after,
        )
        return patiently(scaling.carry_out)

    def answer(self, query: EndpointStatus, timeout: float) -> EndpointStates:
        """The state of each region; one that gives no answer, or is another cloud's, is told so.

        Raises:
            NotFound: nothing is declared for a region of AWS, or it is not there.
            Denied: the role may not look.
        """
        deadline = Deadline(timeout)
        states = {}
        for number, region in enumerate(query.regions):
            share = Deadline(max(LEAST, deadline.left / (len(query.regions) - number)))
            states[region] = self._state(query.workload, region, share)
        return EndpointStates(states=states)

    def _state(self, workload: str, region: str, deadline: Deadline) -> EndpointState:
        if not region.startswith("aws/"):
            return EndpointState(region=region, reachable=False)
        endpoint = self._declared(workload, region)
        try:
            seen = self._replicas(endpoint).find(
                endpoint, aws_region(region), deadline, marked=False
            )
        except (Unreachable, Throttled):
            return EndpointState(region=region, reachable=False)
        quota = self._quotas.of(endpoint.quota, aws_region(region), deadline)
        return EndpointState(
            region=region, reachable=True, ready=seen.ready, starting=seen.starting, quota=quota
        )

    def _declared(self, workload: str, region: str) -> EcsService | SageMakerEndpoint:
        declared = self._resources.workloads.get(workload)
        has = None if declared is None else declared.regions.get(region)
        if has is None or has.endpoint is None:
            why = f"no resource is declared that serves {workload} in {region}"
            raise NotFound("endpoint", "NotDeclared", why)
        return has.endpoint

    def _replicas(self, endpoint: EcsService | SageMakerEndpoint) -> Replicas[Any]:
        return self._tasks if isinstance(endpoint, EcsService) else self._instances


class Quotas:
    """Reads quotas of Service Quotas, and keeps them for some minutes."""

    def __init__(self) -> None:
        self._ask = Services("service-quotas")
        self._kept: dict[tuple[str, Quota], tuple[float, int]] = {}

    def of(self, quota: Quota | None, region: str, deadline: Deadline) -> int | None:
        """How many replicas a quota allows; None where it is not known.

        A quota bounds a wish and is no reason to see nothing, so what cannot be read is unknown.
        """
        if quota is None:
            return None
        kept = self._kept.get((region, quota))
        if kept is not None and time.monotonic() - kept[0] < QUOTA_AGE:
            return kept[1]
        try:
            told = self._ask[region].read(
                "get_service_quota", deadline, ServiceCode=quota.service, QuotaCode=quota.code
            )
        except CallFailed:
            return None
        most = int(float(told["Quota"]["Value"]) // quota.per_replica)
        self._kept[region, quota] = time.monotonic(), most
        return most
