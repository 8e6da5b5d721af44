"""A proxy that lets nobody do some things, as IAM says it in the protocol of each service."""

from __future__ import annotations

import json
import re

from contract.proxy import Fault, FaultyProxy, Request, Say

_PATHS = {
    "ListHostedZones": re.compile(r"/2013-04-01/hostedzone(\?|$)"),
}


class Guard(FaultyProxy):
    """Before an emulator.

    Attributes:
        denied: operations that nobody may do.
        asked: operations that were asked for, as far as they are told by name.
    """

    def __init__(self, upstream: str) -> None:
        super().__init__(upstream)
        self.denied: set[str] = set()
        self.asked: set[str] = set()

    def meet(self, request: Request) -> Fault:
        operation = _operation(request)
        self.asked.add(operation)
        if operation in self.denied:
            return _refusal(request, operation)
        return super().meet(request)


def _operation(request: Request) -> str:
    headers = {name.lower(): value for name, value in request.headers.items()}
    if target := headers.get("x-amz-target"):
        return target.rpartition(".")[2]
    if found := re.search(rb"(?:^|&)Action=(\w+)", request.body):
        return found[1].decode()
    for name, path in _PATHS.items():
        if path.match(request.path):
            return name
    return f"{request.method} {request.path}"


def _refusal(request: Request, operation: str) -> Say:
    said = f"User: arn:aws:iam::123456789012:user/ana is not authorized to perform: {operation}"
    if any(name.lower() == "x-amz-target" for name in request.headers):
        body = json.dumps({"__type": "AccessDeniedException", "message": said}).encode()
        return Say(400, body, (("Content-Type", "application/x-amz-json-1.1"),))
    code = "UnauthorizedOperation" if operation == "DescribeRegions" else "AccessDenied"
    error = f"<Code>{code}</Code><Message>{said}</Message>"
    if operation == "DescribeRegions":  # the protocol of EC2 is its own
        text = (
            f"<Response><Errors><Error>{error}</Error></Errors><RequestID>1</RequestID></Response>"
        )
    else:
        text = f"<ErrorResponse><Error>{error}</Error><RequestId>1</RequestId></ErrorResponse>"
    return Say(403, text.encode(), (("Content-Type", "text/xml"),))
