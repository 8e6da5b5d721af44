"""What tests of function apps need: plain HTTP, and patience."""

import http.client
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from crosswind_local.functions_host import FunctionsHost


@dataclass(frozen=True)
class Answer:
    """An answer over HTTP; `headers` as they came."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def json(self) -> Any:
        """The body, as JSON."""
        return json.loads(self.body)

    def header(self, name: str) -> list[str]:
        """All values of a header."""
        return [value for given, value in self.headers if given.lower() == name]


def call(
    host: FunctionsHost,
    path: str,
    method: str = "GET",
    body: Any = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """Make a request to an app; what is neither text nor bytes is sent as JSON."""
    connection = http.client.HTTPConnection(host.url.removeprefix("http://"), timeout=120)
    content = body if body is None or isinstance(body, str | bytes) else json.dumps(body)
    content = content.encode() if isinstance(content, str) else content
    try:
        connection.request(method, path, content, dict(headers or {}))
        response = connection.getresponse()
        return Answer(response.status, response.getheaders(), response.read())
    finally:
        connection.close()


def eventually(holds: Callable[[], Any], seconds: float = 60.0) -> Any:
    """What `holds` gives once it is true; a failure where it is not for long."""
    end = time.monotonic() + seconds
    while True:
        value = holds()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError("it never came")
        time.sleep(0.02)
