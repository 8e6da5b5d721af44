"""Rehearsal: a handler is run on what it would see, to learn whether it would do anything."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from crosswind.context import Context, Joined, Lock

if TYPE_CHECKING:
    from pydantic import BaseModel

    from crosswind.actions import Action, Performer, Query
    from crosswind.fleet.declaration import Fleet
    from crosswind.handlers import Handler
    from crosswind_events import Event

R = TypeVar("R", bound="BaseModel")

_SECONDS = 1.0


class Acts(Exception):
    """The handler asks for something that would leave a trace."""


class Rehearsal(Context):
    """A context in which a handler may look, and nothing else.

    Args:
        now: the time.
        answering: by the class of a query, who answers it.
    """

    chain = ""

    def __init__(
        self, now: datetime, fleet: Fleet, answering: dict[type[Query[Any]], Performer]
    ) -> None:
        self._now = now
        self._fleet = fleet
        self._answering = answering

    def says_nothing(self, handler: Handler, event: Event[Any]) -> bool:
        """Whether a handler would neither say nor do anything.

        An error counts as something: what the engine makes of it is not rehearsed.
        """
        try:
            given = handler.function(event, self)
            return given is None or next(iter(given), None) is None
        except Exception:  # noqa: BLE001 - whatever it is, the run itself will meet it
            return False

    def now(self) -> datetime:
        """See `Context.now`."""
        return self._now

    @property
    def fleet(self) -> Fleet:
        """See `Context.fleet`."""
        return self._fleet

    def observe(self, query: Query[R]) -> R:
        """See `Context.observe`."""
        return self._answering[type(query)].answer(query, _SECONDS)  # type: ignore[no-any-return]  # by contract of R

    def id(self, label: str = "") -> NoReturn:
        """An id names a run, and there is none."""
        raise Acts("id")

    @property
    def lock(self) -> Lock | None:
        """See `Context.lock`."""
        raise Acts("lock")

    def evidence(self) -> NoReturn:
        """See `Context.evidence`."""
        raise Acts("evidence")

    def act(self, action: Action[R]) -> NoReturn:
        """See `Context.act`."""
        raise Acts("act")

    def join(self, name: str, member: str, expected: tuple[str, ...], value: Any) -> Joined | None:
        """See `Context.join`."""
        raise Acts("join")

    def close_join(self, name: str, expected: tuple[str, ...]) -> NoReturn:
        """See `Context.close_join`."""
        raise Acts("close_join")

    def settle(self, name: str, outcome: str) -> NoReturn:
        """See `Context.settle`."""
        raise Acts("settle")

    def answered(self, name: str) -> NoReturn:
        """See `Context.answered`."""
        raise Acts("answered")

    def cancel(self, scope: str) -> None:
        """See `Context.cancel`."""
        raise Acts("cancel")
