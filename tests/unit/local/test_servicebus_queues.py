"""Queues: what comes in, who gets it, how long it lives."""

import math

import pytest

from crosswind_local import ManualClock
from crosswind_local.memory import Memory
from crosswind_local.servicebus.conditions import Refused
from crosswind_local.servicebus.namespace import Namespace
from crosswind_local.servicebus.settings import (
    QueueSettings,
    TopicSettings,
)
from unit.local.servicebus_inbox import Inbox, dead
from unit.local.servicebus_messages import message, named

# Receivers


def test_credit_is_served_in_the_order_in_which_it_arrived(namespace: Namespace) -> None:
    queue = namespace.add_queue("queue")
    first, second = Inbox(queue, 2).join(), Inbox(queue, 2).join()
    queue.send(named("1", "2", "3"))
    first.more(1)
    queue.send(named("4", "5"))
    assert (first.texts(), second.texts()) == (["1", "2", "5"], ["3", "4"])


def test_a_receiver_that_leaves_takes_nothing_more_and_keeps_its_locks(
    namespace: Namespace, clock: ManualClock
) -> None:
    queue = namespace.add_queue("queue", QueueSettings(lock_duration=30))
    inbox = Inbox(queue, 1).join()
    queue.send(named("1", "2"))
    inbox.leave()
    other = Inbox(queue, deletes=True).join()
    assert other.texts() == ["2"]
    clock.advance(30)
    assert other.texts() == ["2", "1"]
    assert other.entries[1].failures == 1


def test_receive_and_delete_leaves_nothing_behind(namespace: Namespace) -> None:
    queue = namespace.add_queue("queue")
    queue.send(named("1"))
    inbox = Inbox(queue, deletes=True).join()
    assert (inbox.texts(), inbox.locks) == (["1"], [])
    assert queue.backlog.counts()["locked"] == 0
    assert namespace.memory.used == 0


def test_a_lock_that_is_lost_again_and_again_ends_in_the_dead_letters(
    namespace: Namespace, clock: ManualClock
) -> None:
    queue = namespace.add_queue("queue", QueueSettings(lock_duration=10, max_delivery_count=3))
    inbox = Inbox(queue).join()
    queue.send(named("1"))
    # One step of the clock holds three moments, each of which happens in its turn.
    clock.advance(30)
    assert [entry.number for entry in inbox.entries] == [1, 1, 1]
    letters = dead(queue)
    assert letters.entries[0].message.application == {
        "DeadLetterReason": "MaxDeliveryCountExceeded",
        "DeadLetterErrorDescription": ("Message could not be consumed after 3 delivery attempts."),
    }
    assert (letters.entries[0].number, letters.entries[0].failures) == (1, 3)


def test_a_dead_letter_stays_however_old_it_is_and_often_it_fails(
    namespace: Namespace, clock: ManualClock
) -> None:
    settings = QueueSettings(lock_duration=10, max_delivery_count=1, default_time_to_live=15)
    queue = namespace.add_queue("queue", settings)
    Inbox(queue).join()
    queue.send(named("1"))
    clock.advance(10)
    letters = dead(queue)
    clock.advance(100)
    assert [entry.message.message_id for entry in letters.entries] == ["1"] * 11
    assert letters.entries[0].failures == 11
    assert queue.dead_letters is not None
    with pytest.raises(Refused, match="cannot be dead-lettered from a dead-letter queue"):
        queue.dead_letters.backlog.dead_letter(letters.locks[-1].token, clock.now())


# What comes in


def test_a_duplicate_is_dropped_for_as_long_as_the_window_lasts(
    namespace: Namespace, clock: ManualClock
) -> None:
    queue = namespace.add_queue("queue", QueueSettings(duplicate_window=60))
    inbox = Inbox(queue, deletes=True).join()
    queue.send(named("1", "1"))
    clock.advance(59)
    queue.send([*named("1"), message(), message()])
    assert inbox.texts() == ["1", None, None]
    clock.advance(1)
    queue.send(named("1"))
    assert inbox.texts() == ["1", None, None, "1"]


