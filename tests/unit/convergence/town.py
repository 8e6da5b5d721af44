"""A stage on which declarations are applied and the world drifts: a register and a small cloud."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from crosswind.actions import Call, Query
from crosswind.app import App
from crosswind.chains.apply import apply_app
from crosswind.chains.drift import drift_app
from crosswind.chains.failover import failover_app
from crosswind.chains.incidents.performer import IncidentPerformer
from crosswind.embedded.memory import MemoryStore
from crosswind.engine.approvals import Approvals, Proposal
from crosswind.engine.dispatch import Engine
from crosswind.engine.settings import Settings
from crosswind.fleet import keys
from crosswind.fleet.applications import Entry
from crosswind.fleet.declaration import Fleet
from crosswind.fleet.history import read_history
from crosswind.fleet.operations import AcceptPlan, AdvanceShift, MarkRegion
from crosswind.fleet.register import RegisterPerformer
from crosswind.fleet.state import Condition, WorkloadState
from crosswind.operations.traffic import CurrentWeights, SetWeights, WeightsSet
from crosswind.ports import Message
from crosswind.testing import Faults, Stage
from crosswind_events import EventData
from crosswind_events.catalogue.fleet import ApplyRequested
from crosswind_events.catalogue.schedule import Tick
from unit.chains.cloud import Cloud
from unit.chains.fleets import EAST

APP = App("town")
APP.include(drift_app(every=60.0))
APP.include(apply_app())
WITH_FAILOVER = failover_app(probe_every=None, drift_every=60.0)
SETTINGS = Settings(skew=1.0, lease=10.0, backoff=0.1)
TICK = "crosswind.chains.drift.detection:tick"


@dataclass
class World(Cloud):
    """A cloud that says which shares are in force, and whose people meddle with it."""

    answers: tuple[type[Query[Any]], ...] = (*Cloud.answers, CurrentWeights)

    def answer(self, query: Any, timeout: float) -> Any:
        if not isinstance(query, CurrentWeights):
            return super().answer(query, timeout)
        name = query.workload
        return WeightsSet(
            applied=True, epoch=self.epochs.get(name, 0), weights=self.weights.get(name, {})
        )

    def tamper(self, weights: Mapping[str, float], workload: str = "chat") -> None:
        """Somebody changes shares by hand."""
        self.weights[workload] = dict(weights)

    def lose(self, region: str, left: int, workload: str = "chat") -> None:
        """Replicas are gone."""
        self.replicas[workload, region] = left


class Town(Stage):
    """A stage with one fleet, whose declaration may change."""

    def __init__(self, fleet: Fleet, *, faults: Faults | None = None, app: App = APP) -> None:
        store = MemoryStore()
        self.fleet = fleet
        self.world = World(fleet, self.clock)
        self.register = RegisterPerformer(store, fleet, clock=self.clock, pause=_no_pause)
        self.incidents = IncidentPerformer(store, fleet.name, self.clock)
        super().__init__(
            app,
            fleet=fleet,
            performers=(self.world, self.register, self.incidents),
            settings=SETTINGS,
            store=store,
            faults=faults,
        )
        self._said = 0

    def clock(self) -> float:
        return self.now

    # -- what people do -------------------------------------------------------------------------

    def declare(self, fleet: Fleet) -> None:
        """The file changes, and whoever works is started again with it."""
        self.fleet = self.world.fleet = fleet
        self.register = RegisterPerformer(self.store, fleet, clock=self.clock, pause=_no_pause)
        self._fleet = fleet
        self._performers = (self.world, self.register, self.incidents)
        self.engine = self._engine()

    def keep(self) -> None:
        """Keep the declaration in the store, as the command line does before it asks for it."""
        Engine(self.app, self.store, self.post, fleet=self.fleet).runtime.declared(None)

    def apply(
        self,
        *workloads: str,
        digest: str | None = None,
        previous: str | None = "",
        rollback: bool = False,
        passing: float = 200.0,
    ) -> str:
        """Apply the declaration, all of it unless workloads are named; returns the chain."""
        self.keep()
        last = [entry.digest for entry in self.history()][-1:]
        self._said += 1
        asked = ApplyRequested(
            fleet=self.fleet.name,
            digest=digest or self.fleet.digest,
            previous=(last[0] if last else None) if previous == "" else previous,
            by="ada",
            rollback=rollback,
            workloads=workloads,
            everything=not workloads,
            summary=("as the test says",),
        )
        chain = self.say(asked, event_id=f"apply-{self._said}")
        self.pass_time(passing)
        return chain

    def answer(self, chain: str, outcome: Any = "granted") -> list[Proposal]:
        """A person answers all that a chain proposes."""
        approvals = Approvals(self.app, self.engine.runtime, self.post)
        waiting = approvals.waiting(chain)
        for one in waiting:
            approvals.answer(chain, one.approval, outcome, by="ada")
        self.play()
        return waiting

    # -- what happens ---------------------------------------------------------------------------

    def tick(self) -> None:
        """The schedule of the comparison is due; what is suspected is looked at again."""
        self._said += 1
        due = Tick(schedule=TICK, due=datetime.fromtimestamp(self.now, UTC))
        event = self.event(
            due,
            event_id=f"tick-{self._said}",
            source="//schedule",
            subject=TICK,
            extensions={"schedule": TICK},
        )
        attributes: dict[str, str | int | bool] = {
            "id": event.id,
            "source": event.source,
            "type": event.type,
            **event.extensions,
        }
        self.post.publish([Message(event.id, self.app.codec.encode(event), attributes)])
        self.play()

    def compare(self) -> None:
        """One round, with both looks."""
        self.tick()
        self.pass_time(31.0)

    def evacuate(
        self, region: str, weights: Mapping[str, float], *, steps: int = 1, of: int = 1
    ) -> None:
        """Another chain leaves a region, as far as it has come."""
        self._said += 1
        plan = f"leave-{self._said}"
        self._perform(
            AcceptPlan(
                workload="chat",
                plan=plan,
                chain="another",
                target_weights=weights,
                capacity={r: 10 for r, share in weights.items() if share > 0},
                priority="failover",
                region=region,
                state="evacuated",
            )
        )
        for step in range(1, steps + 1):
            part = weights if step == of else self.intended().weights
            self._perform(
                AdvanceShift(
                    workload="chat",
                    plan=plan,
                    weights=part,
                    step=step,
                    of=of,
                    relies_on_epoch=self.intended().epoch,
                )
            )
            state = self.intended()
            self._perform_in_world(
                SetWeights(workload="chat", weights=state.weights, epoch=state.epoch)
            )
        for region_, share in weights.items():
            if share > 0:
                self.world.replicas["chat", region_] = 10

    def mark(self, state: Condition, region: str = EAST) -> None:
        self._perform(MarkRegion(region=region, state=state))

    def _perform(self, action: Any) -> None:
        self._said += 1
        result = self.register.perform(action, Call(f"another-{self._said}", 5.0))
        taken = getattr(result, "accepted", getattr(result, "applied", True))
        assert taken, result

    def _perform_in_world(self, action: Any) -> None:
        self._said += 1
        self.world.perform(action, Call(f"another-{self._said}", 5.0))

    # -- what is to be seen ---------------------------------------------------------------------

    def stored(self, workload: str = "chat") -> WorkloadState | None:
        """What the register holds of a workload; None where it holds nothing."""
        item = self.store.read(keys.partition(self.fleet.name), keys.workload(workload))
        return None if item is None else WorkloadState.model_validate_json(item.value)

    def intended(self, workload: str = "chat") -> WorkloadState:
        """What is intended of a workload, which the register knows."""
        state = self.stored(workload)
        assert state is not None
        return state

    def shares(self, workload: str = "chat") -> dict[str, float]:
        """The shares in force in the world, of the regions that have some."""
        return {r: share for r, share in self.world.weights[workload].items() if share}

    def history(self) -> list[Entry]:
        return list(read_history(self.store, self.fleet.name))

    def outcome(self, chain: str) -> str | None:
        head = self.head(chain)
        return None if head is None else head.outcome

    def one(self, data: type[EventData]) -> Any:
        """The data of the only published event of a type."""
        (found,) = self.said(data)
        return found.data


def _no_pause(seconds: float) -> None:
    """The clock of a stage is moved by the test alone."""
