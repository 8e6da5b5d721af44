"""The methods of google.cloud.tasks.v2.CloudTasks: requests to calls of the depot, and back."""

from collections.abc import Callable, Mapping

from google.protobuf import empty_pb2

from crosswind_local.tasks import batches, filters, limits, names, pages
from crosswind_local.tasks.depot import Depot
from crosswind_local.tasks.protocol import ListQueuesResponse, ListTasksResponse, Pb

Method = Callable[[Pb], Pb]


class Methods:
    """Each method takes a request and returns its response, or raises a ServiceError."""

    def __init__(self, depot: Depot) -> None:
        self._depot = depot
        self._batches = batches.Batches(depot)

    def by_name(self) -> Mapping[str, Method]:
        """The methods by their names on the wire."""
        return {
            "ListQueues": self.list_queues,
            "GetQueue": lambda request: self._depot.queue(request.name),
            "CreateQueue": self.create_queue,
            "UpdateQueue": self.update_queue,
            "DeleteQueue": self.delete_queue,
            "PurgeQueue": lambda request: self._depot.purge_queue(request.name),
            "PauseQueue": lambda request: self._depot.pause_queue(request.name),
            "ResumeQueue": lambda request: self._depot.resume_queue(request.name),
            "ListTasks": self.list_tasks,
            "GetTask": lambda request: self._depot.task(request.name, request.response_view),
            "CreateTask": self.create_task,
            "DeleteTask": self.delete_task,
            "RunTask": lambda request: self._depot.run_task(request.name, request.response_view),
            "BatchCreateTasks": self._batches.create,
            "BatchDeleteTasks": self._batches.delete,
        }

    def list_queues(self, request: Pb) -> Pb:
        matches = filters.parse(request.filter)
        queues = self._depot.queues(request.parent)
        shown, token = pages.page(
            [name for name, queue in queues.items() if matches(queue)],
            size=request.page_size,
            token=request.page_token,
            most=limits.QUEUES_PER_PAGE,
            of=f"{request.parent} {request.filter}",
            now=self._depot.clock.now(),
        )
        return ListQueuesResponse(queues=[queues[name] for name in shown], next_page_token=token)

    def create_queue(self, request: Pb) -> Pb:
        names.check_location(request.parent)
        names.check_queue(request.queue.name)
        names.check_parent(request.queue.name, request.parent)
        return self._depot.create_queue(request.queue)

    def update_queue(self, request: Pb) -> Pb:
        return self._depot.update_queue(request.queue, request.update_mask)

    def delete_queue(self, request: Pb) -> Pb:
        self._depot.delete_queue(request.name)
        return empty_pb2.Empty()

    def list_tasks(self, request: Pb) -> Pb:
        tasks = self._depot.tasks(request.parent)
        shown, token = pages.page(
            tasks,
            size=request.page_size,
            token=request.page_token,
            most=limits.TASKS_PER_PAGE,
            of=request.parent,
            now=self._depot.clock.now(),
        )
        listed = self._depot.show([tasks[name] for name in shown], request.response_view)
        return ListTasksResponse(tasks=listed, next_page_token=token)

    def create_task(self, request: Pb) -> Pb:
        return self._depot.create_task(request.parent, request.task, request.response_view)

    def delete_task(self, request: Pb) -> Pb:
        self._depot.delete_task(request.name)
        return empty_pb2.Empty()
