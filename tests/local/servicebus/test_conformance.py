"""What the documentation of Service Bus says, through the unmodified official SDK.

Sources are named in the modules of the emulator. Each test needs nothing but the entities of
`tests/fixtures/servicebus/conformance.json`.
"""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from azure.servicebus import (
    NEXT_AVAILABLE_SESSION,
    ServiceBusMessage,
    ServiceBusMessageState,
)
from azure.servicebus.amqp import AmqpAnnotatedMessage, AmqpMessageBodyType
from azure.servicebus.exceptions import (
    MessageLockLostError,
    MessageNotFoundError,
    MessageSizeExceededError,
    MessagingEntityNotFoundError,
    OperationTimeoutError,
    ServiceBusError,
    SessionCannotBeLockedError,
    SessionLockLostError,
)

from local.servicebus.desk import Desk, refused, texts

# Sending and receiving


def test_a_message_arrives_as_it_was_sent(desk: Desk) -> None:
    number = uuid.uuid4()
    sent = ServiceBusMessage(
        b'{"a": 1}',
        application_properties={"text": "ü", "whole": 5, "real": 0.5, "truth": True, "id": number},
        content_type="application/json",
        correlation_id="c",
        message_id="m",
        partition_key="p",
        reply_to="r",
        reply_to_session_id="rs",
        subject="s",
        to="t",
    )
    desk.sender("plain").send_messages(sent)
    (received,) = desk.receive("plain")
    assert b"".join(received.body) == b'{"a": 1}'
    assert received.application_properties == {
        b"text": b"\xc3\xbc", b"whole": 5, b"real": 0.5, b"truth": True, b"id": number
    }  # fmt: skip
    assert (received.content_type, received.correlation_id) == ("application/json", "c")
    assert (received.message_id, received.partition_key) == ("m", "p")
    assert (received.reply_to, received.reply_to_session_id) == ("r", "rs")
    assert (received.subject, received.to) == ("s", "t")
    assert received.delivery_count == 0
    assert received.state is ServiceBusMessageState.ACTIVE
    assert received.enqueued_time_utc is not None
    assert abs((received.enqueued_time_utc - desk.now()).total_seconds()) < 30
    assert received.locked_until_utc is not None
    assert 0 < (received.locked_until_utc - desk.now()).total_seconds() <= 10
    assert received.sequence_number == received.enqueued_sequence_number


def test_bodies_of_every_kind_arrive(desk: Desk) -> None:
    desk.sender("plain").send_messages(
        [
            AmqpAnnotatedMessage(value_body={"a": [1, None, "x"]}),
            AmqpAnnotatedMessage(sequence_body=[1, "two"]),
            AmqpAnnotatedMessage(data_body=[b"one", b"two"]),
        ]
    )
    value, sequence, data = desk.gather("plain", 3)
    assert value.body_type is AmqpMessageBodyType.VALUE
    assert value.body == {b"a": [1, None, b"x"]}
    assert list(sequence.body) == [[1, b"two"]]
    assert list(data.body) == [b"one", b"two"]


def test_a_batch_is_told_by_its_format_and_not_by_its_contents(desk: Desk) -> None:
    # What looks like a batch to one who guesses: data sections that are encoded messages.
    decoy = b"\x00Sw\xa1\x01x"
    desk.sender("plain").send_messages(AmqpAnnotatedMessage(data_body=[decoy, decoy]))
    desk.send("plain", "1", "2", "3")
    received = desk.gather("plain", 4)
    assert list(received[0].body) == [decoy, decoy]
    assert texts(received[1:]) == ["1", "2", "3"]


def test_messages_keep_their_order(desk: Desk) -> None:
    bodies = [str(number) for number in range(200)]
    desk.send("plain", *bodies)
    received = desk.gather("plain", 200)
    assert texts(received) == bodies
    numbers = [message.sequence_number or 0 for message in received]
    assert numbers == sorted(numbers)


def test_receive_and_delete_is_final(desk: Desk) -> None:
    desk.send("plain", "1", "2")
    received = desk.gather("plain", 2, receive_mode="receiveanddelete")
    assert texts(received) == ["1", "2"]
    desk.wait(11)
    assert desk.nothing("plain")


def test_a_receiver_can_be_iterated(desk: Desk) -> None:
    desk.send("plain", "1", "2", "3")
    seen = []
    receiver = desk.receiver("plain", max_wait_time=0.2)
    for message in receiver:
        seen.append(str(message))
        receiver.complete_message(message)
    assert seen == ["1", "2", "3"]


