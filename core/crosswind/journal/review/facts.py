"""What a review is made of: facts from the journal, each with its time and its chain.

All times are in seconds since the epoch, all durations in seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from crosswind.journal.findings import Alternative

Phase = Literal[
    "detection",
    "confirmation",
    "soak",
    "planning",
    "approval",
    "capacity",
    "shift",
    "conclusion",
]
"""
detection     from the first failure that callers saw to the first evidence
confirmation  from the first evidence until there was enough
soak          from enough evidence of recovery until the way back began
planning      until a plan was accepted
approval      a person was asked
capacity      replicas were asked for
shift         traffic moved
conclusion    until the chain had ended
"""


@dataclass(frozen=True, slots=True)
class Seen:
    """One observer's word, or several of the same observer that say the same.

    Attributes:
        at: when it was said first.
        heard: when it was worked first, None where no run of it was read.
        says: `unhealthy` or `recovered`.
        weight: what it counted for when it was decided; None where nothing was decided on it.
        because: why it counted so.
        times: how often it was said.
        last: when it was said last.
    """

    chain: str
    at: float
    heard: float | None
    event: str
    says: str
    kind: str
    source: str
    region: str
    vantage: str
    workload: str
    alarm: str
    reason: str
    weight: float | None = None
    because: str = ""
    times: int = 1
    last: float = 0.0

    @property
    def late(self) -> float:
        """Seconds from when it was said to when it was heard."""
        return 0.0 if self.heard is None else max(0.0, self.heard - self.at)


@dataclass(frozen=True, slots=True)
class Decided:
    """Something that was decided, and the reason.

    Attributes:
        type: of the event that said it.
        chosen, rule, alternatives: where ways were weighed.
    """

    chain: str
    at: float
    type: str
    workload: str
    because: str
    rule: str = ""
    chosen: str | None = None
    alternatives: tuple[Alternative, ...] = ()
    plan: str = ""
    attempt: int = 0
    conflicts: int = 0
    outcome: str = ""
    ends: str = ""


@dataclass(frozen=True, slots=True)
class Planned:
    """An accepted plan, and what it costs; money in USD per hour.

    Attributes:
        purpose: `failover` or `failback`.
        target: share of the traffic by region at its end.
        added: replicas that it asks for beyond those that served, by region.
        cost: added to what was spent before.
        egress: what its answers cost to send, in all.
        unserved: share of the demand for which it has no capacity.
    """

    chain: str
    at: float
    plan: str
    workload: str
    purpose: str
    attempt: int
    chosen: str
    target: Mapping[str, float]
    added: Mapping[str, int]
    cost: float
    egress: float
    unserved: float


@dataclass(frozen=True, slots=True)
class Asked:
    """A question to a person; `answered` is None while it waits."""

    chain: str
    action: str
    workload: str
    why: str
    at: float
    answered: float | None
    outcome: str
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class Done:
    """One action.

    Attributes:
        took: until its result; None while it is under way.
        mode: observe, propose, act or break-glass.
        times: how often its performer was asked.
        covered: a person had approved the plan of which it is a step.
        result: in a few words; why not, where it was refused.
    """

    chain: str
    at: float
    took: float | None
    kind: str
    words: str
    workload: str
    mode: str
    times: int
    covered: bool
    simulated: bool
    refused: bool
    result: str


@dataclass(frozen=True, slots=True)
class Failed:
    """Attempts of one run that failed; `final` where it was given up."""

    chain: str
    at: float
    handler: str
    run: str
    error: str
    times: int
    final: bool


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that could not be seen; equal ones are counted."""

    chain: str
    at: float
    what: str
    times: int = 1


@dataclass(frozen=True, slots=True)
class Outage:
    """What the callers of a workload saw, as it was measured last.

    Both are None where they saw no failure; `ended` is, where they still saw some.
    """

    workload: str
    began: float | None
    ended: float | None

    @property
    def seconds(self) -> float | None:
        """How long it lasted; 0 where there was none, None where it was not over."""
        if self.began is None:
            return 0.0
        return None if self.ended is None else max(0.0, self.ended - self.began)


@dataclass(frozen=True, slots=True)
class Moment:
    """An event that begins a phase; `workload` is empty where it is about all of them."""

    at: float
    phase: Phase
    workload: str


@dataclass(slots=True)
class ChainFacts:
    """All that a review says of one chain.

    Attributes:
        closed: None while it is open.
        target: what it holds or is about.
        began_with: the type of its first event.
        cut: it has more items than are read.
        waits: what its runs wait for.
        outages: by workload, what its callers saw as far as it was measured.
        unmeasured: by workload, why no recovery time is known though its traffic has moved.
    """

    chain: str
    opened: float
    closed: float | None = None
    outcome: str | None = None
    target: str = ""
    began_with: str = ""
    simulated: bool = False
    cut: bool = False
    waits: tuple[str, ...] = ()
    seen: list[Seen] = field(default_factory=list)
    decided: list[Decided] = field(default_factory=list)
    planned: list[Planned] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    done: list[Done] = field(default_factory=list)
    failed: list[Failed] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    outages: dict[str, Outage] = field(default_factory=dict)
    moments: list[Moment] = field(default_factory=list)
    unmeasured: dict[str, str] = field(default_factory=dict)

    @property
    def first_seen(self) -> float | None:
        """When the first evidence was given."""
        return min((seen.at for seen in self.seen), default=None)
