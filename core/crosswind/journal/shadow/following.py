"""The register follows what was only observed.

Where the mode is observe nothing is written, so that the next decision would be made as if the one
before had never been: a region that was left a moment ago would be left again and again. In a
rehearsal, whose register is its own, each assumed action is therefore carried out on it right
after the run that assumed it: plans are accepted and advance, regions are marked, incidents open
and close. The records stay what they are: observed, simulated.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import to_json

from crosswind.actions import Action, Call, Performer
from crosswind.chains.incidents.performer import IncidentPerformer
from crosswind.errors import CrosswindError
from crosswind.fleet.register import RegisterPerformer
from crosswind.journal.chain import Run
from crosswind.journal.placement import read_run, run_of
from crosswind.records.record import Record
from crosswind_events import InvalidEvent
from crosswind_events.catalogue.chain import RunResume

if TYPE_CHECKING:
    from crosswind.sim import Happening, Simulation
    from crosswind.testing.post import Letter

_TIMEOUT: Final = 5.0
_ANSWERS: Final = ("accepted", "applied", "marked", "released")


class Following:
    """Carries out on a simulation's register what its runs have assumed.

    Attributes:
        done: how many actions took effect, by kind.
        refused: what the register would not have taken, by kind and reason.
    """

    def __init__(self, simulation: Simulation) -> None:
        clock = simulation.agenda.clock
        fleet, store = simulation.fleet, simulation.store
        self.done: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self._simulation = simulation
        self._seen: set[str] = set()
        performers: Sequence[Performer] = (
            RegisterPerformer(store, fleet, clock=clock, pause=lambda seconds: None),
            IncidentPerformer(store, fleet.name, clock),
        )
        self._performers = {kind: one for one in performers for kind in one.performs}
        simulation.on_event(self._hear)

    def _hear(self, simulation: Simulation, what: Happening) -> None:
        if what.kind == "message":
            for record in self._records(what.detail):
                if record.simulated:
                    self._follow(record)

    def _records(self, letter: Letter) -> Iterator[Record]:
        """The runs that have worked a letter."""
        app, ledger = self._simulation.app, self._simulation.engine.ledger
        try:
            event: Any = app.codec.decode(letter.body)
        except InvalidEvent:
            return  # it is parked, and counted there
        if event.type == RunResume.event_type:
            resumed = read_run(ledger, event.data.chain, event.data.run)
            yield from () if resumed is None else (resumed,)
            return
        for handler in app.by_type.get(event.type, ()):
            if handler.group == letter.group and handler.matches(event):
                record = run_of(ledger, event, handler)
                yield from () if record is None else (record,)

    def _follow(self, record: Record) -> None:
        handler = self._simulation.app.handler(record.handler)
        acts = {} if handler is None else {f"act:{kind.kind}": kind for kind in handler.acts}
        for key, entry in Run(record, {}).actions():
            kind = acts.get(entry.kind)
            if key in self._seen or not entry.simulated or kind not in self._performers:
                continue
            self._seen.add(key)
            action: Action[Any] = kind.model_validate_json(to_json(entry.args))
            refused = self._carry_out(action, key)
            if refused:
                self.refused[f"{action.kind}: {refused}"[:300]] += 1
            else:
                self.done[action.kind] += 1

    def _carry_out(self, action: Action[Any], key: str) -> str:
        """Let an action take effect; why it did not, empty where it did."""
        try:
            answer = self._performers[type(action)].perform(action, Call(key, _TIMEOUT))
        except CrosswindError as error:
            return str(error)
        done = [getattr(answer, name, True) for name in _ANSWERS]
        return "" if all(done) else getattr(answer, "reason", "") or "it was not done"
