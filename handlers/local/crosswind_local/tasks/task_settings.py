"""Task resources: taken in from a request, and shown in an answer.

The field descriptions of google.cloud.tasks.v2 Task and Attempt, and CreateTask,
https://cloud.google.com/tasks/docs/reference/rpc/google.cloud.tasks.v2.
"""

import uuid

from crosswind_local.errors import ServiceError
from crosswind_local.tasks import limits, names, queue_settings, statuses, targets
from crosswind_local.tasks.protocol import BASIC, FULL, Pb, TaskMessage, seconds, set_seconds
from crosswind_local.tasks.tasks import OVERHEAD, Attempt, Task

DEADLINE_BY_DEFAULT = 600.0
_OUTPUT_ONLY = (
    "create_time",
    "dispatch_count",
    "response_count",
    "first_attempt",
    "last_attempt",
    "view",
)


def accept(sent: Pb, queue: str, now: float) -> Task:
    """The task that a CreateTask request asks for.

    Args:
        sent: the Task of the request.
        queue: the full name of the queue it is for.
        now: seconds since 1970.

    Raises:
        ServiceError: it is invalid (INVALID_ARGUMENT), or asks for what is not there
            (UNIMPLEMENTED).
    """
    size = sent.ByteSize()
    if size > limits.TASK_BYTES:
        raise ServiceError(
            "INVALID_ARGUMENT",
            f"The task has {size} bytes; {limits.TASK_BYTES} are allowed.",
        )
    # A part of a message keeps the whole of it in memory, so it is copied out.
    task = TaskMessage()
    task.CopyFrom(sent)
    for name in _OUTPUT_ONLY:
        task.ClearField(name)
    chosen = bool(task.name)
    if chosen:
        names.check_belongs(task.name, queue)
    else:
        task.name = f"{queue}/tasks/{uuid.uuid4().int % 10**20}"
    _complete_target(task)
    if task.HasField("retry_config"):
        queue_settings.complete_retry(task.retry_config)
    return Task(
        name=task.name,
        request=task,
        created=now,
        scheduled=_scheduled(task, now),
        deadline=_deadline(task),
        retry=queue_settings.retry_of(task.retry_config) if task.HasField("retry_config") else None,
        size=size + OVERHEAD,
        chosen=chosen,
    )


def show(task: Task, view: int) -> Pb:
    """A Task as an answer shows it, in the BASIC view unless the FULL one is asked for.

    Raises:
        ServiceError: there is no such view (INVALID_ARGUMENT).
    """
    if view not in (0, BASIC, FULL):
        raise ServiceError("INVALID_ARGUMENT", f"There is no view {view}.")
    shown = TaskMessage()
    shown.CopyFrom(task.request)
    shown.view = view or BASIC
    if shown.view == BASIC:
        shown.http_request.ClearField("body")
    set_seconds(shown.schedule_time, task.scheduled)
    shown.create_time.seconds = int(task.created)
    shown.dispatch_count = task.dispatches
    shown.response_count = task.responses
    if task.first is not None:
        set_seconds(shown.first_attempt.dispatch_time, task.first)
    if task.last is not None:
        _show_attempt(shown.last_attempt, task.last)
    return shown


def _show_attempt(shown: Pb, attempt: Attempt) -> None:
    set_seconds(shown.schedule_time, attempt.scheduled)
    set_seconds(shown.dispatch_time, attempt.dispatched)
    if attempt.outcome is not None and attempt.responded is not None:
        set_seconds(shown.response_time, attempt.responded)
        shown.response_status.code = statuses.code_of(attempt.outcome.status)
        shown.response_status.message = statuses.describe(attempt.outcome.status)


def _complete_target(sent: Pb) -> None:
    kind = sent.WhichOneof("message_type")
    if kind == "app_engine_http_request":
        raise ServiceError(
            "UNIMPLEMENTED",
            "The local Cloud Tasks does not support App Engine targets; use an http_request.",
        )
    if kind is None:
        raise ServiceError("INVALID_ARGUMENT", "The task has no http_request.")
    targets.complete_request(sent.http_request)


def _scheduled(sent: Pb, now: float) -> float:
    when = round(seconds(sent.schedule_time), 6) if sent.HasField("schedule_time") else now
    if when > now + limits.SCHEDULE_SECONDS:
        raise ServiceError(
            "INVALID_ARGUMENT",
            "schedule_time is too far ahead: a task can be scheduled for 30 days from now at most.",
        )
    return max(when, now)


def _deadline(sent: Pb) -> float:
    if not sent.HasField("dispatch_deadline"):
        set_seconds(sent.dispatch_deadline, DEADLINE_BY_DEFAULT)
    deadline = int(seconds(sent.dispatch_deadline) * 1_000) / 1_000
    limits.within("dispatch_deadline in seconds", deadline, *limits.DISPATCH_DEADLINE)
    set_seconds(sent.dispatch_deadline, deadline)
    return deadline
