"""Actions on the register and queries of it, as data.

A plan is accepted once (`AcceptPlan`), then its traffic moves by steps (`AdvanceShift`), each of
which is intended here before it is carried out. Accepting is what a person approves; the steps
are covered by that, and the register holds them to the accepted way.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, model_validator

from crosswind.actions import Action, Answer, Query
from crosswind.context import Lock
from crosswind.fleet.quantities import MAX_REGIONS, Amount, Count, Share, Steps
from crosswind.fleet.state import Condition, Priority, RegionsView, RegisterView
from crosswind_events import Region
from crosswind_events.catalogue.failover import Decision

Name = Annotated[str, Field(min_length=1, max_length=256)]
Because = Annotated[str, Field(max_length=2000)]
Weights = Annotated[Mapping[Region, Share], Field(min_length=1, max_length=MAX_REGIONS)]
Capacity = Annotated[Mapping[Region, Count], Field(max_length=MAX_REGIONS)]
Versions = Annotated[Mapping[str, str], Field(max_length=MAX_REGIONS + 2)]


class ReadRegister(Query[RegisterView], kind="register.read"):
    """What is intended for a workload, and the regions that a plan for it depends on.

    Args:
        workload: its declared name.
        regions: further regions of interest.
    """

    workload: Name
    regions: tuple[Region, ...] = Field(default=(), max_length=MAX_REGIONS)


class ReadRegions(Query[RegionsView], kind="register.read-regions"):
    """What is intended for some regions, or for all that are declared."""

    regions: tuple[Region, ...] = Field(default=(), max_length=MAX_REGIONS)


class Accepted(Answer):
    """Whether a plan was accepted.

    Attributes:
        epoch: of the workload now.
        reason: why it was refused: every rule that it breaks, or who goes first.
        changed: keys of items that are not as the plan relies on; observe and plan again.
    """

    accepted: bool
    epoch: int
    reason: str = ""
    changed: tuple[str, ...] = ()


class AcceptPlan(Action[Accepted], kind="register.accept"):
    """Make a plan the intended one, if it breaks no rule and nothing stronger is under way.

    The weights stay as they are until `AdvanceShift` moves them.

    Args:
        workload: its declared name.
        plan: the plan's id. It stands for exactly this content: an approval of it covers the
            steps that name it, so a plan that is made anew takes a new id.
        target_weights: share by region at its end.
        capacity: replicas by region at its end; regions not named keep theirs.
        spare: replicas by region that it asks for besides, and gives back at its end.
        priority: its precedence.
        chain: the chain that will carry it out.
        region: the region that it leaves or returns to, with the `state` that the region takes.
        revision: the revision that serves at its end, where the plan changes it.
        lock: the single-flight lock of the chain; a lower epoch than seen before is refused.
        relies_on: versions of items that the plan was made from, by key. The rules are checked
            against what holds at the moment of the write whatever is given here.
        relies_on_epoch: epoch of the workload that the plan was made from.
        off: regions that it newly takes out of service, for limits; one for an evacuation
            unless given.
        added_cost: USD per hour of running cost that it adds, for limits.
        because: why, in one or two sentences.
        decision: what was weighed, for the person who is asked.
    """

    workload: Name
    plan: Name
    target_weights: Weights
    capacity: Capacity = Field(default={})
    spare: Capacity = Field(default={})
    priority: Priority
    chain: str = Field(default="", max_length=256)
    region: Region | None = None
    state: Condition | None = None
    revision: str | None = Field(default=None, max_length=256)
    lock: Lock | None = None
    relies_on: Versions = Field(default={})
    relies_on_epoch: int | None = Field(default=None, ge=0)
    off: int | None = Field(default=None, ge=0)
    added_cost: Amount = 0.0
    because: Because = ""
    decision: Decision | None = None

    @model_validator(mode="after")
    def _region_has_a_state(self) -> AcceptPlan:
        if (self.region is None) != (self.state is None):
            raise ValueError("region and state are given together or not at all")
        return self

    def effects(self) -> Mapping[str, float]:
        """Evacuations count against `regions-off`, added running cost against `money`."""
        off = int(self.state == "evacuated") if self.off is None else self.off
        used = {"regions-off": float(off), "money": self.added_cost}
        return {limit: amount for limit, amount in used.items() if amount}

    def question(self) -> Any:
        """What it changes and rests on; not the reasons, nor what only counts against limits."""
        explains = {"because", "decision", "off", "added_cost"}
        return self.model_dump(mode="json", exclude=explains)

    def assumed(self) -> Accepted:
        """As if it had been accepted."""
        return Accepted(accepted=True, epoch=(self.relies_on_epoch or 0) + 1)

    def summary(self) -> str:
        """One line: what is left or returned to, the shares, the replicas, and why."""
        verb = {"evacuated": "leave", "soaking": "soak", "serving": "serve from", None: ""}
        parts = [f"{verb[self.state]} {self.region}"] if self.region else []
        parts.append(f"send its traffic to {shares(self.target_weights)}")
        if self.capacity:
            replicas = (f"{region} {count}" for region, count in sorted(self.capacity.items()))
            parts.append("replicas " + ", ".join(replicas))
        if self.spare:
            spare = (f"{region} {count}" for region, count in sorted(self.spare.items()))
            parts.append("in case they are not granted " + ", ".join(spare))
        why = f" because {self.because}" if self.because else ""
        return f"{self.priority} of {self.workload}: {'; '.join(parts)}{why}"


class Advanced(Answer):
    """Whether a step was taken; `epoch` and `weights` are those intended now."""

    applied: bool
    epoch: int
    weights: Mapping[Region, float]
    reason: str = ""


class AdvanceShift(Action[Advanced], kind="register.advance"):
    """Intend one step of an accepted plan; the last one ends the plan.

    Args:
        workload: its declared name.
        plan: the accepted plan.
        weights: share by region, between those at which the plan began and those at which it
            ends; the last step has the latter.
        step: number of this step, from 1.
        of: number of steps.
        relies_on_epoch: epoch of the workload that the step was made from.
    """

    workload: Name
    plan: Name
    weights: Weights
    step: Steps
    of: Steps
    relies_on_epoch: int = Field(ge=0)

    @model_validator(mode="after")
    def _step_is_one_of_them(self) -> AdvanceShift:
        if self.step > self.of:
            raise ValueError(f"step {self.step} of {self.of} does not exist")
        return self

    def assumed(self) -> Advanced:
        """As if the step had been taken."""
        return Advanced(applied=True, epoch=self.relies_on_epoch + 1, weights=self.weights)

    def summary(self) -> str:
        """One line: which step, and the shares."""
        return f"step {self.step}/{self.of} of {self.plan} for {self.workload}: " + shares(
            self.weights
        )


class Released(Answer):
    """Whether a plan was given up; `epoch` is that of the workload now."""

    released: bool
    epoch: int
    reason: str = ""


class ReleasePlan(Action[Released], kind="register.release"):
    """Give up a plan that is under way: the weights stay, weaker plans need not wait for it."""

    workload: Name
    plan: Name
    because: Because = ""

    def assumed(self) -> Released:
        """As if it had been given up."""
        return Released(released=True, epoch=0)

    def summary(self) -> str:
        """One line."""
        why = f" because {self.because}" if self.because else ""
        return f"give up {self.plan} for {self.workload}{why}"


class Marked(Answer):
    """Whether a region was marked; `state` and `since` are those intended now."""

    marked: bool
    state: Condition
    since: float
    reason: str = ""
    changed: tuple[str, ...] = ()


class MarkRegion(Action[Marked], kind="register.mark"):
    """Bring a region into a state without moving anything.

    Args:
        region: the declared region.
        state: the state that it takes.
        workload: the workload for the sake of which, where there is one.
        plan: the plan of which this is a step.
        lock: the single-flight lock of the chain; a lower epoch than seen before is refused.
        relies_on: versions of items that this was decided from, by key.
        because: why, in one or two sentences.
    """

    region: Region
    state: Condition
    workload: Name | None = None
    plan: Name | None = None
    lock: Lock | None = None
    relies_on: Versions = Field(default={})
    because: Because = ""

    def effects(self) -> Mapping[str, float]:
        """An evacuation counts against `regions-off`."""
        return {"regions-off": 1.0} if self.state == "evacuated" else {}

    def assumed(self) -> Marked:
        """As if it had been marked just now."""
        return Marked(marked=True, state=self.state, since=0.0)

    def summary(self) -> str:
        """One line."""
        why = f" because {self.because}" if self.because else ""
        return f"mark {self.region} as {self.state}{why}"


def shares(weights: Mapping[str, float]) -> str:
    """Shares for people, the largest first."""
    ordered = sorted(weights.items(), key=lambda share: (-share[1], share[0]))
    return ", ".join(f"{region} {weight:.0%}" for region, weight in ordered if weight)
