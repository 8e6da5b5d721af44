"""A weighted proxy: a process that spreads each workload's requests over regions.

python -m crosswind.world.proxy --server aws/us-east-1=8001 --server gcp/us-central1=8002

POST /v1/infer                       to the next region by weight; nothing is retried: a broken
                                     connection or a 5xx is 502, a slow answer 504; `x-region`
                                     says which region it was
GET  /healthz
PUT  /admin/weights                  {workload, weights, key, epoch}: compare and set by epoch
GET  /admin/weights/WORKLOAD         the weights and the epoch in force
GET  /admin/telemetry/WORKLOAD       ?seconds=N: requests, errors, p50, p95 (ms) by region;
                                     &slower_than=MS counts slow answers as well,
                                     &windows=A,B,C tells the counts of further windows
GET  /admin/disruption/WORKLOAD      ?since=T&threshold=X&window=S: when failures began, ended
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
import time
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from crosswind.operations.telemetry import MAX_WINDOWS, WindowSeconds
from crosswind.world import answers, lifetime
from crosswind.world.answers import Answer
from crosswind.world.control import Control, ControlLog, Order
from crosswind.world.server import Inference
from crosswind.world.upstream import NoAnswer, Upstream
from crosswind.world.weights import Rotation, faults_of
from crosswind.world.wire import Refusal, Request, Response, Service

MAX_ANSWERS: Final = 100_000
"""Answers kept for each workload; telemetry reaches back no further."""

CALL_SET: Final = "set-weights"


class SetWeights(BaseModel):
    """An order for the shares of a workload's traffic."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    workload: str = Field(min_length=1, max_length=128)
    weights: dict[str, float] = Field(min_length=1, max_length=200)
    key: str = Field(min_length=1, max_length=256)
    epoch: int = Field(ge=0, le=2**53)


def _listed(text: object) -> object:
    """The numbers of a list that commas divide."""
    return text.split(",") if isinstance(text, str) else text


class Window(BaseModel):
    """The seconds up to now, from what latency in ms on an answer is slow, and further windows."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seconds: float = Field(default=10.0, gt=0, le=86_400)
    slower_than: float | None = Field(default=None, gt=0)
    windows: Annotated[
        tuple[WindowSeconds, ...], BeforeValidator(_listed), Field(max_length=MAX_WINDOWS)
    ] = ()


class Span(BaseModel):
    """What to look for in a disruption; see `answers.disruption`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    since: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    threshold: float = Field(default=0.01, gt=0, le=1)
    window: float = Field(default=1.0, gt=0, le=3600)


