"""The declaration of a fleet: its regions, workloads and policies, as frozen models.

A `Fleet` that exists is consistent: every name it refers to is declared, and the declared
placement of every workload keeps the safety rules. `crosswind.fleet.load` reads one from a file.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cached_property

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from crosswind.fleet.freezes import FreezeWindow, Standing
from crosswind.fleet.objectives import Slo
from crosswind.fleet.policies import (
    RECOVERY_QUORUM,
    AlertMapping,
    BurnRate,
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
    Declared,
    FleetName,
    WorkloadName,
)
from crosswind.fleet.regions import RegionSpec
from crosswind.fleet.workloads import (
    TIERS,
    DataLocality,
    Placement,
    Spread,
    Tier,
    WorkloadSpec,
)
from crosswind_events import Region

__all__ = [
    "AlertMapping",
    "BurnRate",
    "DataLocality",
    "Evidence",
    "FailoverPolicy",
    "Fleet",
    "FreezeWindow",
    "Limit",
    "LimitName",
    "Mode",
    "ModePolicy",
    "Placement",
    "ProbePolicy",
    "RegionSpec",
    "ShiftPolicy",
    "Slo",
    "Spread",
    "Tier",
    "WorkloadModes",
    "WorkloadSpec",
]


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
        freezes: times in which things are proposed to a person instead of done.
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
    freezes: tuple[FreezeWindow, ...] = Field(default=(), max_length=256)

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

    @property
    def recovery_quorum(self) -> float:
        """Weight of evidence that is needed to call a region recovered.

        Where the policy does not say, that of two observers; or what the probes can come to, so
        that a region that was left is returned to though nobody else looks at it.
        """
        if self.failover.recovery_quorum is not None:
            return self.failover.recovery_quorum
        probes = len(self.probes.vantages) * self.failover.weights["probe"]
        return min(RECOVERY_QUORUM, probes) if probes > 0 else RECOVERY_QUORUM

    def mode_for(self, workload: str | None, kind: str) -> Mode:
        """The mode of one kind of action on one workload, or on all of the fleet (None)."""
        return self.modes.choose(workload, kind)

    def limits_for(self, limit: str) -> tuple[Limit, ...]:
        """All limits of this name, those of the fleet and those of single workloads."""
        return tuple(one for one in self.limits if one.limit == limit)

    def frozen(self, workload: str | None, kind: str, now: float) -> Standing | None:
        """The freeze window in which such an action falls now, the one that stands longest.

        Args:
            now: seconds since the epoch.
        """
        standing = [
            Standing(window, until)
            for window in self.freezes
            if window.covers(workload, kind) and (until := window.stands(now)) is not None
        ]
        return max(standing, key=lambda one: one.until, default=None)

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
        return TIERS.index(self.workloads[workload].tier), workload
