"""The official Pub/Sub SDK against the emulator, which runs in this process."""

from collections.abc import Iterator

import pytest

from crosswind_local import ManualClock
from crosswind_local.pubsub import PubSubEmulator
from integration.local.desk import Desk


@pytest.fixture
def desk(local_pubsub: PubSubEmulator, pubsub_project: str) -> Iterator[Desk]:
    """Clients of the session's emulator, in a project of this test."""
    with Desk(pubsub_project) as desk:
        yield desk


@pytest.fixture
def clock() -> ManualClock:
    """The time of `timed`, which stands still."""
    return ManualClock()


@pytest.fixture
def timed(clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """Clients of an emulator of this test's own, whose time the test moves."""
    with PubSubEmulator(clock=clock) as pubsub:
        for name, value in pubsub.env.items():
            monkeypatch.setenv(name, value)
        with Desk("timed-project") as desk:
            yield desk