class Proxy:
    """The weights in force and the answers that passed.

    Args:
        servers: port by region.
        timeout: seconds that a region has for an answer.
    """

    def __init__(self, servers: Mapping[str, int], log: ControlLog, timeout: float) -> None:
        self._upstreams = {region: Upstream(port) for region, port in servers.items()}
        self._timeout = timeout
        self._control = Control(log)
        self._weights: dict[str, Mapping[str, float]] = {}
        self._rotations: dict[str, Rotation] = {}
        self._passed: dict[str, deque[Answer]] = {}
        for order, answer in self._control.restore():
            self._apply(order.subject, answer["weights"])

    def close(self) -> None:
        """Close what waits for reuse."""
        for upstream in self._upstreams.values():
            upstream.close()

    async def handle(self, request: Request) -> Response:
        """Answer one request."""
        match request.method, request.segments:
            case "POST", ("v1", "infer"):
                return await self._forward(request)
            case "GET", ("healthz",):
                return Response(200, {"ok": True, "regions": sorted(self._upstreams)})
            case "PUT", ("admin", "weights"):
                return self._set_weights(request.parse(SetWeights))
            case "GET", ("admin", "weights", workload):
                self._demand(workload)
                return Response(200, self._in_force(workload))
            case "GET", ("admin", "telemetry", workload):
                self._demand(workload)
                return self._telemetry(workload, request.parse_query(Window))
            case "GET", ("admin", "disruption", workload):
                self._demand(workload)
                return self._disruption(workload, request.parse_query(Span))
        raise Refusal(404, "see the head of crosswind.world.proxy for what is served here")

    async def _forward(self, request: Request) -> Response:
        workload = request.parse(Inference).workload
        self._demand(workload)
        region = self._rotations[workload].pick()
        at, begun = time.time(), time.monotonic()
        response = await self._ask(region, request.body)
        ms = (time.monotonic() - begun) * 1000
        self._passed[workload].append(Answer(at, response.status, region, ms))
        return response

    async def _ask(self, region: str, body: bytes) -> Response:
        named = {"x-region": region}
        try:
            reply = await self._upstreams[region].exchange("POST", "/v1/infer", body, self._timeout)
        except TimeoutError:
            error = f"no answer within {self._timeout:g} s"
            return Response(504, {"error": error, "region": region}, named)
        except NoAnswer as gone:
            return Response(502, {"error": str(gone), "region": region}, named)
        if reply.status >= 500:
            error = f"the region answered {reply.status}"
            if "retry-after" in reply.headers:
                named["retry-after"] = reply.headers["retry-after"]
            return Response(
                502, {"error": error, "region": region, "upstream_status": reply.status}, named
            )
        return Response(reply.status, reply.body, named)

    def _set_weights(self, asked: SetWeights) -> Response:
        order = Order(CALL_SET, asked.workload, asked.key, asked.epoch, {"weights": asked.weights})
        if faults := faults_of(asked.weights, self._upstreams):
            reason = f"these weights cannot be: {'; '.join(faults)}"
            self._control.refuse(order, reason)
            raise Refusal(422, reason, faults=faults)
        outcome = self._control.carry_out(
            order,
            lambda: {"weights": asked.weights},
            lambda answer: self._apply(asked.workload, answer["weights"]),
        )
        if outcome.answer is None:
            raise Refusal(
                409 if outcome.stale else 422,
                outcome.reason,
                **self._in_force(asked.workload),
            )
        return Response(
            200,
            {
                "workload": asked.workload,
                **outcome.answer,
                "epoch": asked.epoch,
                "effect": outcome.effect,
            },
        )

    def _apply(self, workload: str, weights: Mapping[str, float]) -> None:
        self._rotations[workload] = Rotation(weights)
        self._weights[workload] = weights
        self._passed.setdefault(workload, deque(maxlen=MAX_ANSWERS))

    def _in_force(self, workload: str) -> dict[str, Any]:
        return {
            "workload": workload,
            "weights": self._weights.get(workload, {}),
            "epoch": self._control.epoch(CALL_SET, workload),
        }

    def _telemetry(self, workload: str, window: Window) -> Response:
        now, slower_than = time.time(), window.slower_than
        # An answer stands where it came, at most one timeout after the request was due.
        disorder = self._timeout + 1.0
        passed = self._passed[workload]
        unseen = answers.Traffic(0, 0, None, None, None if slower_than is None else 0)

        def told(seen: Mapping[str, answers.Traffic]) -> dict[str, Any]:
            return {region: seen.get(region, unseen)._asdict() for region in self._upstreams}

        last = answers.since(passed, now - window.seconds, disorder)
        longest = answers.since(passed, now - max(window.windows, default=0.0), disorder)
        further = answers.windows(longest, now, window.windows, slower_than)
        return Response(
            200,
            {
                "workload": workload,
                "seconds": window.seconds,
                "regions": told(answers.traffic(last, slower_than)),
                "windows": [
                    {"seconds": seconds, "regions": told(seen)}
                    for seconds, seen in zip(window.windows, further, strict=True)
                ],
            },
        )

    def _disruption(self, workload: str, span: Span) -> Response:
        seen = [answer for answer in self._passed[workload] if answer.at >= span.since]
        found = answers.disruption(seen, span.threshold, span.window)
        return Response(200, {"workload": workload, **found._asdict(), "counted": len(seen)})

    def _demand(self, workload: str) -> None:
        if workload not in self._rotations:
            raise Refusal(404, f"no weights are set for {workload!r}; PUT /admin/weights first")


def parse_server(text: str) -> tuple[str, int]:
    """An argparse type: REGION=PORT."""
    region, equals, port = text.rpartition("=")
    if not equals or not 1 <= len(region) <= 64:
        raise argparse.ArgumentTypeError(f"{text!r} is not REGION=PORT")
    return region, lifetime.whole(1, 65_535)(port)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="crosswind.world.proxy", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    add, whole, number = parser.add_argument, lifetime.whole, lifetime.number
    add("--port", type=whole(0, 65_535), default=0, help="0 for any free one")
    add(
        "--server",
        type=parse_server,
        action="append",
        required=True,
        metavar="REGION=PORT",
        help="a region's model server; given once for each",
    )
    add("--timeout", type=number(0.01, 300), default=1.0, help="seconds for an answer")
    add("--log", type=Path, required=True, help="the control log (JSON lines); gone on from")
    lifetime.add_arguments(parser)
    return parser


async def _run(options: argparse.Namespace) -> None:
    life = lifetime.Lifetime(options.parent, options.max_seconds)
    log = ControlLog(options.log)
    proxy = Proxy(dict(options.server), log, options.timeout)
    service = Service(proxy.handle, options.port)
    lifetime.announce(options.announce, await service.start())
    try:
        logging.info("stops: %s", await life.over())
    finally:
        await service.stop()
        proxy.close()
        log.close()


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the proxy until it is told to stop."""
    parser = _parser()
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stderr)
    try:
        asyncio.run(_run(options))
    except OSError as error:
        parser.exit(1, f"{parser.prog}: {error}\n")


if __name__ == "__main__":
    main()
