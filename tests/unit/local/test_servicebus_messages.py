"""Messages as they are taken in, changed and delivered."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crosswind_local.servicebus import messages
from crosswind_local.servicebus.amqp import sections
from crosswind_local.servicebus.amqp.decoding import decode
from crosswind_local.servicebus.amqp.encoding import encode, list_of, section
from crosswind_local.servicebus.amqp.values import Int, Symbol, Timestamp, UInt
from crosswind_local.servicebus.conditions import Refused
from crosswind_local.servicebus.deliveries import delivered
from crosswind_local.servicebus.entries import Entry, Lock, State
from unit.local.servicebus_messages import encoded, message


def test_what_the_service_looks_at_is_read() -> None:
    read = message(b"body", ttl=2.5, scheduled=100.25, application={"a": 1}, sessionid="s")
    assert (read.ttl, read.scheduled, read.session_id) == (2.5, 100.25, "s")
    assert read.application == {"a": 1}
    assert read.body == section(sections.DATA, encode(b"body"))


def test_a_message_id_of_any_type_is_text_to_the_service() -> None:
    def with_id(value: object) -> str | None:
        raw = section(sections.PROPERTIES, list_of([encode(value)]))
        return messages.read(raw + section(sections.DATA, encode(b""))).message_id

    number = uuid.uuid4()
    assert [with_id(each) for each in ("a", 5, b"\x01\xff", number, None)] == [
        "a", "5", "01ff", str(number), None
    ]  # fmt: skip


def test_the_bare_message_is_passed_on_byte_for_byte() -> None:
    bare = encoded(b"body", application={"n": Int(5)}, messageid="1", label="x")
    marked = section(sections.MESSAGE_ANNOTATIONS, encode({Symbol("x-mine"): 1}))
    assert messages.read(marked + bare).bare == bare


def test_sections_in_another_order_are_put_in_their_own() -> None:
    body, footer = section(sections.DATA, encode(b"x")), section(sections.FOOTER, encode({}))
    marks = section(sections.DELIVERY_ANNOTATIONS, encode({}))
    properties = section(sections.PROPERTIES, list_of([encode("1")]))
    read = messages.read(body + footer + marks + properties)
    assert read.message_id == "1"
    assert read.bare == properties + body + footer


def test_changed_properties_leave_the_bytes_of_the_others() -> None:
    original = message(application={"kept": Int(5), "Changed": 1, "gone": 2}, messageid="7")
    changed = original.with_application({"changed": "new", "gone": None, "null": messages.NULL})
    assert changed.application == {"kept": 5, "changed": "new", "null": None}
    assert encode("kept") + encode(Int(5)) in changed.bare
    assert messages.read(changed.bare).application == changed.application
    assert changed.size - original.size == len(changed.bare) - len(original.bare)
    relabelled = changed.with_system({"label": "y", "sessionid": None})
    again = messages.read(relabelled.bare)
    assert (again.system("label"), again.message_id, again.session_id) == ("y", "7", None)
    assert original.application == {"kept": 5, "Changed": 1, "gone": 2}


def test_a_message_without_properties_can_be_given_some() -> None:
    bare = messages.read(section(sections.DATA, encode(b"x")))
    changed = bare.with_application({"a": 1}).with_system({"label": "x"})
    assert messages.read(changed.bare).application == {"a": 1}
    assert changed.with_application({"a": None}).application == {}
    assert bare.with_application({}) is bare
    assert bare.with_system({}) is bare


def parts(raw: bytes) -> dict[int, object]:
    return {part.code: decode(raw, part.value)[0] for part in sections.split(raw)}


def test_a_delivery_tells_its_number_its_times_and_its_count() -> None:
    entry = Entry(7, message(b"b", ttl=60, messageid="m"), 12.5, "")
    entry.failures, entry.ttl = 2, 30
    there = parts(delivered(entry, Lock(b"t" * 16, entry, 99.5, None)))
    assert there[sections.HEADER] == [False, None, 30_000, None, 2]
    assert there[sections.MESSAGE_ANNOTATIONS] == {
        "x-opt-sequence-number": 7,
        "x-opt-enqueue-sequence-number": 7,
        "x-opt-enqueued-time": Timestamp(12_500),
        "x-opt-message-state": 0,
        "x-opt-locked-until": Timestamp(99_500),
    }
    assert there[sections.DATA] == b"b"


def test_a_browsed_message_tells_its_state_and_no_lock() -> None:
    annotations = {"x-opt-sequence-number": 99, "x-mine": "kept"}
    entry = Entry(1, messages.read(encoded(annotations=annotations)), 0, "")
    entry.state = State.DEFERRED
    entry.message.dead_letter_source = "queue"
    there = parts(delivered(entry))
    assert there[sections.HEADER] == [False, None, None, None, 0]
    marks = there[sections.MESSAGE_ANNOTATIONS]
    assert isinstance(marks, dict)
    assert (marks["x-opt-message-state"], marks["x-opt-sequence-number"]) == (1, 1)
    assert (marks["x-mine"], marks["x-opt-deadletter-source"]) == ("kept", "queue")
    assert "x-opt-locked-until" not in marks


def test_a_batch_is_its_data_sections() -> None:
    batch = b"".join(
        section(sections.DATA, encode(encoded(body, messageid="1"))) for body in (b"1", b"2")
    )
    first, second = messages.batch(batch)
    assert (first.body, second.body) == tuple(
        section(sections.DATA, encode(body)) for body in (b"1", b"2")
    )


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        section(sections.VALUE, encode("x")),
        section(sections.DATA, encode("not binary")),
        section(sections.DATA, encode(b"not a message")),
    ],
)
def test_what_is_no_batch_is_refused(raw: bytes) -> None:
    with pytest.raises(Refused, match="amqp:decode-error"):
        messages.batch(raw)


@pytest.mark.parametrize(
    ("raw", "condition"),
    [
        (encoded(b"x" * 262_144), "amqp:link:message-size-exceeded"),
        (encoded(application={"a": "x" * 66_000}), "com.microsoft:argument-error"),
        (encoded(messageid="x" * 129), "com.microsoft:argument-error"),
        (encoded(sessionid="x" * 129), "com.microsoft:argument-error"),
        (
            encoded(annotations={"x-opt-partition-key": "p"}, sessionid="s"),
            "amqp:not-allowed",
        ),
        (encoded(application={"a": 1})[:-1], "amqp:decode-error"),
        (section(sections.PROPERTIES, encode({})), "amqp:decode-error"),
        (section(sections.PROPERTIES, encode([None] * 14)), "amqp:decode-error"),
        (section(sections.APPLICATION_PROPERTIES, encode([])), "amqp:decode-error"),
        (section(sections.APPLICATION_PROPERTIES, encode({1: 2})), "amqp:decode-error"),
        (section(sections.MESSAGE_ANNOTATIONS, encode([])), "amqp:decode-error"),
        (section(sections.HEADER, encode(5)), "amqp:decode-error"),
    ],
)
def test_what_cannot_be_taken_in_is_refused(raw: bytes, condition: str) -> None:
    with pytest.raises(Refused) as refused:
        messages.read(raw)
    assert refused.value.condition == condition
    with pytest.raises(Refused):
        messages.batch(section(sections.DATA, encode(raw)))


@given(st.one_of(st.binary(max_size=80), st.binary(max_size=60).map(lambda raw: b"\x00\x53" + raw)))
def test_any_bytes_are_a_message_or_refused(raw: bytes) -> None:
    for reader in (messages.read, messages.batch):
        try:
            reader(raw)
        except Refused:
            pass


@given(st.data())
def test_a_message_with_one_byte_changed_is_read_or_refused(data: st.DataObject) -> None:
    raw = bytearray(
        encoded(annotations={"x-a": UInt(1)}, application={"a": 1, "b": "x"}, ttl=1, messageid="1")
    )
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] = data.draw(st.integers(0, 255))
    try:
        read = messages.read(bytes(raw))
    except Refused:
        return
    entry = Entry(1, read.with_application({"c": 1}).with_system({"label": "l"}), 0, "")
    again = messages.read(delivered(entry))
    assert again.application["c"] == 1
    assert again.system("label") == "l"
