"""A tester's desk for Service Bus: senders and receivers of the official SDK, and short names."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Self

from azure.servicebus import (
    ServiceBusClient,
    ServiceBusMessage,
    ServiceBusReceivedMessage,
    ServiceBusReceiver,
    ServiceBusSender,
)
from azure.servicebus.exceptions import MessageNotFoundError

from crosswind_local import ManualClock
from local.elsewhere import refusals

refused = refusals("servicebus")

SUBSCRIPTIONS = ("every", "sql", "correlation", "action")


class Desk:
    """Senders and receivers are opened when they are asked for first, and kept."""

    def __init__(
        self, connection_string: str, clock: ManualClock | None = None, prefix: str = ""
    ) -> None:
        """`clock` is that of the service; without it, it is real time.

        `prefix` is what the names of the entities begin with.
        """
        # Each failing attempt costs seconds, and a test wants to see the first.
        self.client = ServiceBusClient.from_connection_string(connection_string, retry_total=0)
        self._clock = clock
        self._prefix = prefix
        self._open: dict[object, ServiceBusSender | ServiceBusReceiver] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # Each takes the SDK half a second to close, so they are closed side by side.
        if self._open:
            with ThreadPoolExecutor(len(self._open)) as pool:
                list(pool.map(lambda handler: handler.close(), self._open.values()))
        self.client.close()

    def now(self) -> datetime:
        """The service's time."""
        at = time.time() if self._clock is None else self._clock.now()
        return datetime.fromtimestamp(at, UTC)

    def wait(self, seconds: float) -> None:
        """Let the service's time pass."""
        if self._clock is None:
            time.sleep(seconds)
        else:
            self._clock.advance(seconds)

    @contextmanager
    def passing(self, seconds: float) -> Iterator[None]:
        """Let the service's time pass soon after something has begun that waits for it."""
        timer = threading.Timer(1.5, self._clock.advance, [seconds]) if self._clock else None
        if timer is not None:
            timer.start()
        yield
        if timer is not None:
            timer.join()

    def later(self, seconds: float) -> datetime:
        """A moment of the service's time."""
        return self.now() + timedelta(seconds=seconds)

    def name(self, entity: str) -> str:
        """The name that a queue or topic has in full."""
        return self._prefix + entity

    def sender(self, name: str) -> ServiceBusSender:
        """The sender to a queue or topic."""

        def make() -> ServiceBusSender:
            if name == "topic":
                return self.client.get_topic_sender(self.name(name))
            return self.client.get_queue_sender(self.name(name))

        sender = self._kept(("sender", name), make)
        assert isinstance(sender, ServiceBusSender)
        return sender

    def send(self, name: str, *bodies: str, **properties: Any) -> None:
        """Send texts as one batch; `properties` are those of each message."""
        messages = [ServiceBusMessage(body, **properties) for body in bodies]
        self.sender(name).send_messages(messages if len(messages) > 1 else messages[0])

    def receiver(self, name: str, **options: Any) -> ServiceBusReceiver:
        """A receiver from a queue, or from a subscription of the topic."""

        def make() -> ServiceBusReceiver:
            if name in SUBSCRIPTIONS:
                return self.client.get_subscription_receiver(self.name("topic"), name, **options)
            return self.client.get_queue_receiver(self.name(name), **options)

        receiver = self._kept(("receiver", name, *sorted(map(str, options.items()))), make)
        assert isinstance(receiver, ServiceBusReceiver)
        return receiver

    def receive(
        self, name: str, most: int = 1, wait: float = 5, **options: Any
    ) -> list[ServiceBusReceivedMessage]:
        """Receive up to so many messages, waiting for the first."""
        return self.receiver(name, **options).receive_messages(most, max_wait_time=wait)

    def gather(
        self, name: str, count: int, wait: float = 5, **options: Any
    ) -> list[ServiceBusReceivedMessage]:
        """Receive so many messages, however they come.

        The SDK gives back what it has once nothing has come for 0.2 seconds.
        """
        gathered: list[ServiceBusReceivedMessage] = []
        while len(gathered) < count:
            more = self.receive(name, count - len(gathered), wait, **options)
            if not more:
                break
            gathered += more
        return gathered

    def dead(self, name: str, most: int = 1, wait: float = 5) -> list[ServiceBusReceivedMessage]:
        """Receive from the dead letters."""
        return self.receive(name, most, wait, sub_queue="deadletter")

    def nothing(self, name: str, **options: Any) -> bool:
        """Whether nothing can be received now."""
        return self.receive(name, 1, 0.1, **options) == []

    def drop(self, handler: ServiceBusSender | ServiceBusReceiver) -> None:
        """Close a sender or receiver before the end."""
        for key, other in list(self._open.items()):
            if other is handler:
                del self._open[key]
        handler.close()

    def purge(self) -> None:
        """Take everything out of every entity; waits until locks have ended.

        What is there is found by browsing, so that no receiver of this desk ever asks for a
        message that a test sends later.
        """
        for name in ("plain", "duplicates", *SUBSCRIPTIONS):
            for options in ({}, {"sub_queue": "deadletter"}):
                browser = self.receiver(name, **options)
                while found := browser.peek_messages(250, sequence_number=1):
                    self._take_out(name, options, found)

    def _take_out(
        self, name: str, options: Mapping[str, str], found: Sequence[ServiceBusReceivedMessage]
    ) -> None:
        """Take out what was found, as far as it is not locked."""
        numbers: dict[str, list[int]] = {"ACTIVE": [], "DEFERRED": [], "SCHEDULED": []}
        for message in found:
            numbers[message.state.name].append(message.sequence_number or 0)
        if numbers["SCHEDULED"]:
            self.sender(name).cancel_scheduled_messages(numbers["SCHEDULED"])
        delete = {**options, "receive_mode": "receiveanddelete"}
        deleting = self.receiver(name, **delete)
        for number in numbers["DEFERRED"]:
            try:
                deleting.receive_deferred_messages(number)
            except MessageNotFoundError:
                pass  # it is locked; it is there again when its lock has ended
        while numbers["ACTIVE"] and deleting.receive_messages(100, max_wait_time=1):
            pass
        self.drop(deleting)

    def _kept(
        self, key: object, make: Callable[[], ServiceBusSender | ServiceBusReceiver]
    ) -> ServiceBusSender | ServiceBusReceiver:
        if key not in self._open:
            # Opened now, or the wait for a first message would have to last for this, too.
            self._open[key] = make().__enter__()
        return self._open[key]


def texts(received: Sequence[ServiceBusReceivedMessage]) -> list[str]:
    """The bodies of messages."""
    return [str(message) for message in received]
