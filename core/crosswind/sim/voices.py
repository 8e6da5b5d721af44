"""Voices: what is said to a simulation from outside, by observers, providers, alarms and people."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from crosswind.engine.approvals import Approvals
from crosswind.errors import CrosswindError
from crosswind.ports import Message
from crosswind_events import Event, EventData, RegionRecovered, RegionUnhealthy
from crosswind_events.catalogue.approval import ApprovalRequested
from crosswind_events.catalogue.region import Native

if TYPE_CHECKING:
    from crosswind.sim.conditions import Change
    from crosswind.sim.faults import Fault
    from crosswind.sim.people import People, Reply
    from crosswind.sim.simulation import Simulation

SOURCE: Final = "//simulation.example.com"


class Observers:
    """Publish first events: what a test says, and what the faults of a plan have said."""

    def __init__(self, simulation: Simulation) -> None:
        self.simulation = simulation
        self._said = 0
        simulation.world.on_change(self._changed)

    def say(
        self,
        data: EventData,
        source: str = SOURCE,
        event_id: str | None = None,
        subject: str | None = None,
        ago: float = 0.0,
    ) -> Event[Any]:
        """Publish a first event; see `Simulation.say`."""
        self._said += 1
        event = Event.of(
            data,
            id=event_id or f"said-{self._said}",
            source=source,
            time=datetime.fromtimestamp(self.simulation.clock - ago, UTC),
            subject=subject,
        )
        self.send(event)
        return event

    def signal(
        self, payload: object, translate: Callable[[Any], Iterable[Event[Any]]]
    ) -> list[Event[Any]]:
        """Publish what a cloud's notification says; see `Simulation.signal`."""
        events = list(translate(payload))
        for event in events:
            self.send(event)
        return events

    def send(self, event: Event[Any]) -> None:
        """Publish an event as it is."""
        attributes: dict[str, str | int | bool] = {
            "id": event.id,
            "source": event.source,
            "type": event.type,
            **event.extensions,
        }
        if event.subject is not None:
            attributes["subject"] = event.subject
        simulation = self.simulation
        simulation.bus.publish([Message(event.id, simulation.app.codec.encode(event), attributes)])

    def _changed(self, change: Change) -> None:
        if change.fault.kind in ("notice", "alarm"):
            self._notice(change.fault, change.begins)

    def _notice(self, fault: Fault, begins: bool) -> None:
        """What the provider, or an alarm, says of a region."""
        said = RegionUnhealthy if begins else RegionRecovered
        native = Native(
            kind=fault.kind,
            id=f"{fault.name or fault.region}-{fault.begins:g}",
            name=fault.name,
            labels=self._labels(fault),
        )
        self.say(
            said(
                region=fault.region or "",
                evidence="provider" if fault.kind == "notice" else "alarm",
                workload=fault.workload,
                reason=fault.note or f"{fault.kind} {'raised' if begins else 'cleared'}",
                native=native,
            ),
            source=f"{SOURCE}/{fault.kind}/{fault.name or fault.region}",
            subject=fault.region,
        )

    def _labels(self, alarm: Fault) -> dict[str, str]:
        """The labels that the fleet expects of an alarm of this name."""
        labels: dict[str, str] = {}
        for alert in self.simulation.fleet.alerts if alarm.name else ():
            if alert.workload == alarm.workload and fnmatchcase(alarm.name or "", alert.match):
                labels |= alert.labels
        return labels


class Desk:
    """Brings proposals before people, each once, and their replies to the engine."""

    def __init__(self, simulation: Simulation, people: People) -> None:
        self.simulation = simulation
        self.people = people
        self._asked: set[str] = set()
        simulation.on_message(self._hear)

    def _hear(self, message: Message) -> None:
        if message.attributes["type"] != ApprovalRequested.event_type:
            return
        simulation = self.simulation
        question: ApprovalRequested = simulation.app.codec.decode(message.body).data
        if question.approval in self._asked:
            return  # it is published again, and still the same question
        self._asked.add(question.approval)
        draws = simulation.draws.branch("people", question.approval)
        for reply in self.people.asked(question, draws):
            simulation.at(simulation.now + reply.after, partial(self._reply, question, reply))

    def _reply(self, question: ApprovalRequested, reply: Reply) -> None:
        engine = self.simulation.engine
        approvals = Approvals(engine.app, engine.runtime, engine.outbox.bus)
        approval = reply.approval or question.approval
        try:
            settled = approvals.answer(question.chain, approval, reply.says, reply.by, reply.reason)
        except CrosswindError as refused:
            outcome = f"is told: {refused}"
        else:
            outcome = settled.outcome
        self.simulation.tell("person", outcome, reply)