def test_prefetched_messages_are_given_back_uncounted_when_the_receiver_closes(desk: Desk) -> None:
    desk.send("plain", "1", "2", "3")
    (first,) = desk.receive("plain", prefetch_count=10)
    receiver = desk.receiver("plain", prefetch_count=10)
    receiver.complete_message(first)
    desk.drop(receiver)
    rest = desk.gather("plain", 2)
    assert [(str(message), message.delivery_count) for message in rest] == [("2", 0), ("3", 0)]


# Settlement


def test_a_completed_message_is_gone(desk: Desk) -> None:
    desk.send("plain", "1")
    receiver = desk.receiver("plain")
    receiver.complete_message(desk.receive("plain")[0])
    desk.wait(11)
    assert desk.nothing("plain")


def test_what_is_abandoned_comes_back_until_it_is_dead(desk: Desk) -> None:
    desk.send("plain", "1")
    for count in range(3):
        (message,) = desk.receive("plain")
        assert message.delivery_count == count
        desk.receiver("plain").abandon_message(message)
    assert desk.nothing("plain")
    (letter,) = desk.dead("plain")
    assert letter.dead_letter_reason == "MaxDeliveryCountExceeded"
    assert letter.dead_letter_error_description is not None
    assert "after 3 delivery attempts" in letter.dead_letter_error_description
    assert letter.delivery_count == 3


def test_what_is_dead_lettered_tells_why(desk: Desk) -> None:
    desk.send("plain", "1", application_properties={"kept": 1})
    (message,) = desk.receive("plain")
    desk.receiver("plain").dead_letter_message(
        message, reason="because", error_description="it is so"
    )
    (letter,) = desk.dead("plain")
    assert (letter.dead_letter_reason, letter.dead_letter_error_description) == (
        "because",
        "it is so",
    )
    assert letter.application_properties is not None
    assert letter.application_properties[b"kept"] == 1
    assert letter.sequence_number == message.sequence_number
    desk.receiver("plain", sub_queue="deadletter").complete_message(letter)


def test_a_lock_that_ran_out_settles_nothing(desk: Desk) -> None:
    desk.send("plain", "1")
    (message,) = desk.receive("plain")
    desk.wait(11)
    with pytest.raises(MessageLockLostError):
        desk.receiver("plain").complete_message(message)
    (again,) = desk.receive("plain")
    assert again.delivery_count == 1


def test_a_renewed_lock_lasts_longer(desk: Desk) -> None:
    desk.send("plain", "1")
    (message,) = desk.receive("plain")
    receiver = desk.receiver("plain")
    for _ in range(2):
        desk.wait(6)
        until = receiver.renew_message_lock(message)
        assert 8 < (until - desk.now()).total_seconds() <= 10
    receiver.complete_message(message)
    assert desk.nothing("plain")


def test_a_lost_lock_cannot_be_renewed(desk: Desk) -> None:
    desk.send("plain", "1")
    (message,) = desk.receive("plain")
    desk.wait(11)
    with pytest.raises(MessageLockLostError):
        desk.receiver("plain").renew_message_lock(message)


def test_a_deferred_message_is_received_by_its_number_only(desk: Desk) -> None:
    desk.send("plain", "1", "2")
    receiver = desk.receiver("plain")
    (first,) = desk.receive("plain")
    assert first.sequence_number is not None
    receiver.defer_message(first)
    assert texts(desk.receive("plain", 2, 1)) == ["2"]
    (again,) = receiver.receive_deferred_messages(first.sequence_number)
    assert (str(again), again.delivery_count) == ("1", 0)
    with pytest.raises(MessageNotFoundError):
        receiver.receive_deferred_messages(first.sequence_number)
    receiver.abandon_message(again)
    (again,) = receiver.receive_deferred_messages([first.sequence_number])
    assert again.delivery_count == 1
    receiver.complete_message(again)
    with pytest.raises(MessageNotFoundError):
        receiver.receive_deferred_messages(first.sequence_number)


def test_a_deferred_message_can_be_dead_lettered(desk: Desk) -> None:
    desk.send("plain", "1")
    receiver = desk.receiver("plain")
    (message,) = desk.receive("plain")
    assert message.sequence_number is not None
    receiver.defer_message(message)
    (again,) = receiver.receive_deferred_messages(message.sequence_number)
    receiver.dead_letter_message(again, reason="late")
    assert [letter.dead_letter_reason for letter in desk.dead("plain")] == ["late"]


# Browsing, scheduling, expiry, duplicates


