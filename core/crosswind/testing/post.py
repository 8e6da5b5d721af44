"""A bus in slow motion: every message stays in sight, and the test decides which goes next."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from crosswind.app import App
from crosswind.buses.promises import MAX_RECEIPTS, accepted
from crosswind.buses.routing import Routes, bindings
from crosswind.ports import Delivery, Message


@dataclass(slots=True, eq=False)
class Letter:
    """A message on its way to one group.

    Attributes:
        number: counts all letters of a post.
        id: native message id.
        due: when it may be delivered, seconds since the epoch.
        receipts: how often it was taken out.
        dead: it was taken out too often, and is for `Engine.bury`.
        copy: it is a duplicate that the bus has made.
    """

    number: int
    id: str
    body: bytes
    group: str
    due: float
    type: str
    receipts: int = 0
    dead: bool = False
    copy: bool = False

    @property
    def delivery(self) -> Delivery:
        """As the engine is handed it."""
        return Delivery(self.id, self.body, self.receipts)


class Post:
    """A bus for one process.

    It delivers to each group that wants an event, at least once, in an order that the test
    decides. What was taken out and is not acknowledged comes back.

    Args:
        apps: whose groups get their events; several versions of an app may be given.
        clock: seconds since the epoch.
        max_receipts: how often a letter is taken out before it is dead.
    """

    def __init__(
        self,
        apps: Iterable[App],
        clock: Callable[[], float],
        *,
        max_receipts: int = MAX_RECEIPTS,
    ) -> None:
        self.clock = clock
        self.max_receipts = max_receipts
        self.published: list[Message] = []
        self.letters: list[Letter] = []
        self.sent: list[Letter] = []
        self._numbers = 0
        self._routes = Routes(bound for app in apps for bound in bindings(app))

    def publish(self, messages: Sequence[Message]) -> None:
        """See `Bus.publish`."""
        taken, refused = accepted(messages)
        for message in taken:
            self.published.append(message)
            kind = str(message.attributes["type"])
            for group in self._routes.groups(message.attributes):
                due = max(self.clock(), message.due or 0.0)
                self._numbers += 1
                letter = Letter(self._numbers, message.id, message.body, group, due, kind)
                self.letters.append(letter)
                self.sent.append(replace(letter))
        if refused:
            raise refused

    def due(self) -> list[Letter]:
        """The letters that may be delivered now, the longest due first."""
        now = self.clock()
        return sorted(
            (letter for letter in self.letters if letter.due <= now),
            key=lambda letter: (letter.due, letter.number),
        )

    def next_due(self) -> float | None:
        """When the next letter may be delivered; None where none is left."""
        return min((letter.due for letter in self.letters), default=None)

    def take(self, letter: Letter, visibility: float) -> Delivery:
        """Take a letter out; it comes back after so many seconds unless it is acknowledged."""
        letter.dead = letter.dead or letter.receipts >= self.max_receipts
        letter.receipts += 1
        letter.due = self.clock() + visibility
        return letter.delivery

    def acknowledge(self, letter: Letter) -> None:
        """It is done with; a letter that has been delivered to another meanwhile is, too."""
        if letter in self.letters:
            self.letters.remove(letter)

    def hand_back(self, letter: Letter, after: float = 0.0) -> None:
        """It is to be delivered again in so many seconds."""
        letter.due = self.clock() + after

    def duplicate(self, letter: Letter) -> Letter:
        """Deliver a letter once more, now; it may have been acknowledged long ago."""
        self._numbers += 1
        again = replace(
            letter, number=self._numbers, due=self.clock(), receipts=0, dead=False, copy=True
        )
        self.letters.append(again)
        return again
