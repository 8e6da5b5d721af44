"""The protobuf messages of google.cloud.tasks.v2, as the official SDK ships them.

The SDK wraps them in proto-plus classes; the wrapped classes are taken out here because they are
an order of magnitude faster. They carry no type information, so values of them are `Any`; only the
modules at the edge (methods, batches, filters, masks, targets, requests and both settings) touch
them.
"""

from typing import Any

from google.cloud.tasks_v2 import types as sdk_types

types: Any = sdk_types
"""The classes of the SDK; their annotations tell of Python's types for what is no such type."""

Pb = Any
"""A protobuf message; which one is said by the name of the parameter."""

Queue = types.Queue.pb()
TaskMessage = types.Task.pb()
HttpRequest = types.HttpRequest.pb()

ListQueuesResponse = types.ListQueuesResponse.pb()
ListTasksResponse = types.ListTasksResponse.pb()
BatchCreateTasksResponse = types.BatchCreateTasksResponse.pb()
BatchCreateTasksMetadata = types.BatchCreateTasksMetadata.pb()
BatchDeleteTasksMetadata = types.BatchDeleteTasksMetadata.pb()

RUNNING = types.Queue.State.RUNNING.value
PAUSED = types.Queue.State.PAUSED.value
BASIC = types.Task.View.BASIC.value
FULL = types.Task.View.FULL.value
POST = types.HttpMethod.POST.value

METHODS = {method.value: method.name for method in types.HttpMethod}
"""The name of each HTTP method by its number."""

WITH_BODY = frozenset({"POST", "PUT", "PATCH"})


def request_class(method: str) -> Pb:
    """The class of a method's request."""
    return getattr(types, f"{method}Request").pb()


def seconds(duration: Pb) -> float:
    """A Duration or Timestamp in seconds."""
    return float(duration.seconds + duration.nanos / 1e9)


def set_seconds(field: Pb, value: float) -> None:
    """Set a Duration or Timestamp, to the microsecond."""
    field.seconds, micros = divmod(round(value * 1e6), 1_000_000)
    field.nanos = micros * 1_000
