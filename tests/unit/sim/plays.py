"""What the tests of simulations play."""

from __future__ import annotations

from functools import cache
from typing import Any

from crosswind.app import App
from crosswind.chains.failover import failover_app
from crosswind.fleet.declaration import Fleet
from crosswind.sim import Accounts, Fault, Faults, Invariants, Nature, Report, Simulation
from unit.sim.fleets import A, trio

OUTAGE = Fault("outage", 100, 1900, region=A)


@cache
def app() -> App:
    """The built-in chain, with probes at the distance that the fleet says."""
    return failover_app(probe_every=30.0)


class Play:
    """A simulation with everything that watches it."""

    def __init__(self, *faults: Fault, fleet: Fleet | None = None, **how: Any) -> None:
        how.setdefault("nature", Nature(start_up=10))
        how.setdefault("app", app())
        how.setdefault("seed", 1)
        self.simulation = Simulation(fleet=fleet or trio(), faults=Faults(faults), **how)
        self.invariants = Invariants(self.simulation)
        self.accounts = Accounts.of(self.simulation)

    def run(self, until: float) -> Report:
        """Play on, and hold all that must hold."""
        self.simulation.run(until)
        assert not self.invariants.check(), [str(one) for one in self.invariants.violations]
        return self.accounts.report()

    @property
    def outcomes(self) -> list[str]:
        """How the chains have ended, in that order."""
        return list(self.simulation.chains.ended.values())
