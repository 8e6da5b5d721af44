"""Actions and queries of the register that apply a declaration and keep the world to it, as data.

Applying is one question to a person: `ApplyDeclaration` names what changes, and its plan covers
every step that brings a workload to its placement. What is applied is kept as history.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from crosswind.actions import Action, Answer, Query
from crosswind.fleet.operations import Because, Capacity, Name, Weights
from crosswind.fleet.quantities import Count
from crosswind.fleet.state import WorkloadState
from crosswind_events import Region

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Outcome = Literal["applied", "failed"]

PAGE: Final = 90
"""Workloads that one answer of `ReadDeclaration` holds at the most."""


class Placed(Answer):
    """What a declaration gives a workload: shares and replicas by region."""

    weights: Mapping[Region, float]
    replicas: Mapping[Region, int]


class Declaration(Answer):
    """The placements of some workloads in one declaration; `known` is False where it is unknown."""

    known: bool
    workloads: Mapping[str, Placed] = {}


class ReadDeclaration(Query[Declaration], kind="register.declaration"):
    """The placements that a declaration gives to workloads, in the order of their names.

    Args:
        digest: of the declaration; it need not be the one in force.
        workloads: those of interest; those that it does not declare are left out.
        after: where none are named, those that come after this one.
    """

    digest: Digest
    workloads: tuple[Name, ...] = Field(default=(), max_length=PAGE)
    after: Annotated[str, Field(max_length=256)] = ""


class Intention(Answer):
    """What is intended for a workload, as far as the register holds it.

    `recorded` is False where it holds nothing, and `unrecorded` are the regions of which it holds
    no replicas: what is told of those is known from the declaration alone.
    """

    workload: WorkloadState
    recorded: bool
    unrecorded: tuple[Region, ...] = ()


class ReadIntention(Query[Intention], kind="register.intention"):
    """What is intended for a workload, without the regions that a plan for it would depend on."""

    workload: Name


class Applying(Answer):
    """Whether the declaration may be applied; `number` is its place in the history."""

    begun: bool
    number: int = 0
    reason: str = ""


class ApplyDeclaration(Action[Applying], kind="register.apply"):
    """Make a declaration the one that the fleet converges to.

    Args:
        digest: of the declaration, which is kept in the store.
        previous: the declaration that was applied before; another one is refused.
        plan: the id under which every workload's plan is accepted; granted, it covers all steps.
        by: who wants it.
        rollback: an earlier declaration is applied again.
        chain: the chain that carries it out.
        changes: what is different, for the person who is asked and for the history.
    """

    digest: Digest
    previous: Digest | None = None
    plan: Name
    by: Name
    rollback: bool = False
    chain: str = Field(default="", max_length=256)
    changes: tuple[Because, ...] = Field(default=(), max_length=64)

    def question(self) -> Any:
        """What is applied in the place of what; not the plan's id."""
        return self.model_dump(mode="json", exclude={"plan", "chain"})

    def assumed(self) -> Applying:
        """As if it had begun."""
        return Applying(begun=True)

    def summary(self) -> str:
        """One line: which declaration, and what is different."""
        verb = "return to" if self.rollback else "apply"
        return f"{verb} declaration {self.digest:.12}: {'; '.join(self.changes) or 'as it was'}"


class Concluded(Answer):
    """Whether the outcome was noted."""

    noted: bool


class ConcludeApply(Action[Concluded], kind="register.conclude"):
    """Note in the history how an application ended.

    Args:
        number: its place there.
        plan: its plan.
        counts: how many workloads ended in which way.
    """

    number: int = Field(ge=0)
    plan: Name
    outcome: Outcome
    counts: Mapping[str, int] = Field(default={}, max_length=8)
    because: Because = ""

    def assumed(self) -> Concluded:
        """As if it had been noted."""
        return Concluded(noted=True)

    def summary(self) -> str:
        """One line."""
        return f"note that application {self.number} ended: {self.outcome}"


class Adopted(Answer):
    """Whether what is there became what is intended; `epoch` is that of the workload now."""

    adopted: bool
    epoch: int


class AdoptPlacement(Action[Adopted], kind="register.adopt"):
    """Take what a workload has as what is intended, where the register holds nothing of it yet.

    Args:
        weights: share by region as it is.
        capacity: replicas by region as they are.
        epoch: that the traffic's target holds, so that the next one is higher.
        plan: the plan of which this is a step.
    """

    workload: Name
    weights: Weights
    capacity: Capacity = Field(default={})
    epoch: int = Field(ge=0)
    plan: Name | None = None

    def assumed(self) -> Adopted:
        """As if nothing had been there."""
        return Adopted(adopted=True, epoch=self.epoch)

    def summary(self) -> str:
        """One line."""
        return f"take what {self.workload} has as what is intended"


class Entry(Answer):
    """One application in the history; times in seconds since the epoch.

    `outcome` is None while it is under way, and stays so where its chain was lost.
    """

    number: Annotated[int, Field(ge=1)]
    digest: str
    previous: str | None = None
    at: float
    by: str
    rollback: bool = False
    chain: str = ""
    plan: str
    changes: tuple[str, ...] = ()
    outcome: Outcome | None = None
    counts: Mapping[str, Count] = {}
    because: str = ""
