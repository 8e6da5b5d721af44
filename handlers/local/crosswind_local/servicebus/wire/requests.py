"""Requests to management nodes and the responses to them.

"AMQP 1.0 in Azure Service Bus: request-response-based operations",
https://learn.microsoft.com/azure/service-bus-messaging/service-bus-amqp-request-response, and
"Claims-based-security authorization" in the protocol guide, whose tokens are taken unseen.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple, cast

import proton
from proton import Delivery

from crosswind_local.servicebus.amqp import sections
from crosswind_local.servicebus.amqp.decoding import decode, items
from crosswind_local.servicebus.amqp.encoding import encode, list_of, section
from crosswind_local.servicebus.amqp.values import Int, Malformed, Symbol
from crosswind_local.servicebus.conditions import VENDOR, Refused, malformed, quota
from crosswind_local.servicebus.wire.links import Incoming, reject
from crosswind_local.servicebus.wire.record import Record

if TYPE_CHECKING:
    from crosswind_local.servicebus.wire.connection import Connection

REQUEST_BYTES = 1_048_576
"""Of one request."""
UNREAD_RESPONSES = 1_000
"""How many responses may wait for a client that does not read them."""


class Request(NamedTuple):
    """What a client asks for; `id` is the bytes of the message id, whatever its type."""

    operation: str
    body: object
    id: bytes
    reply_to: str | None
    link_name: str | None
    """The link that it is said to be about."""


class Answer(NamedTuple):
    """What comes of a request: 204 when there is nothing, and otherwise 200."""

    body: Mapping[str, object] | None = None
    status: int = 200


CBS = "$cbs"
"""The node that takes tokens."""

_NAMES = ("statusCode", "statusDescription")
_CBS_NAMES = ("status-code", "status-description")
_TOLD = {202: "Accepted", 204: "No content"}

Operations = Callable[[Request], Answer]
"""Carries out a request, or raises a Refused."""


class Responses:
    """A client receives responses from a management node."""

    def __init__(self, link: proton.Link, address: str) -> None:
        self.link = link
        self.address = address.lower()
        self._sender = cast(proton.Sender, link)
        link.open()

    @property
    def unread(self) -> int:
        """How many responses wait for the client's credit."""
        return self.link.queued

    def send(self, content: bytes) -> None:
        """Send a response."""
        delivery = self._sender.delivery(self._sender.delivery_tag())
        self._sender.stream(content)
        self._sender.advance()
        delivery.settle()

    def delivery(self, delivery: Delivery, form: int) -> None:
        return

    def flow(self) -> None:
        return

    def left(self) -> None:
        return


class Requests:
    """A client sends requests to a management node."""

    def __init__(
        self, connection: "Connection", link: proton.Link, address: str, operations: Operations
    ) -> None:
        self.link = link
        self._connection = connection
        self._address = address.lower()
        self._operations = operations
        self._record = Record(connection.service, address)
        self._incoming = Incoming(link, REQUEST_BYTES)
        self._names = _CBS_NAMES if self._address == CBS else _NAMES

    def delivery(self, delivery: Delivery, form: int) -> None:
        raw = self._incoming.whole(delivery)
        if raw is None:
            return
        try:
            request = read(raw)
        except Refused as refused:
            reject(delivery, refused)
        else:
            # First the response, then the disposition: the SDK reads one frame every 50 ms while
            # it opens a link, and it is the response that it waits for.
            self._respond(request)
            delivery.update(Delivery.ACCEPTED)
        delivery.settle()

    def flow(self) -> None:
        return

    def left(self) -> None:
        return

    def _respond(self, request: Request) -> None:
        answer = Answer()
        with self._record.call(request.operation.removeprefix(VENDOR)) as call:
            answer = self._operations(request)
        responses = self._responses(request)
        if responses is None:
            return
        if responses.unread >= UNREAD_RESPONSES:
            self._connection.close(quota(f"{responses.unread} responses are not read."))
            return
        responses.send(self._written(request, answer, call.refused))

    def _responses(self, request: Request) -> Responses | None:
        """The link for a response: of the same session and node, with the address asked for."""
        session = self.link.session
        found = None
        for link in self._connection.links.values():
            if not isinstance(link, Responses) or link.address != self._address:
                continue
            if link.link.session == session:
                found = link
                if link.link.remote_target.address == request.reply_to:
                    break
        return found

    def _written(self, request: Request, answer: Answer, refused: Refused | None) -> bytes:
        status = answer.status if refused is None else refused.status
        told = _TOLD.get(status, "OK") if refused is None else refused.message
        properties: dict[str, object] = dict(zip(self._names, (Int(status), told), strict=True))
        if refused is not None:
            properties["errorCondition"] = Symbol(refused.condition)
        body = None if refused is not None or answer.body is None else dict(answer.body)
        return (
            section(sections.PROPERTIES, list_of([b"\x40"] * 5 + [request.id]))
            + section(sections.APPLICATION_PROPERTIES, encode(properties))
            + section(sections.VALUE, encode(body))
        )


def read(raw: bytes) -> Request:
    """Take a request apart.

    Raises:
        Refused: it is not one.
    """
    try:
        return _read(raw)
    except Malformed as error:
        raise malformed(error) from error


def _read(raw: bytes) -> Request:
    number, reply_to, told, body = b"\x40", None, {}, None
    for part in sections.split(raw):
        if part.code == sections.PROPERTIES:
            fields = [raw[start:end] for start, end in items(raw, part.value)]
            number = fields[0] if fields else number
            reply_to = decode(fields[4])[0] if len(fields) > 4 else None
        elif part.code == sections.APPLICATION_PROPERTIES:
            value = decode(raw, part.value)[0]
            told = value if isinstance(value, dict) else {}
        elif part.code == sections.VALUE:
            body = decode(raw, part.value)[0]
    operation, link_name = told.get("operation"), told.get("associated-link-name")
    if not isinstance(operation, str):
        raise Malformed("a request that does not say its operation")
    return Request(
        operation,
        body,
        number,
        reply_to if isinstance(reply_to, str) else None,
        link_name if isinstance(link_name, str) else None,
    )


def cbs(request: Request) -> Answer:
    """The node that takes tokens: whoever has one may do everything."""
    if request.operation != "put-token":
        raise Refused("amqp:not-implemented", f"{request.operation} is not an operation of $cbs.")
    return Answer(status=202)
