"""A tester's desk for Cloud Tasks: the official client, and a worker that carries tasks out."""

import queue
import threading
import uuid
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

import grpc
from google.api_core import exceptions
from google.cloud import tasks_v2
from google.cloud.tasks_v2.services.cloud_tasks.transports import CloudTasksGrpcTransport

from local.elsewhere import refusals

refused = refusals("tasks")

URL = "https://example.com/handler"


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


class Office:
    """A client, and queues that are removed in the end."""

    def __init__(self, client: Any, location: str) -> None:
        self.client = client
        self.location = location
        self._made: list[str] = []

    def name(self) -> str:
        """The name of a queue that there is not."""
        return f"{self.location}/queues/test-{uuid.uuid4().hex}"

    def running(self, **settings: Any) -> Any:
        """A new queue, which sends what comes."""
        queue = self.client.create_queue(
            parent=self.location, queue={"name": self.name(), **settings}
        )
        self._made.append(queue.name)
        return queue

    def queue(self, **settings: Any) -> Any:
        """A new queue, paused, so that nothing is sent."""
        return self.client.pause_queue(name=self.running(**settings).name)

    def task(self, queue: str, task: dict[str, Any] | None = None, **request: Any) -> Any:
        return self.client.create_task(
            request={
                "parent": queue,
                "task": {"http_request": {"url": URL, **request}, **(task or {})},
                "response_view": "FULL",
            }
        )

    def remove(self) -> None:
        for name in self._made:
            try:
                self.client.delete_queue(name=name)
            except exceptions.NotFound:
                pass  # the test has removed it
