"""Invariants: what must hold at every moment of a simulation, whatever goes wrong in its world.

| rule       | says                                                                               |
|------------|------------------------------------------------------------------------------------|
| those of `rules` | of every state of the register: floors, residency, quotas, regions left      |
| `epochs`   | epochs of locks only grow, and those of workloads one by one                       |
| `obeyed`   | requests are only ever sent as was intended at that epoch, and never as before     |
| `recorded` | nothing is asked for that is not on record with these very arguments               |
| `gate`     | nothing in mode observe, without a grant, in a freeze, or after the chain's end    |
| `left`     | no replicas are asked for where the region was left before that was decided        |
| `deadline` | every chain that can end has ended by its deadline                                 |
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from crosswind.gate.brakes import BRAKES, Brakes, fleet_partition
from crosswind.operations.endpoints import ScaleEndpoint
from crosswind.records.head import Head
from crosswind.records.identity import HEAD, action_key, name_id
from crosswind.records.joins import Joins
from crosswind.records.ledger import Ledger
from crosswind.records.record import Record
from crosswind.sim.rules import broken

if TYPE_CHECKING:
    from crosswind.actions import Action, Call
    from crosswind.records.record import Entry
    from crosswind.sim.intended import Written
    from crosswind.sim.simulation import Simulation
    from crosswind.sim.world import Order

_GRACE: Final = 600.0
"""Seconds after its deadline in which a chain is closed: the message of it may come late."""

_KEPT: Final = 1_000


class Violation(NamedTuple):
    """An invariant that did not hold.

    Attributes:
        at: seconds since the beginning.
        rule: which one.
        what: the workload, region, chain or action that it is about.
        why: how it was broken.
    """

    at: float
    rule: str
    what: str
    why: str

    def __str__(self) -> str:
        return f"{self.at:.3f} s: {self.rule}: {self.what}: {self.why}"


class Invariants:
    """Watches a simulation from now on.

    Attributes:
        violations: what did not hold, the first thousand.
        count: how many there were in all.
        checked: how many writes, calls and orders were looked at.
    """

    def __init__(self, simulation: Simulation) -> None:
        self.simulation = simulation
        self.violations: list[Violation] = []
        self.count = 0
        self.checked = 0
        self._ledger = Ledger(simulation.store, simulation.agenda.clock)
        simulation.on_register(self._register)
        simulation.on_call(self._call)
        simulation.world.on_order(self._order)
        simulation.on_event(lambda _, what: self._deadlines() if what.kind == "message" else None)

    def check(self) -> tuple[Violation, ...]:
        """Look once more at the chains that should have ended; returns all violations."""
        self._deadlines()
        return tuple(self.violations)

    def _deadlines(self) -> None:
        open_chains = self.simulation.chains.deadlines
        for chain, deadline in list(open_chains.items()):
            over = self.simulation.clock - deadline
            if over > _GRACE:
                self._note("deadline", chain, f"it is open {over:.0f} s after its deadline")
                del open_chains[chain]

    def _note(self, rule: str, what: str, why: str) -> None:
        self.count += 1
        if len(self.violations) < _KEPT:
            self.violations.append(Violation(self.simulation.now, rule, what, why))

    def _register(self, written: Written) -> None:
        self.checked += 1
        simulation = self.simulation
        for one in broken(simulation.fleet, simulation.intended, written):
            self._note(*one)

    def _order(self, order: Order) -> None:
        self.checked += 1
        if order.region is not None:
            return
        wanted = self.simulation.intended.weights_at(order.workload, order.epoch)
        if wanted is None or dict(wanted) != dict(order.after):
            why = f"sent as {order.after} at epoch {order.epoch}, intended was {wanted}"
            self._note("obeyed", order.workload, why)

    def _call(self, action: Action[Any], call: Call) -> None:
        self.checked += 1
        for rule, why in self._unsafe(action, call):
            self._note(rule, action.summary(), why)

    def _unsafe(self, action: Action[Any], call: Call) -> Iterator[tuple[str, str]]:
        found = self._on_record(call.key)
        if found is None:
            yield "recorded", "there is no record of it"
            return
        record, index, entry = found
        if entry.args != action.model_dump(mode="json"):
            yield "recorded", f"the record says {entry.args}"
        yield from self._past_the_gate(action, record, index, entry)
        if isinstance(action, ScaleEndpoint):
            yield from self._into_the_left(action, entry)

    def _on_record(self, key: str) -> tuple[Record, int, Entry] | None:
        """The run that was claimed last, and its action with its number, if this is its key."""
        claimed = self.simulation.chains.claimed
        if claimed is None:
            return None
        record = Record.decode(claimed[1])
        actions = [entry for entry in record.log if entry.is_action]
        for index in range(len(actions) - 1, -1, -1):
            if action_key(record.chain, record.run, index) == key:
                return record, index, actions[index]
        return None

    def _past_the_gate(
        self, action: Action[Any], record: Record, index: int, entry: Entry
    ) -> Iterator[tuple[str, str]]:
        workload, now = action.concerns(), self.simulation.clock
        if record.state != "claimed":
            yield "gate", f"its run is {record.state}"
        head = self._ledger.read(f"chain:{record.chain}", HEAD)
        if head is not None and not Head.decode(head.value).open and not action.after_close:
            yield "gate", f"chain {record.chain} has ended"
        if entry.mode == "observe":
            yield "gate", "its mode is observe"
            return
        item = self._ledger.read(fleet_partition(self.simulation.fleet.name), BRAKES)
        brakes = Brakes() if item is None else Brakes.decode(item.value)
        if brakes.break_glass is not None and brakes.break_glass.applies(workload, now):
            return
        if brakes.freeze is not None and brakes.freeze.applies(workload, now):
            yield "gate", f"it is frozen by {brakes.freeze.by}"
        held = not (entry.asked or action.after_close) and self.simulation.fleet.frozen(
            workload, action.kind, now
        )
        if (entry.mode == "propose" or held) and not self._granted(action, record, index):
            yield "gate", f"nobody granted it{f' in {held}' if held else ''}"

    def _granted(self, action: Action[Any], record: Record, index: int) -> bool:
        """Whether a person has granted it, or the plan of which it is a step."""
        joins = Joins(self._ledger, record.chain, self.simulation.agenda.clock, None)
        # The same action of the same run is the same question, however often it is decided anew.
        proposal = name_id("approval", record.run, index, action.question())
        questions = [f"approval:{proposal}"]
        if (plan := action.covered_by()) is not None:
            questions.append(f"plan:{plan}")
        answers = [joins.settled(question) for question in questions]
        return any(answer is not None and answer.outcome == "granted" for answer in answers)

    def _into_the_left(self, action: ScaleEndpoint, entry: Entry) -> Iterator[tuple[str, str]]:
        simulation = self.simulation
        state = simulation.intended.regions.get(action.region)
        if state is None or state.state != "evacuated" or state.since >= entry.at:
            return
        endpoint = simulation.world.steered.estate.endpoints.get((action.workload, action.region))
        if endpoint is not None and action.replicas > endpoint.held:
            yield "left", f"{action.region} was left {simulation.clock - state.since:.1f} s ago"
