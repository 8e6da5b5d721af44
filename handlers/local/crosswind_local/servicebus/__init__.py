"""Azure Service Bus, spoken over AMQP 1.0 to the unmodified official SDK.

How a message passes through:

    wire        AMQP in and out: connections, links, management operations
    amqp        values, sections and frames as bytes
    messages    a message as it was sent; deliveries, as it is delivered
    namespace   entities by address
    queues      ┐ what messages come into:    intake      checks, duplicates, schedule
    topics      ┘                             rules       filters and actions
    holders     a backlog with its receivers, its dead letters and its timer
    receivers   who gets what is there
    backlog     what is held, and what becomes of it  ┐ pure: no AMQP, no threads, no clock
    sessions    lines and who holds them              ┘
    config      the official emulator's configuration file

Needs the extra `servicebus` (python-qpid-proton, which is compiled when it is installed).
"""

from crosswind_local.errors import MissingRequirement

try:
    from crosswind_local.servicebus.emulator import ServiceBusEmulator
except ModuleNotFoundError as error:
    if error.name is None or error.name.split(".")[0] not in {"proton", "cproton"}:
        raise
    raise MissingRequirement(
        f"the local Service Bus needs {error.name}: pip install 'crosswind[servicebus]'; "
        "it is compiled, with a C compiler and Python's headers",
        name=error.name,
    ) from error
from crosswind_local.servicebus.conditions import Refused
from crosswind_local.servicebus.config import InvalidConfiguration
from crosswind_local.servicebus.rules.correlation import CorrelationFilter
from crosswind_local.servicebus.rules.rule import BooleanFilter, Rule, rule, sql_filter
from crosswind_local.servicebus.settings import (
    QueueSettings,
    SubscriptionSettings,
    TopicSettings,
)
from crosswind_local.servicebus.space import Space

__all__ = [
    # the service
    "ServiceBusEmulator",
    "Space",
    # what is in it
    "QueueSettings",
    "SubscriptionSettings",
    "TopicSettings",
    # rules of subscriptions
    "BooleanFilter",
    "CorrelationFilter",
    "Rule",
    "rule",
    "sql_filter",
    # what goes wrong
    "InvalidConfiguration",
    "Refused",
]
