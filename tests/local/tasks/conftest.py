"""The official Cloud Tasks SDK against the emulator, or against what the environment names.

`CROSSWIND_TEST_TASKS` points the tests elsewhere:

    CROSSWIND_TEST_TASKS=endpoint CLOUD_TASKS_EMULATOR_HOST=127.0.0.1:8123 pytest ...
    CROSSWIND_TEST_TASKS=projects/PROJECT/locations/LOCATION pytest ...

Each test makes queues of its own and removes them.
"""

import os
from collections.abc import Iterator

import grpc
import pytest
from google.cloud import tasks_v2

from local.elsewhere import ENDPOINT, pointed
from local.tasks.desk import Office, Worker, client_of


@pytest.fixture
def office(request: pytest.FixtureRequest) -> Iterator[Office]:
    """A client of the service, and a location."""
    where = pointed("tasks")
    location = "projects/conformance-project/locations/us-central1"
    if where is not None and where != ENDPOINT:
        office = Office(tasks_v2.CloudTasksClient(), where)
        yield office
        office.remove()
        return
    if where is None:
        location = request.getfixturevalue("tasks_location")
    with grpc.insecure_channel(os.environ["CLOUD_TASKS_EMULATOR_HOST"]) as channel:
        office = Office(client_of(channel), location)
        yield office
        office.remove()


@pytest.fixture
def worker() -> Iterator[Worker]:
    """A real HTTP server that carries tasks out."""
    worker = Worker()
    yield worker
    worker.stop()
