"""Many tasks in one call: BatchCreateTasks and BatchDeleteTasks.

The field descriptions of google.cloud.tasks.v2 BatchCreateTasksMetadata and
BatchDeleteTasksMetadata, https://cloud.google.com/tasks/docs/reference/rpc/google.cloud.tasks.v2.
The service does such a call in the background; here it is done when it is answered, so its
operation has ended already and is not kept but for a repeated request.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable
from threading import Lock
from uuid import uuid4

# The package ships no types; what is taken from it is two messages.
from google.longrunning.operations_pb2 import Operation  # type: ignore[import-untyped]
from google.protobuf import empty_pb2
from google.rpc import status_pb2  # type: ignore[import-untyped]
from grpc import StatusCode

from crosswind_local.errors import ServiceError
from crosswind_local.tasks import limits, names
from crosswind_local.tasks.depot import Depot
from crosswind_local.tasks.protocol import (
    BatchCreateTasksMetadata,
    BatchCreateTasksResponse,
    BatchDeleteTasksMetadata,
    Pb,
    set_seconds,
)

REMEMBERED = 100
"""How many operations are kept for requests that are repeated."""

_NONE = "None of the requests succeeded, refer to {}.failed_requests for individual error details"


class Batches:
    """The two methods, and the operations that they answered last."""

    def __init__(self, depot: Depot) -> None:
        self._depot = depot
        self._lock = Lock()
        self._answered: OrderedDict[tuple[str, str], Pb] = OrderedDict()

    def create(self, request: Pb) -> Pb:
        """Create the tasks one after the other; those that cannot be are told of."""
        self._check(request.parent, "requests", len(request.requests), limits.BATCH_CREATES)
        if any(each.parent not in ("", request.parent) for each in request.requests):
            raise ServiceError("INVALID_ARGUMENT", "The parent of every request must be the same.")
        response = BatchCreateTasksResponse()

        def create(each: Pb) -> None:
            task = self._depot.create_task(request.parent, each.task, each.response_view)
            response.tasks.append(task)

        metadata = BatchCreateTasksMetadata()
        return self._once(request, lambda: self._each(request.requests, create, metadata, response))

    def delete(self, request: Pb) -> Pb:
        """Delete the tasks one after the other; those that cannot be are told of."""
        self._check(request.parent, "names", len(request.names), limits.BATCH_DELETES)

        def delete(name: str) -> None:
            names.check_belongs(name, request.parent)
            self._depot.delete_task(name)

        metadata = BatchDeleteTasksMetadata()
        return self._once(
            request, lambda: self._each(request.names, delete, metadata, empty_pb2.Empty())
        )

    def _check(self, parent: str, field: str, count: int, most: int) -> None:
        self._depot.queue(parent)
        limits.within(f"The number of {field}", count, 1, most)

    def _once(self, request: Pb, answer: Callable[[], Pb]) -> Pb:
        key = (type(request).__name__ + request.parent, str(request.request_id))
        with self._lock:
            if request.request_id and key in self._answered:
                return self._answered[key]
            operation = answer()
            if request.request_id:
                self._answered[key] = operation
                if len(self._answered) > REMEMBERED:
                    self._answered.popitem(last=False)
            return operation

    def _each(
        self, items: Iterable[Pb], do: Callable[[Pb], None], metadata: Pb, response: Pb
    ) -> Pb:
        set_seconds(metadata.start_time, self._depot.clock.now())
        count = 0
        for count, item in enumerate(items, 1):
            try:
                do(item)
            except ServiceError as error:
                code = StatusCode[error.code].value[0]
                metadata.failed_requests[count - 1].CopyFrom(
                    status_pb2.Status(code=code, message=error.message)
                )
        set_seconds(metadata.end_time, self._depot.clock.now())
        failed = len(metadata.failed_requests)
        states = metadata.DESCRIPTOR.enum_types_by_name["State"].values_by_name
        metadata.state = states["PARTIALLY_SUCCEEDED" if failed else "SUCCEEDED"].number
        operation = Operation(name=f"operations/{uuid4()}", done=True)
        operation.metadata.Pack(metadata)
        if failed == count:
            operation.error.code = StatusCode.ABORTED.value[0]
            operation.error.message = _NONE.format(metadata.DESCRIPTOR.name)
        else:
            operation.response.Pack(response)
        return operation
