"""What the plan of one workload is made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from crosswind.fleet.declaration import Fleet, WorkloadSpec
from crosswind.fleet.rules import SERVING, gpus_reserved, held, reserved
from crosswind.fleet.state import RegionState, RegisterView
from crosswind.operations.endpoints import EndpointState
from crosswind.planner.survey import Known
from crosswind_events.catalogue.failover import Allotted

_UNLIMITED: Final = 100_000

_BUSIER: Final = 1.1
"""Times the declared demand up to which what is measured counts as it."""


def busy(spec: WorkloadSpec, demand: float) -> bool:
    """Whether more is asked for than is declared, by more than counting may be wrong."""
    return demand > spec.rate * _BUSIER


@dataclass(frozen=True, slots=True)
class Situation:
    """What a plan is made from.

    Attributes:
        region: the region that is left.
        register: what is intended for the workload and for the regions that its rules read.
        endpoints: what each region answered; a region that is missing did not answer.
        excluded: further regions that take no traffic.
        ceilings: replicas that a region can have at the most, as was found out before.
        allotted: what it may have where many want more than there is.
        demand: requests per second that were measured in all regions, 0 where they are not known.
        answering: share of its requests that the region still answers; 0 where that is not known.
        rest: replicas that were intended where plans of this chain have asked for more.
    """

    fleet: Fleet
    workload: str
    region: str
    register: RegisterView
    endpoints: Mapping[str, EndpointState]
    excluded: frozenset[str] = frozenset()
    ceilings: Mapping[str, int] | None = None
    allotted: Mapping[str, Allotted] = field(default_factory=dict)
    rest: Mapping[str, int] = field(default_factory=dict)
    demand: float = 0.0
    answering: float = 0.0

    @property
    def busier(self) -> Situation | None:
        """The same with the demand that was measured; None where that is hardly more than declared.

        A survivor that is sent what is declared, and gets what is asked for, is the next to fail.
        """
        if not busy(self.spec, self.demand):
            return None
        spec = self.spec.model_copy(update={"rate": self.demand})
        workloads = {**self.fleet.workloads, self.workload: spec}
        return replace(self, fleet=self.fleet.model_copy(update={"workloads": workloads}))

    @property
    def spec(self) -> WorkloadSpec:
        """The workload's declaration."""
        return self.fleet.workloads[self.workload]

    @property
    def intended(self) -> Mapping[str, RegionState]:
        """The states of the regions as the plan would have them."""
        left = self.register.regions.get(self.region, RegionState())
        evacuated = left.model_copy(update={"state": "evacuated"})
        return {**self.register.regions, self.region: evacuated}

    @property
    def leaving(self) -> frozenset[str]:
        """The regions that must not have traffic at the end."""
        evacuated = {r for r, state in self.intended.items() if state.state == "evacuated"}
        return frozenset(evacuated) | self.excluded | {self.region}

    @property
    def moving(self) -> float:
        """The share that has to leave."""
        weights = self.register.workload.weights
        return sum(weights.get(region, 0.0) for region in self.leaving)

    @property
    def together(self) -> Situation:
        """The same with what was planned for it together with all others, and no more."""
        strict = {
            region: one.model_copy(update={"most": one.replicas})
            for region, one in self.allotted.items()
        }
        return replace(self, allotted=strict)

    def capped(self, most: Mapping[str, int]) -> Situation:
        """The same where some regions can have so many replicas at the most."""
        ceilings = dict(self.ceilings or {})
        for region, count in most.items():
            ceilings[region] = min(count, ceilings.get(region, count))
        return replace(self, ceilings=ceilings)

    def known(self) -> Known:
        """The same for the planner of the fleet."""
        ceilings = dict(self.ceilings or {})
        for region, one in self.allotted.items():
            ceilings[region] = min(one.most, ceilings.get(region, one.most))
        now = self.register.workload
        return Known(now.weights, now.capacity, self.endpoints, self.excluded, ceilings)

    def most(self, region: str) -> int:
        """Replicas that the workload can have in a region at the most."""
        spec, declared = self.spec, self.fleet.regions[region]
        placement = spec.regions.get(region)
        bounds = [placement.quota if placement else 0]
        if self.ceilings is not None and region in self.ceilings:
            bounds.append(self.ceilings[region])
        if region in self.allotted:
            bounds.append(self.allotted[region].most)
        endpoint = self.endpoints.get(region)
        if endpoint is not None and endpoint.quota is not None:
            bounds.append(endpoint.quota)
        state = self.register.regions.get(region, SERVING)
        own = held(self.fleet, self.workload, region, state)
        if declared.quota is not None:
            bounds.append(declared.quota - reserved(self.fleet, region, state) + own)
        if spec.gpu is not None and declared.gpus:
            taken = gpus_reserved(self.fleet, region, state, spec.gpu)
            room = declared.gpus.get(spec.gpu, 0) - taken
            bounds.append(own + room // spec.gpus_per_replica)
        return max(0, min(bounds))

    def ready(self, region: str) -> int:
        """Replicas that serve in a region now."""
        endpoint = self.endpoints.get(region)
        return endpoint.ready if endpoint is not None and endpoint.reachable else 0

    def before(self, region: str) -> int:
        """Replicas that were intended in a region before this chain asked for any."""
        intended = self.register.workload.capacity.get(region, 0)
        return min(self.rest.get(region, _UNLIMITED), intended)
