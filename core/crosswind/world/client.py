"""A small synchronous client of the world's processes, for performers and tests.

CallFailed
├── Unreachable (ConnectionError)   no usable answer; `sent` says whether it may have been done
└── Refused                         an answer that says no
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote, urlencode

from crosswind.errors import CrosswindError
from crosswind.world.addresses import HOST

MAX_ANSWER_BYTES: Final = 1_048_576


class CallFailed(CrosswindError):
    """A call to a process of the world did not do what was asked."""


class Unreachable(CallFailed, ConnectionError):
    """No usable answer came.

    Args:
        sent: False where the connection was refused and nothing can have been done; True where
            the request went out and what became of it is not known.
    """

    def __init__(self, target: str, reason: str, sent: bool) -> None:
        became = "the outcome is not known" if sent else "nothing was sent"
        super().__init__(f"{target} gave no answer ({reason}); {became}")
        self.sent = sent


class Refused(CallFailed):
    """The answer was an error.

    Args:
        status: the HTTP status, 400 or above.
        body: what the answer said.
    """

    def __init__(self, target: str, status: int, body: Mapping[str, Any]) -> None:
        super().__init__(f"{target} answered {status}: {body.get('error', 'without a reason')}")
        self.status = status
        self.body = body


def path(*segments: str, **query: float | str) -> str:
    """A path of these segments, quoted, with a query string."""
    quoted = "/" + "/".join(quote(segment, safe="") for segment in segments)
    return f"{quoted}?{urlencode(query)}" if query else quoted


def call(
    port: int,
    method: str,
    target: str,
    body: Mapping[str, Any] | None = None,
    *,
    timeout: float = 2.0,
) -> dict[str, Any]:
    """Send one request on a connection of its own and return the answer's JSON object.

    Args:
        port: of the loopback address.
        timeout: seconds for the connection, and again for the answer.

    Raises:
        Unreachable: no usable answer.
        Refused: status 400 or above.
    """
    import http.client

    named = f"{method} {HOST}:{port}{target}"
    connection = http.client.HTTPConnection(HOST, port, timeout=timeout)
    try:
        try:
            connection.connect()
        except OSError as error:
            raise Unreachable(named, str(error), sent=False) from error
        try:
            connection.request(
                method,
                target,
                None if body is None else json.dumps(body),
                {"content-type": "application/json", "connection": "close"},
            )
            with connection.getresponse() as response:
                content = response.read(MAX_ANSWER_BYTES + 1)
                if response.length and len(content) <= MAX_ANSWER_BYTES:
                    raise http.client.IncompleteRead(content, response.length)
        except (OSError, http.client.HTTPException) as error:
            raise Unreachable(named, repr(error), sent=True) from error
    finally:
        connection.close()
    if len(content) > MAX_ANSWER_BYTES:
        raise Unreachable(named, f"an answer beyond {MAX_ANSWER_BYTES} bytes", sent=True)
    try:
        answer = json.loads(content)
    except ValueError as error:
        raise Unreachable(named, "an answer that is not JSON", sent=True) from error
    if not isinstance(answer, dict):
        raise Unreachable(named, "an answer that is not a JSON object", sent=True)
    if response.status >= 400:
        raise Refused(named, response.status, answer)
    return answer
