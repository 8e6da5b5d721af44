"""Failover: a region is left because enough independent evidence says that it fails."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from crosswind_events.data import EventData, Part
from crosswind_events.fields import Instant, Name, Region, Text

Share = Annotated[float, Field(ge=0.0, le=1.0)]
Shares = Annotated[Mapping[Region, Share], Field(max_length=64)]
Replicas = Annotated[Mapping[Region, Annotated[int, Field(ge=0, le=100_000)]], Field(max_length=64)]
Regions = Annotated[tuple[Region, ...], Field(max_length=64)]
Workloads = Annotated[tuple[Name, ...], Field(max_length=2000)]
Outcome = Literal["moved", "unrelieved", "unaffected", "impossible", "failed"]
"""How it ended for one workload; `unrelieved`: it was moved, and its callers still saw failures."""
Outcomes = Annotated[Mapping[Name, Outcome], Field(max_length=2000)]


Weight = Annotated[float, Field(ge=0.0)]


class Piece(Part):
    """One piece of evidence: what it counts for, and why.

    `weight` is what it counts for; `full` what it would if it were fresh and stood, `age` for how
    many seconds it had been true when it was weighed. `against` is what a word to the contrary
    takes from the sum.
    """

    event: Name
    source: Name
    says: Literal["unhealthy", "recovered"]
    kind: Name
    workload: Name | None = None
    vantage: Name | None = None
    at: Instant
    weight: Weight
    because: Text
    full: Weight | None = None
    age: float | None = None
    against: Weight = 0.0


class Weighing(Part):
    """The sum of some evidence, and what it had to come to.

    `about` is the workload that it is about, None for the region as a whole. `total` is what
    speaks for it, less what speaks `against` it, and never below 0. `views` are the independent
    ones among the pieces that count.
    """

    about: Name | None = None
    total: Weight
    against: Weight = 0.0
    quorum: Weight
    views: Annotated[int, Field(ge=0)]
    views_needed: Annotated[int, Field(ge=0)]
    reached: bool


Pieces = Annotated[tuple[Piece, ...], Field(max_length=200)]


class Alternative(Part):
    """One way to serve a workload's traffic, and what it would mean.

    `unserved` is the share of demand for which it has no capacity, `slow` the share of traffic that
    it sends to regions slower than the objective, `delayed` the share of an hour's demand that is
    lost while new replicas start. `untrusted` is the share that it newly sends to regions that have
    only just recovered, `crowded` the share that it sends to one region, or failing domain, beyond
    what the workload wishes. `cost_delta` (against now) and `egress` are USD per hour, `latency_ms`
    is the mean over its traffic. `breaks` names every rule that it breaks; `because` says why it
    was chosen or not.
    """

    name: Name
    weights: Shares
    replicas: Replicas
    unserved: Share
    slow: Share
    delayed: Share = 0.0
    untrusted: Share = 0.0
    crowded: Share = 0.0
    latency_ms: float | None = None
    cost_delta: float
    egress: float
    breaks: Annotated[tuple[Text, ...], Field(max_length=64)] = ()
    because: Text


class Decision(Part):
    """What was weighed and the rule that chose; `chosen` is None where nothing was safe."""

    rule: Text
    chosen: Name | None
    alternatives: Annotated[tuple[Alternative, ...], Field(max_length=64)]
    because: Text


class Allotted(Part):
    """What one workload may have in a region that many want, in replicas.

    `replicas` is its own in the plan that was made for all of a sweep together. Where it cannot
    keep to that plan it may have up to `most`, which leaves what others have that are as important
    or more.
    """

    replicas: Annotated[int, Field(ge=0, le=100_000)]
    most: Annotated[int, Field(ge=0, le=100_000)]


Allotments = Annotated[Mapping[Region, Allotted], Field(max_length=64)]


class Sweep(Part):
    """All workloads that leave a region, or come back to it, together.

    A sweep has rounds: `waiting` workloads of a region with very many, and workloads that evidence
    has named meanwhile, make another one. Branches carry neither these nor `earlier`, which holds
    the outcomes of the rounds before, `slowest` the longest recovery measured in them, in seconds.
    `began` is when the first evidence was given. `relapse` says that the region failed while its
    traffic was on the way back.
    """

    purpose: Literal["failover", "failback"]
    region: Region
    round: Annotated[int, Field(ge=1)] = 1
    workloads: Workloads
    waiting: Workloads = ()
    began: Instant
    relapse: bool = False
    earlier: Outcomes = Field(default_factory=dict)
    slowest: float | None = None


class Plan(Part):
    """An accepted plan: which shares of a workload's traffic go where, with how many replicas.

    `excluded` and `ceilings` are what earlier attempts have found out, see `FailoverRequested`.
    `origin` is where the traffic was at acceptance, `target` where it shall be. `replicas` is the
    number needed in total for each region, `ready` what served there when it was made. `spare` is
    asked for besides, in total for each region, in case that too little of it is granted; `rest` is
    what was intended where plans of this chain have asked for more, and what is not needed in the
    end goes back to it. `demand` are the requests per second that it was made for, None for those
    that are declared. `epoch` is the register's at acceptance. `pause` between two steps is in
    seconds.
    """

    id: Name
    sweep: Sweep
    workload: Name
    attempt: Annotated[int, Field(ge=1)]
    excluded: Regions = ()
    ceilings: Replicas = Field(default_factory=dict)
    origin: Shares
    target: Shares
    replicas: Replicas
    ready: Replicas
    spare: Replicas = Field(default_factory=dict)
    rest: Replicas = Field(default_factory=dict)
    allotted: Allotments = Field(default_factory=dict)
    demand: Annotated[float, Field(ge=0.0)] | None = None
    epoch: Annotated[int, Field(ge=0)]
    steps: Annotated[int, Field(ge=1, le=100)]
    pause: Annotated[float, Field(ge=0.0)]


class EvidenceDue(EventData, type="dev.crosswind.evidence.due.v1"):
    """The time for more evidence about a region is over; it is `extended` at most once.

    With `held` it is the time for which evidence that suffices had to stand. `about` is what the
    evidence would show: that the region fails, or that it is well again. `pieces`, `weighing` and
    `because` say what there was when the wait began, and what is wanting.
    """

    region: Region
    about: Literal["failover", "recovery"]
    extended: bool = False
    held: bool = False
    pieces: Pieces = ()
    weighing: Weighing | None = None
    because: Text | None = None


class EvidenceContradicted(EventData, type="dev.crosswind.evidence.contradicted.v1"):
    """Enough was said of a region to leave it, and what speaks against that makes it too little.

    It is said once in a chain. Nothing follows from it: the chain goes on waiting for evidence.
    """

    region: Region
    pieces: Pieces
    weighing: Weighing
    because: Text


class FailoverConfirmed(EventData, type="dev.crosswind.failover.confirmed.v1"):
    """Enough independent evidence: these workloads leave the region."""

    sweep: Sweep
    pieces: Pieces
    weighing: Weighing | None = None
    because: Text


class FailoverRequested(EventData, type="dev.crosswind.failover.requested.v1"):
    """A plan is wanted for one workload.

    `allotted` is what it may have where many want more than there is. `excluded` regions take no
    traffic. `ceilings` are the replicas that a region can have at the most, as an earlier attempt
    has found. `rest` see `Plan`. `conflicts` counts plans that were overtaken by another.
    """

    sweep: Sweep
    workload: Name
    attempt: Annotated[int, Field(ge=1)] = 1
    conflicts: Annotated[int, Field(ge=0)] = 0
    allotted: Allotments = Field(default_factory=dict)
    excluded: Regions = ()
    ceilings: Replicas = Field(default_factory=dict)
    rest: Replicas = Field(default_factory=dict)
    because: Text


class FailoverPlanned(EventData, type="dev.crosswind.failover.planned.v1"):
    """A plan was chosen and accepted; nothing has moved yet."""

    plan: Plan
    decision: Decision
    because: Text


class WorkloadSettled(EventData, type="dev.crosswind.failover.workload_settled.v1"):
    """One workload of a sweep is done with, well or not.

    `recovery_seconds` is from when its callers began to see failures until they ceased, None where
    that was not measured.
    """

    sweep: Sweep
    workload: Name
    outcome: Outcome
    plan: Name | None = None
    recovery_seconds: float | None = None
    because: Text


class SweepSettled(EventData, type="dev.crosswind.failover.sweep_settled.v1"):
    """Every workload of a round is done with; `reasons` says for each how.

    `plan` is one of the plans that were carried out, None where there was none.
    """

    sweep: Sweep
    outcomes: Outcomes
    reasons: Annotated[Mapping[Name, Text], Field(max_length=2000)]
    plan: Name | None = None
    slowest: float | None = None


class FailoverCompleted(EventData, type="dev.crosswind.failover.completed.v1", ends="completed"):
    """No traffic that could be moved goes to the region any more.

    `recovery_seconds` is the longest measured recovery of a workload.
    """

    region: Region
    outcomes: Outcomes
    recovery_seconds: float | None = None
    because: Text


class FailoverImpossible(
    EventData, type="dev.crosswind.failover.impossible.v1", ends="no-safe-plan"
):
    """No plan is safe for any workload; nothing was changed."""

    region: Region
    outcomes: Outcomes
    because: Text


class FailoverFailed(EventData, type="dev.crosswind.failover.failed.v1", ends="failed"):
    """At least one workload could not be moved."""

    region: Region
    outcomes: Outcomes
    because: Text


class FailoverUnconfirmed(
    EventData, type="dev.crosswind.failover.unconfirmed.v1", ends="unconfirmed"
):
    """In the time given the evidence did not suffice; nothing was changed."""

    region: Region
    pieces: Pieces
    weighing: Weighing | None = None
    because: Text


class FailoverUnneeded(EventData, type="dev.crosswind.failover.unneeded.v1", ends="nothing-to-do"):
    """The region carries no traffic that could be moved."""

    region: Region
    because: Text


TYPES: tuple[type[EventData], ...] = (
    EvidenceDue,
    EvidenceContradicted,
    FailoverConfirmed,
    FailoverRequested,
    FailoverPlanned,
    WorkloadSettled,
    SweepSettled,
    FailoverCompleted,
    FailoverImpossible,
    FailoverFailed,
    FailoverUnconfirmed,
    FailoverUnneeded,
)
