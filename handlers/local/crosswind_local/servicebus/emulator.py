"""The Service Bus emulator as one thing: start it, point the SDK at it, stop it."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

from crosswind_local.calls import CallRecord
from crosswind_local.clock import Clock, SystemClock
from crosswind_local.inspection import Inspection
from crosswind_local.lifecycle import LocalService
from crosswind_local.memory import DEFAULT_LIMIT, Memory
from crosswind_local.servicebus import config as configuration
from crosswind_local.servicebus.namespace import Namespace
from crosswind_local.servicebus.rules.rule import Rule
from crosswind_local.servicebus.settings import (
    QueueSettings,
    SubscriptionSettings,
    TopicSettings,
)
from crosswind_local.servicebus.wire.connection import Connection, Service
from crosswind_local.servicebus.wire.server import Server

T = TypeVar("T")


class ServiceBusEmulator(LocalService):
    """Azure Service Bus on 127.0.0.1, in this process.

        with ServiceBusEmulator() as servicebus:
            servicebus.add_queue("orders")
            client = ServiceBusClient.from_connection_string(servicebus.connection_string)

    Any key is accepted. All is kept in memory and gone once it stops.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        config: Path | str | None = None,
        clock: Clock | None = None,
        memory_limit: int = DEFAULT_LIMIT,
    ) -> None:
        """Listen on `port`, or on a free one.

        `config` is a file in the form of the official emulator's. `clock` is real time unless a
        test brings its own, which should begin at the real time: the SDK, too, looks at the time,
        and takes the lock on a message for lost when it ends in what it takes for the past.
        `memory_limit` is in bytes of messages held, over all entities; sending beyond it is
        refused with amqp:resource-limit-exceeded.

        Raises:
            InvalidConfiguration: the file cannot be used; the message lists every fault.
        """
        super().__init__()
        self._asked_port = port
        self._port = 0
        self.clock: Clock = SystemClock() if clock is None else clock
        self._calls = CallRecord()
        self._server = Server(lambda: Connection(self._service))
        self._namespace = Namespace(self.clock, Memory(memory_limit), self._server.ask)
        self._service = Service(self._namespace, self._calls)
        self._inspection = Inspection({"/": self.report, "/calls": self._calls.last})
        if config is not None:
            configuration.apply(configuration.load(Path(config)), self._namespace)

    @property
    def address(self) -> str:
        """Where it listens, as host:port."""
        return f"127.0.0.1:{self._port}"

    @property
    def connection_string(self) -> str:
        """What the official SDK is given, in the form of the official emulator's."""
        return (
            f"Endpoint=sb://{self.address};SharedAccessKeyName=RootManageSharedAccessKey;"
            "SharedAccessKey=SAS_KEY_VALUE;UseDevelopmentEmulator=true;"
        )

    @property
    def env(self) -> dict[str, str]:
        """The connection string, under the name that the SDK's samples read."""
        return {"SERVICEBUS_CONNECTION_STR": self.connection_string}

    @property
    def inspection_url(self) -> str:
        """Where what it holds can be read as JSON."""
        return self._inspection.url

    def add_queue(self, name: str, settings: QueueSettings | None = None) -> None:
        """Add a queue.

        Raises:
            Refused: the name is not valid or taken, or there are too many entities.
        """
        self._ask(lambda: self._namespace.add_queue(name, settings))

    def add_topic(self, name: str, settings: TopicSettings | None = None) -> None:
        """Add a topic.

        Raises:
            Refused: the name is not valid or taken, or there are too many entities.
        """
        self._ask(lambda: self._namespace.add_topic(name, settings))

    def add_subscription(
        self,
        topic: str,
        name: str,
        settings: SubscriptionSettings | None = None,
        rules: Iterable[Rule] = (),
    ) -> None:
        """Add a subscription to a topic; without rules it takes every message.

        Raises:
            Refused: there is no such topic, the name is not valid or taken, or there are too many.
        """
        given = list(rules)
        self._ask(lambda: self._namespace.add_subscription(topic, name, settings, given))

    def remove(self, name: str) -> None:
        """Remove a queue, or a topic with its subscriptions, and all they hold.

        Raises:
            Refused: there is none of that name.
        """
        self._ask(lambda: self._namespace.remove(name))

    def report(self) -> dict[str, object]:
        """What it holds: entities with their counts, memory, connections, calls."""
        return self._ask(
            lambda: {
                **self._namespace.report(),
                "connections": len(self._service.connections),
                "calls": self._calls.counts(),
            }
        )

    def _ask(self, action: Callable[[], T]) -> T:
        """Have the server's thread do it, or this one before it has begun to run."""
        return self._server.ask(action)

    def _start(self) -> None:
        self._port = self._server.start(self._asked_port)
        self._inspection.start()

    def _stop(self) -> None:
        # First the clock: its alarms wait for the server's thread.
        self.clock.close()
        self._server.stop(self._end)
        self._inspection.stop()

    def _end(self) -> None:
        self._namespace.close()
        for connection in list(self._service.connections):
            connection.abort()
