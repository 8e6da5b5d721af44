"""The client against servers that misbehave: each failure says what is known of the outcome."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from crosswind.world.client import MAX_ANSWER_BYTES, Unreachable, call, path


@contextmanager
def answering(answer: bytes) -> Iterator[int]:
    """A server that takes one connection, answers these bytes and closes."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            # The client hangs up on an answer without end.
            with connection, suppress(ConnectionError):
                connection.recv(65_536)
                connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(timeout=5)


def test_a_refused_connection_means_that_nothing_was_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(Unreachable, match="nothing was sent") as unreachable:
        call(port, "GET", "/healthz")
    assert not unreachable.value.sent


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\n\r\nnot json",
        b"HTTP/1.1 200 OK\r\n\r\n[1]",
        b"SSH-2.0\r\n",
    ],
)
def test_a_lost_or_senseless_answer_leaves_the_outcome_unknown(answer: bytes) -> None:
    with (
        answering(answer) as port,
        pytest.raises(Unreachable, match="the outcome is not known") as unreachable,
    ):
        call(port, "POST", "/admin/scale", {})
    assert unreachable.value.sent


def test_an_answer_without_end_is_not_read_to_its_end() -> None:
    endless = b"HTTP/1.1 200 OK\r\n\r\n" + b" " * (MAX_ANSWER_BYTES + 1)
    with answering(endless) as port, pytest.raises(Unreachable, match="an answer beyond"):
        call(port, "GET", "/status")


def test_no_answer_in_time_is_unreachable() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        pytest.raises(Unreachable, match="timed out"),
    ):
        call(listener.getsockname()[1], "GET", "/status", timeout=0.1)


def test_segments_of_a_path_are_quoted() -> None:
    assert (
        path("admin", "weights", "a b/c?", seconds=1.5) == "/admin/weights/a%20b%2Fc%3F?seconds=1.5"
    )
