"""The official Firestore SDK against the emulator, or against what the environment names.

`CROSSWIND_TEST_FIRESTORE` points the conformance tests elsewhere, in real time:

    CROSSWIND_TEST_FIRESTORE=endpoint FIRESTORE_EMULATOR_HOST=127.0.0.1:8080 pytest ...
    CROSSWIND_TEST_FIRESTORE=project  GOOGLE_CLOUD_PROJECT=sandbox pytest ...
"""

import itertools
import os
from collections.abc import Iterator

import pytest

from crosswind_local import ManualClock
from crosswind_local.firestore import FirestoreEmulator
from integration.local.firestore.desk import Desk

_NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def session_firestore() -> Iterator[FirestoreEmulator]:
    """One emulator for all tests that need no clock of their own."""
    with FirestoreEmulator() as firestore:
        yield firestore


@pytest.fixture
def desk(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """A client in a project of this test, or in the one that the environment names."""
    elsewhere = os.environ.get("CROSSWIND_TEST_FIRESTORE")
    if elsewhere == "project":
        with Desk(os.environ["GOOGLE_CLOUD_PROJECT"]) as desk:
            yield desk
        return
    emulator: FirestoreEmulator | None = None
    if elsewhere == "endpoint":
        assert "FIRESTORE_EMULATOR_HOST" in os.environ, "set FIRESTORE_EMULATOR_HOST=HOST:PORT"
    else:
        emulator = request.getfixturevalue("session_firestore")
        assert emulator is not None
        for name, value in emulator.env.items():
            monkeypatch.setenv(name, value)
    with Desk(f"test-project-{next(_NUMBERS)}", emulator) as desk:
        yield desk


@pytest.fixture
def clock() -> ManualClock:
    """The time of `timed`, which stands still."""
    return ManualClock()


@pytest.fixture
def timed(clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """A client of an emulator of this test's own, whose time the test moves."""
    emulator = FirestoreEmulator(clock=clock, ttl={"sessions": "expires", "jobs": "`a b`.until"})
    with emulator as firestore:
        for name, value in firestore.env.items():
            monkeypatch.setenv(name, value)
        with Desk("timed-project", emulator) as desk:
            yield desk
