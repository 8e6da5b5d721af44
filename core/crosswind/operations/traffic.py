"""Traffic: which share of a workload's requests each region serves."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from crosswind.actions import Action, Answer, Query
from crosswind_events import Region


class WeightsSet(Answer):
    """The weights in force after a call.

    `applied` is False where the target already holds a newer epoch; `epoch` and `weights` are
    then the newer ones.
    """

    applied: bool
    epoch: int
    weights: Mapping[Region, float]
    reason: str = ""


class SetWeights(Action[WeightsSet], kind="traffic.set-weights"):
    """Send shares of a workload's traffic to regions.

    Args:
        weights: share by region, from 0 to 1, summing to 1.
        epoch: the step of the register that this carries out; a lower one is refused.
        moved: share of the workload's traffic that changes its region by this step, for limits.
        plan: the accepted plan of which this is a step.
    """

    workload: str = Field(min_length=1, max_length=128)
    weights: Mapping[Region, float]
    epoch: int = Field(ge=0)
    moved: float = Field(default=0.0, ge=0.0, le=1.0)
    plan: str | None = None

    def effects(self) -> Mapping[str, float]:
        """The share of traffic moved counts against `traffic-share`."""
        return {"traffic-share": self.moved} if self.moved else {}

    def assumed(self) -> WeightsSet:
        """As if the weights had been taken."""
        return WeightsSet(applied=True, epoch=self.epoch, weights=self.weights)

    def summary(self) -> str:
        """One line: the shares, largest first."""
        shares = sorted(self.weights.items(), key=lambda share: (-share[1], share[0]))
        return f"send traffic of {self.workload} to " + ", ".join(
            f"{region} {weight:.0%}" for region, weight in shares if weight
        )


class CurrentWeights(Query[WeightsSet], kind="traffic.weights"):
    """The weights in force for a workload."""

    workload: str
