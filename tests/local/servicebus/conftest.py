"""The official Service Bus SDK against the emulator, or against what the environment names.

`CROSSWIND_TEST_SERVICEBUS` is a connection string; then the tests run there, in real time. An
emulator (`UseDevelopmentEmulator=true`) must have the entities of
`tests/fixtures/servicebus/conformance.json`; in a namespace they are made, and removed again.
"""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from crosswind_local import ManualClock
from crosswind_local.servicebus import ServiceBusEmulator
from local.elsewhere import pointed
from local.servicebus.desk import Desk
from local.servicebus.estate import ENTITIES, made

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


@pytest.fixture(scope="session")
def prefix() -> Iterator[str]:
    """What the names of the entities begin with where they are not our emulator's."""
    where = pointed("servicebus")
    if where is None or "UseDevelopmentEmulator=true" in where:
        yield ""
        return
    with made(where) as prefix:
        yield prefix


@pytest.fixture(scope="session")
def janitor(prefix: str) -> Iterator[Desk | None]:
    """A desk that empties the entities of a service that all tests share."""
    where = pointed("servicebus")
    if where is None:
        yield None
        return
    with Desk(where, prefix=prefix) as desk:
        yield desk


@pytest.fixture
def desk(closing: Callable[[ExitStack], None], prefix: str, janitor: Desk | None) -> Iterator[Desk]:
    """Clients of a Service Bus with the entities of the conformance tests, all of them empty."""
    elsewhere = pointed("servicebus")
    if elsewhere is not None and janitor is not None:
        janitor.purge()
        with Desk(elsewhere, prefix=prefix) as desk:
            yield desk
        return
    # Ahead of real time, or else the SDK, which looks at its own clock, takes locks for lost.
    clock = ManualClock(time.time() + 3600)
    with ExitStack() as stack:
        servicebus = stack.enter_context(ServiceBusEmulator(config=ENTITIES, clock=clock))
        yield stack.enter_context(Desk(servicebus.connection_string, clock))
        closing(stack.pop_all())
