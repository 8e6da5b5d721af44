"""Vantages: whether an observer that sees a region fail sees any other region at all.

A vantage whose own network is broken sees every region fail at once. Before its word is said, or
believed once more, it therefore looks at other regions: on other clouds and in other failing
domains first, so that the outage of a provider is not taken for its own. One that answers is
enough to believe it. A standby without a replica proves nothing, and is passed over.

Where there is no other region to look at, a broken vantage cannot be told from a broken region:
that takes an observer of another kind.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from crosswind.chains.failover.weighing import OTHERS, OTHERS_FAILED
from crosswind.context import Context
from crosswind.fleet.declaration import Fleet, WorkloadSpec
from crosswind.fleet.operations import ReadRegions, ReadRegister
from crosswind.fleet.quantities import TOLERANCE
from crosswind.operations.telemetry import Probed, ProbeEndpoint

LOOKED_AT: Final = 4
"""Other regions that are asked at the most; each that is silent costs the time of its probes."""


class Sight(NamedTuple):
    """What a vantage sees beside one region: how many others were asked, and how many failed."""

    asked: int
    failed: int

    @property
    def blind(self) -> bool:
        """Whether every other region fails as well."""
        return self.asked > 0 and self.failed == self.asked

    @property
    def measured(self) -> dict[str, float]:
        """For the word that it leads to."""
        return {OTHERS: float(self.asked), OTHERS_FAILED: float(self.failed)} if self.asked else {}


def sight(vantage: str, region: str, workload: str, ctx: Context) -> Sight:
    """Look from a vantage at other regions, until one of them answers.

    Args:
        region: that it sees fail.
        workload: that fails there; elsewhere it is asked for first.
    """
    fleet = ctx.fleet
    candidates = others(fleet, region, workload)
    if not candidates:
        return Sight(0, 0)
    states = ctx.observe(ReadRegions()).regions
    asked = 0
    for other, name in candidates.items():
        if other in states and states[other].state == "evacuated":
            continue  # known to fail: its silence would say nothing
        asked += 1
        seen = ctx.observe(
            ProbeEndpoint(workload=name, region=other, count=fleet.probes.count, vantage=vantage)
        )
        if not failed(seen, fleet, name):
            return Sight(asked, asked - 1)
        if not expected(name, other, ctx):
            asked -= 1  # there is nothing that could answer
        if asked == LOOKED_AT:
            break
    return Sight(asked, asked)


def expected(workload: str, region: str, ctx: Context) -> bool:
    """Whether a workload is to answer in a region: a standby without a replica cannot."""
    intended = ctx.observe(ReadRegister(workload=workload)).workload
    traffic = intended.weights.get(region, 0.0) > TOLERANCE
    return traffic or intended.capacity.get(region, 0) > 0


def others(fleet: Fleet, region: str, workload: str) -> Mapping[str, str]:
    """Other regions in the order in which they are asked, each with a workload to ask for there.

    Those least likely to fail together with the region come first.
    """
    own = set(fleet.regions[region].failing_domains) if region in fleet.regions else set()
    found: dict[str, str] = {}
    for other in fleet.regions:
        placed = fleet.workloads_in(other)
        if other != region and placed:
            found[other] = workload if workload in placed else placed[0]
    cloud = region.partition("/")[0]

    def kinship(other: str) -> tuple[bool, bool, bool, str]:
        shared = bool(own & set(fleet.regions[other].failing_domains))
        return shared, other.partition("/")[0] == cloud, found[other] != workload, other

    return {other: found[other] for other in sorted(found, key=kinship)}


def failed(seen: Probed, fleet: Fleet, workload: str) -> bool:
    """Whether probes of a workload count as failed: too many, or none in time.

    Slow ones do only where not even the fastest keeps the latency that is promised to 95 %.
    """
    return seen.failed >= seen.sent * fleet.probes.threshold or late(
        seen, fleet.workloads[workload]
    )


def late(seen: Probed, spec: WorkloadSpec) -> bool:
    """Whether not even the fastest answer came within the objective."""
    objective = spec.slo.latency_ms
    return objective is not None and seen.fastest is not None and seen.fastest > objective
