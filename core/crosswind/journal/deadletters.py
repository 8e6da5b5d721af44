"""What could not be done and waits for a person: failed runs, and messages that were parked.

What people did with a parked message is noted beside it: how often it was published again, or that
nobody needs it. The message itself stays until it expires.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydantic_core import from_json, to_json

from crosswind.journal.listing import list_chains
from crosswind.ports import ABSENT, Put
from crosswind.records.identity import RUN, chain_partition, dead_partition, name_id, safe
from crosswind.records.ledger import Ledger
from crosswind.records.parking import Parked
from crosswind.records.record import Record

REDRIVEN = "redriven"
"""Partition in which it is kept what people did with parked messages, who and when."""


@dataclass(frozen=True, slots=True)
class FailedRun:
    """A run that was given up."""

    record: Record
    type: str
    at: float

    @property
    def id(self) -> str:
        """The run's key."""
        return self.record.run

    @property
    def error(self) -> str:
        """Why."""
        return self.record.fails[-1].error if self.record.fails else self.record.why


@dataclass(frozen=True, slots=True)
class ParkedMessage:
    """A message that no chain could take.

    Attributes:
        redriven: who published it again and when, for people; empty if nobody has.
        discarded: who said that nobody needs it, and why; empty if nobody has.
    """

    parked: Parked
    redriven: str = ""
    discarded: str = ""

    @property
    def id(self) -> str:
        """Its name here."""
        return parked_id(self.parked)

    @property
    def at(self) -> float:
        """When it was parked."""
        return self.parked.at


DeadLetter = FailedRun | ParkedMessage


def parked_id(parked: Parked) -> str:
    """A name for a parked message that is short enough to be typed."""
    return _name(parked.partition, parked.key)


def parked_as(group: str, message: str, at: float) -> str:
    """The same, of a message of a group that is parked at this time."""
    return _name(dead_partition(at, message), f"{safe(group)}:{safe(message)}")


def _name(partition: str, key: str) -> str:
    return name_id("parked", partition, key).replace("-", "")


def failed_runs(ledger: Ledger, now: float, since: float) -> Iterator[FailedRun]:
    """The failed runs of chains whose first event is at most so many seconds old."""
    for listed in list_chains(ledger, now, since):
        for item in ledger.scan(chain_partition(listed.chain), RUN):
            # The state stands near the beginning; most records are not decoded for it.
            if b'"state":"failed"' in item.value[:80]:
                record = Record.decode(item.value)
                kind = str(from_json(record.event)["type"])
                yield FailedRun(record, kind, record.ended or record.began)


def parked_message(ledger: Ledger, parked: Parked) -> ParkedMessage:
    """A parked message, and whether it was published again."""
    item = ledger.read(REDRIVEN, parked_id(parked))
    if item is None:
        return ParkedMessage(parked)
    stored = from_json(item.value)
    times, dropped = stored.get("times", 0), stored.get("discarded")
    return ParkedMessage(
        parked,
        f"{times}x, last by {stored['by']}" if times else "",
        f"by {dropped['by']}: {dropped['reason']}" if dropped else "",
    )


def redrives(ledger: Ledger, letter: str) -> int:
    """How often a parked message was published again."""
    item = ledger.read(REDRIVEN, letter)
    return 0 if item is None else int(from_json(item.value).get("times", 0))


def note_redrive(ledger: Ledger, letter: str, by: str, at: float) -> None:
    """Keep that a parked message was published again, at a time in seconds since the epoch.

    Raises:
        Conflict: somebody else notes something now.
    """
    times = redrives(ledger, letter) + 1
    _note(ledger, letter, {"times": times, "by": by, "at": at, "discarded": None})


def note_discard(ledger: Ledger, letter: str, by: str, at: float, reason: str) -> None:
    """Keep that nobody needs a parked message any more.

    Raises:
        Conflict: somebody else notes something now.
    """
    _note(ledger, letter, {"discarded": {"by": by, "at": at, "reason": reason}})


def _note(ledger: Ledger, letter: str, changed: dict[str, Any]) -> None:
    item = ledger.read(REDRIVEN, letter)
    stored = {} if item is None else from_json(item.value)
    version = ABSENT if item is None else item.version
    ledger.write(REDRIVEN, [Put(letter, to_json({**stored, **changed}), version)])
