"""The Runtime API, which a function's process asks for work and tells its answers.

One server serves one process: what an earlier one left open can take no work from its successor.
Source: docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html.
"""

import json
import socket
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

MAX_BYTES = 7 * 1024 * 1024
"""Above the 6 MB that a function may answer with, so that Lambda's own limit is what is met."""

Said = Literal["response", "error", "init-error"]


@dataclass(slots=True)
class Invocation:
    """One call of the function, and what it said; `deadline` is in seconds since 1970."""

    id: str
    body: bytes
    deadline: float
    arn: str
    said: Said | None = None
    payload: bytes = b""


@dataclass
class Desk:
    """Where the process and who calls it meet.

    Attributes:
        waiting: the next invocation, until the process takes it.
        current: the invocation that the process is at.
        ready: the process has asked for work for the first time.
        failure: what it said when it could not begin.
        closed: nobody will call any more.
    """

    changed: threading.Condition = field(default_factory=threading.Condition)
    waiting: Invocation | None = None
    current: Invocation | None = None
    ready: bool = False
    failure: bytes | None = None
    closed: bool = False

    def take(self) -> Invocation | None:
        """The next invocation, for the process; waits for it. None when there will be none."""
        with self.changed:
            self.ready = True
            self.changed.notify_all()
            self.changed.wait_for(lambda: self.waiting is not None or self.closed)
            self.current, self.waiting = self.waiting, None
            return self.current

    def tell(self, request: str, said: Said, payload: bytes) -> bool:
        """What the process says to an invocation; False where that is not the one it is at."""
        with self.changed:
            if said == "init-error":
                self.failure = payload
            elif self.current is None or self.current.id != request:
                return False
            else:
                self.current.said, self.current.payload = said, payload
                self.current = None
            self.changed.notify_all()
            return True

    def close(self) -> None:
        """Let nobody wait any longer."""
        with self.changed:
            self.closed = True
            self.changed.notify_all()


class RuntimeApi:
    """The server for one process, on a free port of 127.0.0.1."""

    def __init__(self, desk: Desk) -> None:
        self._server = _Server(desk)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), name="lambda-runtime-api", daemon=True
        )

    @property
    def address(self) -> str:
        """Where it listens, as host:port."""
        return f"127.0.0.1:{self._server.server_port}"

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._thread.join(timeout=1)
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        super().__init__(("127.0.0.1", 0), _Handler)

    def server_bind(self) -> None:
        # HTTPServer would look up its own name, which can take seconds without a network.
        self.socket.bind(self.server_address)
        host, port = self.socket.getsockname()[:2]
        self.server_address = (host, port)
        self.server_name, self.server_port = host, port

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a process that is killed leaves its connections half open."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def setup(self) -> None:
        super().setup()
        # Head and body are small; held back for each other they would cost 40 ms a call.
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def do_GET(self) -> None:
        if not self.path.endswith("/runtime/invocation/next"):
            self._answer(404)
            return
        invocation = self.server.desk.take()
        if invocation is None:
            self.close_connection = True
            return
        self._answer(
            200,
            invocation.body,
            {
                "Lambda-Runtime-Aws-Request-Id": invocation.id,
                "Lambda-Runtime-Deadline-Ms": str(int(invocation.deadline * 1000)),
                "Lambda-Runtime-Invoked-Function-Arn": invocation.arn,
                "Lambda-Runtime-Trace-Id": f"Root=1-{int(time.time()):08x}-{'0' * 24};Sampled=0",
            },
        )

    def do_POST(self) -> None:
        payload = self._body()
        if payload is None:
            self.close_connection = True
            self._answer(413)
            return
        *_, request, word = self.path.split("/")
        if (request, word) == ("init", "error"):
            taken = self.server.desk.tell("", "init-error", payload)
        elif word in ("response", "error"):
            taken = self.server.desk.tell(request, _SAID[word], payload)
        else:
            taken = False
        self._answer(202 if taken else 403, b'{"status":"OK"}' if taken else b"{}")

    def _answer(
        self, status: int, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def _body(self) -> bytes | None:
        """The body of a request, whole or in chunks; None where it is too large."""
        if "chunked" not in self.headers.get("Transfer-Encoding", "").lower():
            length = int(self.headers.get("Content-Length") or 0)
            return None if length > MAX_BYTES else self.rfile.read(length)
        parts: list[bytes] = []
        total = 0
        while (size := int(self.rfile.readline(32).split(b";")[0] or b"0", 16)) > 0:
            total += size
            if total > MAX_BYTES:
                return None
            parts.append(self.rfile.read(size))
            self.rfile.readline(4)
        self.rfile.readline(4)
        return b"".join(parts)

    def log_message(self, *args: Any) -> None:
        """Say nothing; what the function says is in its log."""


_SAID: dict[str, Said] = {"response": "response", "error": "error"}


def parsed(payload: bytes) -> Any:
    """A payload as JSON; as text where it is none."""
    try:
        return json.loads(payload)
    except ValueError:
        return payload.decode("utf-8", "replace")
