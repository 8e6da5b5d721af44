"""The documented limits of Cloud Tasks, and the refusals of requests that exceed them.

"Quotas and limits", https://cloud.google.com/tasks/docs/quotas, and the field descriptions of the
v2 API, https://cloud.google.com/tasks/docs/reference/rpc/google.cloud.tasks.v2.
"""

from crosswind_local.errors import ServiceError

DAY = 86_400

QUEUES_PER_LOCATION = 1_000
QUEUE_NAME_SECONDS = 3 * DAY
"""How long the name of a deleted queue cannot be used again."""
DEDUPLICATION_SECONDS = DAY
"""How long the name of a task that is gone cannot be used again."""
RETENTION_SECONDS = 31 * DAY
SCHEDULE_SECONDS = 30 * DAY
"""How far ahead a task may be scheduled."""
TASK_BYTES = 100 * 1024
URL_LETTERS = 2_083
HEADER_BYTES = 80 * 1024
DISPATCH_DEADLINE = (15.0, 1_800.0)
"""Seconds that a worker may be given."""
DISPATCHES_PER_SECOND = 500.0
CONCURRENT_DISPATCHES = 5_000
QUEUES_PER_PAGE = 9_800
TASKS_PER_PAGE = 1_000
PAGE_TOKEN_SECONDS = 2 * 3_600
BATCH_CREATES = 100
BATCH_DELETES = 1_000

REMEMBERED_TASKS = 1_000
"""How many tasks that the service named are remembered once they are gone; of ours."""
REQUESTS_UNDER_WAY = 1_000
"""Over all queues; of ours."""


def within(name: str, value: float, least: float, most: float) -> None:
    """See that a number lies in its range, both ends included.

    Raises:
        ServiceError: it does not (INVALID_ARGUMENT).
    """
    if not least <= value <= most:
        raise ServiceError(
            "INVALID_ARGUMENT", f"{name} must be between {least:g} and {most:g}, and is {value:g}."
        )
