"""Operations that other clients use and the Python SDK does not, through a plain AMQP client."""

import uuid
from collections.abc import Iterator
from typing import Any

import proton
import pytest
from proton import UNDESCRIBED, Array, Data, Delivery, Message, symbol, ulong
from proton.reactor import AtLeastOnce, LinkOption
from proton.utils import (
    BlockingConnection,
    BlockingReceiver,
    BlockingSender,
    LinkDetached,
    SendException,
)

from crosswind_local.servicebus import QueueSettings, ServiceBusEmulator, Space


class Plain:
    """A client that knows nothing of Service Bus."""

    def __init__(self, emulator: ServiceBusEmulator) -> None:
        self.connection = BlockingConnection(
            emulator.address, timeout=10, allowed_mechs="ANONYMOUS"
        )

    def send(self, address: str, message: Message) -> None:
        sender = self.connection.create_sender(address, name=str(uuid.uuid4()))
        sender.send(message)
        close(sender)

    def receive(self, address: str) -> tuple[BlockingReceiver, Message, Delivery]:
        """Receive a message and leave it unsettled."""
        receiver = self.connection.create_receiver(address, credit=1, name=str(uuid.uuid4()))
        message = receiver.receive(10)
        assert receiver.fetcher is not None
        delivery = receiver.fetcher.unsettled[0]
        assert isinstance(delivery, Delivery)
        return receiver, message, delivery

    def ask(self, entity: str, operation: str, body: Any) -> Message:
        """Ask a management node and return what it answers."""
        node = f"{entity}/$management"
        reply_to = str(uuid.uuid4())

        class Named(LinkOption):
            def apply(self, link: proton.Link) -> None:
                link.target.address = reply_to

        receiver = self.connection.create_receiver(
            node, credit=1, name=reply_to, options=[AtLeastOnce(), Named()]
        )
        sender = self.connection.create_sender(node, name=reply_to)
        request = Message(
            id=uuid.uuid4(),
            reply_to=reply_to,
            body=body,
            properties={"operation": f"com.microsoft:{operation}"},
        )
        sender.send(request)
        answer = receiver.receive(10)
        assert answer.correlation_id == request.id
        close(receiver)
        close(sender)
        return answer


def close(link: BlockingReceiver | BlockingSender) -> None:
    link.close()  # type: ignore[no-untyped-call]  # it has no annotations


def contents(answer: Message) -> dict[str, Any]:
    """The map that is the body of an answer."""
    assert isinstance(answer.body, dict)
    return answer.body


def array(kind: int, *items: object) -> Array:
    """An array of values of one type."""
    undescribed: Any = UNDESCRIBED
    return Array(undescribed, kind, *items)


def status(answer: Message) -> tuple[object, object]:
    """The status code of an answer, and the condition of a refusal."""
    properties: dict[Any, Any] = answer.properties or {}
    return properties["statusCode"], properties.get("errorCondition")


@pytest.fixture
def plain(local_servicebus: ServiceBusEmulator) -> Iterator[Plain]:
    client = Plain(local_servicebus)
    yield client
    client.connection.close()


