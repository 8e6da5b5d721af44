"""A tester's desk for the local Cloud Tasks: the official client, short names, and a worker."""

import queue
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, NamedTuple, Self

import grpc
from google.cloud import tasks_v2
from google.cloud.tasks_v2.services.cloud_tasks.transports import CloudTasksGrpcTransport

from crosswind_local import ManualClock
from crosswind_local.tasks import TasksEmulator

LOCATION = "projects/demo-project/locations/us-central1"


class Asked(NamedTuple):
    """A request that a worker got; the names of headers are in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class Answer(NamedTuple):
    """What a worker answers."""

    status: int
    headers: dict[str, str] = {}  # noqa: RUF012 - a NamedTuple's default, never changed


Answering = Callable[[Asked], Answer]


class Worker:
    """Records what it is asked; gives the answers it was given, then 200."""

    def __init__(self) -> None:
        self.asked: queue.Queue[Asked] = queue.Queue()
        self.answers: queue.Queue[Answer] = queue.Queue()
        self.go_on = threading.Event()
        """While it is cleared, no request is answered."""
        self.go_on.set()
        worker = self

        class Handler(BaseHTTPRequestHandler):
            def _any(self) -> None:
                length = int(self.headers.get("Content-Length", "0"))
                headers = {name.lower(): value for name, value in self.headers.items()}
                asked = Asked(self.command, self.path, headers, self.rfile.read(length))
                try:
                    answer = worker.answers.get_nowait()
                except queue.Empty:
                    answer = Answer(200)
                worker.asked.put(asked)
                worker.go_on.wait(20)
                try:
                    self.send_response(answer.status)
                    for name, value in answer.headers.items():
                        self.send_header(name, value)
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                except ConnectionError:
                    pass  # who asked has given up, which is what some tests are about

            def log_message(self, *args: object) -> None:
                pass

        for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"):
            setattr(Handler, f"do_{method}", Handler._any)

        class Server(ThreadingHTTPServer):
            request_queue_size = 100

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def answer(self, *statuses: int) -> None:
        """Answer so, one request after the other."""
        for status in statuses:
            self.answers.put(Answer(status))

    def next(self) -> Asked:
        return self.asked.get(timeout=10)

    @property
    def idle(self) -> bool:
        """Whether there is no request that was not looked at."""
        return self.asked.empty()

    def stop(self) -> None:
        self.go_on.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def client_of(channel: grpc.Channel) -> Any:
    """The official client; untyped, for its annotations know not of the dictionaries it takes."""
    return tasks_v2.CloudTasksClient(transport=CloudTasksGrpcTransport(channel=channel))


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
