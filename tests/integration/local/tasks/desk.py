"""A tester's desk for the local Cloud Tasks, whose time the test moves, and short names."""

from types import TracebackType
from typing import Any, Self

import grpc

from crosswind_local import ManualClock
from crosswind_local.tasks import TasksEmulator
from local.tasks.desk import client_of

LOCATION = "projects/demo-project/locations/us-central1"


class Desk:
    """The client of an emulator of its own, whose time stands still unless the test moves it."""

    def __init__(self, **settings: Any) -> None:
        self.clock = ManualClock()
        self.tasks = TasksEmulator(clock=self.clock, **settings)

    def __enter__(self) -> Self:
        self.tasks.start()
        channel = grpc.insecure_channel(self.tasks.address)
        self.client = client_of(channel)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.client.transport.close()
        self.tasks.stop()

    def queue(self, name: str = "queue", **settings: Any) -> str:
        """Make a queue and return its full name."""
        path = f"{LOCATION}/queues/{name}"
        self.client.create_queue(parent=LOCATION, queue={"name": path, **settings})
        return path

    def task(self, queue: str, url: str, *, name: str = "", **settings: Any) -> Any:
        """Make a task; settings that an HttpRequest has are its own."""
        of_request = ("http_method", "headers", "body", "oidc_token", "oauth_token")
        request = {key: settings.pop(key) for key in of_request if key in settings}
        task = {"http_request": {"url": url, **request}, **settings}
        if name:
            task["name"] = f"{queue}/tasks/{name}"
        return self.client.create_task(parent=queue, task=task)

    def pass_time(self, seconds: float) -> None:
        """Move time on, and wait until what was due then is answered."""
        self.clock.advance(seconds)
        assert self.tasks.settle()

    def gone(self, name: str) -> bool:
        """Whether a task is gone."""
        queue = name.rpartition("/tasks/")[0]
        return name not in {task.name for task in self.client.list_tasks(parent=queue)}
