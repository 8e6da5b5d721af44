"""The entities of the conformance tests in a namespace of Azure, under names of their own.

They are those of `tests/fixtures/servicebus/conformance.json`, which emulators read as it is. A
namespace is told of them through the service's own administration client, which needs the right
to manage it.
"""

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from azure.servicebus.management import (
    CorrelationRuleFilter,
    ServiceBusAdministrationClient,
    SqlRuleAction,
    SqlRuleFilter,
)

ENTITIES = Path(__file__).parents[2] / "fixtures" / "servicebus" / "conformance.json"

PROPERTIES = {
    "LockDuration": "lock_duration",
    "MaxDeliveryCount": "max_delivery_count",
    "DeadLetteringOnMessageExpiration": "dead_lettering_on_message_expiration",
    "RequiresSession": "requires_session",
    "RequiresDuplicateDetection": "requires_duplicate_detection",
    "DuplicateDetectionHistoryTimeWindow": "duplicate_detection_history_time_window",
}
"""How the client names what the file says of an entity."""


@contextmanager
def made(connection_string: str, **options: Any) -> Iterator[str]:
    """Make the entities and remove them in the end; gives what their names begin with.

    `options` are those of the administration client.
    """
    prefix = f"conformance-{uuid.uuid4().hex[:12]}-"
    (namespace,) = json.loads(ENTITIES.read_text())["UserConfig"]["Namespaces"]
    with ServiceBusAdministrationClient.from_connection_string(
        connection_string, **options
    ) as client:
        try:
            for queue in namespace["Queues"]:
                client.create_queue(prefix + queue["Name"], **_settings(queue))
            for topic in namespace["Topics"]:
                client.create_topic(prefix + topic["Name"], **_settings(topic))
                for subscription in topic["Subscriptions"]:
                    _subscribe(client, prefix + topic["Name"], subscription)
            yield prefix
        finally:
            queues = [one.name for one in client.list_queues() if one.name.startswith(prefix)]
            for name in queues:
                client.delete_queue(name)
            topics = [one.name for one in client.list_topics() if one.name.startswith(prefix)]
            for name in topics:
                client.delete_topic(name)


def _settings(entity: dict[str, Any]) -> dict[str, Any]:
    return {PROPERTIES[key]: value for key, value in entity.get("Properties", {}).items()}


def _subscribe(
    client: ServiceBusAdministrationClient, topic: str, subscription: dict[str, Any]
) -> None:
    name = subscription["Name"]
    client.create_subscription(topic, name, **_settings(subscription))
    for rule in subscription.get("Rules", ()):
        says = rule["Properties"]
        if says["FilterType"] == "Sql":
            passes: SqlRuleFilter | CorrelationRuleFilter = SqlRuleFilter(
                says["SqlFilter"]["SqlExpression"]
            )
        else:
            of = says["CorrelationFilter"]
            passes = CorrelationRuleFilter(label=of.get("Label"), properties=of.get("Properties"))
        action = says.get("Action")
        client.create_rule(
            topic,
            name,
            rule["Name"],
            filter=passes,
            action=SqlRuleAction(action["SqlExpression"]) if action else None,
        )
    if subscription.get("Rules"):
        client.delete_rule(topic, name, "$Default")
