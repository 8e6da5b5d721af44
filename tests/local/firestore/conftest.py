"""The official Firestore SDK against the emulator, or against what the environment names.

`CROSSWIND_TEST_FIRESTORE` points the tests elsewhere, in real time:

    CROSSWIND_TEST_FIRESTORE=endpoint FIRESTORE_EMULATOR_HOST=127.0.0.1:8080 pytest ...
    CROSSWIND_TEST_FIRESTORE=project  GOOGLE_CLOUD_PROJECT=sandbox           pytest ...
"""

import os
from collections.abc import Iterator

import pytest

from crosswind_local import ManualClock
from crosswind_local.firestore import FirestoreEmulator
from local.elsewhere import RealTime, Time, pointed
from local.firestore.desk import Desk


@pytest.fixture
def desk(request: pytest.FixtureRequest) -> Iterator[Desk]:
    """A client in a project of this test, or in the one that the environment names."""
    if pointed("firestore") is None:
        project = request.getfixturevalue("firestore_project")
        emulator = request.getfixturevalue("local_firestore")
    else:
        project, emulator = os.environ.get("GOOGLE_CLOUD_PROJECT", "conformance-project"), None
    with Desk(project, emulator) as desk:
        yield desk


@pytest.fixture
def clock() -> Time:
    """The time of `timed`: it stands still, or elsewhere passes by itself."""
    return ManualClock() if pointed("firestore") is None else RealTime()


@pytest.fixture
def timed(
    request: pytest.FixtureRequest, clock: Time, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Desk]:
    """A client of a service whose time the test lets pass: an emulator of its own, or elsewhere."""
    if not isinstance(clock, ManualClock):
        yield request.getfixturevalue("desk")
        return
    with FirestoreEmulator(clock=clock) as emulator:
        for name, value in emulator.env.items():
            monkeypatch.setenv(name, value)
        with Desk("timed-project", emulator) as desk:
            yield desk
