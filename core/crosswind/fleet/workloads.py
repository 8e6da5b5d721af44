"""What is declared of a workload: what it needs, where it runs, and what is promised of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final, Literal

from pydantic import Field

from crosswind.fleet.objectives import Objective, Slo
from crosswind.fleet.policies import ShiftPolicy
from crosswind.fleet.quantities import (
    MAX_REGIONS,
    Amount,
    Count,
    Declared,
    GpuKind,
    Jurisdiction,
    Positive,
    Seconds,
    Share,
)
from crosswind_events import Region

Tier = Literal["critical", "standard", "batch"]

TIERS: Final[tuple[Tier, ...]] = ("critical", "standard", "batch")
"""The most important one first."""

EU_MEMBERS: Final = frozenset({
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU",
    "IE", "IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
})  # fmt: skip
"""ISO 3166-1 alpha-2 codes of the member states of the European Union."""


class Placement(Declared):
    """What a workload has in one region in normal times.

    Attributes:
        weight: share of the workload's traffic, 0 for a standby.
        replicas: replicas that serve it.
        quota: replicas that it may have there at most.
    """

    weight: Share = Field(examples=[0.5])
    replicas: Count = Field(examples=[3])
    quota: Count = Field(examples=[10])


class DataLocality(Declared):
    """Where the data of a workload is, and how much of it a request reads.

    A request that is served elsewhere reads from the cheapest of these regions, at its egress
    price.

    Attributes:
        regions: where the data is.
        gb_per_request: GB that one request reads from there.
    """

    regions: tuple[Region, ...] = Field(
        min_length=1, max_length=MAX_REGIONS, examples=[["aws/us-east-1"]]
    )
    gb_per_request: Amount = 0.0


class Spread(Declared):
    """How widely a workload is to be spread.

    A wish: it gives way before users are served worse, and is never why a plan is not safe.

    Attributes:
        max_share: most of its traffic that one region is to get.
        max_domain_share: most of its traffic that the regions of one failing domain are to get.
    """

    max_share: Annotated[Share, Field(gt=0.0)] = 1.0
    max_domain_share: Annotated[Share, Field(gt=0.0)] = 1.0


class WorkloadSpec(Declared):
    """A workload: what it needs, where it runs, and what must hold whatever happens.

    Attributes:
        tier: in which order workloads are served where not all can be.
        regions: what it has where; the weights sum to 1.
        residency: jurisdictions in which its requests may be served, anywhere if empty; `EU`
            admits every member state.
        rate: requests per second that its users send.
        per_replica: requests per second that one replica serves.
        floor: share of the demand for which the regions that get it must always have capacity.
        slo: what is promised to its users.
        gpu: kind of GPU that a replica needs; none unless given.
        gpus_per_replica: how many of them.
        start_up: seconds from the request for a new replica until it serves.
        max_egress_usd_per_hour: most that its answers may cost in outgoing traffic.
        gb_per_request: GB that one answer sends out.
        data: where its data is; served from anywhere alike unless given.
        spread: how widely its traffic is to be spread.
        shift: how its traffic is moved.
    """

    tier: Tier = "standard"
    regions: Mapping[Region, Placement] = Field(
        min_length=1,
        max_length=MAX_REGIONS,
        examples=[{"aws/us-east-1": {"weight": 1, "replicas": 3, "quota": 10}}],
    )
    residency: tuple[Jurisdiction, ...] = Field(default=(), max_length=64)
    rate: Amount = Field(examples=[60])
    per_replica: Positive = Field(examples=[20])
    floor: Share = 1.0
    slo: Objective = Slo()
    gpu: GpuKind | None = None
    gpus_per_replica: Annotated[Count, Field(ge=1, le=1024)] = 1
    start_up: Seconds = 0.0
    max_egress_usd_per_hour: Amount | None = None
    gb_per_request: Amount = 0.0
    data: DataLocality | None = None
    spread: Spread = Spread()
    shift: ShiftPolicy = ShiftPolicy()

    @property
    def weights(self) -> Mapping[Region, float]:
        """The declared share of each region."""
        return {region: placement.weight for region, placement in self.regions.items()}

    @property
    def replicas(self) -> Mapping[Region, int]:
        """The declared replicas of each region."""
        return {region: placement.replicas for region, placement in self.regions.items()}

    def may_reside(self, jurisdiction: str) -> bool:
        """Whether its requests may be served under the law of this jurisdiction."""
        allowed = self.residency
        return (
            not allowed
            or jurisdiction in allowed
            or ("EU" in allowed and jurisdiction in EU_MEMBERS)
        )