def test_rules_are_added_listed_and_removed(plain: Plain, servicebus_space: Space) -> None:
    topic = servicebus_space.topic()
    entity = f"{topic}/Subscriptions/{servicebus_space.subscription(topic)}"
    assert status(plain.ask(entity, "remove-rule", {"rule-name": "$Default"})) == (200, None)
    sql = {"sql-filter": {"expression": "a = 1"}, "sql-rule-action": {"expression": "SET b = 2"}}
    correlation = {"correlation-filter": {"label": "x", "properties": {"p": "q"}}}
    for name, description in (("sql", sql), ("correlation", correlation)):
        body = {"rule-name": name, "rule-description": description}
        assert status(plain.ask(entity, "add-rule", body)) == (200, None)
        assert status(plain.ask(entity, "add-rule", body)) == (
            409,
            "com.microsoft:entity-already-exists",
        )
    listed = plain.ask(entity, "enumerate-rules", {"top": 10, "skip": 0})
    first, second = (each["rule-description"] for each in contents(listed)["rules"])
    assert (first.descriptor, first.value[2]) == (0x0000_0137_0000_0004, "correlation")
    assert first.value[0].descriptor == 0x0000_0137_0000_0009
    assert first.value[0].value == [None] * 4 + ["x"] + [None] * 3 + [{"p": "q"}]
    assert first.value[1].descriptor == 0x0000_0137_0000_0005
    assert second.value[0].value == ["a = 1"]
    assert second.value[1].value == ["SET b = 2"]
    assert status(plain.ask(entity, "enumerate-rules", {"top": 10, "skip": 2})) == (204, None)
    plain.send(topic, Message(body="1", properties={"a": 1}))
    plain.send(topic, Message(body="2"))
    receiver, message, _ = plain.receive(entity)
    assert message.body == "1"
    assert message.properties == {"a": 1, "b": 2, "RuleName": "sql"}
    receiver.accept()


@pytest.mark.parametrize(
    ("operation", "body", "condition"),
    [
        ("add-rule", {"rule-name": "r"}, "com.microsoft:argument-error"),
        ("add-rule", {"rule-name": "r", "rule-description": {}}, "com.microsoft:argument-error"),
        (
            "add-rule",
            {"rule-name": "r", "rule-description": {"sql-filter": {"expression": "a ="}}},
            "com.microsoft:argument-error",
        ),
        ("remove-rule", {"rule-name": "nope"}, "amqp:not-found"),
        ("remove-rule", {}, "com.microsoft:argument-error"),
        ("remove-rule", None, "com.microsoft:argument-error"),
        ("peek-message", {"from-sequence-number": "1"}, "com.microsoft:argument-error"),
        (
            "peek-message",
            {"from-sequence-number": 1, "message-count": 0},
            "amqp:not-allowed",
        ),
        ("renew-lock", {"lock-tokens": 5}, "com.microsoft:argument-error"),
        ("renew-lock", {"lock-tokens": [uuid.uuid4()]}, "com.microsoft:message-lock-lost"),
        ("receive-by-sequence-number", {"sequence-numbers": []}, "com.microsoft:argument-error"),
        (
            "update-disposition",
            {"disposition-status": "eaten", "lock-tokens": [uuid.uuid4()]},
            "com.microsoft:argument-error",
        ),
        ("schedule-message", {"messages": []}, "amqp:not-allowed"),
        ("get-session-state", {"session-id": "s"}, "com.microsoft:session-lock-lost"),
        ("get-message-sessions", {}, "amqp:not-allowed"),
        ("batch-delete-messages", {}, "amqp:not-implemented"),
        ("nonsense", {}, "amqp:not-implemented"),
    ],
)
def test_what_cannot_be_done_is_answered_with_a_condition(
    plain: Plain, servicebus_space: Space, operation: str, body: Any, condition: str
) -> None:
    topic = servicebus_space.topic()
    entity = f"{topic}/Subscriptions/{servicebus_space.subscription(topic)}"
    code, told = status(plain.ask(entity, operation, body))
    assert told == condition
    assert isinstance(code, int)
    assert code >= 400


