"""The configuration file of the official Service Bus emulator, read as it is.

"Test locally by using the Service Bus emulator",
https://learn.microsoft.com/azure/service-bus-messaging/test-locally-with-service-bus-emulator, and
the emulator's published Config-schema.json, whose defaults apply. Where its ranges are narrower
than the service's (a time to live of at most one hour, at most ten deliveries), the service's are
taken. `Logging` is accepted and has no effect: what happens is logged by Python's logging.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from crosswind_local.errors import LocalCloudError
from crosswind_local.servicebus import durations
from crosswind_local.servicebus.conditions import Refused
from crosswind_local.servicebus.messages import SYSTEM
from crosswind_local.servicebus.namespace import Namespace
from crosswind_local.servicebus.rules.correlation import CorrelationFilter
from crosswind_local.servicebus.rules.rule import Filter, Rule, rule, sql_filter
from crosswind_local.servicebus.settings import (
    QueueSettings,
    SubscriptionSettings,
    TopicSettings,
)

T = TypeVar("T")

FILE_BYTES = 16 * 1024 * 1024
"""How large a configuration file may be."""

_NAMESPACE = {"Name", "Queues", "Topics"}
_ENTITY = {"Name", "Properties"}
_TOPIC = {"Name", "Properties", "Subscriptions"}
_SUBSCRIPTION = {"Name", "Properties", "Rules"}
_RULE = {"FilterType", "CorrelationFilter", "SqlFilter", "Action"}

_DEFAULTS = {"max_delivery_count": 3, "default_time_to_live": 3600.0}
_OF_SUBSCRIPTION = {
    "DeadLetteringOnMessageExpiration": ("dead_letter_on_expiration", bool),
    "DefaultMessageTimeToLive": ("default_time_to_live", durations.parse),
    "ForwardDeadLetteredMessagesTo": ("forward_dead_letters_to", str),
    "ForwardTo": ("forward_to", str),
    "LockDuration": ("lock_duration", durations.parse),
    "MaxDeliveryCount": ("max_delivery_count", int),
    "RequiresSession": ("requires_session", bool),
}
_OF_INTAKE = {
    "DefaultMessageTimeToLive": ("default_time_to_live", durations.parse),
    "DuplicateDetectionHistoryTimeWindow": ("duplicate_window", durations.parse),
    "RequiresDuplicateDetection": ("detects", bool),
}


class InvalidConfiguration(LocalCloudError, ValueError):
    """A configuration with faults; the message lists every one with its place."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(["the configuration cannot be used:", *faults]))
        self.faults = tuple(faults)


@dataclass
class Reading:
    """What a configuration declares, and what is wrong with it."""

    queues: list[tuple[str, QueueSettings]] = field(default_factory=list)
    topics: list[tuple[str, TopicSettings]] = field(default_factory=list)
    subscriptions: list[tuple[str, str, SubscriptionSettings, list[Rule]]] = field(
        default_factory=list
    )
    faults: list[str] = field(default_factory=list)


