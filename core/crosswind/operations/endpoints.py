"""Serving endpoints: the replicas of a workload in a region."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from crosswind.actions import Action, Answer, Query
from crosswind_events import Region


class Scaled(Answer):
    """What a request for capacity led to, in replicas.

    `granted` counts replicas promised in total, `ready` those that serve now. `reason` says why
    less than requested was granted.
    """

    requested: int
    granted: int
    ready: int
    reason: str = ""


class ScaleEndpoint(Action[Scaled], kind="endpoint.scale"):
    """Bring a workload in a region to a number of replicas.

    Args:
        replicas: the number wanted in total.
        epoch: the register's epoch of the workload for which this is asked; a lower one is refused.
        removed: replicas that this takes away, for limits.
        plan: the accepted plan of which this is a step.
    """

    workload: str = Field(min_length=1, max_length=128)
    region: Region
    replicas: int = Field(ge=0, le=100_000)
    epoch: int = Field(ge=0)
    removed: int = Field(default=0, ge=0)
    plan: str | None = None

    def effects(self) -> Mapping[str, float]:
        """Replicas taken away count against `replicas-removed`."""
        return {"replicas-removed": float(self.removed)} if self.removed else {}

    def assumed(self) -> Scaled:
        """As if all had been granted."""
        return Scaled(requested=self.replicas, granted=self.replicas, ready=self.replicas)

    def summary(self) -> str:
        """One line."""
        return f"scale {self.workload} in {self.region} to {self.replicas} replicas"


class EndpointState(Answer):
    """Replicas of a workload in a region; `reachable` is False where no answer came."""

    region: Region
    reachable: bool
    ready: int = 0
    starting: int = 0
    quota: int | None = None


class EndpointStates(Answer):
    """The state of a workload's endpoint in each region asked for."""

    states: Mapping[Region, EndpointState]


class EndpointStatus(Query[EndpointStates], kind="endpoint.status"):
    """How many replicas serve a workload in some regions."""

    workload: str
    regions: tuple[Region, ...] = Field(max_length=200)
