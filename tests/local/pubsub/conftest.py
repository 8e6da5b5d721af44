"""The official Pub/Sub SDK against the emulator, or against what the environment names.

`CROSSWIND_TEST_PUBSUB` points the tests elsewhere, in real time:

    CROSSWIND_TEST_PUBSUB=endpoint PUBSUB_EMULATOR_HOST=127.0.0.1:8085 pytest tests/local/pubsub
    CROSSWIND_TEST_PUBSUB=project  GOOGLE_CLOUD_PROJECT=sandbox        pytest tests/local/pubsub
"""

import os
from collections.abc import Iterator

import pytest

from crosswind_local import ManualClock
from crosswind_local.pubsub import PubSubEmulator
from local.elsewhere import RealTime, Time, pointed
from local.pubsub.desk import Desk


@pytest.fixture
def project(request: pytest.FixtureRequest) -> str:
    """The project of the test: its own in our emulator, else the one that the environment names."""
    if pointed("pubsub") is None:
        return str(request.getfixturevalue("pubsub_project"))
    return os.environ.get("GOOGLE_CLOUD_PROJECT", "conformance-project")


@pytest.fixture
def desk(project: str) -> Iterator[Desk]:
    """Clients of the service; what they make is removed."""
    with Desk(project) as desk:
        yield desk


@pytest.fixture
def clock() -> Time:
    """The time of `timed`: it stands still, or elsewhere passes by itself."""
    return ManualClock() if pointed("pubsub") is None else RealTime()


@pytest.fixture
def timed(
    request: pytest.FixtureRequest, clock: Time, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Desk]:
    """Clients of a service whose time the test lets pass: an emulator of its own, or elsewhere."""
    if not isinstance(clock, ManualClock):
        yield request.getfixturevalue("desk")
        return
    with PubSubEmulator(clock=clock) as pubsub:
        for name, value in pubsub.env.items():
            monkeypatch.setenv(name, value)
        with Desk("timed-project") as desk:
            yield desk
