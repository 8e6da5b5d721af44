"""The official Pub/Sub SDK against the emulator, which runs in this process."""

from collections.abc import Iterator

import pytest

from local.pubsub.desk import Desk


@pytest.fixture
def desk(pubsub_project: str) -> Iterator[Desk]:
    """Clients of the session's emulator, in a project of this test."""
    with Desk(pubsub_project) as desk:
        yield desk
