"""What the adapter of a cloud must be able to read of an account, with rights to read only.

AdoptError (CrosswindError)
└── NotAsked      nothing could be asked: no credentials, no region, no connection
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from crosswind.adopting.found import Found, Unread
from crosswind.errors import CrosswindError


class AdoptError(CrosswindError):
    """An account cannot be read as asked."""


class NotAsked(AdoptError):
    """Nothing could be asked at all."""


class Scope(NamedTuple):
    """How much of an account is read.

    Attributes:
        regions: as the cloud names them; all that the account uses unless given.
        within: seconds after which no more is asked.
    """

    regions: Sequence[str] = ()
    within: float = 300.0


Tell = Callable[[str], None]
"""Is told what is being read, for people."""


@dataclass(slots=True)
class Past:
    """Past signals of an account.

    Attributes:
        lines: each as a history has it: `time`, `cloud`, `payload`.
        notes: what a person must know of how they were made, or of what is not there.
        unread: parts that were not read.
    """

    lines: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)


class PastSignals(Protocol):
    """Reads what an account's own notifications said."""

    def past(self, since: float, until: float, most: int, scope: Scope, tell: Tell) -> Past:
        """Read the signals of a time as they were delivered, in any order.

        Args:
            since, until: seconds since the epoch.
            most: lines that are taken; the newest.

        Raises:
            NotAsked: nothing could be asked at all.
        """
        ...


class Adopter(PastSignals, Protocol):
    """Reads an account."""

    def read(self, scope: Scope, tell: Tell) -> Found:
        """Read what it has; what cannot be read is named in `unread` and costs nothing else.

        Raises:
            NotAsked: nothing could be asked at all.
        """
        ...
