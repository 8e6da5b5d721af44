"""The inspection endpoint: what a service holds at the moment, as JSON over HTTP.

`GET /` gives the state and `GET /calls` the last calls. It listens on 127.0.0.1 only and is for
people and tests, not for load.
"""

import json
import socket
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Reader = Callable[[], object]


class Inspection:
    """An HTTP server on a free port of 127.0.0.1 that answers each path with what it reads."""

    def __init__(self, readers: Mapping[str, Reader]) -> None:
        self._readers = readers
        self._server: _Server | None = None
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="local-inspection", daemon=True)

    @property
    def url(self) -> str:
        """Where `GET /` is answered.

        Raises:
            RuntimeError: it was not started.
        """
        if self._server is None:
            raise RuntimeError("the inspection endpoint was not started")
        return f"http://127.0.0.1:{self._server.server_port}/"

    def start(self) -> None:
        """Begin to answer."""
        self._server = _Server(self._readers)
        self._thread.start()

    def stop(self) -> None:
        """Stop at once."""
        if self._stopping or self._server is None:
            return
        self._stopping = True
        # The thread sits in select(); a connection is what wakes it, without any polling.
        with socket.create_connection(("127.0.0.1", self._server.server_port), timeout=1):
            pass
        self._thread.join(timeout=1)
        self._server.server_close()

    def _run(self) -> None:
        while not self._stopping and self._server is not None:
            self._server.handle_request()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, readers: Mapping[str, Reader]) -> None:
        self.readers = readers
        super().__init__(("127.0.0.1", 0), _Handler)

    def server_bind(self) -> None:
        # HTTPServer would look up its own name, which can take seconds without a network.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        host, port = self.socket.getsockname()[:2]
        self.server_address = (host, port)
        self.server_name, self.server_port = host, port


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = 5

    def do_GET(self) -> None:
        reader = self.server.readers.get(self.path)
        if reader is None:
            body = json.dumps({"error": "no such page", "pages": sorted(self.server.readers)})
            self._answer(404, body)
        else:
            self._answer(200, json.dumps(reader(), indent=2))

    def _answer(self, status: int, body: str) -> None:
        content = body.encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args: object) -> None:
        """Say nothing: looking at a service is no call to it."""
