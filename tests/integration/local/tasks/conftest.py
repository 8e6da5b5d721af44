"""The official Cloud Tasks SDK against an emulator of each test's own, and a worker for it."""

from collections.abc import Iterator

import pytest

from integration.local.tasks.desk import Desk
from local.tasks.desk import Worker


@pytest.fixture
def desk() -> Iterator[Desk]:
    """A client, an emulator, and a clock that the test moves."""
    with Desk() as desk:
        yield desk


@pytest.fixture
def worker() -> Iterator[Worker]:
    """A real HTTP server that carries tasks out."""
    worker = Worker()
    yield worker
    worker.stop()
