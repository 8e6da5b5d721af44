"""A game day: days of overlapping faults under one seed, with every rule looked after."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final

from crosswind.drills.failover import builtin
from crosswind.drills.staff import Staff
from crosswind.drills.watching import Met, Proposal, Watched
from crosswind.errors import DeclarationError
from crosswind.sim import DAY, Faults, Report, Simulation, Violation, random_faults

if TYPE_CHECKING:
    from crosswind.app import App
    from crosswind.fleet.declaration import Fleet

MOST_DAYS: Final = 10_000.0
"""Days that one seed may last."""

_PART: Final = 3_600.0
"""Seconds after which is looked whether to go on."""


@dataclass(frozen=True, slots=True)
class GameDay:
    """Days to be played.

    Args:
        intensity: faults a day in all of the fleet.
        faults: what goes wrong instead of what is drawn.
        until_broken: end with the hour in which a rule is broken.
        answer_after: seconds that people take to answer a proposal, the median.
        unanswered: share of proposals that nobody answers.
        build: makes the app that is played.

    Raises:
        DeclarationError: the days or the intensity are out of bounds.
    """

    fleet: Fleet
    seed: int = 1
    days: float = 30.0
    intensity: float = 1.0
    faults: Faults | None = None
    until_broken: bool = False
    answer_after: float = 300.0
    unanswered: float = 0.0
    build: Callable[[Fleet], App] = field(default=builtin)

    def __post_init__(self) -> None:
        if not 0 < self.days <= MOST_DAYS:
            raise DeclarationError(f"a game day lasts from more than 0 to {MOST_DAYS:,.0f} days")
        if not 0 <= self.intensity <= 1_000:
            raise DeclarationError("the intensity goes from 0 to 1,000 faults a day")
        if not 0 <= self.unanswered <= 1:
            raise DeclarationError("the share of proposals that nobody answers goes from 0 to 1")

    @property
    def plan(self) -> Faults:
        """What goes wrong."""
        if self.faults is not None:
            return self.faults
        return random_faults(self.fleet, self.seed, self.days, self.intensity)

    def play(self, told: Callable[[float], None] = lambda days: None) -> Played:
        """Play it, in memory.

        Args:
            told: is told of the days that have passed.

        Raises:
            InvalidFaults: the faults name what the fleet does not declare.
        """
        faults = self.plan
        staff = Staff.of(self.fleet, self.answer_after, 0.5, self.unanswered)
        simulation = Simulation(self.build(self.fleet), self.fleet, faults, self.seed, people=staff)
        watched = Watched(simulation)
        end = self.days * DAY
        while simulation.now < end:
            simulation.run(min(end, simulation.now + _PART))
            told(simulation.now / DAY)
            if self.until_broken and watched.invariants.count:
                break
        violations = watched.invariants.check()
        return Played(
            seed=self.seed,
            faults=faults,
            report=watched.accounts.report(),
            checked=watched.invariants.checked,
            broken=watched.invariants.count,
            violations=violations,
            proposals=tuple(watched.proposals.values()),
            incidents=tuple(watched.incidents.values()),
            endings=dict(Counter(simulation.chains.ended.values())),
        )


@dataclass(frozen=True, slots=True)
class Played:
    """What came of a game day.

    Attributes:
        checked: writes, calls and orders that were held against the rules.
        broken: how often a rule was broken. violations: the first thousand times.
        endings: how many chains ended how.
    """

    seed: int
    faults: Faults
    report: Report
    checked: int
    broken: int
    violations: tuple[Violation, ...]
    proposals: tuple[Proposal, ...]
    incidents: tuple[Met, ...]
    endings: Mapping[str, int]

    def as_json(self) -> dict[str, Any]:
        """As JSON, without the faults."""
        return {
            "seed": self.seed,
            "faults": len(self.faults),
            "checked": self.checked,
            "broken": self.broken,
            "violations": [one._asdict() for one in self.violations],
            "proposals": [asdict(one) for one in self.proposals],
            "incidents": [asdict(one) for one in self.incidents],
            "endings": self.endings,
            **self.report.to_dict(),
        }
