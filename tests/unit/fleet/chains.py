"""What a chain does with the register, in short words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from crosswind.actions import Call
from crosswind.fleet.declaration import Fleet
from crosswind.fleet.register import (
    Accepted,
    AcceptPlan,
    Advanced,
    AdvanceShift,
    Marked,
    MarkRegion,
    ReadRegions,
    ReadRegister,
    RegionState,
    RegionsView,
    RegisterPerformer,
    RegisterView,
    Released,
    ReleasePlan,
    WorkloadState,
)
from crosswind.ports import Store
from unit.fleet.fleets import CENTRAL, EAST

NOON = 1_800_000_000.0


@dataclass
class Clock:
    """Time that passes only by waiting."""

    now: float = NOON
    waits: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds


class Desk:
    """A performer of the register with numbered calls."""

    def __init__(self, store: Store, fleet: Fleet, clock: Clock | None = None) -> None:
        self.clock = clock or Clock()
        self.performer = RegisterPerformer(store, fleet, clock=self.clock, pause=self.clock.wait)
        self.calls = 0

    def key(self) -> str:
        self.calls += 1
        return f"call-{self.calls}"

    def perform(self, action: Any, key: str | None = None, timeout: float = 5.0) -> Any:
        return self.performer.perform(action, Call(key or self.key(), timeout))

    def accept(self, key: str | None = None, **arguments: Any) -> Accepted:
        result = self.perform(evacuation(**arguments), key)
        assert isinstance(result, Accepted)
        return result

    def advance(
        self,
        weights: Mapping[str, float],
        step: int = 1,
        of: int = 1,
        *,
        plan: str = "plan-1",
        workload: str = "chat",
        epoch: int | None = None,
    ) -> Advanced:
        if epoch is None:
            epoch = self.workload(workload).epoch
        result = self.perform(
            AdvanceShift(
                workload=workload,
                plan=plan,
                weights=weights,
                step=step,
                of=of,
                relies_on_epoch=epoch,
            )
        )
        assert isinstance(result, Advanced)
        return result

    def release(self, plan: str = "plan-1") -> Released:
        result = self.perform(ReleasePlan(workload="chat", plan=plan, because="given up"))
        assert isinstance(result, Released)
        return result

    def mark(self, **arguments: Any) -> Marked:
        result = self.perform(MarkRegion(**arguments))
        assert isinstance(result, Marked)
        return result

    def view(self, workload: str = "chat") -> RegisterView:
        view = self.performer.answer(ReadRegister(workload=workload), 5.0)
        assert isinstance(view, RegisterView)
        return view

    def workload(self, workload: str = "chat") -> WorkloadState:
        return self.view(workload).workload

    def regions(self, *names: str) -> RegionsView:
        view = self.performer.answer(ReadRegions(regions=names), 5.0)
        assert isinstance(view, RegionsView)
        return view

    def region(self, name: str) -> RegionState:
        return self.regions(name).regions[name]


def evacuation(**changes: Any) -> AcceptPlan:
    """A failover of chat out of us-east-1, with all of its traffic to us-central1."""
    arguments: dict[str, Any] = {
        "workload": "chat",
        "plan": "plan-1",
        "chain": "chain-1",
        "target_weights": {CENTRAL: 1.0},
        "capacity": {CENTRAL: 3},
        "priority": "failover",
        "region": EAST,
        "state": "evacuated",
    }
    return AcceptPlan.model_validate(arguments | changes)
