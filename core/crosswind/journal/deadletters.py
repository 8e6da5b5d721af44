"""What could not be done and waits for a person: failed runs, and messages that were parked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pydantic_core import from_json

from crosswind.journal.listing import list_chains
from crosswind.records.identity import RUN, chain_partition, name_id
from crosswind.records.ledger import Ledger
from crosswind.records.parking import Parked
from crosswind.records.record import Record

REDRIVEN = "redriven"
"""Partition in which it is kept which parked messages were published again, by whom and when."""


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
    """

    parked: Parked
    redriven: str = ""

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
    return name_id("parked", parked.partition, parked.key).replace("-", "")


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
    return ParkedMessage(parked, f"{stored['times']}x, last by {stored['by']}")
