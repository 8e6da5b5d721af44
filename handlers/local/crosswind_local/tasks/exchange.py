"""One request to a worker, and its answer; it can be broken off from another thread.

The field description of HttpRequest.url,
https://cloud.google.com/tasks/docs/reference/rpc/google.cloud.tasks.v2: a redirect may be followed
and is no attempt of its own. "RFC 9110", https://www.rfc-editor.org/rfc/rfc9110#name-retry-after,
for Retry-After.
"""

import contextlib
import email.utils
import http.client
import logging
import math
import socket
import threading
from urllib.parse import urljoin, urlsplit

from crosswind_local.tasks.requests import Request
from crosswind_local.tasks.tasks import UNREACHABLE, Outcome

LOG = logging.getLogger(__name__)

REDIRECTS = 5
CONNECT_SECONDS = 10.0
ANSWER_BYTES = 64 * 1024
"""How much of an answer is read; nothing of it is kept."""

_SAME_METHOD = (307, 308)
_AS_GET = (301, 302, 303)


class Exchange:
    """A request under way."""

    def __init__(self, request: Request, now: float) -> None:
        """`now`, in seconds since 1970, is what a date in Retry-After is reckoned from."""
        self._request = request
        self._now = now
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._broken_off = False

    def run(self) -> Outcome:
        """Make the request, and those that it is redirected to; how the last one ended."""
        request = self._request
        try:
            for _ in range(REDIRECTS):
                outcome, location = self._ask(request)
                following = _redirected(request, outcome.status, location)
                if following is None:
                    return outcome
                request = following
            return outcome
        # What a worker, or the URL of a redirect, does wrong is no answer.
        except (OSError, http.client.HTTPException, ValueError) as error:
            LOG.debug("could not ask %s: %s", request.url, error)
            return UNREACHABLE

    def break_off(self) -> None:
        """End it at once; `run` then returns, and what it says does not matter."""
        with self._lock:
            self._broken_off = True
            if self._socket is not None:
                # Closed from this side while the other may be closing too.
                with contextlib.suppress(OSError):
                    self._socket.shutdown(socket.SHUT_RDWR)

    def _ask(self, request: Request) -> tuple[Outcome, str | None]:
        url = urlsplit(request.url)
        kind = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
        connection = kind(url.netloc.rpartition("@")[2], timeout=CONNECT_SECONDS)
        with contextlib.closing(connection):
            connection.connect()
            # The clock ends it, not the operating system: time may be a test's.
            connection.sock.settimeout(None)
            with self._lock:
                if self._broken_off:
                    return UNREACHABLE, None
                self._socket = connection.sock
            target = f"{url.path or '/'}?{url.query}" if url.query else url.path or "/"
            body = request.body or None
            connection.request(request.method, target, body, request.headers)
            response = connection.getresponse()
            response.read(ANSWER_BYTES)
            with self._lock:
                self._socket = None
            after = _retry_after(response.getheader("Retry-After"), self._now)
            return Outcome(response.status, retry_after=after), response.getheader("Location")


def _redirected(request: Request, status: int, location: str | None) -> Request | None:
    if location is None or status not in _SAME_METHOD + _AS_GET:
        return None
    url = urljoin(request.url, location)
    if urlsplit(url).scheme not in ("http", "https"):
        return None
    headers = dict(request.headers)
    if urlsplit(url).netloc != urlsplit(request.url).netloc:
        # A token is for whom the task names, and for nobody else.
        headers.pop("Authorization", None)
    if status in _SAME_METHOD or request.method in ("GET", "HEAD"):
        return Request(request.method, url, headers, request.body)
    return Request("GET", url, headers, b"")


def _retry_after(value: str | None, now: float) -> float | None:
    """Seconds, from a number of them or a date; None for anything else."""
    if value is None:
        return None
    try:
        wait = float(value) if value.strip().isdecimal() else _until(value, now)
    except (ValueError, OverflowError):
        return None
    return wait if math.isfinite(wait) and wait > 0 else None


def _until(date: str, now: float) -> float:
    return email.utils.parsedate_to_datetime(date).timestamp() - now