def test_browsing_shows_every_message_and_its_state(desk: Desk) -> None:
    desk.send("plain", "active", "deferred", "locked")
    desk.sender("plain").schedule_messages(ServiceBusMessage("scheduled"), desk.later(600))
    receiver = desk.receiver("plain")
    active, deferred, _ = desk.gather("plain", 3)
    receiver.abandon_message(active)
    receiver.defer_message(deferred)
    peeked = receiver.peek_messages(10, sequence_number=1)
    assert [(str(message), message.state.name) for message in peeked] == [
        ("active", "ACTIVE"),
        ("deferred", "DEFERRED"),
        ("locked", "ACTIVE"),
        ("scheduled", "SCHEDULED"),
    ]
    assert peeked[0].sequence_number is not None
    onward = receiver.peek_messages(1, sequence_number=peeked[0].sequence_number + 1)
    assert texts(onward) == ["deferred"]
    with pytest.raises(ValueError, match="not supported for peeked messages"):
        receiver.complete_message(peeked[0])


def test_a_scheduled_message_comes_when_it_is_time(desk: Desk) -> None:
    sender = desk.sender("plain")
    (kept, cancelled) = sender.schedule_messages(
        [ServiceBusMessage("kept"), ServiceBusMessage("cancelled")], desk.later(5)
    )
    sender.cancel_scheduled_messages(cancelled)
    with pytest.raises(MessageNotFoundError):
        sender.cancel_scheduled_messages(cancelled)
    assert desk.nothing("plain")
    desk.wait(5.5)
    (message,) = desk.receive("plain", 2)
    assert str(message) == "kept"
    assert message.sequence_number is not None
    assert message.sequence_number > kept
    assert message.scheduled_enqueue_time_utc is not None


def test_a_message_can_be_sent_for_later(desk: Desk) -> None:
    desk.send("topic", "later", scheduled_enqueue_time_utc=desk.later(5))
    assert desk.nothing("every")
    desk.wait(5.5)
    assert texts(desk.receive("every")) == ["later"]


def test_an_expired_message_is_dead(desk: Desk) -> None:
    desk.send("plain", "short", time_to_live=timedelta(seconds=3))
    desk.send("plain", "long", time_to_live=timedelta(seconds=60))
    desk.wait(4)
    assert texts(desk.receive("plain", 2, 1)) == ["long"]
    (letter,) = desk.dead("plain")
    assert (str(letter), letter.dead_letter_reason) == ("short", "TTLExpiredException")


def test_a_duplicate_is_accepted_and_dropped(desk: Desk) -> None:
    name = str(uuid.uuid4())
    desk.send("duplicates", "1", message_id=name)
    desk.send("duplicates", "2", message_id=name)
    desk.send("duplicates", "3", message_id=str(uuid.uuid4()))
    assert texts(desk.receive("duplicates", 3, 1)) == ["1", "3"]
    desk.wait(21)
    desk.send("duplicates", "4", message_id=name)
    assert "4" in texts(desk.receive("duplicates", 3, 1))


# Sessions


def test_a_session_is_received_by_name_or_as_the_next_one(desk: Desk) -> None:
    one, two = str(uuid.uuid4()), str(uuid.uuid4())
    for number in range(3):
        desk.send("sessions", f"one {number}", session_id=one)
        desk.send("sessions", f"two {number}", session_id=two)
    named = desk.receiver("sessions", session_id=two)
    received = desk.receive("sessions", 5, 1, session_id=two)
    assert texts(received) == ["two 0", "two 1", "two 2"]
    assert named.session.session_id == received[0].session_id == two
    for message in received:
        named.complete_message(message)
    following = desk.receiver("sessions", session_id=NEXT_AVAILABLE_SESSION, max_wait_time=5)
    received = following.receive_messages(3, max_wait_time=5)
    assert following.session.session_id == one
    assert texts(received) == ["one 0", "one 1", "one 2"]
    for message in received:
        following.complete_message(message)


def test_a_session_is_held_by_one_receiver(desk: Desk) -> None:
    name = str(uuid.uuid4())
    desk.send("sessions", "1", session_id=name)
    (message,) = desk.receive("sessions", session_id=name)
    other = desk.client.get_queue_receiver(desk.name("sessions"), session_id=name)
    with pytest.raises(SessionCannotBeLockedError), other:
        other.receive_messages(1, max_wait_time=1)
    desk.receiver("sessions", session_id=name).complete_message(message)


def test_no_session_is_a_timeout(desk: Desk) -> None:
    receiver = desk.client.get_queue_receiver(
        desk.name("sessions"), session_id=NEXT_AVAILABLE_SESSION, max_wait_time=1
    )
    with desk.passing(2), pytest.raises(OperationTimeoutError), receiver:
        receiver.receive_messages(1)


