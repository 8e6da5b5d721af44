"""One outage of one region: what the chain would do about it, and what would come of that."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from crosswind.chains.failover import failover_app
from crosswind.drills.narration import Narration, Step
from crosswind.drills.staff import Staff
from crosswind.drills.watching import Proposal, Watched
from crosswind.errors import DeclarationError
from crosswind.fleet.policies import ModePolicy
from crosswind.sim import Answering, Draws, Fault, Faults, Outage, Report, Simulation, Violation

if TYPE_CHECKING:
    from crosswind.app import App
    from crosswind.fleet.declaration import Fleet

Failure = Literal["outage", "brown-out", "slow", "flapping"]

FAILURES: Final[tuple[Failure, ...]] = get_args(Failure)
"""Ways in which a region may fail in a drill."""

Verdict = Literal["left", "in-part", "not-left", "unseen", "unused"]

WORDS: Final[dict[Verdict, str]] = {
    "left": "the region was left",
    "in-part": "users saw the region fail, and only a part of its traffic was moved",
    "not-left": "users saw the region fail, and it was not left",
    "unseen": "users saw no failure by what the fleet tolerates; nothing had to be done",
    "unused": "no traffic goes to the region; there is nothing to leave",
}

_BEFORE: Final = 600.0
"""Seconds of calm before the outage, in which every probe has had its rounds; up to one distance
between two of them is added, as the seed has it: an outage does not wait for a probe."""

_STEP: Final = 60.0
_CALM: Final = 900.0
"""Seconds without an open chain after which a drill is over."""

_PATIENCE: Final = 86_400.0
"""Seconds after the outage at which a drill is over at the latest."""


def builtin(fleet: Fleet) -> App:
    """The built-in chain, with probes as the fleet has them."""
    return failover_app(probe_every=fleet.probes.every)


def acting(fleet: Fleet) -> Fleet:
    """A fleet with the same limits, freezes and approvers, in which everything may be done."""
    return fleet.model_copy(
        update={"modes": ModePolicy(default="act", approvers=fleet.modes.approvers)}
    )


@dataclass(frozen=True, slots=True)
class FailoverDrill:
    """An outage to be played.

    Args:
        region: which fails. kind: how. seconds: for how long.
        answer_after: seconds that a person takes to approve what is proposed.
        build: makes the app that is played.

    Raises:
        DeclarationError: the fleet has no such region.
    """

    fleet: Fleet
    region: str
    seconds: float = 2_400.0
    seed: int = 1
    kind: Failure = "outage"
    answer_after: float = 300.0
    build: Callable[[Fleet], App] = field(default=builtin)

    def __post_init__(self) -> None:
        if self.region not in self.fleet.regions:
            known = ", ".join(sorted(self.fleet.regions))
            raise DeclarationError(
                f"fleet {self.fleet.name} has no region {self.region}; it has {known}"
            )
        if self.seconds <= 0:
            raise DeclarationError("an outage of no time is none; give a longer one")

    @property
    def begins(self) -> float:
        """Seconds from the beginning of the simulation until that of the outage."""
        every = self.fleet.probes.every
        return _BEFORE + Draws("drill", self.seed).between(0.0, every, "begins")

    def play(self, told: Callable[[float], None] = lambda seconds: None) -> Drilled:
        """Play it, in memory.

        Args:
            told: is told of the simulated seconds that have passed.
        """
        ends = self.begins + self.seconds
        fault = Fault(self.kind, self.begins, ends, region=self.region)
        people = Answering(after=self.answer_after, spread=0.0)
        staff = Staff(self.fleet.modes, people)
        simulation = Simulation(
            self.build(self.fleet), self.fleet, Faults([fault]), self.seed, people=staff
        )
        watched = Watched(simulation)
        narration = Narration(simulation, self.begins, staff)
        calm = 0.0
        while simulation.now < ends + _PATIENCE and calm < _CALM:
            simulation.run(simulation.now + _STEP)
            told(simulation.now)
            quiet = simulation.now > ends and not simulation.chains.deadlines
            calm = calm + _STEP if quiet else 0.0
        return self._drilled(watched, narration)

    def _drilled(self, watched: Watched, narration: Narration) -> Drilled:
        violations = watched.invariants.check()
        report = watched.accounts.report()
        outage = next(one for one in report.outages if one.region == self.region)
        return Drilled(
            drill=self,
            steps=tuple(narration.steps),
            report=report,
            outage=outage,
            back=next(
                (
                    one.back - self.begins
                    for one in report.failovers
                    if one.region == self.region and one.back is not None
                ),
                None,
            ),
            restored=_restored(watched.simulation, self.region),
            proposals=tuple(watched.proposals.values()),
            violations=violations,
        )


@dataclass(frozen=True, slots=True)
class Drilled:
    """What came of a drill.

    Attributes:
        back: seconds from the beginning of the outage until some of the traffic was back.
        restored: whether at the end all of it goes to the region that is declared to.
    """

    drill: FailoverDrill
    steps: tuple[Step, ...]
    report: Report
    outage: Outage
    back: float | None
    restored: bool
    proposals: tuple[Proposal, ...]
    violations: tuple[Violation, ...]

    @property
    def verdict(self) -> Verdict:
        """Whether the region was left, and whether it had to be."""
        outage = self.outage
        if outage.moved is not None:
            return "left" if outage.complete else "in-part"
        if outage.share <= 0:
            return "unused"
        return "not-left" if outage.failing else "unseen"

    @property
    def passed(self) -> bool:
        """Whether no rule was broken, and the region was left if users saw it fail."""
        left = self.verdict in ("left", "unseen", "unused")
        return not self.violations and (left or not self.outage.failing)

    def as_json(self) -> dict[str, Any]:
        """As one JSON document."""
        drill = self.drill
        return {
            "fleet": drill.fleet.name,
            "digest": drill.fleet.digest,
            "region": drill.region,
            "kind": drill.kind,
            "seconds": drill.seconds,
            "seed": drill.seed,
            "answer_after": drill.answer_after,
            "passed": self.passed,
            "verdict": self.verdict,
            "back": self.back,
            "restored": self.restored,
            "steps": [step._asdict() for step in self.steps],
            "violations": [one._asdict() for one in self.violations],
            **self.report.to_dict(),
        }


def _restored(simulation: Simulation, region: str) -> bool:
    weights = simulation.world.steered.weights
    return all(
        weights[name].get(region, 0.0) >= spec.weights.get(region, 0.0) - 1e-6
        for name, spec in simulation.fleet.workloads.items()
    )
