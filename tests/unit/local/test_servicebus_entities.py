"""Queues, topics and subscriptions: what comes in, where it goes, who gets it, and when."""

import math
from collections.abc import Callable

import pytest

from crosswind_local import ManualClock
from crosswind_local.memory import Memory
from crosswind_local.servicebus.conditions import Refused
from crosswind_local.servicebus.holders import Holder
from crosswind_local.servicebus.messages import Message
from crosswind_local.servicebus.namespace import Namespace
from crosswind_local.servicebus.queues import Queue
from crosswind_local.servicebus.rules.correlation import CorrelationFilter
from crosswind_local.servicebus.rules.rule import BooleanFilter, rule, sql_filter
from crosswind_local.servicebus.settings import (
    QueueSettings,
    SubscriptionSettings,
    TopicSettings,
)
from crosswind_local.servicebus.topics import Subscription
from unit.local.servicebus_inbox import Inbox
from unit.local.servicebus_messages import message


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def namespace(clock: ManualClock) -> Namespace:
    return Namespace(clock, Memory())


def named(*names: str, session: str | None = None) -> list[Message]:
    return [message(messageid=name, sessionid=session) for name in names]


def dead(holder: Holder) -> Inbox:
    assert holder.dead_letters is not None
    return Inbox(holder.dead_letters).join()


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


# Sessions


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


# Topics


def test_each_subscription_gets_what_its_rules_let_pass(namespace: Namespace) -> None:
    topic = namespace.add_topic("topic")
    every = namespace.add_subscription("topic", "every")
    some = namespace.add_subscription(
        "topic",
        "some",
        rules=[
            rule("sql", sql_filter("kind = 'a'")),
            rule("correlation", CorrelationFilter({"label": "b"}), "SET found = TRUE"),
        ],
    )
    topic.send(
        [
            message(messageid="1", application={"kind": "a"}),
            message(messageid="2", label="b"),
            message(messageid="3"),
        ]
    )
    assert Inbox(every).join().texts() == ["1", "2", "3"]
    inbox = Inbox(some).join()
    assert inbox.texts() == ["1", "2"]
    assert inbox.entries[1].message.application == {"found": True, "RuleName": "correlation"}


def test_rules_can_be_added_and_removed(namespace: Namespace) -> None:
    topic = namespace.add_topic("topic")
    subscription = namespace.add_subscription("topic", "subscription")
    inbox = Inbox(subscription).join()
    subscription.remove_rule("$DEFAULT")
    topic.send(named("1"))
    subscription.add_rule(rule("all", BooleanFilter(True)))
    topic.send(named("2"))
    assert inbox.texts() == ["2"]
    with pytest.raises(Refused, match="entity-already-exists"):
        subscription.add_rule(rule("ALL", BooleanFilter(True)))
    with pytest.raises(Refused, match="amqp:not-found"):
        subscription.remove_rule("nope")


def test_what_a_topic_has_scheduled_goes_to_whoever_subscribes_then(
    namespace: Namespace, clock: ManualClock
) -> None:
    topic = namespace.add_topic("topic")
    due = clock.now() + 10
    kept, cancelled = topic.schedule([message(messageid=each, scheduled=due) for each in "12"])
    topic.cancel([cancelled])
    with pytest.raises(Refused, match="message-not-found"):
        topic.cancel([kept, cancelled])
    inbox = Inbox(namespace.add_subscription("topic", "subscription")).join()
    clock.advance(10)
    assert inbox.texts() == ["1"]
    with pytest.raises(Refused, match="message-not-found"):
        topic.cancel([kept])
    with pytest.raises(Refused, match="lacks x-opt-scheduled-enqueue-time"):
        topic.schedule(named("3"))


def test_a_subscription_that_requires_sessions_buries_what_has_none(namespace: Namespace) -> None:
    topic = namespace.add_topic("topic")
    settings = SubscriptionSettings(requires_session=True)
    subscription = namespace.add_subscription("topic", "subscription", settings)
    topic.send([*named("1"), *named("2", session="a")])
    assert Inbox(subscription).join_session("a").texts() == ["2"]
    letters = dead(subscription)
    assert letters.entries[0].message.application["DeadLetterReason"] == "Session ID is null."


# Forwarding


def test_a_queue_forwards_at_once_or_when_it_is_time(
    namespace: Namespace, clock: ManualClock
) -> None:
    target = namespace.add_queue("target")
    source = namespace.add_queue("source", QueueSettings(forward_to="TARGET"))
    inbox = Inbox(target).join()
    source.send(named("1"))
    (number,) = source.schedule([message(messageid="2", scheduled=clock.now() + 10)])
    source.schedule([message(messageid="3", scheduled=clock.now() + 10)])
    source.cancel([number])
    clock.advance(10)
    assert inbox.texts() == ["1", "3"]
    assert sum(source.backlog.counts().values()) == 0


def test_a_subscription_forwards_to_a_topic(namespace: Namespace) -> None:
    second = namespace.add_topic("second")
    namespace.add_topic("first")
    namespace.add_subscription("first", "on", SubscriptionSettings(forward_to="second"))
    inbox = Inbox(namespace.add_subscription("second", "subscription")).join()
    namespace.find("first").send(named("1"))  # type: ignore[union-attr]  # it is a topic
    second.send(named("2"))
    assert inbox.texts() == ["1", "2"]


