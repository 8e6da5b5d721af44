"""What the adapter of a cloud must be able to do with a stack, and how it tells of it.

StackError (CrosswindError)
├── NotDeployed (LookupError)     there is no such stack
├── Busy                          something else is changing it; try again
├── Denied (PermissionError)      these credentials may not do it; says which right is missing
├── Interrupted                   whoever applied it was stopped; says what is left of it
├── Reverted                      it failed, and all stands as before
└── Stuck                         it failed, and does not stand as before; says what to do
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Protocol

from crosswind.errors import CrosswindError
from crosswind.stacks.history import Deployed
from crosswind.stacks.plan import Plan
from crosswind.stacks.release import Release

Format = Literal["cloudformation", "terraform"]


class StackError(CrosswindError):
    """A stack cannot be looked at or changed as asked."""


class NotDeployed(StackError, LookupError):
    """There is no such stack."""


class Busy(StackError):
    """The stack is being changed by somebody else."""


class Denied(StackError, PermissionError):
    """The credentials in use may not do what is needed."""


class Interrupted(StackError):
    """Whoever changes the stack was told to stop; the message says what is left, and what to do.

    Args:
        goes_on: whether the platform carries the change out all the same.
    """

    def __init__(self, message: str, *, goes_on: bool) -> None:
        super().__init__(message)
        self.goes_on = goes_on


class Reverted(StackError):
    """Applying failed, and everything stands as it did before."""


class Stuck(StackError):
    """Applying or removing failed half-way, and a person must see to it."""


class Step(NamedTuple):
    """Something that happened while a stack was changed.

    Attributes:
        resource, type: to what; the stack itself, too.
        status: as the platform says.
        reason: why, where it says.
        failed: whether it went wrong.
        done: whether nothing more is to come of this resource.
    """

    resource: str
    type: str
    status: str
    reason: str = ""
    failed: bool = False
    done: bool = False


Tell = Callable[[Step], None]


@dataclass(frozen=True, slots=True)
class Sizing:
    """How much each function gets.

    Attributes:
        memory: megabytes.
        timeout: seconds that one call of a function may take.
        concurrency: calls of one function at a time, which are also reserved for it; None to
            reserve nothing.
        retention: days for which logs are kept.
        max_age: seconds that a message may wait before an alarm is raised.
        notify: who is told of alarms, as the platform names them.
    """

    memory: int = 512
    timeout: int = 30
    concurrency: int | None = 10
    retention: int = 30
    max_age: int = 900
    notify: tuple[str, ...] = ()


class Request(NamedTuple):
    """What is to be deployed, and how.

    Attributes:
        resources: what stands for the fleet on the platform, as it is declared beside it; the
            rights of the functions are bound to that. None where nothing does.
        grants: statements of rights for kinds of the user's own, by kind.
        share_fate: host a failover where it may be lost with the region that it leaves.
        signals: the group that hears what the platform itself says of regions, `none` for no group;
            None leaves that to the adapter.
        look_only: change nothing at all, not even for a moment, to find out.
    """

    release: Release
    sizing: Sizing = Sizing()
    resources: Any = None
    grants: Mapping[str, Sequence[Mapping[str, Any]]] = {}
    share_fate: bool = False
    signals: str | None = None
    look_only: bool = False


class Part(NamedTuple):
    """How one group of a deployed app fares.

    Attributes:
        state: of its function, as the platform says.
        digest: of the code that it has; None where that cannot be told.
        waiting, in_hand, delayed: messages in its queue.
        dead: dead letters.
        alarms: those that are raised.
        draining: whether it is no longer in the app, and works what is left.
    """

    group: str
    state: str
    digest: str | None
    waiting: int
    in_hand: int
    delayed: int
    dead: int
    alarms: tuple[str, ...]
    draining: bool

    @property
    def messages(self) -> int:
        """All that its queues hold."""
        return self.waiting + self.in_hand + self.delayed + self.dead


class Status(NamedTuple):
    """How a stack fares.

    Attributes:
        state: of the stack, as the platform says.
        digest: of the artifact that is deployed.
        changed: when it was last changed, seconds since the epoch.
        troubles: what is not as it should be, for people.
    """

    stack: str
    place: str
    app: str
    state: str
    digest: str
    changed: float
    parts: tuple[Part, ...]
    troubles: tuple[str, ...]

    def document(self) -> dict[str, Any]:
        """For programs."""
        parts = [{**part._asdict(), "alarms": list(part.alarms)} for part in self.parts]
        return {**self._asdict(), "parts": parts, "troubles": list(self.troubles)}


class Driver(Protocol):
    """A stack of one app on one cloud. Errors are those of this module, unless said otherwise."""

    def plan(self, request: Request) -> Plan:
        """What applying would do.

        Raises:
            NotDeployable: it cannot be deployed like this at all; lists every reason.
        """
        ...

    def plan_return(self, digest: str | None, *, look_only: bool = False) -> Plan:
        """What returning to an earlier release would do.

        Raises:
            NoSuchRelease: none, or more than one, is meant.
        """
        ...

    def apply(self, plan: Plan, tell: Tell) -> Deployed:
        """Carry out a plan that this driver has made last, unless the stack was changed since.

        Raises:
            Busy: somebody else changes it, or has changed it since.
            Interrupted: this process was told to stop.
        """
        ...

    def status(self) -> Status:
        """How it fares."""
        ...

    def history(self) -> Sequence[Deployed]:
        """What was deployed, oldest first."""
        ...

    def remove(self, tell: Tell) -> None:
        """Take everything away: resources, logs, state, artifacts, history."""
        ...

    def export(self, request: Request, form: Format) -> str:
        """The whole as a document for another tool; nothing is asked of the platform."""
        ...
