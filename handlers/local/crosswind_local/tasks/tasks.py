"""A task and its attempts, as a queue keeps them. Times are seconds since 1970."""

from dataclasses import dataclass, field
from typing import Any

from crosswind_local.tasks.retry import Retry

OVERHEAD = 1_000
"""Bytes that a task is reckoned to need beside its contents."""

OK = range(200, 300)
SERVER_ERRORS = range(500, 600)


@dataclass(slots=True, eq=False)
class Attempt:
    """One dispatch of a task."""

    task: "Task"
    scheduled: float
    dispatched: float
    by_hand: bool
    """Whether it was asked for with RunTask."""
    number: int
    """How many there were before it."""
    executions: int
    """How many of those ended with an answer that was no server error."""
    previous: int | None
    """The status with which the last of those ended."""
    responded: float | None = None
    outcome: "Outcome | None" = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt ended.

    `status` is that of the worker's answer, or of HTTP for the lack of one: 504 past the deadline,
    503 where the worker cannot be reached.
    """

    status: int
    answered: bool = True
    retry_after: float | None = None
    """Seconds for which the worker asked to be left alone."""

    @property
    def succeeded(self) -> bool:
        return self.answered and self.status in OK

    @property
    def overloaded(self) -> bool:
        """Whether the worker said that it is asked too much."""
        return self.answered and self.status in (429, 503)


DEADLINE = Outcome(504, answered=False)
UNREACHABLE = Outcome(503, answered=False)


@dataclass(slots=True, eq=False)
class Task:
    """A task of a queue. Only the queue changes it."""

    name: str
    request: Any
    """What is sent, which a queue does not look at."""
    created: float
    scheduled: float
    deadline: float = 600
    """Seconds within which a worker must answer."""
    retry: Retry | None = None
    """How it is tried, where that differs from its queue."""
    size: int = 0
    """Bytes of memory it is reckoned to need."""
    chosen: bool = False
    """Whether its name was chosen by its creator, and so guards against duplicates."""
    dispatches: int = 0
    responses: int = 0
    executions: int = 0
    failures: int = 0
    first: float | None = None
    """When it was first dispatched."""
    last: Attempt | None = None
    previous: int | None = None
    running: set[Attempt] = field(default_factory=set)
    gone: bool = False
