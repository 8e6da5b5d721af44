"""Output bindings of Service Bus: what functions put out is sent.

Source: learn.microsoft.com/azure/azure-functions/functions-bindings-service-bus-output and
Azure/azure-sdk-for-net, `Bindings/StringToMessageConverter.cs`.
"""

import base64
import binascii
import json
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from crosswind_local.errors import LocalCloudError
from crosswind_local.functions_host.functions import ServiceBusOutput
from crosswind_local.functions_host.process import Value
from crosswind_local.functions_host.sdk import servicebus

if TYPE_CHECKING:
    from azure.servicebus import ServiceBusClient, ServiceBusSender


class NotSent(LocalCloudError):
    """What a function put out could not be sent, which fails its call."""


@dataclass(slots=True)
class _Open:
    """A sender that stays open, since opening one takes the SDK half a second."""

    client: "ServiceBusClient"
    sender: "ServiceBusSender"
    lock: threading.Lock = field(default_factory=threading.Lock)


class Senders:
    """Senders of one app, each opened when it is first needed."""

    def __init__(self) -> None:
        self._open: dict[ServiceBusOutput, _Open] = {}
        self._lock = threading.Lock()

    def send(self, output: ServiceBusOutput, value: Value) -> None:
        """Send what a function put out: one message, or one for each member of a JSON array.

        Raises:
            NotSent: the service refuses it, or cannot be reached.
        """
        sdk = servicebus()
        try:
            messages = [
                sdk.ServiceBusMessage(body, content_type=kind) for body, kind in contents(value)
            ]
            opened = self._sender(output)
            with opened.lock:  # the SDK's senders are not made for several threads
                opened.sender.send_messages(messages)
        except (sdk.exceptions.ServiceBusError, ValueError) as error:
            raise NotSent(f"the output to {output.entity} was not sent: {error}") from error

    def close(self) -> None:
        """Close them all."""
        with self._lock:
            opened, self._open = list(self._open.values()), {}
        for each in opened:
            each.client.close()

    def _sender(self, output: ServiceBusOutput) -> _Open:
        with self._lock:
            if output not in self._open:
                client = servicebus().ServiceBusClient.from_connection_string(
                    output.connection_string
                )
                # To the SDK a topic is addressed as a queue is.
                self._open[output] = _Open(client, client.get_queue_sender(output.entity))
            return self._open[output]


def contents(value: Value) -> list[tuple[str | bytes, str]]:
    """The bodies that a value stands for, each with its content type.

    Raises:
        NotSent: it is of a kind that is no message.
    """
    for kind, content in value.items():
        if kind == "bytes":
            try:
                return [(base64.b64decode(content, validate=True), "application/octet-stream")]
            except binascii.Error as error:
                raise NotSent(f"the worker sent bytes that are none: {error}") from error
        if kind in {"string", "json"}:
            return [(text, "text/plain") for text in _members(str(content))]
        raise NotSent(f"a value of kind {kind} is no message")
    return []


def _members(text: str) -> list[str]:
    if not text.lstrip().startswith("["):
        return [text]
    try:
        members: Any = json.loads(text)
    except ValueError:
        return [text]
    return [member if isinstance(member, str) else json.dumps(member) for member in members]
