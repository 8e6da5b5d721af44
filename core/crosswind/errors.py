"""Every error that Crosswind raises on purpose.

    CrosswindError
    ├── DeclarationError (TypeError)      a handler, action or flight is declared wrongly
    ├── FleetInvalid (ValueError)         fleet.yaml says something that cannot be
    ├── StoreError
    │   ├── Conflict                      a demanded version or absence did not hold
    │   ├── Throttled                     the store asks for patience; nothing was written
    │   ├── Unreachable (ConnectionError) the answer was lost; the write may have landed
    │   ├── TooLarge (ValueError)         beyond the neutral limits; nothing was written
    │   └── InvalidRequest (ValueError)   not a request that the protocol knows
    ├── NotAccepted                       the bus did not take these messages
    ├── NotPossible (ValueError)          the world refuses an action or query for good
    ├── RunFailed                         a run cannot go on; it is retried or dead-lettered
    │   ├── Diverged                      code and record disagree about what was done
    │   ├── NotDeclared (TypeError)       the handler emitted, read or did what it did not declare
    │   ├── BoundExceeded                 hops, ticks, events per run, age or size
    │   └── ActionRefused (PermissionError)  a person rejected an action, or nobody answered
    └── Returned                          not a failure: the delivery must come again later

An error of one subject stands with that subject: `SignalRejected` (signals), `NotInFleet`
(fleet), `NoSuchProposal` (gate), `NotRedrivable` (engine), `WorldFailed` (world). All derive from
the root.
`InvalidEvent` belongs to `crosswind_events`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from crosswind.ports import Item, Message


class CrosswindError(Exception):
    """Root of all errors that Crosswind raises on purpose."""


class DeclarationError(CrosswindError, TypeError):
    """A handler, action, query or flight is declared in a way that cannot work."""


class FleetInvalid(CrosswindError, ValueError):
    """A fleet declaration holds faults; the message lists every one of them."""


class StoreError(CrosswindError):
    """A store could not do what was asked of it."""


class Conflict(StoreError):
    """A demanded version or absence did not hold; nothing was written.

    Args:
        found: for each key whose demand failed (at least one), the item that stands there now,
            or None where an item was demanded and there is none.
    """

    def __init__(self, found: Mapping[str, Item | None]) -> None:
        super().__init__(f"the store holds other versions than demanded: {', '.join(found)}")
        self.found = found

    def written_by(self, token: str) -> bool:
        """Whether the write that stands there is the one made with this token."""
        return any(item is not None and item.token == token for item in self.found.values())


class Throttled(StoreError):
    """The store asks for patience; nothing was written."""


class Unreachable(StoreError, ConnectionError):
    """The answer of the store was lost; a write may or may not have landed, or land later."""


class TooLarge(StoreError, ValueError):
    """An item or a write is beyond the neutral limits; nothing was written."""


class InvalidRequest(StoreError, ValueError):
    """A store or bus was asked for something that the protocol does not know; nothing was done.

    Args:
        faults: all of them.
    """

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = tuple(faults)


class NotAccepted(CrosswindError):
    """The bus did not take some of the messages; all others were taken.

    Args:
        messages: exactly those that were not accepted, each to be published again.
        reason: what the bus said.
    """

    def __init__(self, messages: Sequence[Message], reason: str) -> None:
        super().__init__(f"{len(messages)} message(s) were not accepted by the bus: {reason}")
        self.messages = tuple(messages)
        self.reason = reason


class NotPossible(CrosswindError, ValueError):
    """The world refuses an action or query as it was asked; no repetition can mend that.

    A performer raises it where asking again cannot help: the engine gives the run up at once.
    """


class RunFailed(CrosswindError):
    """A run cannot go on as it is."""


class Diverged(RunFailed):
    """The code did something else than the record says it did before.

    A run that is taken over is re-run against its record; what it observes and does must be the
    same in kind, arguments and order. Diverged runs are dead-lettered, never guessed.
    """


class NotDeclared(RunFailed, TypeError):
    """A handler emitted, read or did something that its declaration does not name."""


class BoundExceeded(RunFailed):
    """A bound on hops, ticks, events per run, age or size was passed."""


class ActionRefused(RunFailed, PermissionError):
    """An action was rejected, or nobody approved it in time; it was not taken.

    A handler may catch it and say what follows instead.

    Args:
        outcome: `rejected` or `expired`.
        by: the verified identity of who rejected it.
    """

    def __init__(self, action: str, outcome: str, by: str | None = None, reason: str = "") -> None:
        who = f" by {by}" if by else ""
        super().__init__(f"{action} was {outcome}{who}" + (f": {reason}" if reason else ""))
        self.action = action
        self.outcome = outcome
        self.by = by
        self.reason = reason


class Returned(CrosswindError):
    """Not a failure: the delivery cannot be worked now and must come again.

    Args:
        reason: why, for people.
        after: seconds until it is worth trying again.
    """

    def __init__(self, reason: str, after: float) -> None:
        super().__init__(f"{reason}; again in {after:.1f} s")
        self.reason = reason
        self.after = after
