"""A model server for one region: a process that answers inferences within its capacity.

python -m crosswind.world.server --region aws/us-east-1 --workload chat --replicas 4

POST /v1/infer      {workload, prompt} -> {region, revision, workload, tokens}
                    503 with Retry-After beyond capacity
GET  /healthz       200, or 503 while it knows that it fails
GET  /status        replicas, quota, load and epoch of every workload
POST /admin/scale   {workload, replicas, key, epoch} -> {requested, granted, starting, reason}
POST /admin/fault   {kind: slow | errors | grey | none, ...}, see `Fault`
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import math
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from crosswind.world import lifetime
from crosswind.world.capacity import Endpoint, Site
from crosswind.world.control import Control, ControlLog, Effect, Order
from crosswind.world.wire import Refusal, Request, Response, Service

HANG_SECONDS: Final = 30.0
"""The longest that a grey region holds a request without answering."""

MAX_RETRY_AFTER: Final = 60.0
"""Seconds; what a caller is told where nothing says when there will be capacity."""

CALL_SCALE: Final = "scale"


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Inference(_Body):
    """A request for an inference."""

    workload: str = Field(min_length=1, max_length=128)
    prompt: str = Field(max_length=100_000)


class Scale(_Body):
    """An order for a number of replicas in total."""

    workload: str = Field(min_length=1, max_length=128)
    replicas: int = Field(ge=0, le=100_000)
    key: str = Field(min_length=1, max_length=256)
    epoch: int = Field(ge=0, le=2**53)


class Fault(_Body):
    """A fault to suffer from now on, in place of any earlier one.

    Args:
        kind: `slow` answers later by `ms`; `errors` answers 500 and says so at /healthz; `grey`
            takes requests and never answers, while /healthz stays well; `none` ends it.
        share: of the inferences, spread evenly.
        workload: only this one.
    """

    kind: Literal["slow", "errors", "grey", "none"]
    share: float = Field(default=1.0, gt=0, le=1)
    ms: float = Field(default=1000.0, ge=0, le=60_000)
    workload: str | None = Field(default=None, max_length=128)


class ModelServer:
    """The state of a region and its answers.

    Args:
        service_ms: how long one inference takes, in milliseconds.
        restore: take keys, epochs and replicas from the control log of an earlier process.
    """

    def __init__(
        self,
        region: str,
        site: Site,
        log: ControlLog,
        *,
        revision: str,
        service_ms: float,
        restore: bool,
    ) -> None:
        self._region = region
        self._site = site
        self._log = log
        self._control = Control(log)
        self._revision = revision
        self._service_seconds = service_ms / 1000
        self._fault = Fault(kind="none")
        self._fault_debt = 0.0
        if restore:
            for order, answer in self._control.restore():
                if order.subject in site.endpoints:
                    site.resize(order.subject, answer["granted"], time.monotonic())

    async def handle(self, request: Request) -> Response:
        """Answer one request."""
        match request.method, request.segments:
            case "POST", ("v1", "infer"):
                return await self._infer(request)
            case "GET", ("healthz",):
                ill = self._fault.kind == "errors"
                return Response(503 if ill else 200, {"region": self._region, "ok": not ill})
            case "GET", ("status",):
                return Response(200, self._status())
            case "POST", ("admin", "scale"):
                return self._scale(request.parse(Scale))
            case "POST", ("admin", "fault"):
                return self._set_fault(request.parse(Fault))
        raise Refusal(404, "see the head of crosswind.world.server for what is served here")

    async def _infer(self, request: Request) -> Response:
        asked = request.parse(Inference)
        endpoint = self._endpoint(asked.workload)
        if not endpoint.admit(now := time.monotonic()):
            return Response(
                503,
                {
                    "error": "over capacity",
                    "region": self._region,
                    "capacity": endpoint.capacity(now),
                },
                {"retry-after": str(max(1, math.ceil(min(endpoint.wait(now), MAX_RETRY_AFTER))))},
            )
        seconds = self._service_seconds
        if self._struck(asked.workload):
            if self._fault.kind == "grey":
                await self._hang(request)
            if self._fault.kind == "errors":
                await asyncio.sleep(seconds)
                raise Refusal(500, "the model failed", region=self._region)
            seconds += self._fault.ms / 1000
        await asyncio.sleep(seconds)
        return Response(
            200,
            {
                "region": self._region,
                "revision": self._revision,
                "workload": asked.workload,
                "tokens": 8 + math.ceil(len(asked.prompt) / 4),
            },
        )

    def _struck(self, workload: str) -> bool:
        """Whether the fault hits this request: every 1/share-th, by count and not by chance."""
        fault = self._fault
        if fault.kind == "none" or fault.workload not in (None, workload):
            return False
        self._fault_debt += fault.share
        if self._fault_debt < 1 - 1e-9:
            return False
        self._fault_debt -= 1
        return True

    async def _hang(self, request: Request) -> None:
        end = time.monotonic() + HANG_SECONDS
        while time.monotonic() < end and not request.abandoned():
            await asyncio.sleep(0.1)
        raise Refusal(504, "held without an answer", region=self._region)

    def _status(self) -> Mapping[str, Any]:
        now = time.monotonic()
        return {
            "region": self._region,
            "revision": self._revision,
            "quota": self._site.quota,
            "fault": self._fault.kind,
            "workloads": {
                workload: {
                    "replicas": len(endpoint.replicas),
                    "ready": endpoint.replicas.ready(now),
                    "starting": endpoint.replicas.starting(now),
                    "epoch": self._control.epoch(CALL_SCALE, workload),
                    "capacity": endpoint.capacity(now),
                    "load": round(endpoint.load(now), 2),
                }
                for workload, endpoint in self._site.endpoints.items()
            },
        }

    def _scale(self, asked: Scale) -> Response:
        order = Order(
            CALL_SCALE, asked.workload, asked.key, asked.epoch, {"replicas": asked.replicas}
        )
        try:
            replicas = self._endpoint(asked.workload).replicas
        except Refusal as refusal:
            self._control.refuse(order, str(refusal))
            raise

        def decide() -> Mapping[str, Any]:
            grant = self._site.decide(asked.workload, asked.replicas)
            ready = min(grant.granted, replicas.ready(time.monotonic()))
            return {
                "requested": grant.requested,
                "granted": grant.granted,
                "starting": grant.granted - ready,
                "reason": grant.reason,
            }

        outcome = self._control.carry_out(
            order,
            decide,
            lambda answer: self._site.resize(asked.workload, answer["granted"], time.monotonic()),
        )
        if outcome.answer is None:
            raise Refusal(
                409 if outcome.stale else 422,
                outcome.reason,
                epoch=outcome.epoch,
                replicas=len(replicas),
                ready=replicas.ready(time.monotonic()),
            )
        return Response(200, {**outcome.answer, "epoch": outcome.epoch, "effect": outcome.effect})

    def _set_fault(self, fault: Fault) -> Response:
        if fault.workload is not None:
            self._endpoint(fault.workload)
        self._log.record("fault", Effect.APPLIED, fault.model_dump())
        self._fault, self._fault_debt = fault, 0.0
        return Response(200, fault.model_dump())

    def _endpoint(self, workload: str) -> Endpoint:
        try:
            return self._site.endpoints[workload]
        except KeyError:
            served = ", ".join(self._site.endpoints)
            raise Refusal(404, f"{self._region} serves {served}, not {workload!r}") from None


def parse_workload(text: str) -> tuple[str, int | None]:
    """An argparse type: NAME or NAME=REPLICAS."""
    name, equals, count = text.rpartition("=")
    if not equals:
        name, count = text, ""
    if not 1 <= len(name) <= 128:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME or NAME=REPLICAS")
    return name, lifetime.whole(0, 100_000)(count) if equals else None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="crosswind.world.server", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    add, whole, number = parser.add_argument, lifetime.whole, lifetime.number
    add("--region", required=True, help="such as aws/us-east-1")
    add("--port", type=whole(0, 65_535), default=0, help="0 for any free one")
    add(
        "--workload",
        type=parse_workload,
        action="append",
        required=True,
        metavar="NAME[=REPLICAS]",
        help="a workload served here; may be given again",
    )
    add("--replicas", type=whole(0, 100_000), default=4, help="where a workload names none")
    add("--quota", type=whole(0, 100_000), default=12, help="replicas granted in total")
    add("--rate", type=number(0.1, 10_000), default=50.0, help="requests/s of a replica")
    add("--service-ms", type=number(0, 60_000), default=10.0, help="of one inference")
    add("--start-seconds", type=number(0, 3600), default=0.5, help="until a new replica serves")
    add("--revision", default="r1", help="of the model")
    add("--log", type=Path, required=True, help="the control log (JSON lines)")
    add("--restore", action="store_true", help="go on from the control log; replicas start anew")
    lifetime.add_arguments(parser)
    return parser


def _site(options: argparse.Namespace) -> Site:
    workloads: Mapping[str, int] = {
        name: options.replicas if count is None else count for name, count in options.workload
    }
    now = time.monotonic()
    return Site(
        workloads,
        quota=options.quota,
        rate=options.rate,
        ready_at=now + options.start_seconds if options.restore else now,
        start_seconds=options.start_seconds,
    )


async def _run(options: argparse.Namespace, site: Site) -> None:
    life = lifetime.Lifetime(options.parent, options.max_seconds)
    log = ControlLog(options.log)
    server = ModelServer(
        options.region,
        site,
        log,
        revision=options.revision,
        service_ms=options.service_ms,
        restore=options.restore,
    )
    service = Service(server.handle, options.port)
    lifetime.announce(options.announce, await service.start())
    try:
        logging.info("stops: %s", await life.over())
    finally:
        await service.stop()
        log.close()


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the server until it is told to stop."""
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        site = _site(options)
    except ValueError as error:
        parser.error(f"{options.region}: {error}; raise --quota or ask for fewer replicas")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stderr)
    try:
        asyncio.run(_run(options, site))
    except OSError as error:
        parser.exit(1, f"{parser.prog} for {options.region}: {error}\n")


if __name__ == "__main__":
    main()
