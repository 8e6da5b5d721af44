"""The declaration of a fleet: its regions, workloads and policies, as frozen models.

A `Fleet` that exists is consistent: every name it refers to is declared, and the declared
placement of every workload keeps the safety rules. `crosswind.fleet.load` reads one from a file.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Final, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from crosswind.fleet.policies import (
    AlertMapping,
    Evidence,
    FailoverPolicy,
    Limit,
    LimitName,
    Mode,
    ModePolicy,
    ProbePolicy,
    ShiftPolicy,
    WorkloadModes,
)
from crosswind.fleet.quantities import (
    MAX_REGIONS,
    MAX_WORKLOADS,
    Amount,
    Count,
    Declared,
    Domain,
    FleetName,
    Jurisdiction,
    Label,
    Positive,
    Share,
    WorkloadName,
)
from crosswind_events import Region

__all__ = [
    "AlertMapping",
    "Evidence",
    "FailoverPolicy",
    "Fleet",
    "Limit",
    "LimitName",
    "Mode",
    "ModePolicy",
    "Placement",
    "ProbePolicy",
    "RegionSpec",
    "ShiftPolicy",
    "Slo",
    "Tier",
    "WorkloadModes",
    "WorkloadSpec",
]

Tier = Literal["critical", "standard", "batch"]

_TIERS: Final[tuple[Tier, ...]] = ("critical", "standard", "batch")

EU_MEMBERS: Final = frozenset({
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU",
    "IE", "IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
})  # fmt: skip
"""ISO 3166-1 alpha-2 codes of the member states of the European Union."""


class RegionSpec(Declared):
    """A region of a cloud.

    Attributes:
        jurisdiction: ISO 3166-1 alpha-2 code of the country whose law holds there, or `EU`.
        failing_domains: what it shares with other regions and fails together with, such as a
            power grid or a backbone; name the provider only if you treat it as one such domain.
        price: USD per replica and hour.
        egress: USD per GB that leaves the region.
        quota: replicas that all workloads together may hold there; no limit unless given.
        latency_ms: milliseconds to clients, by area.
    """

    jurisdiction: Jurisdiction = Field(examples=["US"])
    failing_domains: tuple[Domain, ...] = Field(default=(), max_length=16)
    price: Amount = 0.0
    egress: Amount = 0.0
    quota: Annotated[int, Field(strict=True, ge=0, le=10_000_000)] | None = None
    latency_ms: Mapping[Label, Amount] = Field(default={}, max_length=64)


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


class Slo(Declared):
    """What is promised to the users of a workload.

    Attributes:
        availability: share of requests that are answered well.
        latency_ms: 95th percentile of latency in milliseconds, where one is promised.
    """

    availability: Annotated[Share, Field(gt=0.0)] = 0.999
    latency_ms: Positive | None = None


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
        max_egress_usd_per_hour: most that its answers may cost in outgoing traffic.
        gb_per_request: GB that one answer sends out.
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
    slo: Slo = Slo()
    max_egress_usd_per_hour: Amount | None = None
    gb_per_request: Amount = 0.0
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


class Fleet(Declared):
    """Everything that a team declares.

    Attributes:
        name: of the fleet; its register is kept under this name.
        regions: every region that a workload may use.
        workloads: every workload, by name.
        failover: when a region counts as failed, and how it is left and returned to.
        alerts: which native alarms are evidence; others are journaled as unmapped.
        probes: synthetic requests.
        modes: what is observed, proposed, or acted on.
        limits: how much may be done in a time without asking.
    """

    name: FleetName = Field(examples=["main"])
    regions: Mapping[Region, RegionSpec] = Field(
        min_length=1,
        max_length=MAX_REGIONS,
        examples=[{"aws/us-east-1": {"jurisdiction": "US"}}],
    )
    workloads: Mapping[WorkloadName, WorkloadSpec] = Field(default={}, max_length=MAX_WORKLOADS)
    failover: FailoverPolicy = FailoverPolicy()
    alerts: tuple[AlertMapping, ...] = Field(default=(), max_length=1000)
    probes: ProbePolicy = ProbePolicy()
    modes: ModePolicy = ModePolicy()
    limits: tuple[Limit, ...] = Field(default=(), max_length=256)

    @model_validator(mode="after")
    def _is_consistent(self) -> Fleet:
        # Imported here because the rules that are checked know the models of this module.
        from crosswind.fleet.consistency import faults

        found = tuple(faults(self))
        if found:
            raise PydanticCustomError(
                "inconsistent",
                "{summary}",
                {"summary": "; ".join(map(str, found)), "faults": found},
            )
        return self

    @cached_property
    def digest(self) -> str:
        """SHA-256 of its canonical JSON, in hex: names exactly this declaration in journals."""
        canonical = json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()

    def mode_for(self, workload: str | None, kind: str) -> Mode:
        """The mode of one kind of action on one workload, or on all of the fleet (None)."""
        return self.modes.choose(workload, kind)

    def limits_for(self, limit: str) -> tuple[Limit, ...]:
        """All limits of this name, those of the fleet and those of single workloads."""
        return tuple(one for one in self.limits if one.limit == limit)

    def workloads_in(self, region: str) -> tuple[str, ...]:
        """Names of the workloads declared in a region, the most important tier first."""
        return self._placed.get(region, ())

    def declared_replicas(self, region: str) -> int:
        """Replicas that all workloads together have in a region in normal times."""
        return self._declared_replicas.get(region, 0)

    @cached_property
    def _placed(self) -> Mapping[str, tuple[str, ...]]:
        found: dict[str, list[str]] = {}
        for name in sorted(self.workloads, key=self._rank):
            for region in self.workloads[name].regions:
                found.setdefault(region, []).append(name)
        return {region: tuple(names) for region, names in found.items()}

    @cached_property
    def _declared_replicas(self) -> Mapping[str, int]:
        return {
            region: sum(self.workloads[name].regions[region].replicas for name in names)
            for region, names in self._placed.items()
        }

    def _rank(self, workload: str) -> tuple[int, str]:
        return _TIERS.index(self.workloads[workload].tier), workload
