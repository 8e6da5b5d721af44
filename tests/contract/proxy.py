"""A proxy before any service that speaks HTTP, which does to requests what networks do.

It is for tests of real clients: what they do when an answer is lost, comes late, or says that the
service is busy, and whether what they send again is the same.
"""

from __future__ import annotations

import http.client
import socket
import struct
import threading
from collections import deque
from collections.abc import Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import NamedTuple, Self
from urllib.parse import urlsplit

_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "server", "date"}


class Pass(NamedTuple):
    """Carry the request out and give the answer."""


class Lose(NamedTuple):
    """Carry the request out and reset the connection instead of answering."""


class Stall(NamedTuple):
    """Carry the request out and answer nothing for so many seconds."""

    seconds: float


class Refuse(NamedTuple):
    """Reset the connection; the request is not carried out."""


class Detain(NamedTuple):
    """Reset the connection, and carry the request out when told to `release` it."""


class Say(NamedTuple):
    """Answer this; the request is not carried out."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()


Fault = Pass | Lose | Stall | Refuse | Detain | Say


class Request(NamedTuple):
    """A request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class Answered(NamedTuple):
    """An answer of the service."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


class FaultyProxy:
    """A proxy on a free port of 127.0.0.1.

    Args:
        upstream: the URL of the service.
    """

    def __init__(self, upstream: str) -> None:
        self._host = urlsplit(upstream).netloc
        self._faults: deque[Fault] = deque()
        self._always: Fault = Pass()
        self._detained: list[Request] = []
        self._lock = threading.Lock()
        self.requests: list[Request] = []
        self._server = _Server(self)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), name="faulty-proxy", daemon=True
        )

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def plan(self, faults: Iterable[Fault], then: Fault | None = None) -> None:
        """What happens to the next requests, and to all after them; they pass unless told."""
        with self._lock:
            self.requests.clear()
            self._faults = deque(faults)
            self._always = Pass() if then is None else then

    def release(self) -> list[Answered]:
        """Carry out what was detained; what the service says to it reaches no client."""
        with self._lock:
            detained, self._detained = self._detained, []
        return [self.forward(request) for request in detained]

    def meet(self, request: Request) -> Fault:
        """What is to happen to a request."""
        with self._lock:
            self.requests.append(request)
            fault = self._faults.popleft() if self._faults else self._always
            if isinstance(fault, Detain):
                self._detained.append(request)
            return fault

    def forward(self, request: Request) -> Answered:
        """Have a request carried out."""
        connection = http.client.HTTPConnection(self._host, timeout=30)
        try:
            connection.request(request.method, request.path, request.body, request.headers)
            response = connection.getresponse()
            return Answered(response.status, response.getheaders(), response.read())
        finally:
            connection.close()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.stopping.set()
        self._server.shutdown()
        self._thread.join(timeout=1)
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, proxy: FaultyProxy) -> None:
        self.proxy = proxy
        self.stopping = threading.Event()
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: broken connections are what it is for."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    timeout = 60

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {k: v for k, v in self.headers.items() if k.lower() not in _HOP_BY_HOP}
        request = Request(self.command, self.path, headers, body)
        fault = self.server.proxy.meet(request)
        if isinstance(fault, Say):
            self._answer(Answered(fault.status, list(fault.headers), fault.body))
            return
        if isinstance(fault, Refuse | Detain):
            self._reset()
            return
        answered = self.server.proxy.forward(request)
        if isinstance(fault, Lose):
            self._reset()
            return
        if isinstance(fault, Stall):
            self.server.stopping.wait(fault.seconds)
        self._answer(answered)

    def do_GET(self) -> None:
        self._serve()

    def do_HEAD(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_PUT(self) -> None:
        self._serve()

    def do_PATCH(self) -> None:
        self._serve()

    def do_DELETE(self) -> None:
        self._serve()

    def _answer(self, answered: Answered) -> None:
        self.send_response(answered.status)
        for name, value in answered.headers:
            if name.lower() not in _HOP_BY_HOP:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(answered.body)))
        self.end_headers()
        self.wfile.write(answered.body)
        self.wfile.flush()

    def _reset(self) -> None:
        # Lingering for no time at all turns the close into a reset.
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.close_connection = True

    def log_message(self, *args: object) -> None:
        """Say nothing; the requests are kept."""
