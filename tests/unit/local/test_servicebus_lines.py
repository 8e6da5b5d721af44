"""Lines, numbers and sessions when much of what they hold has gone."""

import pytest

from crosswind_local.memory import Memory
from crosswind_local.servicebus.backlog import Backlog, DeadLetter
from crosswind_local.servicebus.conditions import Refused
from crosswind_local.servicebus.entries import Entry, Line
from crosswind_local.servicebus.sequence import SequenceNumbers
from crosswind_local.servicebus.settings import SubscriptionSettings
from unit.local.servicebus_messages import message


def test_a_line_keeps_its_order_when_most_of_it_expires() -> None:
    line = Line()
    entries = [Entry(number, message(), 0, "") for number in range(300)]
    for entry in entries[100:]:
        line.add(entry)
    for entry in reversed(entries[:100]):
        line.add(entry)  # These come back, and so go into the heap.
    for entry in entries:
        if entry.number % 10:
            line.drop(entry)
    taken = []
    while (first := line.take()) is not None:
        taken.append(first.number)
    assert taken == list(range(0, 300, 10))


def test_numbers_are_found_in_order_when_most_of_them_have_gone() -> None:
    numbers = SequenceNumbers()
    given = [numbers.next() for _ in range(1_000)]
    for number in given:
        if number % 100:
            numbers.remove(number)
    assert list(numbers.since(250)) == list(range(300, 1_001, 100))
    assert numbers.next() == 1_001


def test_a_number_from_elsewhere_is_kept_unless_it_is_taken() -> None:
    numbers = SequenceNumbers()
    assert [numbers.insert(number) for number in (5, 3, 9, 5)] == [5, 3, 9, 10]
    assert list(numbers.since(0)) == [3, 5, 9, 10]
    assert numbers.next() == 11


def test_a_backlog_that_is_cleared_holds_nothing_and_nobody() -> None:
    memory, lost, dead = Memory(), [], list[DeadLetter]()
    settings = SubscriptionSettings(requires_session=True)
    backlog = Backlog(settings, memory, dead.append)
    for session in ("a", "a", "b"):
        backlog.add(message(ttl=60, sessionid=session), 0)
    backlog.schedule(message(sessionid="a"), 50, 0)
    held = backlog.sessions.accept("a", 0, lambda: lost.append("a"))
    lock = backlog.take(0, held)
    assert lock is not None
    backlog.set_session_state("b", b"state", 0)
    backlog.clear()
    assert sum(backlog.counts().values()) == 0
    assert (memory.used, backlog.size, lost, dead) == (0, 0, ["a"], [])
    assert backlog.next_due() is None
    assert backlog.sessions.listed(None) == []
    with pytest.raises(Refused, match="session-lock-lost"):
        backlog.complete(lock.token, 0)


def test_what_is_browsed_at_once_is_bounded() -> None:
    backlog = Backlog(SubscriptionSettings(), Memory(), None)
    for _ in range(300):
        backlog.add(message(), 0)
    assert len(backlog.peek(1, 1_000)) == 250
    for _ in range(6):
        backlog.add(message(b"x" * 250_000), 0)
    assert len(backlog.peek(301, 1_000)) == 4


def test_a_settlement_that_cannot_be_written_leaves_the_message_locked() -> None:
    backlog = Backlog(SubscriptionSettings(), Memory(), list[DeadLetter]().append)
    backlog.add(message(), 0)
    lock = backlog.take(0)
    assert lock is not None
    for settle in (backlog.abandon, backlog.defer):
        with pytest.raises(Refused, match="A property cannot be that"):
            settle(lock.token, 0, {"a": {1, 2}})
    backlog.complete(lock.token, 0)
    assert sum(backlog.counts().values()) == 0
