"""What is declared of a region: whose law holds there, what it shares, and what it costs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from crosswind.fleet.quantities import Amount, Declared, Domain, GpuKind, Jurisdiction, Label

Total = Annotated[int, Field(strict=True, ge=0, le=10_000_000)]


class RegionSpec(Declared):
    """A region of a cloud.

    Attributes:
        jurisdiction: ISO 3166-1 alpha-2 code of the country whose law holds there, or `EU`.
        failing_domains: what it shares with other regions and fails together with, such as a
            power grid or a backbone; name the provider only if you treat it as one such domain.
        price: USD per replica and hour.
        spot_price: USD per replica and hour of capacity that the cloud may take back, where it
            sells such.
        egress: USD per GB that leaves the region.
        quota: replicas that all workloads together may hold there; no limit unless given.
        gpus: GPUs of each kind that all workloads together may hold there. A kind that is not
            named is not offered; where nothing is named nothing is known, and anything goes.
        latency_ms: milliseconds to clients, by area.
    """

    jurisdiction: Jurisdiction = Field(examples=["US"])
    failing_domains: tuple[Domain, ...] = Field(default=(), max_length=16)
    price: Amount = 0.0
    spot_price: Amount | None = None
    egress: Amount = 0.0
    quota: Total | None = None
    gpus: Mapping[GpuKind, Total] = Field(default={}, max_length=64)
    latency_ms: Mapping[Label, Amount] = Field(default={}, max_length=64)

    def offers(self, gpu: str | None) -> bool:
        """Whether replicas that need this kind of GPU, or none, can be had there at all."""
        return gpu is None or not self.gpus or self.gpus.get(gpu, 0) > 0
