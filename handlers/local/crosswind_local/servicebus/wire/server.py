"""The server's one thread: it runs the event loop, and all state is touched by it alone.

Others ask it to do things and wait: a test that moves the clock, a caller that adds a queue. So
there are no locks, and an alarm has had its effect when the clock's `advance` returns.
"""

import asyncio
import socket
import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import TypeVar

from crosswind_local.errors import StartFailed

T = TypeVar("T")

_PATIENCE = 1.0
"""Seconds after which somebody who waits looks whether the server still runs."""
_BACKLOG = 512
"""Connections that may wait to be accepted."""


class Server:
    """Listens on 127.0.0.1 and gives each connection a protocol."""

    def __init__(self, protocol: Callable[[], asyncio.Protocol]) -> None:
        self._protocol = protocol
        self._loop: asyncio.AbstractEventLoop | None = None
        """There is one from `start` on: one that is made and never run complains."""
        self._thread = threading.Thread(target=self._run, name="local-servicebus", daemon=True)
        self._listener: asyncio.Server | None = None

    def start(self, port: int) -> int:
        """Begin to listen; returns the port.

        Raises:
            StartFailed: the port is taken.
        """
        listening = socket.socket()
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind(("127.0.0.1", port))
            # Two servers may bind one port so long as neither listens, and then one of them fails.
            listening.listen(_BACKLOG)
        except OSError as error:
            listening.close()
            raise StartFailed(
                f"port {port} of 127.0.0.1 cannot be listened on; is it taken?"
            ) from error
        loop = self._loop = asyncio.new_event_loop()
        self._thread.start()
        creating = loop.create_server(self._protocol, sock=listening, backlog=_BACKLOG)
        self._listener = asyncio.run_coroutine_threadsafe(creating, loop).result()
        return int(listening.getsockname()[1])

    def ask(self, action: Callable[[], T]) -> T:
        """Have the server's thread do something, and wait for what comes of it.

        Raises:
            RuntimeError: the server has stopped.
        """
        loop = self._loop
        if threading.current_thread() is self._thread or loop is None or loop.is_closed():
            return action()
        answer: Future[T] = Future()

        def act() -> None:
            try:
                answer.set_result(action())
            except BaseException as error:  # noqa: BLE001 - it is raised where it was asked for
                answer.set_exception(error)

        loop.call_soon_threadsafe(act)
        while not wait([answer], _PATIENCE).done:
            if not self._thread.is_alive():
                raise RuntimeError("the server has stopped")
        return answer.result()

    def stop(self, last: Callable[[], None]) -> None:
        """Do a last thing, then stop at once. Harmless when it does not run."""
        loop = self._loop
        if loop is None or loop.is_closed():
            return

        def end() -> None:
            last()
            if self._listener is not None:
                self._listener.close()
            # What the last thing has begun to close gets one turn to be closed.
            loop.call_soon(loop.stop)

        loop.call_soon_threadsafe(end)
        self._thread.join()

    def _run(self) -> None:
        loop = self._loop
        assert loop is not None
        try:
            loop.run_forever()
        finally:
            loop.close()
