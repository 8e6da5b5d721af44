"""The failover app on a stage, with a register, incidents and a small cloud."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from crosswind.chains.failover import failover_app
from crosswind.chains.incidents.performer import IncidentPerformer
from crosswind.embedded.memory import MemoryStore
from crosswind.engine.settings import Settings
from crosswind.fleet.declaration import Fleet
from crosswind.fleet.operations import ReadRegions, ReadRegister
from crosswind.fleet.register import RegisterPerformer
from crosswind.fleet.state import RegisterView, WorkloadState
from crosswind.ports import Message
from crosswind.testing import Faults, Stage
from crosswind_events import Event, EventData, RegionRecovered, RegionUnhealthy
from crosswind_events.catalogue.schedule import Tick
from unit.chains.cloud import Cloud
from unit.chains.fleets import EAST

APP = failover_app(probe_every=5.0)
SETTINGS = Settings(skew=1.0, lease=10.0, backoff=0.1)


class Drama(Stage):
    """A stage on which regions fail."""

    def __init__(self, fleet: Fleet, *, faults: Faults | None = None) -> None:
        store = MemoryStore()
        self.fleet = fleet
        self.cloud = Cloud(fleet, self.clock)
        self.register = RegisterPerformer(
            store, fleet, clock=self.clock, pause=lambda seconds: None
        )
        self.incidents = IncidentPerformer(store, fleet.name, self.clock)
        super().__init__(
            APP,
            fleet=fleet,
            performers=(self.cloud, self.register, self.incidents),
            settings=SETTINGS,
            store=store,
            faults=faults,
        )
        self._said = 0

    def clock(self) -> float:
        return self.now

    def hear(
        self,
        says: type[RegionUnhealthy] | type[RegionRecovered] = RegionUnhealthy,
        evidence: str = "probe",
        *,
        region: str = EAST,
        source: str = "//probes.example.com",
        **more: Any,
    ) -> str:
        """Publish one piece of evidence; returns the chain that it would open."""
        self._said += 1
        data = says.model_validate({"region": region, "evidence": evidence, "reason": "r", **more})
        before = self.chain
        opened = self.say(data, event_id=f"heard-{self._said}", source=source, subject=region)
        self.chain = before or opened
        return opened

    def publish(self, event: Event[Any]) -> None:
        """Put an event on the bus and play."""
        attributes: dict[str, str | int | bool] = {
            "id": event.id,
            "source": event.source,
            "type": event.type,
            **event.extensions,
        }
        if event.subject is not None:
            attributes["subject"] = event.subject
        self.post.publish([Message(event.id, self.app.codec.encode(event), attributes)])
        self.play()

    def tick(self) -> None:
        """The schedule of the probes is due."""
        self._said += 1
        name = "crosswind.chains.failover.probes:tick"
        due = Tick(schedule=name, due=datetime.fromtimestamp(self.now, UTC))
        self.publish(
            self.event(
                due,
                event_id=f"tick-{self._said}",
                source="//schedule",
                subject=name,
                extensions={"schedule": name},
            )
        )

    def round(self) -> None:
        """One round of the probes, with all that is shifted within it."""
        self.tick()
        policy = self.fleet.probes
        self.pass_time(policy.every * policy.jitter)

    def watch(self, seconds: float, every: float = 5.0) -> None:
        """Let time pass with the probes at work."""
        for _ in range(round(seconds / every)):
            self.tick()
            self.pass_time(every)

    def fail(self, region: str = EAST) -> str:
        """A region goes down, and two observers say so; returns the chain."""
        self.cloud.fail(region)
        chain = self.hear(region=region)
        self.hear(evidence="telemetry", region=region)
        return chain

    def recover(self, region: str = EAST) -> str:
        """A region is up again, and two observers say so; returns the chain."""
        self.cloud.recover(region)
        chain = self.hear(RegionRecovered, region=region, vantage="a")
        self.hear(RegionRecovered, region=region, vantage="b")
        return chain

    def outcome(self, chain: str | None = None) -> str | None:
        head = self.head(chain)
        return None if head is None else head.outcome

    def one(self, data: type[EventData]) -> Event[Any]:
        """The only published event of a type."""
        (found,) = self.said(data)
        return found

    def workload(self, name: str = "chat") -> WorkloadState:
        view = self.register.answer(ReadRegister(workload=name), 1.0)
        assert isinstance(view, RegisterView)
        return view.workload

    def state(self, region: str = EAST) -> str:
        return self.register.answer(ReadRegions(regions=(region,)), 1.0).regions[region].state
