"""Names and settings of entities, and what becomes of one that is removed."""

from collections.abc import Callable

import pytest

from crosswind_local import ManualClock
from crosswind_local.servicebus.conditions import Refused
from crosswind_local.servicebus.namespace import Namespace
from crosswind_local.servicebus.settings import (
    QueueSettings,
)
from crosswind_local.servicebus.topics import Subscription
from unit.local.servicebus_inbox import Inbox
from unit.local.servicebus_messages import message, named


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
