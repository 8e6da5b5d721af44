"""Sessions: who holds one, how it is lost, what is kept for it."""

import pytest

from crosswind_local import ManualClock
from crosswind_local.servicebus.conditions import Refused
from crosswind_local.servicebus.namespace import Namespace
from crosswind_local.servicebus.queues import Queue
from crosswind_local.servicebus.settings import (
    QueueSettings,
)
from unit.local.servicebus_inbox import Inbox
from unit.local.servicebus_messages import named


def sessions(namespace: Namespace) -> Queue:
    settings = QueueSettings(requires_session=True, lock_duration=30, max_delivery_count=3)
    return namespace.add_queue("sessions", settings)


def test_a_session_is_received_in_order_by_one_receiver_at_a_time(namespace: Namespace) -> None:
    queue = sessions(namespace)
    queue.send([*named("a1", "a2", session="a"), *named("b1", session="b")])
    first = Inbox(queue).join_session(None)
    second = Inbox(queue).join_session(None)
    assert (first.texts(), second.texts()) == (["a1", "a2"], ["b1"])
    with pytest.raises(Refused, match="session-cannot-be-locked"):
        Inbox(queue).join_session("a")
    queue.send(named("a3", session="a"))
    assert first.texts() == ["a1", "a2", "a3"]


def test_a_receiver_waits_for_the_next_session_but_not_for_ever(
    namespace: Namespace, clock: ManualClock
) -> None:
    queue = sessions(namespace)
    patient, hasty = Inbox(queue).join_session(None, 60), Inbox(queue).join_session(None, 5)
    clock.advance(5)
    assert hasty.refused is not None
    assert hasty.refused.condition == "com.microsoft:timeout"
    queue.send(named("1", session="a"))
    assert patient.texts() == ["1"]
    clock.advance(20)
    assert patient.refused is None


def test_a_session_can_be_held_before_it_has_messages(namespace: Namespace) -> None:
    queue = sessions(namespace)
    inbox = Inbox(queue).join_session("a")
    queue.send([*named("b1", session="b"), *named("a1", session="a")])
    assert inbox.texts() == ["a1"]


def test_a_session_that_is_lost_counts_against_its_messages(
    namespace: Namespace, clock: ManualClock
) -> None:
    queue = sessions(namespace)
    queue.send(named("1", session="a"))
    first = Inbox(queue).join_session(None)
    waiting = Inbox(queue).join_session(None)
    clock.advance(30)
    assert first.refused is not None
    assert first.refused.condition == "com.microsoft:session-lock-lost"
    assert waiting.texts() == ["1"]
    assert waiting.entries[0].failures == 1
    with pytest.raises(Refused, match="session-lock-lost"):
        queue.backlog.complete(first.locks[0].token, clock.now())


def test_a_session_that_is_closed_does_not_count_against_its_messages(
    namespace: Namespace,
) -> None:
    queue = sessions(namespace)
    queue.send(named("1", session="a"))
    Inbox(queue).join_session(None).leave()
    again = Inbox(queue).join_session("a")
    assert again.texts() == ["1"]
    assert again.entries[0].failures == 0


def test_a_session_that_is_renewed_is_kept(namespace: Namespace, clock: ManualClock) -> None:
    queue = sessions(namespace)
    inbox = Inbox(queue).join_session("a")
    assert inbox.session is not None
    for _ in range(5):
        clock.advance(20)
        queue.backlog.sessions.renew(inbox.session, clock.now())
        queue.stir()
    assert inbox.refused is None
    clock.advance(30)
    assert inbox.refused is not None


def test_the_state_of_a_session_outlives_its_messages_and_counts_as_memory(
    namespace: Namespace, clock: ManualClock
) -> None:
    queue = sessions(namespace)
    backlog, now = queue.backlog, clock.now()
    backlog.set_session_state("a", b"12345", now)
    queue.send(named("1", session="b"))
    assert backlog.sessions.listed(None) == ["a", "b"]
    assert backlog.sessions.listed(now - 1) == ["a"]
    assert backlog.sessions.listed(now) == []
    Inbox(queue, deletes=True).join_session("b").leave()
    assert backlog.size == namespace.memory.used == 5
    backlog.set_session_state("a", None, now)
    assert backlog.sessions.state("a") is None
    assert namespace.memory.used == 0
    with pytest.raises(Refused, match="message-size-exceeded"):
        backlog.set_session_state("a", b"x" * 262_145, now)


def test_a_session_whose_messages_are_all_locked_is_listed(namespace: Namespace) -> None:
    queue = sessions(namespace)
    queue.send(named("1", session="a"))
    Inbox(queue).join_session("a")
    assert queue.backlog.sessions.listed(None) == ["a"]
