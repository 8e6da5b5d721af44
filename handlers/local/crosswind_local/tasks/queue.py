"""What a queue holds, and what becomes of it: pure, without clock, threads or network.

A task waits until its time, is dispatched when the limits let it, and is gone once an attempt
succeeds, it is deleted or purged, its retries are used up, or it is too old. Whoever carries out an
attempt tells how it ended; what ends after its task is gone has no effect.
"""

import math
from collections import OrderedDict
from dataclasses import dataclass, field

from crosswind_local.agenda import Agenda
from crosswind_local.memory import Memory
from crosswind_local.tasks import limits
from crosswind_local.tasks.bucket import Bucket
from crosswind_local.tasks.retry import Retry
from crosswind_local.tasks.tasks import Attempt, Outcome, Task
from crosswind_local.tasks.tombstones import Tombstones


@dataclass(frozen=True, slots=True)
class Policy:
    """The settings of a queue that decide what it does."""

    rate: float = 500
    """Dispatches a second."""
    burst: int = 100
    concurrent: int = 1_000
    retry: Retry = field(default_factory=Retry)


class TaskQueue:
    """The tasks of one queue. Every method takes the time, which never runs backwards."""

    def __init__(self, policy: Policy, memory: Memory, now: float) -> None:
        self.policy = policy
        self.paused = False
        self.succeeded = 0
        """Tasks that a worker has done."""
        self.exhausted = 0
        """Tasks that were given up after their last attempt."""
        self.expired = 0
        """Tasks that had grown too old."""
        self._memory = memory
        self._bucket = Bucket(policy.rate, policy.burst, now)
        # Ordered, for the first of a plain dict is far where many before it were removed.
        self._tasks: OrderedDict[str, Task] = OrderedDict()
        self._agenda: Agenda[Task] = Agenda(self._is_waiting)
        self._running = 0
        window = limits.DEDUPLICATION_SECONDS
        self._reserved = Tombstones(window, memory)
        self._recent = Tombstones(window, memory, limits.REMEMBERED_TASKS)

    # Tasks

    def add(self, task: Task, now: float) -> None:
        """Take in a task whose name is free.

        Raises:
            ServiceError: memory is full (RESOURCE_EXHAUSTED).
        """
        self.expire(now)
        self._memory.require(task.size)
        self._memory.used += task.size
        self._tasks[task.name] = task
        self._agenda.add(task.scheduled, task)

    def get(self, name: str, now: float) -> Task | None:
        """The task of that name, unless it is gone."""
        self.expire(now)
        return self._tasks.get(name)

    def tasks(self, now: float) -> dict[str, Task]:
        """Every task, by name."""
        self.expire(now)
        return self._tasks

    def is_reserved(self, name: str, now: float) -> bool:
        """Whether the name is not free: it is in use, or was chosen for a task of late."""
        return self.get(name, now) is not None or self._reserved.holds(name, now)

    def was_there(self, name: str, now: float) -> bool:
        """Whether a task of that name existed of late."""
        return self._reserved.holds(name, now) or self._recent.holds(name, now)

    def delete(self, task: Task, now: float) -> None:
        """Remove a task; what is under way of it has no more effect."""
        self._remove(task, now)

    def purge(self, now: float) -> None:
        """Remove every task."""
        for task in list(self._tasks.values()):
            self._remove(task, now)

    def expire(self, now: float) -> None:
        """Remove what has grown too old."""
        # In the order of their creation, for time does not run backwards.
        while self._tasks:
            task = next(iter(self._tasks.values()))
            if now < task.created + limits.RETENTION_SECONDS:
                break
            self.expired += 1
            self._remove(task, now)
        self._reserved.forget_old(now)
        self._recent.forget_old(now)

    def close(self) -> None:
        """Forget everything."""
        for task in self._tasks.values():
            task.gone = True
            task.running.clear()
            self._memory.used -= task.size
        self._reserved.forget()
        self._recent.forget()
        self._tasks.clear()
        self._agenda.clear()
        self._running = 0

    # Attempts

    def begin(self, now: float) -> Attempt | None:
        """Dispatch the next task that is due, if the limits let it."""
        due = self.next_dispatch(now)
        if due is None or due > now:
            return None
        self._bucket.take(now)
        return self._dispatch(next(self._agenda.due(now)), now)

    def next_dispatch(self, now: float) -> float | None:
        """When something can be dispatched if nothing changes until then; None if nothing can."""
        self.expire(now)
        if self.paused or self._running >= self.policy.concurrent:
            return None
        due = self._agenda.next_due()
        if due is None:
            return None
        ready = self._bucket.ready_at(now)
        return max(due, ready) if math.isfinite(ready) else None

    def next_expiry(self) -> float | None:
        """When the oldest task is too old; None when there is none."""
        for task in self._tasks.values():
            return task.created + limits.RETENTION_SECONDS
        return None

    def run(self, task: Task, now: float) -> Attempt:
        """Dispatch a task at once, whatever limits there are, even if it is under way."""
        if self._is_waiting(task.scheduled, task):
            self._agenda.forget()
        task.scheduled = now
        return self._dispatch(task, now, by_hand=True)

    def end(self, attempt: Attempt, outcome: Outcome, now: float) -> None:
        """An attempt has ended; harmless when its task is gone."""
        self.expire(now)
        task = attempt.task
        if attempt not in task.running:
            return
        task.running.remove(attempt)
        self._running -= 1
        attempt.responded, attempt.outcome = now, outcome
        task.previous = outcome.status
        if outcome.answered:
            task.responses += 1
            if outcome.status < 500:
                task.executions += 1
        if outcome.overloaded:
            self._bucket.slow_down(now)
        if outcome.succeeded:
            self._bucket.speed_up(now)
            self.succeeded += 1
            self._remove(task, now)
        else:
            self._retry(task, attempt, outcome, now)

    # The whole

    def configure(self, policy: Policy, now: float) -> None:
        """Go on with other settings."""
        self.policy = policy
        self._bucket.resize(policy.rate, policy.burst, now)

    def counts(self, now: float) -> dict[str, int | float]:
        """How many tasks are waiting, due and running, and what became of the others."""
        self.expire(now)
        waiting = [task for task in self._tasks.values() if not task.running]
        due = sum(task.scheduled <= now for task in waiting)
        return {
            "scheduled": len(waiting) - due,
            "due": due,
            "running": self._running,
            "succeeded": self.succeeded,
            "exhausted": self.exhausted,
            "expired": self.expired,
            "pace": self._bucket.pace,
        }

    def _is_waiting(self, when: float, task: Task) -> bool:
        return not task.gone and not task.running and task.scheduled == when

    def _dispatch(self, task: Task, now: float, *, by_hand: bool = False) -> Attempt:
        attempt = Attempt(
            task,
            scheduled=task.scheduled,
            dispatched=now,
            by_hand=by_hand,
            number=task.dispatches,
            executions=task.executions,
            previous=task.previous,
        )
        task.dispatches += 1
        if task.first is None:
            task.first = now
        task.last = attempt
        task.running.add(attempt)
        self._running += 1
        return attempt

    def _retry(self, task: Task, attempt: Attempt, outcome: Outcome, now: float) -> None:
        task.failures += 1
        retry = task.retry or self.policy.retry
        if task.running:
            # It was run by hand while under way; the last attempt to end decides.
            return
        since_first = now - (task.first if task.first is not None else now)
        if retry.exhausted(task.dispatches, since_first):
            self.exhausted += 1
            self._remove(task, now)
            return
        wait = max(retry.delay(task.failures), outcome.retry_after or 0)
        # RunTask counts from when it was called, the service itself from the failure.
        task.scheduled = (attempt.dispatched if attempt.by_hand else now) + wait
        self._agenda.add(task.scheduled, task)

    def _remove(self, task: Task, now: float) -> None:
        if self._is_waiting(task.scheduled, task):
            self._agenda.forget()
        del self._tasks[task.name]
        task.gone = True
        self._running -= len(task.running)
        task.running.clear()
        self._memory.used -= task.size
        (self._reserved if task.chosen else self._recent).add(task.name, now)
