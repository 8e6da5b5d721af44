"""Plays one incident under one policy, and says what came of it.

The world, its faults and everything that is drawn are the same for every policy. What was really
wrong is taken from the world; what was done from the orders that took effect in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from bench.policies.candidates import Candidate, Peer, Setting
from bench.policies.fleet import NATURE, WORKLOAD
from bench.policies.mix import Incident
from crosswind.chains.failover import failover_app
from crosswind.sim import Accounts, Answering, Order, Promise, Simulation, World

_PART: Final = 60.0
"""Seconds after which is looked whether anything is still to come."""

_CALM: Final = 600.0
"""Seconds after the end of an incident, and without anybody being away, after which it is over."""

_PATIENCE: Final = 7200.0
"""Seconds after its end at which it is over at the latest."""

_BEFORE: Final = 300.0
"""Seconds before it from which on a peer is played; nothing could have been seen before."""

_NOTHING: Final = 1e-6


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an incident. Seconds from its beginning, None for what has not happened.

    Attributes:
        kind, due, lasted: of the incident.
        evidence: the first observer has said that a region that is due fails.
        detected: it was decided that it does.
        moved: the first of its users were sent elsewhere.
        cleared: the last of them, of every region that is due.
        departures: how often a region that is due was left, while it was.
        wrong: how often another region was left, or this one when it was over.
        lost, broken: minutes of all users that were lost, and in which the promise was broken.
        untouched: minutes lost had nobody done anything.
        usd: what it has cost more than doing nothing.
    """

    kind: str
    due: bool
    lasted: float
    evidence: float | None
    detected: float | None
    moved: float | None
    cleared: float | None
    departures: int
    wrong: int
    lost: float
    broken: float
    untouched: float
    usd: float

    @property
    def answered(self) -> bool:
        """Whether users were moved away before it was over."""
        return self.moved is not None and self.moved < self.lasted

    @property
    def response(self) -> float | None:
        """Seconds from the first evidence to the last shift."""
        if self.cleared is None or self.evidence is None:
            return None
        return self.cleared - self.evidence


def play(candidate: Candidate, incident: Incident) -> Outcome:
    """Play an incident, from six hours before it until all are back."""
    return (
        _engine(candidate, incident)
        if isinstance(candidate, Setting)
        else _peer(candidate, incident)
    )


def _engine(setting: Setting, incident: Incident) -> Outcome:
    fleet = setting.fleet
    after = setting.answer_after
    simulation = Simulation(
        failover_app(fleet.probes.every),
        fleet,
        incident.seen_by(fleet),
        incident.number,
        nature=NATURE,
        people=None if after is None else Answering(after=after, spread=0.0),
    )
    ledger = _Ledger(simulation.world, Accounts.of(simulation), incident)
    simulation.run(incident.begins)
    ledger.begin()
    while not ledger.over:
        simulation.run(simulation.now + _PART)
    return ledger.outcome()


def _peer(peer: Peer, incident: Incident) -> Outcome:
    fleet = peer.fleet
    world = World(fleet, incident.seen_by(fleet), incident.number, NATURE)
    ledger = _Ledger(world, Accounts(world), incident)
    world.advance(incident.begins - _BEFORE)
    steering = peer.steer(world, ledger.accounts, incident.begins - _BEFORE)

    def until(moment: float) -> None:
        while (at := steering.next()) <= moment:
            world.advance(at)
            steering.act()
        world.advance(moment)

    until(incident.begins)
    ledger.begin()
    while not ledger.over:
        until(world.now + _PART)
    return ledger.outcome()


class _Ledger:
    """Listens to the orders of a world, and settles what came of an incident."""

    def __init__(self, world: World, accounts: Accounts, incident: Incident) -> None:
        self.world, self.accounts, self.incident = world, accounts, incident
        self._declared = dict(world.fleet.workloads[WORKLOAD].weights)
        self._cleared: dict[str, float] = {}
        self._before = (Promise(), Promise())
        world.on_order(self._order)

    def begin(self) -> None:
        """The incident begins now."""
        self._before = self._promises()

    @property
    def over(self) -> bool:
        """Whether nothing more is to come of it."""
        since = self.world.now - self.incident.ends
        return since >= _PATIENCE or (since >= _CALM and not self._away())

    def outcome(self) -> Outcome:
        """What came of it until now."""
        incident = self.incident
        seen = [one for one in self.accounts.outages.outages if one.region in incident.regions]
        left = self.accounts.outages.failovers
        true = [one for one in left if one.region in incident.regions and one.moved < incident.ends]
        lost, untouched = (
            now.minus(then) for now, then in zip(self._promises(), self._before, strict=True)
        )
        cleared = [self._cleared.get(region) for region in incident.regions]
        known = [at for at in cleared if at is not None]
        return Outcome(
            kind=incident.trouble.name,
            due=incident.trouble.due,
            lasted=incident.ends - incident.begins,
            evidence=self._since(min((at for o in seen if (at := o.evidence)), default=None)),
            detected=self._since(min((at for o in seen if (at := o.confirmed)), default=None)),
            moved=self._since(min((one.moved for one in true), default=None)),
            cleared=self._since(max(known)) if known and len(known) == len(cleared) else None,
            departures=len(true),
            wrong=len(left) - len(true),
            lost=lost.lost,
            broken=lost.broken,
            untouched=untouched.lost,
            usd=self.accounts.report().added_usd,
        )

    def _order(self, order: Order) -> None:
        if order.region is not None:
            return
        for region in self.incident.regions:
            if order.after.get(region, 0.0) <= _NOTHING < order.before.get(region, 0.0):
                self._cleared.setdefault(region, order.at)

    def _away(self) -> bool:
        weights = self.world.steered.weights[WORKLOAD]
        return any(
            abs(weights.get(region, 0.0) - share) > _NOTHING
            for region, share in self._declared.items()
        )

    def _promises(self) -> tuple[Promise, Promise]:
        now = self.world.now
        return (
            self.world.steered.promise(WORKLOAD, now),
            self.world.untouched.promise(WORKLOAD, now),
        )

    def _since(self, moment: float | None) -> float | None:
        return None if moment is None else moment - self.incident.begins