def test_the_state_of_a_session_is_kept_for_the_next_receiver(desk: Desk) -> None:
    name = str(uuid.uuid4())
    receiver = desk.receiver("sessions", session_id=name)
    with receiver:
        assert receiver.session.get_state() is None
        receiver.session.set_state(b"progress")
    with desk.client.get_queue_receiver(desk.name("sessions"), session_id=name) as other:
        assert other.session.get_state() == b"progress"
        listed = list(desk.client.list_queue_sessions(desk.name("sessions")))
        assert name in listed
        other.session.set_state(None)
        assert other.session.get_state() is None


def test_a_session_is_lost_with_all_that_was_received(desk: Desk) -> None:
    name = str(uuid.uuid4())
    desk.send("sessions", "1", session_id=name)
    (message,) = desk.receive("sessions", session_id=name)
    receiver = desk.receiver("sessions", session_id=name)
    desk.wait(6)
    receiver.session.renew_lock()
    desk.wait(9)
    receiver.session.renew_lock()
    desk.wait(11)
    with pytest.raises(SessionLockLostError):
        receiver.complete_message(message)
    with desk.client.get_queue_receiver(desk.name("sessions"), session_id=name) as other:
        (again,) = other.receive_messages(1, max_wait_time=5)
        assert again.delivery_count == 1
        other.complete_message(again)


def test_a_session_that_is_closed_is_free_at_once(desk: Desk) -> None:
    name = str(uuid.uuid4())
    desk.send("sessions", "1", "2", session_id=name)
    with desk.client.get_queue_receiver(desk.name("sessions"), session_id=name) as receiver:
        receiver.complete_message(receiver.receive_messages(1, max_wait_time=5)[0])
    (message,) = desk.receive("sessions", session_id=name)
    assert (str(message), message.delivery_count) == ("2", 0)
    desk.receiver("sessions", session_id=name).complete_message(message)


# Topics


def test_subscriptions_get_what_their_rules_let_pass(desk: Desk) -> None:
    def sent(body: str, subject: str, properties: Any) -> ServiceBusMessage:
        return ServiceBusMessage(body, subject=subject, application_properties=properties)

    desk.sender("topic").send_messages(
        [
            sent("1", "deploy.failed", {"severity": "high", "region": "eu"}),
            sent("2", "deploy.started", {"severity": "low", "region": "eu"}),
            sent("3", "other", {"severity": "critical", "quantity": 10}),
            sent("4", "deploy.failed", {"region": "us"}),
        ]
    )
    assert texts(desk.gather("every", 4)) == ["1", "2", "3", "4"]
    assert texts(desk.receive("sql", 2, 1)) == ["1"]
    assert texts(desk.receive("correlation", 2, 1)) == ["1"]
    (changed,) = desk.receive("action", 2, 1)
    assert (str(changed), changed.subject) == ("3", "halved")
    assert changed.application_properties is not None
    assert changed.application_properties[b"quantity"] == 5
    assert changed.application_properties[b"RuleName"] == b"halve"


# Errors


def test_what_is_not_there_is_told(desk: Desk) -> None:
    with (
        pytest.raises(MessagingEntityNotFoundError),
        desk.client.get_queue_sender(desk.name("nope")) as to,
    ):
        to.send_messages(ServiceBusMessage("1"))
    receiver = desk.client.get_subscription_receiver(desk.name("topic"), "nope")
    with pytest.raises(MessagingEntityNotFoundError), receiver:
        receiver.receive_messages(1, max_wait_time=1)


def test_a_message_that_is_too_large_is_refused_and_others_go_on(desk: Desk) -> None:
    with pytest.raises(MessageSizeExceededError):
        desk.send("plain", "x" * 300_000)
    desk.send("plain", "small")
    assert texts(desk.receive("plain")) == ["small"]


def test_a_batch_holds_no_more_than_the_service_takes(desk: Desk) -> None:
    batch = desk.sender("plain").create_message_batch()
    assert batch.max_size_in_bytes == 262_144
    with pytest.raises(MessageSizeExceededError):
        batch.add_message(ServiceBusMessage("x" * 300_000))


def test_sessions_are_needed_where_they_are_required(desk: Desk) -> None:
    with refused(ServiceBusError, "SessionId was not set"):
        desk.send("sessions", "1")
    without = desk.client.get_queue_receiver(desk.name("sessions"))
    with refused(ServiceBusError, "non-sessionful"), without:
        without.receive_messages(1, max_wait_time=1)
    within = desk.client.get_queue_receiver(desk.name("plain"), session_id="a")
    with refused(ServiceBusError, "does not require"), within:
        within.receive_messages(1, max_wait_time=1)
