"""The depot: all queues, the timers that wake them, and what they dispatch.

The state is one and its lock is one; every public method takes it. What a request means on the
wire is not known here.
"""

import threading
from collections.abc import Callable

from crosswind_local.clock import Alarm, Clock
from crosswind_local.errors import ServiceError
from crosswind_local.memory import Memory
from crosswind_local.tasks import limits, masks, names, queue_settings, requests, task_settings
from crosswind_local.tasks.carrier import Carrier
from crosswind_local.tasks.protocol import PAUSED, RUNNING, Pb, set_seconds
from crosswind_local.tasks.protocol import Queue as QueueMessage
from crosswind_local.tasks.queue import TaskQueue
from crosswind_local.tasks.requests import Identities
from crosswind_local.tasks.tasks import Attempt, Outcome, Task
from crosswind_local.tasks.tombstones import Tombstones


class _Queue:
    """A queue with its resource and its timer."""

    def __init__(self, resource: Pb, tasks: TaskQueue) -> None:
        self.resource = resource
        self.tasks = tasks
        self.alarm: Alarm | None = None


class Depot:
    """Queues by full resource name."""

    def __init__(
        self, clock: Clock, memory: Memory, carrier: Carrier, identities: Identities
    ) -> None:
        self.clock = clock
        self.memory = memory
        self._carrier = carrier
        self._identities = identities
        self._lock = threading.RLock()
        self._idle = threading.Condition(self._lock)
        self._queues: dict[str, _Queue] = {}
        self._deleted = Tombstones(limits.QUEUE_NAME_SECONDS, memory)
        self._under_way = 0
        self._closed = False

    # Queues

    def create_queue(self, resource: Pb) -> Pb:
        """Add a queue; returns it completed with defaults.

        Raises:
            ServiceError: invalid, not supported, there already or of late, or one too many.
        """
        resource.ClearField("state")
        resource.ClearField("purge_time")
        queue_settings.complete(resource)
        with self._lock:
            if resource.name in self._queues:
                raise names.queue_exists()
            now = self.clock.now()
            if self._deleted.holds(resource.name, now):
                raise names.queue_too_recent()
            self._require_room(resource.name)
            tasks = TaskQueue(queue_settings.policy_of(resource), self.memory, now)
            self._queues[resource.name] = _Queue(resource, tasks)
        return resource

    def queue(self, name: str) -> Pb:
        """The resource of a queue.

        Raises:
            ServiceError: the name is invalid or there is none (INVALID_ARGUMENT, NOT_FOUND).
        """
        with self._lock:
            return self._queue(name).resource

    def queues(self, location: str) -> dict[str, Pb]:
        """The resources of the queues of `projects/{project}/locations/{location}`, by name."""
        names.check_location(location)
        with self._lock:
            return {
                name: queue.resource
                for name, queue in self._queues.items()
                if names.location_of(name) == location
            }

    def update_queue(self, changes: Pb, mask: Pb) -> Pb:
        """Change what the mask names, or create the queue; returns the whole queue.

        Raises:
            ServiceError: a change is invalid or not supported, or the name was in use of late.
        """
        names.check_queue(changes.name)
        with self._lock:
            queue = self._queues.get(changes.name)
            current = QueueMessage(name=changes.name) if queue is None else queue.resource
            updated = masks.update(
                current,
                changes,
                mask,
                mutable=queue_settings.MUTABLE | {"app_engine_routing_override"},
                fixed=queue_settings.FIXED,
            )
            if queue is None:
                return self.create_queue(updated)
            queue_settings.complete(updated)
            queue.resource = updated
            queue.tasks.configure(queue_settings.policy_of(updated), self.clock.now())
            self._stir(queue)
            return updated

    def delete_queue(self, name: str) -> None:
        """Remove a queue with its tasks.

        Raises:
            ServiceError: there is none.
        """
        names.check_queue(name)
        with self._lock:
            if name not in self._queues:
                raise names.not_found()
            self._drop(name)
            self._deleted.add(name, self.clock.now())

    def purge_queue(self, name: str) -> Pb:
        """Remove every task of a queue; returns the queue.

        Raises:
            ServiceError: there is none.
        """

        def purge(queue: _Queue) -> None:
            now = self.clock.now()
            queue.tasks.purge(now)
            set_seconds(queue.resource.purge_time, now)

        return self._change(name, purge)

    def pause_queue(self, name: str) -> Pb:
        """Dispatch nothing of a queue until it is resumed; returns the queue.

        Raises:
            ServiceError: there is none.
        """

        def pause(queue: _Queue) -> None:
            queue.tasks.paused = True
            queue.resource.state = PAUSED

        return self._change(name, pause)

    def resume_queue(self, name: str) -> Pb:
        """Dispatch the tasks of a queue again; returns the queue.

        Raises:
            ServiceError: there is none.
        """

        def resume(queue: _Queue) -> None:
            queue.tasks.paused = False
            queue.resource.state = RUNNING

        return self._change(name, resume)

    # Tasks

    def create_task(self, name: str, sent: Pb, view: int) -> Pb:
        """Add a task to a queue; returns it as it was taken in.

        Raises:
            ServiceError: the task is invalid or not supported, its name is not free, there is no
                such queue, or memory is full.
        """
        with self._lock:
            queue, now = self._queue(name), self.clock.now()
            task = task_settings.accept(sent, name, now)
            if queue.tasks.is_reserved(task.name, now):
                raise names.task_exists()
            shown = task_settings.show(task, view)
            queue.tasks.add(task, now)
            self._stir(queue)
        return shown

    def task(self, name: str, view: int) -> Pb:
        """A task.

        Raises:
            ServiceError: the name is invalid or there is none (INVALID_ARGUMENT, NOT_FOUND).
        """
        with self._lock:
            return task_settings.show(self._task(name)[1], view)

    def tasks(self, name: str) -> dict[str, Task]:
        """The tasks of a queue, by name.

        Raises:
            ServiceError: there is no such queue.
        """
        with self._lock:
            return dict(self._queue(name).tasks.tasks(self.clock.now()))

    def show(self, tasks: list[Task], view: int) -> list[Pb]:
        """Tasks as an answer shows them."""
        with self._lock:
            return [task_settings.show(task, view) for task in tasks]

    def delete_task(self, name: str) -> None:
        """Remove a task.

        Raises:
            ServiceError: there is none.
        """
        with self._lock:
            queue, task = self._task(name)
            queue.tasks.delete(task, self.clock.now())
            self._stir(queue)

    def run_task(self, name: str, view: int) -> Pb:
        """Dispatch a task at once; returns it as it is then, before it is answered.

        Raises:
            ServiceError: there is none.
        """
        with self._lock:
            queue, task = self._task(name)
            shown_before = task_settings.show(task, view)  # refuses a view that there is not
            attempt = queue.tasks.run(task, self.clock.now())
            shown = task_settings.show(task, shown_before.view)
            self._send(queue, attempt)
            self._stir(queue)
        return shown

    # All of it

    def forget(self, project: str) -> None:
        """Remove every queue of `projects/{project}`; their names are free again."""
        with self._lock:
            for name in [name for name in self._queues if names.project_of(name) == project]:
                self._drop(name)
            self._deleted.forget(f"{project}/")

    def settle(self, timeout: float) -> bool:
        """Wait, in real time, until no request is under way; whether that came to be."""
        with self._idle:
            return self._idle.wait_for(lambda: self._under_way == 0, timeout)

    def close(self) -> None:
        """Forget everything and dispatch no more."""
        with self._lock:
            self._closed = True
            for name in list(self._queues):
                self._drop(name)
            self._deleted.forget()
            self._under_way = 0
            self._idle.notify_all()

    def report(self) -> dict[str, object]:
        """What there is at the moment, for inspection."""
        with self._lock:
            now = self.clock.now()
            return {
                "memory": {"used": self.memory.used, "limit": self.memory.limit},
                "under_way": self._under_way,
                "queues": {
                    name: {
                        "paused": queue.tasks.paused,
                        **queue.tasks.counts(now),
                        "next": queue.tasks.next_dispatch(now),
                    }
                    for name, queue in sorted(self._queues.items())
                },
            }

    def _queue(self, name: str) -> _Queue:
        names.check_queue(name)
        queue = self._queues.get(name)
        if queue is None:
            raise names.no_queue()
        return queue

    def _task(self, name: str) -> tuple[_Queue, Task]:
        queue = self._queues.get(names.check_task(name))
        if queue is None:
            raise names.not_found()
        now = self.clock.now()
        task = queue.tasks.get(name, now)
        if task is None:
            raise names.task_gone() if queue.tasks.was_there(name, now) else names.not_found()
        return queue, task

    def _change(self, name: str, change: Callable[[_Queue], None]) -> Pb:
        with self._lock:
            queue = self._queue(name)
            changed = QueueMessage()
            changed.CopyFrom(queue.resource)
            # What was answered before stays as it was.
            queue.resource = changed
            change(queue)
            self._stir(queue)
            return changed

    def _drop(self, name: str) -> None:
        queue = self._queues.pop(name)
        queue.tasks.close()
        if queue.alarm is not None:
            queue.alarm.cancel()

    def _require_room(self, name: str) -> None:
        self._deleted.forget_old(self.clock.now())
        location = names.location_of(name)
        count = sum(names.location_of(other) == location for other in self._queues)
        if count >= limits.QUEUES_PER_LOCATION:
            raise ServiceError(
                "RESOURCE_EXHAUSTED",
                f"There are {count} queues in {location} already; "
                f"{limits.QUEUES_PER_LOCATION} are allowed.",
            )

    # Dispatching; each is called with the lock held

    def _stir(self, queue: _Queue) -> None:
        """Dispatch what can be, and have the queue looked at when more can be."""
        now = self.clock.now()
        while not self._closed and self._under_way < limits.REQUESTS_UNDER_WAY:
            attempt = queue.tasks.begin(now)
            if attempt is None:
                break
            self._send(queue, attempt)
        self._set_alarm(queue, now)

    def _set_alarm(self, queue: _Queue, now: float) -> None:
        # What is due and was not dispatched waits for a request to end, not for the clock.
        times = [
            when
            for when in (queue.tasks.next_dispatch(now), queue.tasks.next_expiry())
            if when is not None and when > now
        ]
        if not times or self._closed:
            return
        # An alarm that is early is left alone; it finds nothing to do and sets the next one.
        if queue.alarm is None or min(times) < queue.alarm.when:
            if queue.alarm is not None:
                queue.alarm.cancel()
            queue.alarm = self.clock.call_at(min(times), lambda: self._woken(queue))

    def _woken(self, queue: _Queue) -> None:
        with self._lock:
            queue.alarm = None
            if not self._closed:
                self._stir(queue)
        self._carrier.linger()

    def _send(self, queue: _Queue, attempt: Attempt) -> None:
        request = requests.shape(queue.resource, attempt, self._identities)
        self._under_way += 1
        self._carrier.carry(
            request, attempt.task.deadline, lambda outcome: self._ended(queue, attempt, outcome)
        )

    def _ended(self, queue: _Queue, attempt: Attempt, outcome: Outcome) -> None:
        with self._lock:
            if self._closed:
                return
            was_full = self._under_way >= limits.REQUESTS_UNDER_WAY
            self._under_way -= 1
            queue.tasks.end(attempt, outcome, self.clock.now())
            for each in list(self._queues.values()) if was_full else [queue]:
                self._stir(each)
            if self._under_way == 0:
                self._idle.notify_all()
