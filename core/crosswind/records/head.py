"""The head of a chain: whether it is open, under which lock, and how much was said to it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Self

from pydantic_core import from_json, to_json

from crosswind.context import Lock


@dataclass(frozen=True, slots=True)
class Head:
    """One chain's head item.

    Attributes:
        opened, deadline, closed_at, reopened_at: seconds since the epoch; no deadline where nothing
            in the chain can end it.
        outcome: None while the chain is open.
        evidence: counts the first events that were weighed in this chain; rises with each.
        lock: the single-flight lock under which it runs.
        generation: counts the times that a redrive has opened it again.
        sealed: the epoch of the lock that another is about to take from this chain; it may not be
            opened under that lock any more.
    """

    opened: float
    deadline: float | None = None
    outcome: str | None = None
    closed_at: float | None = None
    evidence: int = 0
    lock: Lock | None = None
    generation: int = 0
    sealed: int = 0
    reopened_at: float | None = None

    @property
    def open(self) -> bool:
        """Whether the chain goes on."""
        return self.outcome is None

    def closed(self, outcome: str, at: float) -> Self:
        """This head, closed."""
        return replace(self, outcome=outcome, closed_at=at)

    def reopened(self, lock: Lock | None, at: float) -> Self:
        """This head, opened again by a redrive, with as much time as it had."""
        began = self.opened if self.reopened_at is None else self.reopened_at
        deadline = None if self.deadline is None else at + self.deadline - began
        return replace(
            self,
            deadline=deadline,
            outcome=None,
            closed_at=None,
            lock=lock,
            generation=self.generation + 1,
            reopened_at=at,
        )

    def with_evidence(self) -> Self:
        """This head with one more piece of evidence."""
        return replace(self, evidence=self.evidence + 1)

    def encode(self) -> bytes:
        """As stored."""
        lock = self.lock
        return to_json(
            {
                "opened": self.opened,
                "deadline": self.deadline,
                "outcome": self.outcome,
                "closed_at": self.closed_at,
                "evidence": self.evidence,
                "lock": None if lock is None else [lock.flight, lock.target, lock.epoch],
                "generation": self.generation,
                "sealed": self.sealed,
                "reopened_at": self.reopened_at,
            }
        )

    @classmethod
    def decode(cls, value: bytes) -> Self:
        """From the store."""
        stored: dict[str, Any] = from_json(value)
        lock = stored.pop("lock")
        return cls(**stored, lock=None if lock is None else Lock(*lock))
