"""The server half of HTTP/1.1 as the processes of the world speak it.

JSON bodies with a Content-Length, persistent connections, bounded in every direction; chunked
bodies and upgrades are refused. It binds the loopback address only.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final, TypeVar
from urllib.parse import parse_qsl, unquote, urlsplit

from pydantic import BaseModel, ValidationError

from crosswind.world.addresses import HOST

MAX_HEAD_BYTES: Final = 16_384
MAX_BODY_BYTES: Final = 262_144
IDLE_SECONDS: Final = 30.0
"""A connection that sends nothing for this long is closed."""

M = TypeVar("M", bound=BaseModel)

log = logging.getLogger(__name__)


class Refusal(Exception):
    """A request that is answered with an error.

    Args:
        status: the HTTP status of the answer.
        error: what is wrong and what to do about it.
        detail: further members of the answer's body.
    """

    def __init__(self, status: int, error: str, **detail: Any) -> None:
        super().__init__(error)
        self.status = status
        self.body = {"error": error, **detail}


@dataclass(frozen=True, slots=True)
class Request:
    """One request.

    Attributes:
        segments: the path, split at its slashes and then decoded.
        abandoned: tells whether the caller has closed the connection.
    """

    method: str
    segments: tuple[str, ...]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    abandoned: Callable[[], bool]

    def parse(self, model: type[M]) -> M:
        """The body as this model.

        Raises:
            Refusal: 422, with every fault.
        """
        try:
            return model.model_validate_json(self.body)
        except ValidationError as error:
            raise _faulty("body", error) from None

    def parse_query(self, model: type[M]) -> M:
        """The query string as this model.

        Raises:
            Refusal: 422, with every fault.
        """
        try:
            return model.model_validate(dict(self.query))
        except ValidationError as error:
            raise _faulty("query", error) from None


@dataclass(frozen=True, slots=True)
class Response:
    """One answer; `body` is a JSON object, or bytes that hold JSON already."""

    status: int
    body: Mapping[str, Any] | bytes
    headers: Mapping[str, str] = field(default_factory=dict)


Handler = Callable[[Request], Awaitable[Response]]


class Service:
    """An HTTP server on a port of the loopback address.

    Args:
        handler: answers one request; may raise `Refusal`.
        port: 0 for any free one.
    """

    def __init__(self, handler: Handler, port: int = 0) -> None:
        self._handler = handler
        self._wanted_port = port
        self._server: asyncio.Server | None = None
        self._idle: set[asyncio.Task[None]] = set()
        self._busy: set[asyncio.Task[None]] = set()
        self._stopping = False

    async def start(self) -> int:
        """Listen; returns the port.

        Raises:
            OSError: the port is taken.
        """
        self._server = await asyncio.start_server(
            self._serve, HOST, self._wanted_port, limit=MAX_HEAD_BYTES, backlog=512
        )
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def stop(self, grace: float = 0.5) -> None:
        """Stop listening; answers under way have `grace` seconds to finish."""
        self._stopping = True
        if self._server is not None:
            self._server.close()
        for task in self._idle:
            task.cancel()
        unfinished = self._idle | self._busy
        if self._busy:
            await asyncio.wait(self._busy, timeout=grace)
        for task in self._busy:
            task.cancel()
        await asyncio.gather(*unfinished, return_exceptions=True)
        if self._server is not None:
            await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._idle.add(task)
        try:
            while not self._stopping:
                async with asyncio.timeout(IDLE_SECONDS):
                    request = await _read(reader)
                if request is None:
                    break
                self._idle.discard(task)
                self._busy.add(task)
                response = await self._answer(request)
                keep = (
                    not self._stopping and request.headers.get("connection", "").lower() != "close"
                )
                writer.write(_encode(response, keep))
                await writer.drain()
                self._busy.discard(task)
                self._idle.add(task)
                if not keep:
                    break
        except Refusal as refusal:  # the request could not be read; what follows makes no sense
            writer.write(_encode(Response(refusal.status, refusal.body), keep=False))
        except (ConnectionError, asyncio.IncompleteReadError, TimeoutError) as gone:
            log.debug("connection ended: %r", gone)
        except asyncio.CancelledError:
            if not self._stopping:
                raise
        finally:
            self._idle.discard(task)
            self._busy.discard(task)
            writer.close()

    async def _answer(self, request: Request) -> Response:
        try:
            return await self._handler(request)
        except Refusal as refusal:
            return Response(refusal.status, refusal.body)
        except Exception:  # a fault of this process: told to the caller, kept in its own log
            log.exception("%s /%s failed", request.method, "/".join(request.segments))
            return Response(500, {"error": "internal error; see this process's stderr"})


async def _read(reader: asyncio.StreamReader) -> Request | None:
    """The next request, or None where the caller is done."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as end:
        if end.partial:
            raise
        return None
    except asyncio.LimitOverrunError:
        raise Refusal(431, f"the head of a request is at most {MAX_HEAD_BYTES} bytes") from None
    first, *rest = head.decode("latin-1").split("\r\n")
    words = first.split(" ")
    if len(words) != 3 or words[2] != "HTTP/1.1":
        raise Refusal(400, "the first line must be 'METHOD TARGET HTTP/1.1'")
    headers = parse_headers(rest)
    if "transfer-encoding" in headers:
        raise Refusal(411, "send a Content-Length; chunked bodies are not taken")
    length = content_length(headers)
    if length is None:
        raise Refusal(400, "Content-Length must be a number")
    if length > MAX_BODY_BYTES:
        raise Refusal(413, f"a body is at most {MAX_BODY_BYTES} bytes")
    target = urlsplit(words[1])
    return Request(
        method=words[0],
        segments=tuple(unquote(segment) for segment in target.path.split("/")[1:]),
        query=dict(parse_qsl(target.query)),
        headers=headers,
        body=await reader.readexactly(length) if length else b"",
        abandoned=reader.at_eof,
    )


def parse_headers(lines: list[str]) -> dict[str, str]:
    """Header lines by lower-case name; lines without a colon are left out."""
    headers = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if colon:
            headers[name.lower()] = value.strip()
    return headers


def content_length(headers: Mapping[str, str]) -> int | None:
    """The length of the body, 0 where it is not given; None where it is no number."""
    text = headers.get("content-length", "0")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None


def _encode(response: Response, keep: bool) -> bytes:
    content = response.body
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    try:
        phrase = HTTPStatus(response.status).phrase
    except ValueError:
        phrase = "Unknown"
    head = [
        f"HTTP/1.1 {response.status} {phrase}",
        "content-type: application/json",
        f"content-length: {len(body)}",
        *(f"{name}: {value}" for name, value in response.headers.items()),
    ]
    if not keep:
        head.append("connection: close")
    return "\r\n".join([*head, "", ""]).encode("latin-1") + body


def _faulty(part: str, error: ValidationError) -> Refusal:
    faults = [
        {"where": ".".join([part, *map(str, fault["loc"])]), "problem": fault["msg"]}
        for fault in error.errors(include_url=False, include_context=False, include_input=False)
    ]
    told = "; ".join(f"{fault['where']}: {fault['problem']}" for fault in faults)
    return Refusal(422, f"the {part} is not valid: {told}", faults=faults)
