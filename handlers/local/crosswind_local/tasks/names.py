"""The names of locations, queues and tasks, and the answers about them.

The field descriptions of Queue.name and Task.name,
https://cloud.google.com/tasks/docs/reference/rpc/google.cloud.tasks.v2; the messages are those
that the service was seen to give.
"""

import re

from crosswind_local.errors import ServiceError

_LOCATION = re.compile(r"projects/[A-Za-z0-9\-:.]+/locations/[A-Za-z0-9\-]+")
_QUEUE_ID = re.compile(r"[A-Za-z0-9\-]{1,100}")
_TASK_ID = re.compile(r"[A-Za-z0-9_\-]{1,500}")


def check_location(name: str) -> None:
    """See that `name` is `projects/{project}/locations/{location}`.

    Raises:
        ServiceError: it is not (INVALID_ARGUMENT).
    """
    if not _LOCATION.fullmatch(name):
        raise ServiceError("INVALID_ARGUMENT", "Invalid resource field value in the request.")


def check_queue(name: str) -> None:
    """See that `name` is the full name of a queue.

    Raises:
        ServiceError: it is not (INVALID_ARGUMENT).
    """
    location, found, queue_id = name.rpartition("/queues/")
    if not (found and _LOCATION.fullmatch(location) and _QUEUE_ID.fullmatch(queue_id)):
        raise ServiceError(
            "INVALID_ARGUMENT",
            'Queue name must be formatted: "projects/<PROJECT_ID>/locations/<LOCATION_ID>/'
            'queues/<QUEUE_ID>".',
        )


def check_task(name: str) -> str:
    """See that `name` is the full name of a task; the name of its queue.

    Raises:
        ServiceError: it is not (INVALID_ARGUMENT).
    """
    queue, found, task_id = name.rpartition("/tasks/")
    if not found:
        raise ServiceError(
            "INVALID_ARGUMENT",
            'Task name must be formatted: "projects/<PROJECT_ID>/locations/<LOCATION_ID>/'
            'queues/<QUEUE_ID>/tasks/<TASK_ID>"',
        )
    check_queue(queue)
    if not _TASK_ID.fullmatch(task_id):
        raise ServiceError(
            "INVALID_ARGUMENT",
            f'Task ID "{task_id[:600]}" can contain only letters ([A-Za-z]), numbers ([0-9]), '
            "hyphens (-), or underscores (_). Task ID must between 1 and 500 characters.",
        )
    return queue


def check_belongs(task: str, queue: str) -> None:
    """See that a task is named in the queue that a request names.

    Raises:
        ServiceError: it is not (INVALID_ARGUMENT).
    """
    named = check_task(task)
    if named != queue:
        raise ServiceError(
            "INVALID_ARGUMENT",
            f"The queue name from request ('{queue}') must be the same as the queue name in the "
            f"named task ('{named}').",
        )


def check_parent(queue: str, location: str) -> None:
    """See that a queue is named in the location that a request names.

    Raises:
        ServiceError: it is not (INVALID_ARGUMENT).
    """
    if location_of(queue) != location:
        raise ServiceError(
            "INVALID_ARGUMENT",
            f"The location name from request ('{location}') must be the same as the location name "
            f"in the named queue ('{location_of(queue)}').",
        )


def location_of(queue: str) -> str:
    """The `projects/{project}/locations/{location}` of a queue."""
    return queue.rpartition("/queues/")[0]


def project_of(name: str) -> str:
    """The `projects/{project}` that a resource belongs to."""
    return "/".join(name.split("/", 2)[:2])


def short(name: str) -> str:
    """The last part of a resource name."""
    return name.rsplit("/", 1)[-1]


def no_queue() -> ServiceError:
    """The answer for a queue that does not exist."""
    return ServiceError(
        "NOT_FOUND",
        "Queue does not exist. If you just created the queue, wait at least a minute for the "
        "queue to initialize.",
    )


def not_found() -> ServiceError:
    """The answer for what never existed."""
    return ServiceError("NOT_FOUND", "Requested entity was not found.")


def task_gone() -> ServiceError:
    """The answer for a task that existed of late."""
    return ServiceError(
        "NOT_FOUND",
        "The task no longer exists, though a task with this name existed recently. The task "
        "either successfully completed or was deleted.",
    )


def queue_exists() -> ServiceError:
    """The answer for a queue that exists already."""
    return ServiceError("ALREADY_EXISTS", "Queue already exists")


def queue_too_recent() -> ServiceError:
    """The answer for a queue whose name was given up of late."""
    return ServiceError(
        "FAILED_PRECONDITION",
        "The queue cannot be created because a queue with this name existed too recently.",
    )


def task_exists() -> ServiceError:
    """The answer for a task whose name is not free."""
    return ServiceError("ALREADY_EXISTS", "Requested entity already exists")
