"""A proxy that strikes requests by what they ask for, and remembers what was asked."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

from contract.proxy import Fault, FaultyProxy, Request, Say

_REST = (
    (
        "route53",
        "POST",
        re.compile(r"/2013-04-01/hostedzone/[^/]+/rrset/?$"),
        "ChangeResourceRecordSets",
    ),
    ("route53", "GET", re.compile(r"/2013-04-01/hostedzone/[^/]+/rrset"), "ListResourceRecordSets"),
)


class Strike(NamedTuple):
    """What befalls an operation, and how often."""

    operation: str
    fault: Fault
    times: int


class Wire(FaultyProxy):
    """A proxy before an emulator; nothing befalls a request unless it is told so."""

    def __init__(self, upstream: str) -> None:
        super().__init__(upstream)
        self._strikes: list[Strike] = []
        self._before: dict[str, Callable[[], object]] = {}
        self.asked: list[str] = []
        self.bodies: list[bytes] = []

    def strike(self, operation: str, fault: Fault, times: int = 1) -> None:
        """Let a fault befall the next requests for an operation."""
        self._strikes.append(Strike(operation, fault, times))

    def before(self, operation: str, do: Callable[[], object]) -> None:
        """Do something just before the next request for an operation is carried out."""
        self._before[operation] = do

    def count(self, operation: str) -> int:
        """How often an operation was asked for, whatever became of it."""
        return self.asked.count(operation)

    def meet(self, request: Request) -> Fault:
        """What is to happen to a request."""
        asked = operation(request)
        do = self._before.pop(asked, None)
        if do is not None:
            do()
        self.asked.append(asked)
        self.bodies.append(request.body)
        for number, strike in enumerate(self._strikes):
            if strike.operation != asked:
                continue
            if strike.times == 1:
                del self._strikes[number]
            else:
                self._strikes[number] = strike._replace(times=strike.times - 1)
            self._faults.appendleft(strike.fault)
            break
        return super().meet(request)


def operation(request: Request) -> str:
    """What a request asks for: the name of the operation, as IAM has it after the colon."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    target = headers.get("x-amz-target")
    if target:
        return target.rpartition(".")[2]
    for _, method, path, name in _REST:
        if request.method == method and path.search(urlsplit(request.path).path):
            return name
    if "/operation/" in request.path:
        return request.path.rpartition("/")[2]
    return "".join(parse_qs(request.body.decode("utf-8", "replace")).get("Action", ["?"]))


def json_error(code: str, said: str = "of the test", status: int = 400) -> Say:
    """An error as services answer that speak JSON."""
    body = f'{{"__type": "{code}", "message": "{said}", "Message": "{said}"}}'
    return Say(status, body.encode(), (("Content-Type", "application/x-amz-json-1.1"),))


def xml_error(code: str, said: str = "of the test", status: int = 400) -> Say:
    """An error as services answer that speak XML."""
    body = (
        f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{said}</Message>"
        "</Error><RequestId>1</RequestId></ErrorResponse>"
    )
    return Say(status, body.encode(), (("Content-Type", "text/xml"),))