def test_abandoning_and_deferring_can_change_properties(
    plain: Plain, servicebus_space: Space
) -> None:
    queue = servicebus_space.queue()
    plain.send(queue, Message(body="1", properties={"kept": 1, "changed": 1}))
    receiver, message, delivery = plain.receive(queue)
    delivery.local.annotations = {symbol("changed"): 2, symbol("added"): "x"}
    delivery.local.failed = True
    delivery.update(Delivery.MODIFIED)
    delivery.settle()
    close(receiver)
    receiver, message, delivery = plain.receive(queue)
    assert message.properties == {"kept": 1, "changed": 2, "added": "x"}
    assert message.delivery_count == 1
    assert message.annotations is not None
    number = message.annotations[symbol("x-opt-sequence-number")]
    delivery.local.annotations = {symbol("why"): "later"}
    delivery.local.undeliverable = True
    delivery.update(Delivery.MODIFIED)
    delivery.settle()
    close(receiver)
    body = {
        "sequence-numbers": array(Data.LONG, number),
        "receiver-settle-mode": proton.uint(1),
    }
    (found,) = contents(plain.ask(queue, "receive-by-sequence-number", body))["messages"]
    deferred = Message()
    deferred.decode(found["message"])
    assert deferred.properties == {"kept": 1, "changed": 2, "added": "x", "why": "later"}
    disposition = {
        "disposition-status": "suspended",
        "lock-tokens": array(Data.UUID, found["lock-token"]),
        "deadletter-reason": "enough",
        "properties-to-modify": {"kept": None},
    }
    assert status(plain.ask(queue, "update-disposition", disposition)) == (200, None)
    _, letter, _ = plain.receive(f"{queue}/$DeadLetterQueue")
    assert letter.properties == {
        "changed": 2, "added": "x", "why": "later", "DeadLetterReason": "enough"
    }  # fmt: skip


def test_a_rejection_of_any_kind_is_a_dead_letter(plain: Plain, servicebus_space: Space) -> None:
    queue = servicebus_space.queue()
    plain.send(queue, Message(body="1"))
    receiver, _, _ = plain.receive(queue)
    receiver.reject()
    receiver, letter, delivery = plain.receive(f"{queue}/$deadletterqueue")
    assert letter.body == "1"
    # Out of the dead letters there is no further way; it stays locked until its lock ends.
    delivery.update(Delivery.REJECTED)
    plain.connection.wait(lambda: delivery.settled)
    assert delivery.remote.condition is not None
    assert delivery.remote.condition.name == "amqp:not-allowed"


@pytest.mark.parametrize(
    ("address", "sends", "condition"),
    [
        ("{queue}/$deadletterqueue", True, "amqp:not-allowed"),
        ("{topic}/subscriptions/subscription", True, "amqp:not-allowed"),
        ("{topic}", False, "amqp:not-allowed"),
        ("{forwarding}", False, "amqp:not-allowed"),
        ("{queue}/$transfer/$deadletterqueue", False, "amqp:not-implemented"),
        ("nope/$management", True, "amqp:not-found"),
        ("nope", False, "amqp:not-found"),
    ],
)
def test_a_link_that_leads_nowhere_is_refused(
    plain: Plain, servicebus_space: Space, address: str, sends: bool, condition: str
) -> None:
    queue, topic = servicebus_space.queue(), servicebus_space.topic()
    servicebus_space.subscription(topic)
    forwarding = servicebus_space.queue("forwarding", QueueSettings(forward_to=queue))
    target = address.format(queue=queue, topic=topic, forwarding=forwarding)
    attach = plain.connection.create_sender if sends else plain.connection.create_receiver
    with pytest.raises(LinkDetached) as refused:
        attach(target)
    assert refused.value.condition == condition


def test_transactions_are_refused(plain: Plain) -> None:
    class Coordinated(LinkOption):
        def apply(self, link: proton.Link) -> None:
            link.target.type = proton.Terminus.COORDINATOR

    with pytest.raises(LinkDetached) as refused:
        plain.connection.create_sender(None, options=Coordinated())
    assert refused.value.condition == "amqp:not-implemented"


def test_a_message_that_is_not_one_is_refused(plain: Plain, servicebus_space: Space) -> None:
    sender = plain.connection.create_sender(servicebus_space.queue())

    class Junk(Message):
        def encode(self) -> bytes:
            return b"\x00\x53\x99junk"

    with pytest.raises(SendException):
        sender.send(Junk())
    sender.send(Message(body="good"))


def test_tokens_of_any_kind_are_accepted(plain: Plain) -> None:
    receiver = plain.connection.create_receiver("$cbs", credit=1)
    sender = plain.connection.create_sender("$cbs")
    sender.send(Message(id=ulong(7), body="token", properties={"operation": "put-token"}))
    answer = receiver.receive(10)
    assert answer.properties is not None
    assert (answer.correlation_id, answer.properties["status-code"]) == (7, 202)
