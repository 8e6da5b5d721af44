"""The client half of HTTP/1.1: pooled connections to one port of the loopback address.

A request is sent once. Whatever goes wrong is raised, never retried here: a failover must be seen
by those who measure it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from crosswind.world.addresses import HOST
from crosswind.world.wire import MAX_HEAD_BYTES, content_length, parse_headers

MAX_ANSWER_BYTES: Final = 1_048_576
MAX_IDLE: Final = 64
IDLE_SECONDS: Final = 10.0
"""Shorter than the servers' own, so that a connection is not used while it is being closed."""


class NoAnswer(ConnectionError):
    """The connection was refused or broken, or what came back is not HTTP."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer as it came."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(slots=True)
class _Connection:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    used_at: float


class Upstream:
    """Connections to one server, kept open between requests.

    Args:
        port: of the loopback address.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self._idle: list[_Connection] = []

    async def exchange(self, method: str, target: str, body: bytes, seconds: float) -> Reply:
        """Send one request and wait for its answer.

        Raises:
            NoAnswer: nothing usable came back.
            TimeoutError: not within `seconds`.
        """
        try:
            async with asyncio.timeout(seconds):
                return await self._exchange(method, target, body)
        except TimeoutError:
            raise
        except (OSError, EOFError, ValueError, asyncio.LimitOverrunError) as error:
            raise NoAnswer(str(error) or type(error).__name__) from error

    def close(self) -> None:
        """Close the connections that wait for reuse."""
        while self._idle:
            self._idle.pop().writer.close()

    async def _exchange(self, method: str, target: str, body: bytes) -> Reply:
        connection = await self._connect()
        reusable = False
        try:
            head = (
                f"{method} {target} HTTP/1.1\r\nhost: {HOST}:{self._port}\r\n"
                f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
            )
            connection.writer.write(head.encode("latin-1") + body)
            reply = await _read(connection.reader)
            reusable = reply.headers.get("connection") != "close"
            return reply
        finally:
            if reusable and len(self._idle) < MAX_IDLE:
                connection.used_at = asyncio.get_running_loop().time()
                self._idle.append(connection)
            else:
                connection.writer.close()

    async def _connect(self) -> _Connection:
        now = asyncio.get_running_loop().time()
        while self._idle:
            connection = self._idle.pop()
            gone = connection.reader.at_eof() or connection.writer.is_closing()
            if not gone and now - connection.used_at < IDLE_SECONDS:
                return connection
            connection.writer.close()
        reader, writer = await asyncio.open_connection(HOST, self._port, limit=MAX_HEAD_BYTES)
        return _Connection(reader, writer, now)


async def _read(reader: asyncio.StreamReader) -> Reply:
    head = await reader.readuntil(b"\r\n\r\n")
    first, *rest = head.decode("latin-1").split("\r\n")
    words = first.split(" ", 2)
    if len(words) < 2 or words[0] != "HTTP/1.1" or not words[1].isdigit():
        raise ValueError("the answer is not HTTP/1.1")
    headers = parse_headers(rest)
    length = content_length(headers)
    if length is None or length > MAX_ANSWER_BYTES:
        raise ValueError(f"the answer's body is not bounded by {MAX_ANSWER_BYTES} bytes")
    return Reply(int(words[1]), headers, await reader.readexactly(length))
