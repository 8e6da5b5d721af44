"""The emulator itself: clients of the session's, and of one whose time and policies a test has."""

from collections.abc import Iterator

import pytest

from crosswind_local import ManualClock
from crosswind_local.firestore import FirestoreEmulator
from local.firestore.desk import Desk


@pytest.fixture
def desk(firestore_project: str, local_firestore: FirestoreEmulator) -> Iterator[Desk]:
    """A client of the session's emulator, in a project of this test."""
    with Desk(firestore_project, local_firestore) as desk:
        yield desk


@pytest.fixture
def clock() -> ManualClock:
    """The time of `timed`, which stands still."""
    return ManualClock()


@pytest.fixture
def timed(clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """A client of an emulator of this test's own, with policies, whose time the test moves."""
    emulator = FirestoreEmulator(clock=clock, ttl={"sessions": "expires", "jobs": "`a b`.until"})
    with emulator as firestore:
        for name, value in firestore.env.items():
            monkeypatch.setenv(name, value)
        with Desk("timed-project", emulator) as desk:
            yield desk
