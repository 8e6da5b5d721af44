"""What is to be planned: workloads that have to move, and what they share.

Everything is in requests per second, whole replicas and USD per hour. A `Problem` is data: `survey`
makes it from a fleet, the heuristic and the exact solver read nothing else, so that both solve the
same one. docs/planner.md states it mathematically.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

TIERS: Final = 3
"""Tiers of workloads: 0 is critical, 1 standard, 2 batch."""

LATE: Final = 0.5
"""What an answer that is slower than the objective counts as damage, where none at all counts 1.

Slow is better than failing; see the steps of a shift in docs/failover.md.
"""

HORIZON: Final = 3600.0
"""Seconds over which damage is looked at: while a new replica starts, its share of this is lost."""

NOTHING: Final = 1e-7
"""Requests per second, and shares, below this are the rounding of floats."""


@dataclass(slots=True)
class Option:
    """A region in which a workload may have more than it has.

    Attributes:
        region: its name.
        domains: its failing domains.
        held: replicas that the workload can count on there without asking.
        keep: requests/s that stay there whatever is planned; `held` serves them.
        before: requests/s that are intended to go there now.
        free: further requests/s for which replicas serve there now.
        idle: further requests/s for which held replicas do not serve yet.
        most: further replicas that it can have.
        slow: whether answers from there are slower than the objective.
        soaking: whether the region has only just recovered.
        price: USD/h of a further replica.
        carry: USD/h for one more request/s: answers sent out, and data read from elsewhere.
        pools: what a further replica takes of each pool, by the pool's index.
    """

    region: str
    domains: tuple[str, ...]
    held: int
    keep: float
    before: float
    free: float
    idle: float
    most: int
    slow: bool
    soaking: bool
    price: float
    carry: float
    pools: tuple[tuple[int, int], ...]


@dataclass(slots=True)
class Stay:
    """A region that takes no more of a workload, and keeps what it has.

    Attributes:
        keep: requests/s that stay.
        served: those of them for which there are replicas.
        why: why it takes no more.
    """

    region: str
    domains: tuple[str, ...]
    keep: float
    served: float
    slow: bool
    carry: float
    why: str


@dataclass(slots=True)
class Need:
    """A workload of which some demand has to move.

    Attributes:
        tier: 0 for critical, 1 for standard, 2 for batch.
        rate: requests/s of all its users.
        unit: requests/s that one replica serves.
        moving: requests/s that must be placed.
        floor: requests/s, of those that move, that must meet a replica.
        start: damage of a request/s that waits for a new replica to start.
        budget: USD/h that placing what moves may cost at the most in egress and reads, if bounded.
        max_share, max_domain: requests/s that one region, or failing domain, is wished to get at
            the most.
        options: where it may go.
        stays: where it stays besides.
        loss: damage of what stays and is not, or not well, served; nothing planned changes it.
    """

    name: str
    tier: int
    rate: float
    unit: float
    moving: float
    floor: float
    start: float
    budget: float | None
    max_share: float
    max_domain: float
    options: Sequence[Option]
    stays: Sequence[Stay] = ()
    loss: float = 0.0

    @property
    def wishes(self) -> bool:
        """Whether it matters, beside damage and money, where it goes."""
        return (
            self.max_share < self.rate
            or self.max_domain < self.rate
            or any(one.soaking for one in self.options)
        )


@dataclass(slots=True)
class Pool:
    """What workloads share: replicas of a region, or its GPUs of one kind.

    Attributes:
        room: how much of it is not reserved.
    """

    region: str
    gpu: str | None
    room: int


@dataclass(slots=True)
class Problem:
    """All workloads that have to move, together.

    Attributes:
        settled: workloads for which nothing has to move.
        stranded: workloads that can go nowhere, each with why.
    """

    needs: Sequence[Need]
    pools: Sequence[Pool]
    settled: Sequence[str] = ()
    stranded: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Division:
    """How one workload's demand is divided; lists go along with its options.

    Attributes:
        replicas: further replicas of each option.
        placed: requests/s that go there and find a replica.
        over: requests/s that go there and find none.
        feasible: whether floor and budget hold; otherwise it stays where it is.
        damage: requests/s lost, as `LATE` and `HORIZON` weigh them.
        wished: requests/s that go where they are wished not to.
        money: USD/h of further replicas, egress and reads.
    """

    replicas: list[int]
    placed: list[float]
    over: list[float]
    feasible: bool
    damage: float
    wished: float
    money: float


class Score(NamedTuple):
    """What a plan amounts to, in the order in which plans are compared; the lower the better.

    Attributes:
        stranded: workloads left without a plan: critical, standard, batch.
        damage: requests/s lost: critical, standard, batch.
        wished: requests/s that go where they are wished not to.
        money: USD/h of further replicas, egress and reads.
    """

    stranded: tuple[int, int, int]
    damage: tuple[float, float, float]
    wished: float
    money: float


def score(problem: Problem, divisions: Sequence[Division]) -> Score:
    """What a plan amounts to."""
    stranded = [0, 0, 0]
    damage = [0.0, 0.0, 0.0]
    wished = money = 0.0
    for need, one in zip(problem.needs, divisions, strict=True):
        damage[need.tier] += one.damage
        if one.feasible:
            wished += one.wished
            money += one.money
        else:
            stranded[need.tier] += 1
    return Score(
        (stranded[0], stranded[1], stranded[2]), (damage[0], damage[1], damage[2]), wished, money
    )
