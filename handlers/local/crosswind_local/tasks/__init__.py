"""Google Cloud Tasks, spoken over gRPC to the unmodified official SDK.

How a task passes through:

    wire            gRPC in and out, refusals in the service's form
    methods         the methods of the service: requests to calls of the depot, and back
    batches         those that take many tasks at once; filters, pages: those that list
    depot           all queues, the timers that wake them, what they dispatch
    queue_settings  queue resources: defaults, checks, what they mean   ┐ checks are told
    task_settings   task resources; targets: what they ask to be sent   ┘ as the service does
    queue           what a queue holds, and what becomes of it          ┐
    tasks           a task and its attempts                             │ pure: no gRPC, no
    bucket          how fast may be dispatched                          │ threads, no clock
    retry           when a failed task is tried again                   │
    tombstones      names that cannot be used again yet                 ┘
    requests        the HTTP request of an attempt
    carrier         makes requests, each in a thread, as an exchange

Needs the extra `local` (grpcio, google-cloud-tasks).
"""

try:
    from crosswind_local.tasks.emulator import HOW_TO_CONNECT, TasksEmulator
except ModuleNotFoundError as error:
    if error.name is None or error.name.split(".")[0] not in {"grpc", "google"}:
        raise
    raise ModuleNotFoundError(
        f"the local Cloud Tasks needs {error.name}: pip install 'crosswind[local]'",
        name=error.name,
    ) from error

__all__ = ["HOW_TO_CONNECT", "TasksEmulator"]
