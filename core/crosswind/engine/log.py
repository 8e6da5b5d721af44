"""What a run observed and did, in order: given back when it is run again, continued after that."""

from __future__ import annotations

from typing import Any

from pydantic_core import to_json

from crosswind.errors import BoundExceeded, Diverged
from crosswind.records.record import Entry, Record

_SHOWN = 200


class Log:
    """A cursor over the log of a record.

    Args:
        most: bytes of one observation, at the most.
    """

    def __init__(self, record: Record, most: int) -> None:
        self.record = record
        self.most = most
        self.position = 0

    def recall(self, kind: str, args: Any) -> Entry | None:
        """The entry at the cursor; None at the end of what is on record.

        Raises:
            Diverged: the record holds something else there.
        """
        entries = self.record.log
        if self.position >= len(entries):
            return None
        entry = entries[self.position]
        if entry.kind != kind or entry.args != args:
            raise Diverged(
                f"{self.record.handler} asks for {_shown(kind, args)} where its record has "
                f"{_shown(entry.kind, entry.args)}; a handler depends on its event and its "
                "context alone"
            )
        self.position += 1
        return entry

    def note(self, kind: str, args: Any, result: Any, at: float) -> None:
        """Record what was observed.

        Raises:
            BoundExceeded: it is too large.
        """
        entry = Entry.observed(kind, args, result, at)
        # The result is a part of its text, and is measured by itself only where that is long.
        if len(entry.encode()) > self.most and (size := len(to_json(result))) > self.most:
            raise BoundExceeded(
                f"{kind} gave {size} bytes; at most {self.most} are recorded. Ask for less."
            )
        self.append(entry)

    def append(self, entry: Entry) -> None:
        """Record an entry."""
        self.record.log.append(entry)
        self.position += 1

    def check_finished(self) -> None:
        """Demand that all that is on record was asked for.

        Raises:
            Diverged: the handler ended before.
        """
        if self.position < len(self.record.log):
            left = self.record.log[self.position]
            raise Diverged(
                f"{self.record.handler} ended before {_shown(left.kind, left.args)}, "
                "which its record holds"
            )

    def forget_evidence(self) -> bool:
        """Take back what was seen of the chain's evidence, unless an action rests on it."""
        entries = self.record.log
        for position in range(len(entries) - 1, -1, -1):
            if entries[position].is_action:
                return False
            if entries[position].kind == "evidence":
                del entries[position:]
                return True
        return False

    def forget_pending(self) -> None:
        """Take back the action that waits, and what was observed since the last one done."""
        entries = self.record.log
        while entries and not (entries[-1].is_action and entries[-1].done):
            entries.pop()


def _shown(kind: str, args: Any) -> str:
    text = to_json(args).decode()
    return f"{kind} {text if len(text) <= _SHOWN else text[:_SHOWN] + '…'}"
