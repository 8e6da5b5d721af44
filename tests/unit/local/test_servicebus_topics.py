"""Topics: which subscription gets what, and where it is forwarded to."""

import pytest

from crosswind_local import ManualClock
from crosswind_local.servicebus.conditions import Refused
from crosswind_local.servicebus.namespace import Namespace
from crosswind_local.servicebus.rules.correlation import CorrelationFilter
from crosswind_local.servicebus.rules.rule import BooleanFilter, rule, sql_filter
from crosswind_local.servicebus.settings import (
    QueueSettings,
    SubscriptionSettings,
)
from unit.local.servicebus_inbox import Inbox, dead
from unit.local.servicebus_messages import message, named

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
