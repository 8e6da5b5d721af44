"""Declaration: the fleet as it is declared is applied, workload by workload, round by round."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from crosswind_events.data import EventData, Part
from crosswind_events.fields import Count, Name, Reasons, Report, Text

from .failover import Replicas, Shares

Digest = Annotated[str, Field(min_length=1, max_length=64)]
Named = Annotated[tuple[Name, ...], Field(max_length=200)]
Convergence = Literal["applied", "unchanged", "held", "failed"]
Counts = Annotated[Mapping[Convergence, Count], Field(max_length=4)]
Number = Annotated[int, Field(ge=1)]


class Application(Part):
    """One application of a declaration, as every event of its chain carries it.

    `plan` names it, `number` is its place in the history. `rollback` says that an earlier
    declaration is applied again, `covered` that a person has granted all of it.
    """

    plan: Name
    digest: Digest
    number: Count = 0
    by: Name
    rollback: bool = False
    covered: bool = False


class Round(Part):
    """Some workloads that converge together: the first of `workloads`, or those `after` one.

    `counts` says how many of the rounds before ended in which way, `reasons` why those were held
    or failed, as far as there is room.
    """

    application: Application
    number: Number
    workloads: Named = ()
    everything: bool = False
    after: Name | None = None
    counts: Counts = Field(default_factory=dict)
    reasons: Reasons = ()


class ApplyRequested(EventData, type="dev.crosswind.fleet.apply_requested.v1"):
    """A person wants a declaration to be applied.

    `workloads` are those that are looked at; with `everything` it is all of the declaration, from
    the one that comes `after`. `previous` is the declaration that was applied before, `summary`
    what has changed since.
    """

    fleet: Name
    digest: Digest
    previous: Digest | None = None
    by: Name
    rollback: bool = False
    workloads: Named = ()
    everything: bool = False
    after: Name | None = None
    summary: Reasons = ()


class RoundBegun(EventData, type="dev.crosswind.fleet.round_begun.v1"):
    """The next workloads converge."""

    round: Round


class ConvergenceRequested(EventData, type="dev.crosswind.fleet.convergence_requested.v1"):
    """One workload is to be brought to its declared placement."""

    application: Application
    workload: Name
    round: Number


class ConvergenceStep(EventData, type="dev.crosswind.fleet.convergence_step.v1"):
    """A step is due: judge what the step before did, then go on, hold, or take it all back.

    `step` counts from 1 to `of`; one more is the look after the last. `epoch` is the register's
    after the step before, `holds` counts the pauses added to this step, each of `pause` seconds.
    `origin` and `before` are the shares and replicas at the beginning, `target` and `replicas`
    those at the end. `held` says why these are not all that is declared; empty where they are.
    """

    application: Application
    workload: Name
    round: Number
    origin: Shares
    before: Replicas
    target: Shares
    replicas: Replicas
    step: Annotated[int, Field(ge=1)]
    of: Annotated[int, Field(ge=1, le=100)]
    pause: Annotated[float, Field(ge=0.0)]
    epoch: Count
    holds: Count = 0
    held: Report = ""
    because: Text


class WorkloadConverged(EventData, type="dev.crosswind.fleet.workload_converged.v1"):
    """One workload is done with: brought to its placement, left as it is, or not brought there."""

    application: Application
    workload: Name
    round: Number
    outcome: Convergence
    because: Text


class RoundConverged(EventData, type="dev.crosswind.fleet.round_converged.v1"):
    """Every workload of a round is done with; `last` is the last of them in the order of names."""

    round: Round
    last: Name | None = None
    counts: Counts
    reasons: Reasons = ()


class FleetApplied(EventData, type="dev.crosswind.fleet.applied.v1", ends="applied"):
    """The declaration holds, but for what a failover or another plan has in hand."""

    application: Application
    counts: Counts
    reasons: Reasons = ()
    because: Text


class ApplyFailed(EventData, type="dev.crosswind.fleet.apply_failed.v1", ends="failed"):
    """The declaration was refused, or at least one workload could not be brought to it."""

    digest: Digest
    counts: Counts = Field(default_factory=dict)
    reasons: Reasons = ()
    because: Text


TYPES: tuple[type[EventData], ...] = (
    ApplyRequested,
    RoundBegun,
    ConvergenceRequested,
    ConvergenceStep,
    WorkloadConverged,
    RoundConverged,
    FleetApplied,
    ApplyFailed,
)