def load(path: Path) -> Reading:
    """Read a file.

    Raises:
        InvalidConfiguration: it cannot be read, or what it says cannot be done.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InvalidConfiguration([f"{path}: {error.strerror}"]) from error
    if len(content) > FILE_BYTES:
        raise InvalidConfiguration([f"{path}: it has more than {FILE_BYTES} bytes"])
    return parse(content)


def parse(content: bytes | str) -> Reading:
    """Read a configuration in JSON; a byte order mark is passed over.

    Raises:
        InvalidConfiguration: it is no JSON, or what it says cannot be done.
    """
    try:
        text = content.decode("utf-8-sig") if isinstance(content, bytes) else content
        document = json.loads(text)
        # Half of a surrogate pair is JSON and no text; it could be read here and never be sent.
        json.dumps(document, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise InvalidConfiguration([f"it is not JSON: {error}"]) from error
    reading = Reading()
    _Reader(reading).document(document)
    if reading.faults:
        raise InvalidConfiguration(reading.faults)
    return reading


def apply(reading: Reading, namespace: Namespace) -> None:
    """Make what a configuration declares; what is forwarded to is made first.

    Raises:
        InvalidConfiguration: names are not valid or taken, or lead nowhere; nothing is undone.
    """
    steps: list[tuple[str, Callable[[], object]]] = [
        *(
            (f"topic {name!r}", partial(namespace.add_topic, name, settings))
            for name, settings in reading.topics
        ),
        *(
            (f"queue {name!r}", partial(namespace.add_queue, name, kept))
            for name, kept in reading.queues
        ),
        *(
            (
                f"subscription {name!r} of {topic!r}",
                partial(namespace.add_subscription, topic, name, kept, rules),
            )
            for topic, name, kept, rules in reading.subscriptions
        ),
    ]
    while steps:
        faults: list[str] = []
        postponed = []
        for where, make in steps:
            try:
                make()
            except Refused as refused:
                faults.append(f"{where}: {refused.message}")
                postponed.append((where, make))
        if len(postponed) == len(steps):
            raise InvalidConfiguration(faults)
        steps = postponed


class _Reader:
    """Goes through a document and notes faults with their places instead of stopping."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    def document(self, document: object) -> None:
        config = self._map(self._map(document, "", {"UserConfig"}).get("UserConfig"), "UserConfig")
        self._known(config, "UserConfig", {"Namespaces", "Logging"})
        namespaces = self._list(config.get("Namespaces"), "UserConfig.Namespaces")
        if len(namespaces) != 1:
            self._fault("UserConfig.Namespaces", "exactly one namespace is expected")
        for place, each in enumerate(namespaces):
            self._namespace(each, f"UserConfig.Namespaces[{place}]")

    def _namespace(self, value: object, at: str) -> None:
        namespace = self._map(value, at, _NAMESPACE)
        for place, each in enumerate(self._list(namespace.get("Queues", []), f"{at}.Queues")):
            self._queue(each, f"{at}.Queues[{place}]")
        for place, each in enumerate(self._list(namespace.get("Topics", []), f"{at}.Topics")):
            self._topic(each, f"{at}.Topics[{place}]")

    def _queue(self, value: object, at: str) -> None:
        queue = self._map(value, at, _ENTITY)
        name = self._name(queue, at)
        told = self._properties(queue, at, {**_OF_SUBSCRIPTION, **_OF_INTAKE})
        settings = self._settings(QueueSettings, {**_DEFAULTS, **_window(told)}, at)
        if name is not None and settings is not None:
            self._reading.queues.append((name, settings))

    def _topic(self, value: object, at: str) -> None:
        topic = self._map(value, at, _TOPIC)
        name = self._name(topic, at)
        told = _window(self._properties(topic, at, _OF_INTAKE))
        default = _DEFAULTS["default_time_to_live"]
        settings = self._settings(TopicSettings, {"default_time_to_live": default, **told}, at)
        if name is not None and settings is not None:
            self._reading.topics.append((name, settings))
        subscriptions = self._list(topic.get("Subscriptions", []), f"{at}.Subscriptions")
        for place, each in enumerate(subscriptions):
            self._subscription(name or "", each, f"{at}.Subscriptions[{place}]")

    def _subscription(self, topic: str, value: object, at: str) -> None:
        subscription = self._map(value, at, _SUBSCRIPTION)
        name = self._name(subscription, at)
        told = self._properties(subscription, at, _OF_SUBSCRIPTION)
        settings = self._settings(SubscriptionSettings, {**_DEFAULTS, **told}, at)
        rules = [
            found
            for place, each in enumerate(self._list(subscription.get("Rules", []), f"{at}.Rules"))
            if (found := self._rule(each, f"{at}.Rules[{place}]")) is not None
        ]
        if name is not None and settings is not None:
            self._reading.subscriptions.append((topic, name, settings, rules))

    def _rule(self, value: object, at: str) -> Rule | None:
        told = self._map(value, at, _ENTITY)
        name = self._name(told, at)
        at = f"{at}.Properties"
        properties = self._map(told.get("Properties"), at, _RULE)
        passing = self._filter(properties, at)
        action = self._map(properties.get("Action", {}), f"{at}.Action", {"SqlExpression"})
        source = action.get("SqlExpression")
        if name is None or passing is None:
            return None
        if source is not None and not isinstance(source, str):
            self._fault(f"{at}.Action.SqlExpression", "a string is expected")
            return None
        return self._tried(at, lambda: rule(name, passing, source))

    def _filter(self, properties: Mapping[str, Any], at: str) -> Filter | None:
        kind = properties.get("FilterType")
        if kind == "Sql":
            told = self._map(properties.get("SqlFilter"), f"{at}.SqlFilter", {"SqlExpression"})
            source = told.get("SqlExpression")
            if isinstance(source, str):
                return self._tried(f"{at}.SqlFilter", lambda: sql_filter(source))
            self._fault(f"{at}.SqlFilter.SqlExpression", "a string is expected")
            return None
        if kind == "Correlation":
            at = f"{at}.CorrelationFilter"
            told = dict(self._map(properties.get("CorrelationFilter"), at))
            application = self._map(told.pop("Properties", {}), f"{at}.Properties")
            for name, value in application.items():
                if isinstance(value, (dict, list)):
                    self._fault(f"{at}.Properties.{name}", "a simple value is expected")
                    return None
            for name, value in told.items():
                if name.lower() not in SYSTEM or not isinstance(value, str):
                    self._fault(f"{at}.{name}", "a system property and a string, please")
                    return None
            system = {name.lower(): value for name, value in told.items()}
            return self._tried(at, lambda: CorrelationFilter(system, application))
        self._fault(f"{at}.FilterType", "Sql or Correlation is expected")
        return None

    def _properties(
        self, entity: Mapping[str, Any], at: str, known: Mapping[str, tuple[str, Any]]
    ) -> dict[str, Any]:
        at = f"{at}.Properties"
        told = self._map(entity.get("Properties", {}), at, set(known))
        read: dict[str, Any] = {}
        for name, value in told.items():
            if name not in known:
                continue
            setting, kind = known[name]
            wanted = kind if isinstance(kind, type) else str
            if type(value) is not wanted:
                self._fault(f"{at}.{name}", f"a {_SAID[wanted]} is expected")
            elif isinstance(kind, type):
                # An empty string is how the file says that nothing is forwarded.
                read[setting] = value if value != "" else None
            else:
                try:
                    read[setting] = kind(value)
                except ValueError as error:
                    self._fault(f"{at}.{name}", str(error))
        return read

    def _settings(self, kind: type[T], told: Mapping[str, Any], at: str) -> T | None:
        return self._tried(f"{at}.Properties", lambda: kind(**told))

    def _tried(self, at: str, make: Callable[[], T]) -> T | None:
        try:
            return make()
        except Refused as refused:
            self._fault(at, refused.message)
            return None

    def _name(self, entity: Mapping[str, Any], at: str) -> str | None:
        name = entity.get("Name")
        if isinstance(name, str) and name:
            return name
        self._fault(f"{at}.Name", "a name is expected")
        return None

    def _map(self, value: object, at: str, known: set[str] | None = None) -> Mapping[str, Any]:
        if not isinstance(value, dict):
            self._fault(at or "the document", "an object is expected")
            return {}
        if known is not None:
            self._known(value, at, known)
        return value

    def _known(self, value: Mapping[str, Any], at: str, known: set[str]) -> None:
        for name in value.keys() - known:
            self._fault(
                f"{at}.{name}".strip("."), f"not known; known are {', '.join(sorted(known))}"
            )

    def _list(self, value: object, at: str) -> list[Any]:
        if isinstance(value, list):
            return value
        self._fault(at, "an array is expected")
        return []

    def _fault(self, at: str, problem: str) -> None:
        self._reading.faults.append(f"{at}: {problem}")


_SAID = {bool: "truth value", int: "whole number", str: "string"}


def _window(told: dict[str, Any]) -> dict[str, Any]:
    """The window of duplicate detection, which counts only if duplicates are to be detected."""
    detects, window = told.pop("detects", False), told.pop("duplicate_window", 20.0)
    return {**told, "duplicate_window": window if detects else None}
