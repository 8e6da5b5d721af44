"""What a handler may ask of the engine: time, evidence, queries, actions, joins, answers.

Everything a handler learns through its context is recorded with its decision, and given back to
it unchanged when the run is taken over or replayed. Hence a handler takes time and ids from here
only.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeVar

if TYPE_CHECKING:
    from datetime import datetime

    from pydantic import BaseModel

    from crosswind.actions import Action, Query
    from crosswind.fleet.declaration import Fleet
    from crosswind_events import Event

R = TypeVar("R", bound="BaseModel")


@dataclass(frozen=True, slots=True)
class Joined:
    """How a join was decided, once and for every run that asks.

    Attributes:
        outcome: `complete` when every expected member arrived, else `timed-out`.
        values: by member, what its arrival said; JSON values.
        failed: by member, why its branch ended in a dead letter.
        missing: expected members that had not arrived when the join timed out.
    """

    outcome: Literal["complete", "timed-out"]
    values: Mapping[str, Any]
    failed: Mapping[str, str]
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Lock:
    """The single-flight lock that this chain holds or held.

    Attributes:
        flight: the flight's name.
        target: the value of its key.
        epoch: rises with every holder; the fleet register refuses lower ones.
    """

    flight: str
    target: str
    epoch: int


class Context(ABC):
    """Handed to every handler as its second parameter."""

    chain: str
    """The chain's id."""

    @abstractmethod
    def now(self) -> datetime:
        """The time of this observation, UTC; recorded."""

    @abstractmethod
    def id(self, label: str = "") -> str:
        """An id that is the same whenever this run is run: UUIDv5 of chain, run and label."""

    @property
    @abstractmethod
    def fleet(self) -> Fleet:
        """The declared fleet; its digest is recorded."""

    @property
    @abstractmethod
    def lock(self) -> Lock | None:
        """The lock under which this chain runs; recorded."""

    @abstractmethod
    def evidence(self) -> tuple[Event[Any], ...]:
        """The first events of this chain: its own and those that joined it, oldest first.

        A handler that may end the chain closes it only on the evidence that it has seen: where
        more has come in the meantime it is run again.
        """

    @abstractmethod
    def observe(self, query: Query[R]) -> R:
        """Read the world and record what was seen.

        Raises:
            NotDeclared: the handler's `reads` does not name this query.
        """

    @abstractmethod
    def act(self, action: Action[R]) -> R:
        """Change the world through the gate, with a stable key, and record the result.

        The code after it goes on when there is a result; where that takes long, or a person has to
        approve, the run is suspended meanwhile and holds nothing.

        Raises:
            NotDeclared: the handler's `acts` does not name this action.
            ActionRefused: a person rejected it, or its approval expired.
        """

    @abstractmethod
    def join(self, name: str, member: str, expected: tuple[str, ...], value: Any) -> Joined | None:
        """Count `member` as arrived with a JSON value, and say how the join was decided.

        Args:
            name: of the join; includes what makes it unique in the chain, such as a plan's id.
            expected: all members; the first ones given are binding, others are an error.

        Returns:
            None while members are outstanding.
        """

    @abstractmethod
    def close_join(self, name: str, expected: tuple[str, ...]) -> Joined:
        """Decide a join now with the members that have arrived; for its timer."""

    @abstractmethod
    def settle(self, name: str, outcome: str) -> str:
        """Answer a question of this chain once; returns the answer that won."""

    @abstractmethod
    def answered(self, name: str) -> str | None:
        """The answer to a question of this chain as it stands, None while it has none.

        Costs one read; what is emitted afterwards is still made by this run.
        """

    @abstractmethod
    def cancel(self, scope: str) -> None:
        """Drop the timers of a scope, from the commit of this run on."""
