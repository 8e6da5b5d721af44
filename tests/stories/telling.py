"""How a story is told: a fleet, what goes wrong in its world, and what can be said of it after.

    story = tell(Fault("outage", MINUTE, HOUR, region=EAST))
    story.until(HALF_HOUR)
    assert story.serves("chat", EAST) == 0

Every story is played on the real engine, and watched: whatever it is about, no rule of safety is
broken in it at any moment (`Story.until` demands that).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from crosswind.app import App
from crosswind.chains.failover import failover_app
from crosswind.fleet.declaration import Fleet
from crosswind.fleet.state import RegionState, WorkloadState
from crosswind.sim import Fault, Faults, People, Simulation
from crosswind.sim.invariants import Invariants
from crosswind_events import Event, EventData

EAST: Final = "aws/us-east-1"
OHIO: Final = "aws/us-east-2"
CENTRAL: Final = "gcp/us-central1"
EUROPE: Final = "azure/westeurope"

MINUTE: Final = 60.0
HOUR: Final = 3_600.0


def placed(weight: float, replicas: int, quota: int) -> dict[str, Any]:
    """What a workload has in one region."""
    return {"weight": weight, "replicas": replicas, "quota": quota}


def declared(**changes: Any) -> dict[str, Any]:
    """A fleet of four regions on three clouds; the two of AWS hang on one power grid.

    Chat goes to the east and the centre in equal shares, and may go to Ohio and Europe. Search
    goes to the east alone; it stands by in the centre.
    """
    return {
        "name": "shop",
        "regions": {
            EAST: {"jurisdiction": "US", "failing_domains": ["grid:pjm"], "price": 2.0},
            OHIO: {"jurisdiction": "US", "failing_domains": ["grid:pjm"], "price": 2.0},
            CENTRAL: {"jurisdiction": "US", "price": 2.2},
            EUROPE: {"jurisdiction": "NL", "price": 3.0},
        },
        "workloads": {
            "chat": {
                "tier": "critical",
                "rate": 100,
                "per_replica": 10,
                "start_up": 30,
                "regions": {
                    EAST: placed(0.5, 6, 14),
                    OHIO: placed(0.0, 1, 14),
                    CENTRAL: placed(0.5, 6, 14),
                    EUROPE: placed(0.0, 1, 14),
                },
                "shift": {"steps": 2, "pause": 20, "window": 20},
            },
            "search": {
                "rate": 40,
                "per_replica": 10,
                "start_up": 30,
                "regions": {EAST: placed(1.0, 5, 8), CENTRAL: placed(0.0, 1, 8)},
                "shift": {"steps": 2, "pause": 20, "window": 20},
            },
        },
        "failover": {"soak": 300, "failback_steps": 2, "failback_pause": 30, "deadline": 1800},
        "probes": {"every": 15, "vantages": ["us", "eu"]},
        "alerts": [{"match": "chat-*", "workload": "chat"}],
        "modes": {"default": "act"},
    } | changes


class Story:
    """A simulation, and what can be asked of it in the words of a story."""

    def __init__(
        self,
        faults: Iterable[Fault],
        *,
        fleet: Mapping[str, Any] | None = None,
        people: People | None = None,
        app: App | None = None,
        seed: int = 1,
    ) -> None:
        self.fleet = Fleet.model_validate(fleet or declared())
        self.app = app or failover_app(probe_every=self.fleet.probes.every)
        self.simulation = Simulation(self.app, self.fleet, Faults(faults), seed, people=people)
        self.invariants = Invariants(self.simulation)
        self._said: dict[str, Event[Any]] = {}
        self.simulation.on_message(self._hear)

    def _hear(self, message: Any) -> None:
        event = self.app.codec.decode(message.body)
        self._said.setdefault(event.id, event)

    # -- how it goes on ---------------------------------------------------------------------------

    def until(self, seconds: float) -> Story:
        """Let time pass, and demand that no rule of safety was broken."""
        self.simulation.run(until=seconds)
        broken = self.invariants.check()
        assert not broken, "\n".join(map(str, broken))
        return self

    # -- what can be asked ------------------------------------------------------------------------

    def said(self, kind: type[EventData], **about: Any) -> list[Any]:
        """What was said of a kind, duplicates left out, in order; with these values."""
        found = [event.data for event in self._said.values() if event.type == kind.event_type]
        return [
            data
            for data in found
            if all(getattr(data, name) == value for name, value in about.items())
        ]

    def when(self, kind: type[EventData], **about: Any) -> float:
        """When something of a kind was said first, in seconds since the beginning.

        Raises:
            LookupError: it was not.
        """
        for event in self._said.values():
            if event.type == kind.event_type and all(
                getattr(event.data, name) == value for name, value in about.items()
            ):
                return event.time.timestamp() - self.simulation.start
        raise LookupError(f"nothing of {kind.event_type} was said with {about}")

    def serves(self, workload: str, region: str) -> float:
        """The share of a workload's requests that is sent to a region."""
        return self.simulation.world.steered.weights[workload].get(region, 0.0)

    def holds(self, workload: str, region: str) -> int:
        """The replicas that a workload holds in a region."""
        return self.simulation.world.endpoint(workload, region).held

    def region(self, name: str) -> RegionState:
        """What the register says of a region."""
        return self.simulation.intended.regions[name]

    def workload(self, name: str) -> WorkloadState:
        """What the register says of a workload."""
        return self.simulation.intended.workloads[name]

    @property
    def outcomes(self) -> list[str]:
        """How the chains that can end have ended, in that order."""
        return list(self.simulation.chains.ended.values())


def tell(*faults: Fault, **how: Any) -> Story:
    """A story that begins; see `Story`."""
    return Story(faults, **how)