def test_a_fifth_hop_is_one_too_many(namespace: Namespace) -> None:
    queues = [namespace.add_queue("q0")]
    for number in range(1, 6):
        settings = QueueSettings(forward_to=f"q{number - 1}")
        queues.append(namespace.add_queue(f"q{number}", settings))
    queues[4].send(named("four hops"))
    queues[5].send(named("five hops"))
    assert Inbox(queues[0]).join().texts() == ["four hops"]
    letters = dead(queues[1])
    assert letters.texts() == ["five hops"]
    reason = letters.entries[0].message.application["DeadLetterReason"]
    assert reason == "MaxTransferHopCountExceeded"


def test_what_cannot_be_forwarded_stays_with_the_dead_letters(namespace: Namespace) -> None:
    namespace.add_queue("target", QueueSettings(max_bytes=100))
    source = namespace.add_queue("source", QueueSettings(forward_to="target"))
    letters = dead(source)
    source.send([message(b"x" * 200)])
    namespace.remove("target")
    source.send(named("2"))
    reasons = [entry.message.application["DeadLetterReason"] for entry in letters.entries]
    assert reasons == ["amqp:resource-limit-exceeded", "amqp:not-found"]


def test_dead_letters_can_be_forwarded_and_tell_where_they_come_from(
    namespace: Namespace, clock: ManualClock
) -> None:
    inbox = Inbox(namespace.add_queue("grave")).join()
    settings = QueueSettings(forward_dead_letters_to="grave", dead_letter_on_expiration=True)
    namespace.add_queue("source", settings).send([message(ttl=1, messageid="1")])
    clock.advance(1)
    assert inbox.texts() == ["1"]
    assert inbox.entries[0].message.dead_letter_source == "source"
    assert inbox.entries[0].message.application["DeadLetterReason"] == "TTLExpiredException"


# Names


def test_entities_are_found_by_address_without_regard_to_case(namespace: Namespace) -> None:
    queue = namespace.add_queue("Orders/New")
    namespace.add_topic("Events")
    subscription = namespace.add_subscription("events", "All")
    assert namespace.find("amqps://127.0.0.1:5671/orders/new") is queue
    assert namespace.find("/EVENTS/subscriptions/ALL/") is subscription
    assert namespace.find("orders/new/$deadletterqueue") is queue.dead_letters
    assert isinstance(namespace.find("events/Subscriptions/all"), Subscription)
    for nowhere in ("", "nope", "events/subscriptions/nope", "events/$DeadLetterQueue", "events/x"):
        with pytest.raises(Refused, match="amqp:not-found"):
            namespace.find(nowhere)


@pytest.mark.parametrize("name", ["", "-a", "a/", "a//b", "ü", "a b", "x" * 261, "a\n"])
def test_a_name_that_the_service_would_refuse_is_refused(namespace: Namespace, name: str) -> None:
    with pytest.raises(Refused, match="no name of a queue or topic"):
        namespace.add_queue(name)
    namespace.add_topic("topic")
    with pytest.raises(Refused):
        namespace.add_subscription("topic", f"/{name}")


def test_a_name_is_taken_once(namespace: Namespace) -> None:
    namespace.add_queue("name")
    taken: list[Callable[[], object]] = [
        lambda: namespace.add_queue("NAME"),
        lambda: namespace.add_topic("name"),
    ]
    for again in taken:
        with pytest.raises(Refused, match="entity-already-exists"):
            again()
    namespace.add_topic("topic")
    namespace.add_subscription("topic", "s")
    with pytest.raises(Refused, match="entity-already-exists"):
        namespace.add_subscription("topic", "S")
    with pytest.raises(Refused, match="amqp:not-found"):
        namespace.add_subscription("nope", "s")
    with pytest.raises(Refused, match="amqp:not-found"):
        namespace.add_queue("lost", QueueSettings(forward_to="nope"))


def test_settings_out_of_range_are_all_told_at_once() -> None:
    with pytest.raises(Refused) as refused:
        QueueSettings(lock_duration=1, max_delivery_count=0, requires_session=True, forward_to="x")
    assert "lock_duration must be from 5 to 300, not 1" in refused.value.message
    assert "max_delivery_count must be from 1" in refused.value.message
    assert "forward_to is not possible" in refused.value.message


def test_what_is_removed_ends_its_receivers_and_frees_its_memory(
    namespace: Namespace, clock: ManualClock
) -> None:
    queue = namespace.add_queue("queue")
    topic = namespace.add_topic("topic")
    inbox = Inbox(queue, 1).join()
    other = Inbox(namespace.add_subscription("topic", "s"), 1).join()
    queue.send([*named("1", "2"), message(ttl=5)])
    topic.send(named("1", "2"))
    topic.schedule([message(scheduled=clock.now() + 5)])
    namespace.close()
    assert inbox.refused is not None
    assert other.refused is not None
    assert inbox.refused.condition == "amqp:not-found"
    assert namespace.memory.used == 0
    clock.advance(1_000)
    with pytest.raises(Refused, match="amqp:not-found"):
        namespace.remove("queue")
