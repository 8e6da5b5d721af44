"""Recovery: a region that was left is well again, soaks, and gets its traffic back in steps."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from crosswind_events.data import EventData
from crosswind_events.fields import Instant, Name, Region, Text

from .failover import Decision, Outcomes, Pieces, Plan, Replicas, Sweep, Weighing


class RecoveryConfirmed(EventData, type="dev.crosswind.recovery.confirmed.v1"):
    """Enough evidence says that the region is well; it has to stay so for a while."""

    region: Region
    pieces: Pieces
    weighing: Weighing | None = None
    because: Text


class SoakOver(EventData, type="dev.crosswind.recovery.soak_over.v1"):
    """The region had to stay well until now; `since` is when that was first confirmed."""

    region: Region
    since: Instant


class FailbackBegun(EventData, type="dev.crosswind.failback.begun.v1"):
    """The region has stayed well: these workloads come back to it."""

    sweep: Sweep
    because: Text


class FailbackRequested(EventData, type="dev.crosswind.failback.requested.v1"):
    """A plan is wanted that gives a region back its share of one workload.

    `waits` counts how often it was put off because more was asked for than is declared.
    """

    sweep: Sweep
    workload: Name
    attempt: Annotated[int, Field(ge=1)] = 1
    conflicts: Annotated[int, Field(ge=0)] = 0
    waits: Annotated[int, Field(ge=0)] = 0
    ceilings: Replicas = Field(default_factory=dict)
    because: Text


class FailbackPlanned(EventData, type="dev.crosswind.failback.planned.v1"):
    """A plan was accepted that gives a region back its share; nothing has moved yet."""

    plan: Plan
    decision: Decision
    because: Text


class RegionRelapsed(EventData, type="dev.crosswind.recovery.relapsed.v1"):
    """The region failed again before it had all of its traffic back."""

    region: Region
    because: Text


class FailbackCompleted(EventData, type="dev.crosswind.failback.completed.v1", ends="recovered"):
    """The region serves its declared share again."""

    region: Region
    outcomes: Outcomes = Field(default_factory=dict)
    because: Text


class FailbackFailed(EventData, type="dev.crosswind.failback.failed.v1", ends="failed"):
    """The region is well, yet at least one workload could not come back."""

    region: Region
    outcomes: Outcomes
    because: Text


class FailbackAbandoned(EventData, type="dev.crosswind.failback.abandoned.v1", ends="relapsed"):
    """The region failed again; it stays evacuated."""

    region: Region
    because: Text


class RecoveryUnconfirmed(
    EventData, type="dev.crosswind.recovery.unconfirmed.v1", ends="unconfirmed"
):
    """In the time given the evidence of recovery did not suffice; nothing was changed."""

    region: Region
    pieces: Pieces
    weighing: Weighing | None = None
    because: Text


class RecoveryUnneeded(EventData, type="dev.crosswind.recovery.unneeded.v1", ends="nothing-to-do"):
    """The region serves; there is nothing to recover from."""

    region: Region
    because: Text


TYPES: tuple[type[EventData], ...] = (
    RecoveryConfirmed,
    SoakOver,
    FailbackBegun,
    FailbackRequested,
    FailbackPlanned,
    RegionRelapsed,
    FailbackCompleted,
    FailbackFailed,
    FailbackAbandoned,
    RecoveryUnconfirmed,
    RecoveryUnneeded,
)
