"""Every operation that the SDK or the protocol knows is told of in the documentation."""

import re
from pathlib import Path

import pytest
from azure.servicebus import (
    ServiceBusClient,
    ServiceBusReceiver,
    ServiceBusSender,
    ServiceBusSession,
)

from crosswind_local import ManualClock
from crosswind_local.calls import CallRecord
from crosswind_local.memory import Memory
from crosswind_local.servicebus.conditions import Refused
from crosswind_local.servicebus.namespace import Namespace
from crosswind_local.servicebus.wire.connection import Connection, Service
from crosswind_local.servicebus.wire.management import KNOWN, management_of
from crosswind_local.servicebus.wire.requests import Request

PAGE = Path(__file__).parents[3] / "docs" / "local-servicebus.md"

NOT_OPERATIONS = {
    "close", "client_identifier", "fully_qualified_namespace", "entity_name",
    "from_connection_string",
    "get_queue_receiver", "get_queue_sender", "get_subscription_receiver", "get_topic_sender",
    "locked_until_utc", "next", "session", "session_id", "auto_renew_error",
}  # fmt: skip
"""Public names of the SDK that ask nothing of the service."""


@pytest.mark.parametrize(
    "kind", [ServiceBusClient, ServiceBusSender, ServiceBusReceiver, ServiceBusSession]
)
def test_every_operation_of_the_sdk_is_in_the_table(kind: type) -> None:
    table = PAGE.read_text()
    for name in dir(kind):
        if not name.startswith("_") and name not in NOT_OPERATIONS:
            assert re.search(rf"^\|.*\b{name}\b.*\| (supported|partly|refused) \|", table, re.M), (
                name
            )


def test_every_operation_of_the_protocol_is_in_the_table_and_carried_out() -> None:
    table = PAGE.read_text()
    namespace = Namespace(ManualClock(), Memory())
    namespace.add_topic("topic")
    nodes = [namespace.add_queue("queue"), namespace.add_subscription("topic", "subscription")]
    connection = Connection(Service(namespace, CallRecord()))
    for operation in KNOWN:
        assert re.search(rf"^\|.*\b{operation}\b.*\| supported \|", table, re.M), operation
        conditions = set()
        for node in nodes:
            request = Request(f"com.microsoft:{operation}", {}, b"", None, None)
            with pytest.raises(Refused) as refused:
                management_of(node, connection)(request)
            conditions.add(refused.value.condition)
        # One of the two has it, and only finds that its arguments are missing.
        assert conditions & {"com.microsoft:argument-error", "amqp:not-allowed"}
        assert "amqp:not-implemented" not in conditions
