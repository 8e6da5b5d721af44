"""Service Bus triggers: messages are received, passed to a function, and settled.

A trigger has several receivers, each with a connection and a thread of its own: the SDK's are not
made to be settled on by one thread while another receives. One receiver always waits; when it has
got something the next one is opened, up to the limit that `host.json` sets, and those that have
nothing to do for long are closed again. A batch trigger has one, since the host calls a function
of batches one at a time.

Source: learn.microsoft.com/azure/azure-functions/functions-bindings-service-bus-trigger, "PeekLock
behavior" and "Poison messages", and Azure/azure-sdk-for-net, `Listeners/ServiceBusListener.cs`.
"""

import base64
import json
import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from typing import TYPE_CHECKING, Any

from crosswind_local.clock import Alarm, Clock
from crosswind_local.functions_host.configuration import ServiceBusOptions
from crosswind_local.functions_host.functions import Function, ServiceBusTrigger
from crosswind_local.functions_host.invoker import Invoker, Result
from crosswind_local.functions_host.journal import Journal
from crosswind_local.functions_host.messages import (
    BodyRefused,
    Received,
    bodies_of,
    body_of,
    metadata_of,
    metadata_of_batch,
)
from crosswind_local.functions_host.sdk import servicebus

if TYPE_CHECKING:
    from azure.servicebus import (
        ServiceBusClient,
        ServiceBusReceivedMessage,
        ServiceBusReceiver,
    )

WAIT = 0.5
"""Seconds that one look for messages takes, and so the longest that stopping waits for it."""

SESSION_WAIT = 2.0
"""The same, for a session that has messages."""

SPARE = 30.0
"""Seconds after which a receiver that is not the last one waiting is closed."""

PAUSE = 2.0
"""Seconds before a receiver that failed is opened anew."""

_END = 5.0


