"""What a link that a client attaches is for, or why it is refused.

"AMQP 1.0 protocol guide", sections "Links" and "Create message receiver / sender",
https://learn.microsoft.com/azure/service-bus-messaging/service-bus-amqp-protocol-guide
"""

from typing import TYPE_CHECKING

import proton

from crosswind_local.servicebus import limits
from crosswind_local.servicebus.conditions import VENDOR, Refused, not_allowed, not_implemented
from crosswind_local.servicebus.holders import Holder
from crosswind_local.servicebus.queues import Queue
from crosswind_local.servicebus.topics import Topic
from crosswind_local.servicebus.wire.links import Inbox, Link, Outbox, refuse
from crosswind_local.servicebus.wire.management import management_of
from crosswind_local.servicebus.wire.record import Record
from crosswind_local.servicebus.wire.requests import CBS, Requests, Responses, cbs

if TYPE_CHECKING:
    from crosswind_local.servicebus.wire.connection import Connection

_MANAGEMENT = "/$management"
_TRANSFER = "/$transfer"


def attach(connection: "Connection", link: proton.Link) -> Link | None:
    """Our end of a link, opened or about to be; None when the link was refused."""
    link.source.copy(link.remote_source)
    link.target.copy(link.remote_target)
    link.snd_settle_mode = link.remote_snd_settle_mode
    link.rcv_settle_mode = link.remote_rcv_settle_mode
    terminus = link.remote_source if link.is_sender else link.remote_target
    address = terminus.address or ""
    record = Record(connection.service, address)
    attached: Link | None = None
    with record.call("Attach receiver" if link.is_sender else "Attach sender") as call:
        if terminus.type == proton.Terminus.COORDINATOR:
            raise not_implemented("transactions")
        attached = _attached(connection, link, address)
    if call.refused is not None:
        refuse(link, call.refused)
        return None
    return attached


def _attached(connection: "Connection", link: proton.Link, address: str) -> Link:
    namespace, lower = connection.service.namespace, address.lower()
    if lower.endswith(CBS):
        return _management(connection, link, CBS)
    if lower.endswith(_MANAGEMENT):
        return _management(connection, link, address)
    if _TRANSFER in lower:
        raise not_implemented("transfer dead-letter queues")
    node = namespace.find(address)
    if link.is_receiver:
        if not isinstance(node, (Queue, Topic)):
            raise not_allowed(f"Messages cannot be sent to '{node.path}'.")
        return Inbox(connection, link, node)
    if not isinstance(node, Holder):
        raise not_allowed(f"Messages cannot be received from the topic '{node.path}' itself.")
    if node.forwards_to is not None:
        raise not_allowed(f"'{node.path}' forwards its messages; receive them where they go.")
    return _outbox(connection, link, node)


def _management(connection: "Connection", link: proton.Link, address: str) -> Link:
    if link.is_sender:
        return Responses(link, address)
    if address == CBS:
        return Requests(connection, link, address, cbs)
    node = connection.service.namespace.find(address[: -len(_MANAGEMENT)])
    return Requests(connection, link, address, management_of(node, connection))


def _outbox(connection: "Connection", link: proton.Link, node: Holder) -> Outbox:
    outbox = Outbox(connection, link, node)
    wanted = _session_filter(link)
    if wanted is None:
        if node.backlog.sessions.required:
            raise not_allowed(
                "It is not possible for an entity that requires sessions to create a "
                "non-sessionful message receiver."
            )
        link.open()
        node.receivers.join(outbox.receiver)
        return outbox
    if not node.backlog.sessions.required:
        raise not_allowed(
            "A sessionful message receiver cannot be created on an entity that does not require "
            "sessions. Ensure RequiresSession is set to true when creating a Queue or "
            "Subscription to enable sessionful behavior."
        )
    now = connection.service.namespace.now()
    node.receivers.join_session(outbox.receiver, wanted[0], now + _patience(link), now)
    node.stir()
    return outbox


def _session_filter(link: proton.Link) -> tuple[str | None] | None:
    """The session that a receiver asks for, (None,) for the next one, None when for none at all."""
    told = link.remote_source.filter
    told.rewind()
    filters = told.get_dict() if told.next() and told.type() == proton.Data.MAP else {}
    for name, value in filters.items():
        if str(name) == VENDOR + "session-filter":
            value = getattr(value, "value", value)
            if value is None or isinstance(value, str):
                if value is not None and len(value) > limits.SESSION_ID:
                    raise Refused(
                        "com.microsoft:argument-error",
                        f"A session id has at most {limits.SESSION_ID} characters.",
                    )
                return (value,)
            raise not_allowed("A session filter must be a string, or null for the next session.")
    return None


def _patience(link: proton.Link) -> float:
    """How many seconds a receiver waits for the next session."""
    properties = link.remote_properties
    told = properties.get(proton.symbol(VENDOR + "timeout")) if properties else None
    return told / 1000 if isinstance(told, int) and told > 0 else limits.SESSION_WAIT_SECONDS