def test_a_scheduled_message_counts_as_seen(namespace: Namespace, clock: ManualClock) -> None:
    queue = namespace.add_queue("queue", QueueSettings(duplicate_window=60))
    (number,) = queue.schedule([message(messageid="1", scheduled=clock.now() + 10)])
    queue.send(named("1"))
    assert queue.schedule([message(messageid="1", scheduled=clock.now() + 10)]) == [0]
    inbox = Inbox(queue).join()
    clock.advance(10)
    assert inbox.texts() == ["1"]
    assert inbox.entries[0].number == number + 1


def test_a_message_that_says_so_is_scheduled_as_it_is_sent(
    namespace: Namespace, clock: ManualClock
) -> None:
    queue = namespace.add_queue("queue")
    inbox = Inbox(queue).join()
    now = clock.now()
    queue.send([message(messageid="later", scheduled=now + 10), message(scheduled=now - 10)])
    assert inbox.texts() == [None]
    assert queue.backlog.counts()["scheduled"] == 1
    clock.advance(10)
    assert inbox.texts() == [None, "later"]
    assert inbox.entries[1].enqueued == now + 10


def test_a_batch_is_taken_in_whole_or_not_at_all(namespace: Namespace) -> None:
    queue = namespace.add_queue("queue", QueueSettings(requires_session=True))
    with pytest.raises(Refused, match="SessionId was not set"):
        queue.send([*named("1", session="a"), *named("2")])
    assert queue.backlog.counts()["active"] == 0


def test_an_entity_that_is_full_refuses_more_until_there_is_room(namespace: Namespace) -> None:
    queue = namespace.add_queue("queue", QueueSettings(max_bytes=1_000))
    queue.send([message(b"x" * 900)])
    with pytest.raises(Refused, match="maximum entity size has been reached") as refused:
        queue.send([message(b"x" * 900)])
    assert refused.value.condition == "amqp:resource-limit-exceeded"
    Inbox(queue, deletes=True).join().leave()
    queue.send([message(b"x" * 900)])


def test_all_entities_share_the_bound_on_memory(clock: ManualClock) -> None:
    namespace = Namespace(clock, Memory(3_000))
    queue, topic = namespace.add_queue("queue"), namespace.add_topic("topic")
    namespace.add_subscription("topic", "one")
    namespace.add_subscription("topic", "two")
    queue.send(named("1"))
    with pytest.raises(Refused, match="Quota exceeded") as refused:
        topic.send(named("1", "2"))
    assert refused.value.condition == "amqp:resource-limit-exceeded"
    topic.send(named("1"))


# Expiry


@pytest.mark.parametrize(
    ("own", "default", "lives"),
    [(None, math.inf, None), (5, math.inf, 5), (50, 8, 8), (None, 8, 8)],
)
def test_the_shorter_time_to_live_counts(
    namespace: Namespace, clock: ManualClock, own: float | None, default: float, lives: float | None
) -> None:
    settings = QueueSettings(default_time_to_live=default, dead_letter_on_expiration=True)
    queue = namespace.add_queue("queue", settings)
    letters = dead(queue)
    queue.send([message(ttl=own, messageid="1")])
    if lives is None:
        clock.advance(10**9)
        assert letters.texts() == []
        return
    clock.advance(lives - 1)
    assert letters.texts() == []
    clock.advance(1)
    assert letters.texts() == ["1"]
    assert letters.entries[0].message.application["DeadLetterReason"] == "TTLExpiredException"


def test_what_is_locked_expires_when_it_comes_back(
    namespace: Namespace, clock: ManualClock
) -> None:
    queue = namespace.add_queue("queue")
    queue.send([message(ttl=5), message(ttl=5)])
    done, given_back = Inbox(queue, 2).join().locks
    clock.advance(6)
    queue.backlog.complete(done.token, clock.now())
    queue.backlog.abandon(given_back.token, clock.now())
    queue.stir()
    assert sum(queue.backlog.counts().values()) == 0
    assert Inbox(queue).join().texts() == []


def test_a_topic_bounds_the_life_of_what_it_hands_on(
    namespace: Namespace, clock: ManualClock
) -> None:
    topic = namespace.add_topic("topic", TopicSettings(default_time_to_live=10))
    subscription = namespace.add_subscription("topic", "subscription")
    topic.send([message(ttl=20), message(ttl=3)])
    assert [entry.ttl for entry in subscription.backlog.peek(1, 9)] == [10, 3]
    clock.advance(10)
    assert sum(subscription.backlog.counts().values()) == 0