class Receivers:
    """The receivers of one function."""

    def __init__(
        self,
        function: Function,
        trigger: ServiceBusTrigger,
        options: ServiceBusOptions,
        invoker: Invoker,
        clock: Clock,
        journal: Journal,
    ) -> None:
        self._function = function
        self._trigger = trigger
        self._options = options
        self._invoker = invoker
        self._clock = clock
        self._journal = journal
        if trigger.many:
            self._most = 1
        elif trigger.sessions:
            self._most = options.max_concurrent_sessions
        else:
            self._most = options.max_concurrent_calls
        self._calls = ThreadPoolExecutor(self._most, f"functions-{function.name}")
        self._threads: set[threading.Thread] = set()
        self._waiting = 0
        self._lock = threading.Lock()
        self._stopping = threading.Event()

    def start(self) -> None:
        """Begin to receive."""
        servicebus()  # that it is not installed is an error of the start
        with self._lock:
            self._open()

    def cease(self) -> None:
        """Receive no more; what is being handled goes on."""
        self._stopping.set()

    def stop(self) -> None:
        """Close all receivers; what is still being handled is given back."""
        self.cease()
        with self._lock:
            threads = list(self._threads)
        end = time.monotonic() + _END
        for thread in threads:
            thread.join(max(end - time.monotonic(), 0))
        self._calls.shutdown(wait=False)

    def report(self) -> dict[str, object]:
        """How many receivers there are, and how many of them wait."""
        with self._lock:
            return {"receivers": len(self._threads), "waiting": self._waiting}

    def _open(self) -> None:
        """Open one more; the lock is held."""
        thread = threading.Thread(target=self._run, name="functions-receiver", daemon=True)
        self._threads.add(thread)
        self._waiting += 1
        thread.start()

    def _run(self) -> None:
        sdk = servicebus()
        try:
            while not self._stopping.is_set():
                try:
                    if not self._receive(sdk):
                        return
                except sdk.exceptions.OperationTimeoutError:
                    continue  # no session has messages
                except (sdk.exceptions.ServiceBusError, OSError, ValueError) as error:
                    if not self._stopping.is_set():
                        self._tell(f"receiving from {self._trigger.path} failed: {error}")
                    self._stopping.wait(PAUSE)
        finally:
            with self._lock:
                self._waiting -= 1
                self._threads.discard(threading.current_thread())

    def _receive(self, sdk: Any) -> bool:
        """Receive until the connection or the session ends; False where it is one too many."""
        connection = self._trigger.connection_string
        # That no session has messages is no failure which the SDK should look into once more.
        retries = {"retry_total": 0} if self._trigger.sessions else {}
        with (
            sdk.ServiceBusClient.from_connection_string(connection, **retries) as client,
            self._receiver(client, sdk) as receiver,
        ):
            since = self._clock.now()
            while not self._stopping.is_set():
                messages = receiver.receive_messages(self._at_once(), max_wait_time=WAIT)
                idle = self._clock.now() - since
                if messages:
                    self._took(+1)
                    try:
                        self._handle(receiver, messages, sdk)
                    finally:
                        self._took(-1)
                    since = self._clock.now()
                elif self._trigger.sessions:
                    if idle > self._options.session_idle_timeout:
                        return True
                elif idle > SPARE and self._is_spare():
                    return False
        return False

    def _receiver(self, client: "ServiceBusClient", sdk: Any) -> "ServiceBusReceiver":
        options: dict[str, Any] = {}
        if self._trigger.sessions:
            options["session_id"] = sdk.NEXT_AVAILABLE_SESSION
            options["max_wait_time"] = SESSION_WAIT
        if self._options.prefetch_count:
            options["prefetch_count"] = max(self._options.prefetch_count // self._most, 1)
        if self._trigger.subscription is None:
            return client.get_queue_receiver(self._trigger.entity, **options)
        return client.get_subscription_receiver(
            self._trigger.entity, self._trigger.subscription, **options
        )

    def _at_once(self) -> int:
        return self._options.max_message_batch_size if self._trigger.many else 1

    def _took(self, change: int) -> None:
        """A receiver has got something (1) or is done with it (-1)."""
        with self._lock:
            self._waiting -= change
            short = self._waiting == 0 and len(self._threads) < self._most
            if change > 0 and short and not self._stopping.is_set():
                self._open()

    def _is_spare(self) -> bool:
        with self._lock:
            return self._waiting > 1

    def _handle(
        self,
        receiver: "ServiceBusReceiver",
        messages: "list[ServiceBusReceivedMessage]",
        sdk: Any,
    ) -> None:
        """Call the function, keep the locks meanwhile, and settle as it went."""
        received = [read(message) for message in messages]
        signals: queue.SimpleQueue[str] = queue.SimpleQueue()
        until = self._clock.now() + self._options.max_auto_lock_renewal
        alarm = self._renewal(receiver, messages, until, signals)
        call = self._calls.submit(self._call, received)
        call.add_done_callback(lambda _: signals.put("done"))
        while signals.get() == "renew":
            try:
                renew(receiver, messages)
            except sdk.exceptions.ServiceBusError as error:
                self._tell(f"the lock on a message of {self._trigger.path} is lost: {error}")
                alarm = None
            else:
                alarm = self._renewal(receiver, messages, until, signals)
        if alarm is not None:
            alarm.cancel()
        settle = receiver.complete_message if succeeded(call) else receiver.abandon_message
        for message in messages:
            self._settle(settle, message, sdk)

    def _settle(
        self, settle: Callable[[Any], None], message: "ServiceBusReceivedMessage", sdk: Any
    ) -> None:
        try:
            settle(message)
        except (sdk.exceptions.ServiceBusError, ValueError) as error:
            self._tell(
                f"message {message.message_id} of {self._trigger.path} was not settled and will "
                f"be delivered again: {error}"
            )

    def _call(self, received: Sequence[Received]) -> Result:
        trigger = self._trigger
        kind = "subscription" if trigger.subscription else "queue"
        reason = f"{kind} {trigger.path}, {len(received)} message(s)"
        try:
            value = (
                bodies_of(received, trigger.binary)
                if trigger.many
                else body_of(received[0], trigger.binary)
            )
        except BodyRefused as error:
            self._tell(f"'{self._function.name}' is not called: {error}")
            return Result("", error=str(error))
        told = metadata_of_batch(received) if trigger.many else metadata_of(received[0])
        trace = str(received[0].properties.get("Diagnostic-Id") or "")
        return self._invoker.invoke(self._function, value, told, reason, trace)

    def _renewal(
        self,
        receiver: "ServiceBusReceiver",
        messages: "list[ServiceBusReceivedMessage]",
        until: float,
        signals: "queue.SimpleQueue[str]",
    ) -> Alarm | None:
        """Have the locks renewed when half their time is over; None where that is not wanted."""
        now = self._clock.now()
        locked = locked_until(receiver, messages)
        if locked is None:
            return None
        due = now + max((locked.timestamp() - now) / 2, 0.5)
        if due > until:
            return None
        return self._clock.call_at(due, lambda: signals.put("renew"))

    def _tell(self, problem: str) -> None:
        self._journal.tell(f"[error] {problem}")


def succeeded(call: "Future[Result]") -> bool:
    """Whether the function did."""
    return call.exception() is None and call.result().succeeded


def renew(receiver: "ServiceBusReceiver", messages: "Sequence[ServiceBusReceivedMessage]") -> None:
    """Renew the lock on the session, or on each message.

    Raises:
        ServiceBusError: a lock is lost.
    """
    session = receiver.session
    if session is not None:
        session.renew_lock()
        return
    for message in messages:
        receiver.renew_message_lock(message)


def locked_until(
    receiver: "ServiceBusReceiver", messages: "Sequence[ServiceBusReceivedMessage]"
) -> datetime | None:
    """When the first of the locks ends."""
    session = receiver.session
    if session is not None:
        return session.locked_until_utc
    ends = [message.locked_until_utc for message in messages]
    return min((end for end in ends if end is not None), default=None)


def read(message: "ServiceBusReceivedMessage") -> Received:
    """A message of the SDK."""
    return Received(
        body=_body(message),
        delivery_count=(message.delivery_count or 0) + 1,
        lock_token=str(message.lock_token or ""),
        sequence_number=message.sequence_number or 0,
        enqueued=message.enqueued_time_utc or datetime.min,
        expires_at=message.expires_at_utc,
        message_id=message.message_id,
        content_type=message.content_type,
        correlation_id=message.correlation_id,
        subject=message.subject,
        to=message.to,
        reply_to=message.reply_to,
        session_id=message.session_id,
        reply_to_session_id=message.reply_to_session_id,
        partition_key=message.partition_key,
        dead_letter_source=message.dead_letter_source,
        properties={
            _name(name): _plain(value)
            for name, value in (message.application_properties or {}).items()
        },
    )


def _body(message: "ServiceBusReceivedMessage") -> bytes:
    body: Any = message.body
    if isinstance(body, bytes):
        return body
    if isinstance(body, str):
        return body.encode()
    if message.body_type.value == "data":
        return b"".join(bytes(part) for part in body)
    return json.dumps(_plain(body if isinstance(body, dict | int | float) else list(body))).encode()


def _name(name: str | bytes) -> str:
    return name.decode() if isinstance(name, bytes) else name


def _plain(value: Any) -> Any:
    """A value of AMQP as one that JSON has."""
    if isinstance(value, bytes):
        try:
            return value.decode()  # the SDK hands texts over as bytes
        except UnicodeDecodeError:
            return base64.b64encode(value).decode("ascii")
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return {_name(name): _plain(member) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(member) for member in value]
    return value if isinstance(value, str | int | float | None) else str(value)
