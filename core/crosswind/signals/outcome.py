"""What becomes of a native notification: neutral events, `Ignored` with a reason, or a refusal."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from crosswind.errors import CrosswindError
from crosswind_events import Event, Fault

MAX_FAULTS_SHOWN: Final = 25
"""How many faults the message of one refusal spells out; `faults` always holds them all."""

_ADVICE: Final = (
    "Nothing was made of it. Correct the sender or the rule that forwards it and send it again; "
    "if it is no cloud's notification, take it off this queue."
)


@dataclass(frozen=True, slots=True)
class Ignored:
    """A notification that was understood and says nothing about the health of a region.

    Args:
        reason: why, for people.
        kind: what it was, such as `aws.health.scheduledChange`; None where that is not known.
    """

    reason: str
    kind: str | None = None


class SignalRejected(CrosswindError, ValueError):
    """A notification that cannot be read; `faults` names every reason with its path.

    Args:
        faults: where each fault is (`Records[1].body.detail.statusCode`) and what is wrong there.
    """

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        shown = [str(fault) for fault in self.faults[:MAX_FAULTS_SHOWN]]
        if more := len(self.faults) - len(shown):
            shown.append(f"and {more} more")
        super().__init__(f"notification refused: {'; '.join(shown)}. {_ADVICE}")


Translated: TypeAlias = list[Event[Any]] | Ignored | SignalRejected
"""What one record of a batch became; a refused record does not touch its neighbours."""
