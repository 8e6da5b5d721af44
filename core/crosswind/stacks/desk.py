"""What the adapter of a cloud gives to people who work with a deployed app from outside.

The commands that look at chains, answer for people and mend what failed know a store and a bus. For
a file of this machine both are embedded; for a deployed app they are what this protocol hands out.
Nothing runs here: events are worked by the functions of the stack.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, Protocol

from crosswind.stacks.driver import StackError

if TYPE_CHECKING:
    from crosswind.app import App
    from crosswind.ports import Bus, Store


Role = Literal["reader", "operator"]
"""Who works with a deployed app: who looks, and who answers and mends as well."""

ROLES: Final[tuple[Role, ...]] = ("reader", "operator")


class NoSuchLetter(StackError, LookupError):
    """A dead letter is no longer in the queue in which it was seen."""


class About(NamedTuple):
    """What is deployed.

    Attributes:
        place: as `--data` names it, such as `aws:crosswind-ops@eu-west-1`.
        app: the app's name.
        digest: of the artifact.
        groups: whose handlers run there.
        fleet: the name of the fleet that is packed in it; None where there is none.
        declared: the digest of that fleet's declaration.
    """

    place: str
    app: str
    digest: str
    groups: tuple[str, ...]
    fleet: str | None = None
    declared: str | None = None


class Letter(NamedTuple):
    """A dead letter that lies in a queue of the cloud, and that no function has taken yet.

    Attributes:
        id: by which it is named, the same whenever it is looked at.
        group: to whose function it was to go.
        message: the native id.
        body: as it arrived.
        sent: when it was sent first, seconds since the epoch.
        receipts: how often the cloud has delivered it, this look included.
    """

    id: str
    group: str
    message: str
    body: str
    sent: float
    receipts: int


class Letters(Protocol):
    """The queues in which the cloud puts what it gave up."""

    def look(self) -> Sequence[Letter]:
        """All that lie there; they stay, and can be received by others a moment later.

        Raises:
            Denied: these credentials may not look; says which right is missing.
            Busy: the cloud does not answer.
        """
        ...

    def resend(self, letter: Letter) -> None:
        """Send a letter to the queue of its group as it was, then take it away.

        Raises:
            NoSuchLetter: it is not there any more.
            Denied, Busy: as for `look`; it is still there.
        """
        ...

    def take(self, letter: Letter, keep: Callable[[Letter], None]) -> None:
        """Have a letter kept elsewhere, then take it away.

        Args:
            keep: is done before anything is taken.

        Raises:
            NoSuchLetter: it is not there any more.
            Denied, Busy: as for `look`; it is still there.
        """
        ...


class Desk(Protocol):
    """A deployed app, as people work with it. Errors are those of `crosswind.stacks.driver`."""

    @property
    def about(self) -> About:
        """What is deployed."""
        ...

    @property
    def store(self) -> Store:
        """Its state."""
        ...

    @property
    def letters(self) -> Letters:
        """Its native dead letters."""
        ...

    @property
    def caller(self) -> str:
        """Whose credentials these are, as the cloud itself says: who answers.

        Raises:
            StackError: the cloud does not know them.
        """
        ...

    def policy(self, role: Role) -> dict[str, Any]:
        """The rights that a role needs, as the cloud has them, bound to this app."""
        ...

    def bus(self, app: App, clock: Callable[[], float]) -> Bus:
        """Its bus, as the app publishes to it.

        Args:
            clock: seconds since the epoch.
        """
        ...
