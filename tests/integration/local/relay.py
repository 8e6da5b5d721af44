"""A relay before a server, over which a client can vanish: without a word, and unseen by TCP."""

import selectors
import socket
import threading
from types import TracebackType
from typing import Self


class Relay:
    """Passes bytes on in both directions until it is told to fall silent.

    Then both sockets stay open and what comes is swallowed, as if the cable had been cut: no FIN,
    no RST, so only silence tells either side.
    """

    def __init__(self, address: str) -> None:
        """`address` is HOST:PORT of the server."""
        host, port = address.split(":")
        self._server = (host, int(port))
        self._silent = threading.Event()
        self._ended = threading.Event()
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        # To wake the one who waits for a client.
        socket.create_connection(self._listener.getsockname()).close()
        for thread in self._threads:
            thread.join()
        self._listener.close()
        for each in self._open:
            each.close()

    def fall_silent(self) -> None:
        """From now on nothing passes, and nobody is told."""
        self._silent.set()

    def _accept(self) -> None:
        while True:
            client, _ = self._listener.accept()
            if self._ended.is_set():
                client.close()
                return
            server = socket.create_connection(self._server)
            self._open += [client, server]
            pair = threading.Thread(target=self._pass, args=(client, server))
            self._threads.append(pair)
            pair.start()

    def _pass(self, client: socket.socket, server: socket.socket) -> None:
        other = {client: server, server: client}
        with selectors.DefaultSelector() as ready:
            for each in other:
                ready.register(each, selectors.EVENT_READ)
            while ready.get_map() and not self._ended.is_set():
                for key, _ in ready.select(0.05):
                    source = key.fileobj
                    assert isinstance(source, socket.socket)
                    self._move(source, other[source], ready)

    def _move(
        self, source: socket.socket, target: socket.socket, ready: selectors.BaseSelector
    ) -> None:
        try:
            read = source.recv(65_536)
            if not self._silent.is_set():
                if read:
                    target.sendall(read)
                else:
                    target.shutdown(socket.SHUT_WR)
        except OSError:
            read = b""  # one side has gone; the other one finds out by itself
        if not read:
            ready.unregister(source)
