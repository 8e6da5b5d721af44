"""Requests to management nodes: whatever a client sends is answered or refused."""

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crosswind_local import ManualClock
from crosswind_local.calls import CallRecord
from crosswind_local.memory import Memory
from crosswind_local.servicebus import Refused, ServiceBusEmulator, Space
from crosswind_local.servicebus.amqp import sections
from crosswind_local.servicebus.amqp.encoding import LONG, encode, list_of, section
from crosswind_local.servicebus.amqp.values import Array, Timestamp
from crosswind_local.servicebus.namespace import Namespace
from crosswind_local.servicebus.settings import SubscriptionSettings
from crosswind_local.servicebus.wire import requests
from crosswind_local.servicebus.wire.connection import Connection, Service
from crosswind_local.servicebus.wire.management import KNOWN, management_of
from crosswind_local.servicebus.wire.requests import Answer, Request
from unit.local.servicebus_messages import encoded

NAMES = st.sampled_from(
    ["lock-tokens", "sequence-numbers", "messages", "message", "from-sequence-number",
     "message-count", "session-id", "session-state", "disposition-status", "receiver-settle-mode",
     "properties-to-modify", "last-updated-time", "skip", "top", "rule-name", "rule-description",
     "sql-filter", "correlation-filter", "expression", "properties"]
)  # fmt: skip
VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-3, 2**63 - 1),
        st.text(max_size=5),
        st.sampled_from(["completed", "suspended", "a = 1", "s"]),
        st.uuids(),
        st.just(encoded(annotations={"x-opt-scheduled-enqueue-time": Timestamp(5)})),
        st.lists(st.integers(0, 9), max_size=3).map(lambda items: Array(LONG, tuple(items))),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=4)),
    max_leaves=8,
)


@settings(max_examples=200)
@given(st.sampled_from(sorted(KNOWN)), st.booleans(), st.dictionaries(NAMES, VALUES, max_size=6))
def test_any_request_is_carried_out_or_refused(
    operation: str, sessions: bool, body: dict[str, object]
) -> None:
    namespace = Namespace(ManualClock(), Memory())
    namespace.add_topic("topic")
    settings = SubscriptionSettings(requires_session=sessions)
    connection = Connection(Service(namespace, CallRecord()))
    nodes = [namespace.add_queue("queue"), namespace.add_subscription("topic", "s", settings)]
    for node in nodes:
        try:
            answer = management_of(node, connection)(Request(operation, body, b"", None, None))
        except Refused as refused:
            if refused.status < 400:
                raise
        else:
            assert encode(None if answer.body is None else dict(answer.body))


@given(st.one_of(st.binary(max_size=60), st.binary(max_size=40).map(lambda raw: b"\x00\x53" + raw)))
def test_any_bytes_are_a_request_or_refused(raw: bytes) -> None:
    try:
        request = requests.read(raw)
    except Refused:
        return
    assert isinstance(request.operation, str)


def test_a_request_tells_what_it_wants_and_whom_to_answer() -> None:
    fields = [encode("id"), *[b"\x40"] * 3, encode("reply")]
    told = {"operation": "com.microsoft:peek-message", "associated-link-name": "link"}
    raw = (
        section(sections.PROPERTIES, list_of(fields))
        + section(sections.APPLICATION_PROPERTIES, encode(told))
        + section(sections.VALUE, encode({"a": 1}))
    )
    assert requests.read(raw) == Request(
        "com.microsoft:peek-message", {"a": 1}, encode("id"), "reply", "link"
    )


def test_the_node_of_tokens_knows_one_operation() -> None:
    assert requests.cbs(Request("put-token", "token", b"", None, None)) == Answer(status=202)
    with pytest.raises(Refused, match="amqp:not-implemented"):
        requests.cbs(Request("delete-token", None, b"", None, None))


# Beside the wire


def test_a_space_takes_its_entities_with_it() -> None:
    with ServiceBusEmulator() as emulator:
        with Space(emulator, "t-1") as space:
            assert space.queue("orders") == "t-1.orders"
            assert space.subscription(space.topic("events"), "all") == "all"
            with pytest.raises(Refused, match="entity-already-exists"):
                emulator.add_queue("T-1.Orders")
        emulator.add_queue("t-1.orders")
        assert emulator.report()["topics"] == {}


def test_entities_may_be_made_before_it_runs_and_looked_at_after() -> None:
    emulator = ServiceBusEmulator()
    emulator.add_queue("queue")
    emulator.start()
    assert "queue" in str(emulator.report()["queues"])
    emulator.stop()
    assert emulator.report()["queues"] == {}


def test_without_the_engine_it_says_what_to_install() -> None:
    program = "import sys; sys.modules['proton'] = None; import crosswind_local.servicebus"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=20, check=False
    )
    assert "the local Service Bus needs proton: pip install 'crosswind[servicebus]'" in done.stderr
