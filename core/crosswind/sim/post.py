"""The bus of a simulated world: every message takes its time, and some come twice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from crosswind.buses.promises import MAX_RECEIPTS, accepted
from crosswind.buses.routing import Routes, bindings
from crosswind.testing.post import Letter

if TYPE_CHECKING:
    from crosswind.ports import Message
    from crosswind.sim.simulation import Simulation


class SimulatedBus:
    """Carries messages to the groups of an app in virtual time; see `Bus.publish`.

    How long each takes derives from its id, so that messages may overtake each other, and always
    in the same way.

    Args:
        simulation: whose app gets its events.
        deliver: is given each letter when it is due.
        published: is told of each message that is taken, once however many groups want it.
    """

    def __init__(
        self,
        simulation: Simulation,
        deliver: Callable[[Letter], None],
        published: Callable[[Message], None],
    ) -> None:
        self.agenda = simulation.agenda
        self.deliver = deliver
        self.published = published
        self.conditions = simulation.world.conditions
        self.nature = simulation.world.nature
        self.draws = simulation.draws.branch("bus")
        self.longest = self.nature.message_most
        self._numbers = 0
        self._routes = Routes(bindings(simulation.app))

    def publish(self, messages: Sequence[Message]) -> None:
        """See `Bus.publish`."""
        taken, refused = accepted(messages)
        for message in taken:
            for group in self._routes.groups(message.attributes):
                self._send(message, group)
            self.published(message)
        if refused:
            raise refused

    def again(self, letter: Letter, after: float) -> None:
        """Deliver a letter once more in so many seconds."""
        letter.dead = letter.dead or letter.receipts >= MAX_RECEIPTS
        self._plan(letter, self.agenda.now + after)

    def _send(self, message: Message, group: str) -> None:
        self._numbers += 1
        due = max(self.agenda.now, (message.due or 0.0) - self.agenda.start)
        kind = str(message.attributes["type"])
        letter = Letter(self._numbers, message.id, message.body, group, due, kind)
        self._plan(letter, due + self._takes(message.id, group, 0))
        if self.draws.chance(self.nature.duplicates, "duplicate", message.id, group):
            self._numbers += 1
            copy = Letter(self._numbers, message.id, message.body, group, due, kind, copy=True)
            self._plan(copy, due + self._takes(message.id, group, 1))

    def _takes(self, message: str, group: str, copy: int) -> float:
        nature = self.nature
        takes = self.draws.lognormal(
            nature.message_median, nature.message_spread, "message", message, group, copy
        )
        slow = sum(fault.size or 0.0 for fault in self.conditions.active("slow-bus"))
        return min(takes, nature.message_most) + slow

    def _plan(self, letter: Letter, at: float) -> None:
        letter.due = at
        self.agenda.plan(at, lambda: self._arrive(letter))

    def _arrive(self, letter: Letter) -> None:
        letter.receipts += 1
        self.deliver(letter)
