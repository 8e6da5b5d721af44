"""TTL policies: documents go once their time has come.

https://cloud.google.com/firestore/docs/ttl
"""

import datetime as dt

import pytest
from google.cloud import firestore

from crosswind_local import ManualClock
from crosswind_local.firestore import FirestoreEmulator
from local.firestore.desk import Desk, ids, transactional


def after(clock: ManualClock, seconds: float) -> dt.datetime:
    return dt.datetime.fromtimestamp(clock.now() + seconds, dt.UTC)


def test_a_document_goes_when_its_time_has_come(timed: Desk, clock: ManualClock) -> None:
    sessions = timed.client.collection("sessions")
    sessions.document("short").set({"expires": after(clock, 60)})
    sessions.document("long").set({"expires": after(clock, 7200)})
    sessions.document("never").set({"expires": "a word"})
    sessions.document("unset").set({})
    inner = timed.client.collection("users").document("ann").collection("sessions")
    inner.document("inner").set({"expires": after(clock, 60)})
    timed.client.collection("other").document("x").set({"expires": after(clock, 60)})
    clock.advance(59)
    assert len(ids(sessions.stream())) == 4
    clock.advance(1)
    assert ids(sessions.stream()) == ["long", "never", "unset"]
    assert ids(inner.stream()) == []
    assert ids(timed.client.collection("other").stream()) == ["x"]


def test_the_last_time_that_was_set_counts(timed: Desk, clock: ManualClock) -> None:
    sessions = timed.client.collection("sessions")
    later, sooner, kept = (sessions.document(name) for name in ("later", "sooner", "kept"))
    later.set({"expires": after(clock, 60)})
    later.update({"expires": after(clock, 120)})
    sooner.set({"expires": after(clock, 120)})
    sooner.update({"expires": after(clock, 60)})
    kept.set({"expires": after(clock, 60)})
    kept.update({"expires": firestore.DELETE_FIELD})
    clock.advance(60)
    assert ids(sessions.stream()) == ["kept", "later"]
    clock.advance(60)
    assert ids(sessions.stream()) == ["kept"]


def test_what_is_set_in_the_past_goes_with_the_next_moment(timed: Desk, clock: ManualClock) -> None:
    jobs = timed.client.collection("jobs")
    jobs.document("old").set({"a b": {"until": after(clock, -60)}})
    clock.advance(0)
    assert ids(jobs.stream()) == []


def test_a_deletion_is_of_its_moment_and_the_past_stays(timed: Desk, clock: ManualClock) -> None:
    session = timed.client.collection("sessions").document("s")
    session.set({"expires": after(clock, 60)})
    then = session.get().read_time
    clock.advance(60)
    assert not session.get().exists
    assert session.get(read_time=then).exists


def test_a_locked_document_goes_once_it_is_free(timed: Desk, clock: ManualClock) -> None:
    session = timed.client.collection("sessions").document("s")
    session.set({"expires": after(clock, 10)})

    @transactional
    def keep(transaction: firestore.Transaction) -> None:
        assert session.get(transaction=transaction).exists
        clock.advance(20)
        assert session.get().exists

    keep(timed.client.transaction())
    clock.advance(1)
    assert not session.get().exists


def test_deletion_may_be_as_late_as_the_service_allows_itself(
    clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = FirestoreEmulator(clock=clock, ttl={"sessions": "expires"}, ttl_delay=86_400)
    with late as emulator:
        monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", emulator.address)
        with Desk("late-project") as desk:
            session = desk.client.collection("sessions").document("s")
            session.set({"expires": after(clock, 60)})
            clock.advance(86_400)
            assert session.get().exists
            clock.advance(60)
            assert not session.get().exists


def test_in_real_time_too(monkeypatch: pytest.MonkeyPatch) -> None:
    with FirestoreEmulator(ttl={"sessions": "expires"}) as emulator:
        monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", emulator.address)
        with Desk("real-project") as desk:
            session = desk.client.collection("sessions").document("s")
            soon = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=0.2)
            session.set({"expires": soon})
            while session.get().exists:
                assert dt.datetime.now(dt.UTC) < soon + dt.timedelta(seconds=5)
            assert dt.datetime.now(dt.UTC) >= soon
