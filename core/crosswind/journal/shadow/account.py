"""What is kept of a rehearsal beside its chains: what came in, and what became of each of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Self

from pydantic_core import from_json, to_json

from crosswind.ports import ABSENT, Put
from crosswind.records.ledger import Ledger

ASSUMPTIONS: Final = (
    "Capacity: every region grants what is declared, at once, up to its quota; replicas serve as "
    "soon as they are asked for.",
    "Health: a region answers, and its traffic is served, unless the signals would have sufficed "
    "to call it failed. Then it is taken to have failed from the first of them, until they would "
    "have sufficed to call it well, were taken back, or had grown old. A fresh look therefore "
    "never contradicts a signal.",
    "Traffic: each workload has the rate that is declared, at all times.",
    "Own observers: no probes and no telemetry beyond what the history holds. With them, evidence "
    "would have come earlier, and a false alarm might have been found out.",
    "People: nobody is asked; what would be proposed is assumed to be granted at once.",
    "Limits, freezes and break-glass are left out of account.",
    "Each assumed action takes effect in a register of the rehearsal's own, so that what follows "
    "is decided on it.",
)
"""What a reader has to know of every rehearsal, in sentences."""

PARTITION: Final = "shadow"
KEY: Final = "rehearsal"


@dataclass(frozen=True, slots=True)
class Account:
    """One rehearsal; times in seconds since the epoch.

    Attributes:
        file: the history's name.
        fleet, digest: under whose policy it was rehearsed.
        began, ended: the first arrival, and until when virtual time went.
        last: the last arrival.
        took: seconds that it took.
        events: that were published. worked: of them by a handler. untaken: by type, those that
            no handler takes. parked: those that were too old or could not be placed.
        ignored: records that say nothing about a region, by cloud and reason.
        refused: how many lines and records could not be read, and the first of them.
        repeated: events that had come before.
        assumed: actions that were assumed, by kind; declined: what the register of the rehearsal
            would not have taken, by reason.
    """

    file: str
    fleet: str
    digest: str
    began: float
    last: float
    ended: float
    took: float
    lines: int
    events: int
    worked: int
    untaken: Mapping[str, int]
    parked: int
    ignored: Mapping[str, int]
    refused: int
    refusals: tuple[str, ...]
    repeated: int
    delivered: int
    assumed: Mapping[str, int] = field(default_factory=dict)
    declined: Mapping[str, int] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """For the store, and for programs."""
        return asdict(self)

    def keep(self, ledger: Ledger) -> None:
        """Store it, once."""
        ledger.write(PARTITION, [Put(KEY, to_json(self.as_json()), ABSENT)])

    @classmethod
    def kept(cls, ledger: Ledger) -> Self | None:
        """The one of a store; None where the store holds no rehearsal."""
        item = ledger.read(PARTITION, KEY)
        if item is None:
            return None
        stored: dict[str, Any] = from_json(item.value)
        stored["refusals"] = tuple(stored["refusals"])
        return cls(**stored)
