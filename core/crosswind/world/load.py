"""Callers of a workload: a process that asks at a constant rate and records every answer.

    python -m crosswind.world.load --proxy 8000 --workload chat --rate 50 --log answers.jsonl

Open loop: a request goes out when it is due, however slow the answers to earlier ones are, and
its latency counts from that moment. Each answer is one JSON line {at, status, region, ms},
written as soon as it is known; `answers` reads them.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import sys
import time
from collections.abc import Sequence
from io import FileIO
from pathlib import Path

from crosswind.world import lifetime
from crosswind.world.answers import Answer
from crosswind.world.upstream import NoAnswer, Upstream


class Callers:
    """Sends one workload's requests and records the answers.

    At most rate x timeout requests are under way at once, which bounds memory.

    Args:
        upstream: the proxy.
        timeout: seconds that a caller waits for an answer.
        log: an unbuffered file.
    """

    def __init__(self, upstream: Upstream, workload: str, timeout: float, log: FileIO) -> None:
        self._upstream = upstream
        self._body = json.dumps(
            {"workload": workload, "prompt": "Which way does it blow?"}
        ).encode()
        self._timeout = timeout
        self._log = log
        # One reading of the wall clock: an adjustment of it must not bend latencies.
        self._wall_offset = time.time() - time.monotonic()

    async def run(self, rate: float, seconds: float, stop: asyncio.Event) -> None:
        """Ask for so many seconds, or until told to stop; then wait for the last answers."""
        begun = time.monotonic()
        async with asyncio.TaskGroup() as asking:
            for number in range(int(rate * seconds)):
                due = begun + number / rate
                if await _stopped_before(due, stop):
                    break
                asking.create_task(self._ask(due))

    async def _ask(self, due: float) -> None:
        status, region = 0, None
        try:
            reply = await self._upstream.exchange("POST", "/v1/infer", self._body, self._timeout)
        except (NoAnswer, TimeoutError) as error:
            logging.debug("no answer: %r", error)
        else:
            status, region = reply.status, reply.headers.get("x-region")
        ms = round((time.monotonic() - due) * 1000, 2)
        answer = Answer(round(due + self._wall_offset, 6), status, region, ms)
        self._log.write(json.dumps(answer._asdict(), separators=(",", ":")).encode() + b"\n")


async def _stopped_before(due: float, stop: asyncio.Event) -> bool:
    """Wait until a request is due; True where the callers were stopped before."""
    wait = due - time.monotonic()
    if wait <= 0:
        return stop.is_set()
    try:
        async with asyncio.timeout(wait):
            await stop.wait()
    except TimeoutError:
        return False
    return True


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="crosswind.world.load", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    add, whole, number = parser.add_argument, lifetime.whole, lifetime.number
    add("--proxy", type=whole(1, 65_535), required=True, metavar="PORT", help="of the proxy")
    add("--workload", required=True)
    add("--rate", type=number(0.1, 2000), default=50.0, help="requests a second")
    add("--seconds", type=number(0.1, 3600), default=600.0, help="how long to ask")
    add("--timeout", type=number(0.05, 60), default=5.0, help="seconds to wait for an answer")
    add("--log", type=Path, required=True, help="the answers (JSON lines)")
    lifetime.add_arguments(parser)
    return parser


async def _run(options: argparse.Namespace) -> None:
    life = lifetime.Lifetime(options.parent, options.max_seconds)
    stop = asyncio.Event()
    upstream = Upstream(options.proxy)
    with options.log.open("ab", buffering=0) as log:
        callers = Callers(upstream, options.workload, options.timeout, log)
        asking = asyncio.create_task(callers.run(options.rate, options.seconds, stop))
        telling = asyncio.create_task(life.over())
        lifetime.announce(options.announce, None)
        try:
            await asyncio.wait({asking, telling}, return_when=asyncio.FIRST_COMPLETED)
            stop.set()
            await asking
        finally:
            telling.cancel()
            upstream.close()


def main(arguments: Sequence[str] | None = None) -> None:
    """Ask until told to stop."""
    parser = _parser()
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stderr)
    try:
        asyncio.run(_run(options))
    except OSError as error:
        parser.exit(1, f"{parser.prog}: {error}\n")


if __name__ == "__main__":
    main()
