"""The official Service Bus SDK against the emulator, or against what the environment names.

`CROSSWIND_TEST_SERVICEBUS` is a connection string of a namespace, or of the official emulator,
that has the entities of `tests/fixtures/servicebus/conformance.json`; then the conformance tests
run there, in real time.
"""

import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from crosswind_local import ManualClock
from crosswind_local.servicebus import ServiceBusEmulator
from integration.local.servicebus.desk import Desk

ENTITIES = Path(__file__).parents[3] / "fixtures" / "servicebus" / "conformance.json"


CLOSING = 4
"""Desks that are closed at a time; each takes the SDK a second, in which it sleeps."""


@pytest.fixture(scope="session")
def closing() -> Iterator[Callable[[ExitStack], None]]:
    """Closes what a test has used while the next one runs; what goes wrong is told at the end."""
    closed: list[Future[None]] = []
    with ThreadPoolExecutor(CLOSING) as executor:
        yield lambda stack: closed.append(executor.submit(stack.close))
    for one in closed:
        one.result()


@pytest.fixture
def desk(closing: Callable[[ExitStack], None]) -> Iterator[Desk]:
    """Clients of a Service Bus with the entities of the conformance tests, all of them empty."""
    elsewhere = os.environ.get("CROSSWIND_TEST_SERVICEBUS")
    if elsewhere is not None:
        with Desk(elsewhere) as desk:
            desk.purge()
            yield desk
        return
    # Ahead of real time, or else the SDK, which looks at its own clock, takes locks for lost.
    clock = ManualClock(time.time() + 3600)
    with ExitStack() as stack:
        servicebus = stack.enter_context(ServiceBusEmulator(config=ENTITIES, clock=clock))
        yield stack.enter_context(Desk(servicebus.connection_string, clock))
        closing(stack.pop_all())
