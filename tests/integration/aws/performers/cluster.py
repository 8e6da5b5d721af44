"""A cluster of routing controls, as its data plane is documented: five endpoints, one state.

No emulator has it. It speaks the protocol of the SDK's own model (AWS JSON 1.0, ToggleCustomerAPI)
and keeps the rules of docs.aws.amazon.com/routing-control/latest/APIReference/: all entries of an
update or none, an unknown control is not found, a safety rule that would be broken is a conflict.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

REGIONS = ("us-east-1", "us-west-2", "eu-west-1", "ap-northeast-1", "ap-southeast-2")

_LARGEST = 10
"""Entries of one update."""


class Cluster:
    """Five endpoints on 127.0.0.1.

    Args:
        controls: by ARN, whether it is on.
        least: how many controls a safety rule demands to be on.
    """

    def __init__(self, controls: Mapping[str, bool], least: int = 0) -> None:
        self.controls = dict(controls)
        self.least = least
        self.changes = 0
        self.silent: set[str] = set()
        self.throttled = False
        self.lose_next = False
        self.met: list[tuple[str, str]] = []
        self.lock = threading.Lock()
        self._servers = [_Server(self, region) for region in REGIONS]
        self._threads = [
            threading.Thread(target=one.serve_forever, args=(0.05,), daemon=True)
            for one in self._servers
        ]

    @property
    def endpoints(self) -> list[dict[str, str]]:
        """As a declaration of resources has them."""
        return [
            {"url": f"http://127.0.0.1:{one.server_port}", "region": one.region}
            for one in self._servers
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for server, thread in zip(self._servers, self._threads, strict=True):
            server.shutdown()
            thread.join(2)
            server.server_close()

    def serve(self, region: str, operation: str, asked: dict[str, Any]) -> tuple[int, Any]:
        """Status and body of the answer to a request."""
        with self.lock:
            self.met.append((region, operation))
            if self.throttled:
                return 429, _error("ThrottlingException", "Request was denied", retryAfterSeconds=1)
            if region in self.silent:
                said = "The cluster endpoint isn't available."
                return 503, _error("EndpointTemporarilyUnavailableException", said)
            match operation:
                case "GetRoutingControlState":
                    return self._get(asked["RoutingControlArn"])
                case "UpdateRoutingControlStates":
                    return self._update(asked["UpdateRoutingControlStateEntries"])
            return 400, _error("ValidationException", f"unknown operation {operation}")

    def _get(self, arn: str) -> tuple[int, Any]:
        if arn not in self.controls:
            return 404, _error("ResourceNotFoundException", f"{arn} does not exist")
        state = "On" if self.controls[arn] else "Off"
        return 200, {"RoutingControlArn": arn, "RoutingControlState": state}

    def _update(self, entries: list[dict[str, str]]) -> tuple[int, Any]:
        if len(entries) > _LARGEST:
            return 400, _error("ValidationException", "too many entries")
        wanted = {one["RoutingControlArn"]: one["RoutingControlState"] == "On" for one in entries}
        missing = [arn for arn in wanted if arn not in self.controls]
        if missing:
            return 404, _error("ResourceNotFoundException", f"{missing[0]} does not exist")
        after = {**self.controls, **wanted}
        if sum(after.values()) < self.least:
            said = "The requested update would violate a safety rule"
            return 409, _error("ConflictException", said)
        self.changes += after != self.controls
        self.controls = after
        return 200, {}


def _error(code: str, said: str, **more: object) -> dict[str, object]:
    return {"__type": f"com.amazonaws.toggle.customer#{code}", "message": said, **more}


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, cluster: Cluster, region: str) -> None:
        self.cluster = cluster
        self.region = region
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients that give up are part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    wbufsize = -1

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])) or b"{}")
        prefix, _, operation = self.headers["X-Amz-Target"].partition(".")
        signed = f"/{self.server.region}/route53-recovery-cluster/aws4_request"
        if prefix != "ToggleCustomerAPI" or signed not in self.headers.get("Authorization", ""):
            self._answer(403, _error("AccessDeniedException", "not signed for this endpoint"))
            return
        status, answer = self.server.cluster.serve(self.server.region, operation, body)
        if self.server.cluster.lose_next and operation.startswith("Update"):
            self.server.cluster.lose_next = False
            self.close_connection = True
            return
        self._answer(status, answer)

    def _answer(self, status: int, answer: Any) -> None:
        content = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args: object) -> None:
        """Say nothing."""
