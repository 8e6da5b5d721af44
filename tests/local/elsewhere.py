"""Where the conformance suite is pointed: at our emulators, unless the environment says otherwise.

`docs/local-cloud.md` tells the variables. What a test needs beyond the official SDK it names with
`@pytest.mark.needs(...)`; where the endpoint does not have it, the test is deselected and the end
of the run says so. Against our own emulators nothing is ever left out.
"""

import os
import re
import time
from collections.abc import Callable, Mapping
from typing import Literal, Protocol

import pytest

Service = Literal["pubsub", "firestore", "tasks", "servicebus", "azurite"]

VARIABLES: Mapping[Service, str] = {
    "pubsub": "CROSSWIND_TEST_PUBSUB",
    "firestore": "CROSSWIND_TEST_FIRESTORE",
    "tasks": "CROSSWIND_TEST_TASKS",
    "servicebus": "CROSSWIND_TEST_SERVICEBUS",
    "azurite": "CROSSWIND_TEST_STORAGE",
}
"""The variable that points the tests of each folder elsewhere."""

HOSTS: Mapping[Service, str] = {
    "pubsub": "PUBSUB_EMULATOR_HOST",
    "firestore": "FIRESTORE_EMULATOR_HOST",
    "tasks": "CLOUD_TASKS_EMULATOR_HOST",
}
"""Where an endpoint that is not the service itself listens."""

ENDPOINT = "endpoint"
"""Said of a service of Google: another emulator, which the variable of `HOSTS` names."""

NEEDS = {
    "clock": "time is moved on by more than a test may wait for",
    "inside": "it looks into our emulator",
    "refusal": "only our emulator lacks what it asks for",
    "neighbour": "the service would have to reach a server on this machine",
    "prepared": "it needs an index or a database that somebody has made before",
    "paths": "the account is a path of the address and its key the well-known one",
}
"""What a test may need, and why it is left out where there is no such thing."""


class Time(Protocol):
    """The time of a service, which a test lets pass."""

    def now(self) -> float:
        """Seconds since 1970."""

    def advance(self, seconds: float) -> None:
        """Let so many seconds pass."""


class RealTime:
    """Time that passes by itself, for it cannot be moved elsewhere."""

    def now(self) -> float:
        """Seconds since 1970."""
        return time.time()

    def advance(self, seconds: float) -> None:
        """Wait for so many seconds."""
        time.sleep(seconds)


def pointed(service: Service) -> str | None:
    """What the environment says of a service; None where our own emulator is meant."""
    return os.environ.get(VARIABLES[service]) or None


def lacking(service: Service) -> frozenset[str]:
    """The needs that are not met where a service is pointed to."""
    where = pointed(service)
    if where is None:
        return frozenset()
    of_ours = {"clock", "inside", "refusal"}
    if where == ENDPOINT or (service == "azurite" and "127.0.0.1" in where):
        return frozenset(of_ours)
    return frozenset(of_ours | {"neighbour", "prepared", "paths"})


def faults() -> list[str]:
    """What is wrong with the variables, each with what to do."""
    return [
        fault
        for service in VARIABLES
        if (where := pointed(service)) is not None and (fault := _fault(service, where)) is not None
    ]


def _fault(service: Service, where: str) -> str | None:
    variable = VARIABLES[service]
    if service not in HOSTS:
        return None if "=" in where else f"{variable} is no connection string"
    if where == ENDPOINT:
        host = HOSTS[service]
        return None if os.environ.get(host) else f"{variable}=endpoint needs {host}=HOST:PORT"
    if service == "tasks":
        place = "projects/PROJECT/locations/LOCATION"
        known = re.fullmatch(r"projects/[^/]+/locations/[^/]+", where)
        return None if known else f"{variable} is {where!r}; it is endpoint or {place}"
    if where != "project":
        return f"{variable} is {where!r}; it is endpoint or project"
    project = "GOOGLE_CLOUD_PROJECT"
    return None if os.environ.get(project) else f"{variable}=project needs {project}"


Refused = Callable[[type[Exception], str], pytest.RaisesExc[Exception]]


def refusals(service: Service) -> Refused:
    """`pytest.raises` for a service.

    The error is documented; its words are not, so they are compared with our emulator's only.
    """

    def refused(kind: type[Exception], words: str) -> pytest.RaisesExc[Exception]:
        return pytest.raises(kind, match=words if pointed(service) is None else None)

    return refused
