"""Actions and queries: changes to the world and readings of it, as data; and who performs them.

A kind is one frozen pydantic model that names itself and what it returns:

    class SetWeights(Action[WeightsSet], kind="traffic.set-weights"): ...

Because they are data they can be shown, limited, approved, diffed and simulated.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict

from crosswind.errors import DeclarationError
from crosswind_events import EventData, Part

R_co = TypeVar("R_co", covariant=True)

_KIND = re.compile(r"[a-z][a-z0-9]*([.-][a-z0-9]+)*")


class Answer(Part):
    """What an action or a query returns: a frozen model that fits in a journal.

    Holds references, never secrets: a field for a secret is refused where the class is declared.
    """


@dataclass(frozen=True, slots=True)
class Pending:
    """The answer of a performer whose action is under way.

    The run suspends without holding a function and the performer is asked again.

    Attributes:
        check_after: seconds until asking again is worth it.
        note: what is being waited for, for people.
    """

    check_after: float
    note: str = ""


class _Kind(BaseModel, Generic[R_co]):
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    kind: ClassVar[str] = ""
    returns: ClassVar[type[BaseModel]] = Answer

    def __init_subclass__(cls, *, kind: str | None = None, **kwargs: Any) -> None:
        # Only `__pydantic_init_subclass__` sees the finished class; it takes the kind.
        super().__init_subclass__(**kwargs)

    @classmethod
    def __pydantic_init_subclass__(cls, *, kind: str | None = None, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        if kind is None:
            return
        if not _KIND.fullmatch(kind):
            raise DeclarationError(
                f"{cls.__name__}: kind {kind!r} is not of the form 'subject.verb' in lower case"
            )
        cls.kind = kind
        cls.returns = _returned(cls)


class Action(_Kind[R_co], Generic[R_co]):
    """A change to the world, as data.

    Attributes:
        kind: its name in journals, limits and permissions.
        returns: the model of its result.
        after_close: may still be done when the chain is closed (notify, open an incident).
        idempotent: a performer can recognise a repeated key or the state it leads to;
            otherwise the action is never taken without approval.
        workload: the workload that it concerns, where it concerns one.
    """

    after_close: ClassVar[bool] = False
    idempotent: ClassVar[bool] = True

    def effects(self) -> Mapping[str, float]:
        """What it uses of each limit, by the limit's name; nothing unless overridden."""
        return {}

    def concerns(self) -> str | None:
        """The workload it concerns, for the choice of mode; None for all of the fleet."""
        return getattr(self, "workload", None)

    def covered_by(self) -> str | None:
        """The id of an approved plan that covers this action, if it is a step of one."""
        return getattr(self, "plan", None)

    def question(self) -> Any:
        """What a person is asked about it, as JSON; equal questions have one answer.

        All of its arguments, unless overridden: leave out what only counts or explains.
        """
        return self.model_dump(mode="json")

    def assumed(self) -> R_co:
        """The result to go on with where nothing may be changed (mode observe)."""
        raise DeclarationError(
            f"{type(self).__name__} cannot be simulated; define assumed() to let it be observed"
        )

    def summary(self) -> str:
        """One line for the person who approves it."""
        arguments = ", ".join(f"{k}={v!r}" for k, v in self.model_dump(mode="json").items())
        return f"{self.kind}({arguments})"


class Query(_Kind[R_co], Generic[R_co]):
    """A reading of the world, as data."""


@dataclass(frozen=True, slots=True)
class Call:
    """What a performer is told beside the action itself.

    Attributes:
        key: the stable key of this action; the same however often it is asked for.
        timeout: seconds within which the performer must have answered.
        attempt: 1 for the first call with this key, counted on where that is known.
        checking: True when an earlier call answered `Pending` and this one asks again.
    """

    key: str
    timeout: float
    attempt: int = 1
    checking: bool = False


class Performer(Protocol):
    """Carries out actions and answers queries of some kinds on one cloud.

    A performer is asked at least once for an action, always with the same key. Its docstring says
    how it recognises a repeated key.
    """

    performs: tuple[type[Action[Any]], ...]
    answers: tuple[type[Query[Any]], ...]

    def perform(self, action: Any, call: Call) -> Any | Pending:
        """Carry out one action and return its result, or `Pending` where it takes long.

        Raises:
            Exception: the attempt failed; the engine records and retries it.
        """
        ...

    def answer(self, query: Any, timeout: float) -> Any:
        """Read the world."""
        ...


def _returned(cls: type[BaseModel]) -> type[BaseModel]:
    """The model in the brackets of `Action[...]` or `Query[...]`."""
    for base in cls.__mro__:
        args = getattr(base, "__pydantic_generic_metadata__", {}).get("args", ())
        if args and isinstance(args[0], type) and issubclass(args[0], BaseModel):
            if issubclass(args[0], EventData):
                raise DeclarationError(f"{cls.__name__} returns an event; return an Answer instead")
            return args[0]
    raise DeclarationError(
        f"{cls.__name__} does not say what it returns; write class {cls.__name__}(Action[Result])"
    )
