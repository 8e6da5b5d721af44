"""The HTTP server in front of an app, on a port of 127.0.0.1."""

import contextlib
import socket
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from crosswind_local.functions_host.event_grid import Reply
from crosswind_local.functions_host.site import Request

MAX_BYTES = 104_857_600
"""What the body of a request may have, as `FUNCTIONS_REQUEST_BODY_SIZE_LIMIT` says unless set."""

Answer = Callable[[Request], Reply]


class Front:
    """Takes requests once it has begun; until then a client waits."""

    def __init__(self, port: int) -> None:
        """Take `port`, or a free one for 0.

        Raises:
            OSError: the port is taken.
        """
        self._server = _Server(port)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), name="functions-http", daemon=True
        )

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._server.server_port

    def start(self, answer: Answer) -> None:
        """Begin to answer."""
        self._server.answer = answer
        self._thread.start()

    def stop(self) -> None:
        """Stop answering, and close what is open."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join(timeout=1)
        self._server.server_close()
        self._server.hang_up()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    answer: Answer

    def __init__(self, port: int) -> None:
        self._connections: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__(("127.0.0.1", port), _Handler)

    def server_bind(self) -> None:
        # HTTPServer would look up its own name, which can take seconds without a network.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        host, port = self.socket.getsockname()[:2]
        self.server_address = (host, port)
        self.server_name, self.server_port = host, port

    def opened(self, connection: socket.socket) -> None:
        with self._lock:
            self._connections.add(connection)

    def closed(self, connection: socket.socket) -> None:
        with self._lock:
            self._connections.discard(connection)

    def hang_up(self) -> None:
        with self._lock:
            for connection in self._connections:
                with contextlib.suppress(OSError):  # it may be closed already
                    connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a client that goes away is no fault of ours."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    timeout = 120

    def setup(self) -> None:
        super().setup()
        # Head and body are small; held back for each other they would cost 40 ms a call.
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.server.opened(self.connection)

    def finish(self) -> None:
        try:
            super().finish()
        finally:
            self.server.closed(self.connection)

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

    def do_OPTIONS(self) -> None:
        self._serve()

    def _serve(self) -> None:
        refusal = self._refusal()
        if refusal is not None:
            self.close_connection = True  # the body is still to come
            self._send(refusal)
            return
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        host = self.headers.get("Host") or f"127.0.0.1:{self.server.server_port}"
        headers = list(self.headers.items())
        self._send(
            self.server.answer(Request.of(self.command, self.path, headers, body, host)),
        )

    def _refusal(self) -> Reply | None:
        if "Transfer-Encoding" in self.headers:
            return Reply(411, b"a body must come with its length, not in chunks")
        try:
            length = int(self.headers.get("Content-Length") or 0)
        except ValueError:
            length = -1
        if length < 0:
            return Reply(400, b"Content-Length is no length")
        return Reply(413) if length > MAX_BYTES else None

    def _send(self, reply: Reply) -> None:
        self.send_response(reply.status)
        given = {name.lower() for name, _ in reply.headers}
        for name, value in reply.headers:
            if name.lower() not in {"content-length", "transfer-encoding", "connection"}:
                self.send_header(name, value)
        if reply.body and "content-type" not in given:
            self.send_header("Content-Type", "text/plain; charset=utf-8")
        if self.close_connection:
            self.send_header("Connection", "close")
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(reply.body)
        self.wfile.flush()

    def log_message(self, *args: Any) -> None:
        """Say nothing; calls are in the journal."""
