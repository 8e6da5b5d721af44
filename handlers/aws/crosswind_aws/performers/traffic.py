"""Traffic on AWS: weighted records of Route 53, or routing controls of ARC where it is critical."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crosswind.actions import Action, Call, Pending, Query
from crosswind.operations.traffic import CurrentWeights, SetWeights, WeightsSet
from crosswind_aws.performers.asking import Deadline, Service, digest, patiently
from crosswind_aws.performers.failures import NotFound, Refused
from crosswind_aws.performers.resources import Resources, Route53Records, RoutingControls
from crosswind_aws.performers.route53 import WeightedRecords
from crosswind_aws.performers.routing_controls import Switches

if TYPE_CHECKING:
    from crosswind.fleet.declaration import Fleet
    from crosswind_aws.performers.intentions import Intentions


class TrafficPerformer:
    """Sends shares of a workload's traffic to regions, by what the resources declare for it.

    On weighted records of Route 53, a repeated key: the note beside the records holds the key of
    the last change, which is not made again, and the first answer is given. A key before that one
    is told by its epoch. A lower epoch: note and records are compared and set in one change batch;
    refused, the newer weights are returned with `applied=False`.

    On routing controls of ARC, a repeated key: the state that it leads to is the same however
    often it is asked for, and is given as the answer. A lower epoch: ARC keeps none. Where a store
    is given, the register is read after every change, and where it holds a newer epoch the newer
    state is set again.

    A workload of tier critical is steered by routing controls alone: editing records needs Route
    53's control plane, which is in one region, and that may be the one that fails.

    Args:
        resources: what stands for the fleet.
        fleet: tells how critical a workload is.
        intentions: of the register; without them a late change is left to the reconciliation.
    """

    performs: tuple[type[Action[Any]], ...] = (SetWeights,)
    answers: tuple[type[Query[Any]], ...] = (CurrentWeights,)

    def __init__(
        self, resources: Resources, fleet: Fleet, intentions: Intentions | None = None
    ) -> None:
        self._resources = resources
        self._fleet = fleet
        self._records = WeightedRecords(Service("route53"))
        self._switches = Switches(intentions)

    def perform(self, action: SetWeights, call: Call) -> WeightsSet | Pending:
        """Set the weights; pending where AWS asks for patience.

        Raises:
            CallFailed: see `failures`.
        """
        deadline = Deadline(call.timeout)
        match self._target(action.workload):
            case Route53Records() as records:
                if self._is_critical(action.workload):
                    raise Refused("traffic.set-weights", "TierIsCritical", critical(action))
                key = digest(call.key)
                return patiently(lambda: self._records.set(records, action, key, deadline))
            case RoutingControls() as controls:
                return patiently(lambda: self._switches.set(controls, action, deadline))

    def answer(self, query: CurrentWeights, timeout: float) -> WeightsSet:
        """The weights in force.

        Raises:
            CallFailed: see `failures`.
        """
        deadline = Deadline(timeout)
        match self._target(query.workload):
            case Route53Records() as records:
                return self._records.read(records, deadline)
            case RoutingControls() as controls:
                return self._switches.read(controls, deadline)

    def _target(self, workload: str) -> Route53Records | RoutingControls:
        declared = self._resources.workloads.get(workload)
        if declared is None or declared.traffic is None:
            raise NotFound(
                "traffic", "NotDeclared", f"no resource steers the traffic of {workload}"
            )
        return declared.traffic

    def _is_critical(self, workload: str) -> bool:
        spec = self._fleet.workloads.get(workload)
        return spec is not None and spec.tier == "critical"


def critical(action: SetWeights) -> str:
    """Why the records of a critical workload are not edited."""
    return (
        f"{action.workload} is critical, and its records can be edited only through the control "
        "plane of Route 53; declare routing controls for it (service: arc)"
    )
