"""The operations of an entity's management node.

"AMQP 1.0 in Azure Service Bus: request-response-based operations",
https://learn.microsoft.com/azure/service-bus-messaging/service-bus-amqp-request-response
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from crosswind_local.servicebus import limits, messages
from crosswind_local.servicebus.amqp.encoding import LONG, STRING, TIMESTAMP
from crosswind_local.servicebus.amqp.values import Array, Int, Timestamp
from crosswind_local.servicebus.conditions import (
    VENDOR,
    Refused,
    argument,
    not_allowed,
    not_implemented,
    session_lock_lost,
)
from crosswind_local.servicebus.deliveries import delivered
from crosswind_local.servicebus.entries import SessionLock
from crosswind_local.servicebus.holders import Holder
from crosswind_local.servicebus.namespace import Node
from crosswind_local.servicebus.queues import Queue
from crosswind_local.servicebus.topics import Subscription, Topic
from crosswind_local.servicebus.wire.arguments import Arguments
from crosswind_local.servicebus.wire.links import Outbox
from crosswind_local.servicebus.wire.requests import Answer, Operations, Request
from crosswind_local.servicebus.wire.rule_operations import RuleOperations

if TYPE_CHECKING:
    from crosswind_local.servicebus.wire.connection import Connection

Operation = Callable[[Arguments], Answer]

_EVER = 253_402_300_800_000
"""The year 10000, in milliseconds since 1970: how a client asks for sessions of any age."""


def management_of(node: Node, connection: "Connection") -> Operations:
    """The operations of one entity, for one connection."""
    operations: dict[str, Operation] = {}
    if isinstance(node, (Queue, Topic)):
        operations |= SendingOperations(node).by_name()
    if isinstance(node, Holder):
        operations |= ReceivingOperations(node, connection).by_name()
    if isinstance(node, Subscription):
        operations |= RuleOperations(node).by_name()

    def carry_out(request: Request) -> Answer:
        operation = operations.get(request.operation.removeprefix(VENDOR))
        if operation is None:
            if request.operation.removeprefix(VENDOR) in KNOWN:
                raise not_allowed(f"{request.operation} is not an operation of '{node.path}'.")
            raise not_implemented(f"the operation {request.operation!r}")
        return operation(Arguments(request))

    return carry_out


class SendingOperations:
    """What can be asked of a queue or topic that is sent to."""

    def __init__(self, node: Queue | Topic) -> None:
        self._node = node

    def by_name(self) -> Mapping[str, Operation]:
        return {
            "schedule-message": self.schedule,
            "cancel-scheduled-message": self.cancel,
        }

    def schedule(self, asked: Arguments) -> Answer:
        drafts = [
            messages.read(Arguments.of(item, "messages").binary("message"))
            for item in asked.sequence("messages")
        ]
        if not drafts:
            raise argument("There are no messages to schedule.")
        numbers = self._node.schedule(drafts)
        return Answer({"sequence-numbers": Array(LONG, tuple(numbers))})

    def cancel(self, asked: Arguments) -> Answer:
        self._node.cancel(asked.integers("sequence-numbers"))
        return Answer()


class ReceivingOperations:
    """What can be asked of a queue or subscription, or of its dead letters."""

    def __init__(self, node: Holder, connection: "Connection") -> None:
        self._node = node
        self._backlog = node.backlog
        self._connection = connection

    def by_name(self) -> Mapping[str, Operation]:
        return {
            "peek-message": self.peek,
            "renew-lock": self.renew,
            "receive-by-sequence-number": self.receive_deferred,
            "update-disposition": self.settle,
            "renew-session-lock": self.renew_session,
            "get-session-state": self.session_state,
            "set-session-state": self.set_session_state,
            "get-message-sessions": self.list_sessions,
        }

    @property
    def _now(self) -> float:
        return self._connection.service.namespace.now()

    def peek(self, asked: Arguments) -> Answer:
        self._backlog.run(self._now)
        found = self._backlog.peek(
            asked.integer("from-sequence-number"),
            asked.integer("message-count"),
            asked.optional_text("session-id"),
        )
        if not found:
            return Answer(status=204)
        return Answer({"messages": [{"message": delivered(entry)} for entry in found]})

    def renew(self, asked: Arguments) -> Answer:
        ends = self._backlog.renew(asked.tokens("lock-tokens"), self._now)
        self._node.stir()
        return Answer({"expirations": Array(TIMESTAMP, tuple(int(end * 1000) for end in ends))})

    def receive_deferred(self, asked: Arguments) -> Answer:
        numbers, now, session = asked.integers("sequence-numbers"), self._now, self._held(asked)
        found: list[dict[str, object]]
        if asked.integer("receiver-settle-mode") == 0:
            taken = self._backlog.take_deferred(numbers, session)
            found = [{"message": delivered(entry)} for entry in taken]
        else:
            locks = self._backlog.receive_deferred(numbers, now, session)
            found = [
                {"lock-token": asked.uuid(lock.token), "message": delivered(lock.entry, lock)}
                for lock in locks
            ]
        self._node.stir()
        return Answer({"messages": found})

    def settle(self, asked: Arguments) -> Answer:
        backlog, now = self._backlog, self._now
        tokens, status = asked.tokens("lock-tokens"), asked.text("disposition-status")
        properties = asked.properties("properties-to-modify")
        reason = asked.optional_text("deadletter-reason")
        description = asked.optional_text("deadletter-description")
        actions: dict[str, Callable[[bytes], None]] = {
            "completed": lambda token: backlog.complete(token, now),
            "abandoned": lambda token: backlog.abandon(token, now, properties),
            "defered": lambda token: backlog.defer(token, now, properties),
            "suspended": lambda token: backlog.dead_letter(
                token, now, reason, description, properties
            ),
        }
        action = actions.get(status)
        if action is None:
            raise argument(f"disposition-status is one of {', '.join(actions)}, not {status!r}.")
        lost: Refused | None = None
        for token in tokens:
            try:
                action(token)
            except Refused as refused:
                lost = refused
        self._node.stir()
        if lost is not None:
            raise lost
        return Answer()

    def renew_session(self, asked: Arguments) -> Answer:
        until = self._backlog.sessions.renew(self._session(asked), self._now)
        self._node.stir()
        return Answer({"expiration": Timestamp(until * 1000)})

    def session_state(self, asked: Arguments) -> Answer:
        state = self._backlog.sessions.state(self._session(asked).id)
        return Answer({"session-state": None if state is None else state.data})

    def set_session_state(self, asked: Arguments) -> Answer:
        session, data = self._session(asked).id, asked.optional_binary("session-state")
        self._backlog.set_session_state(session, data, self._now)
        return Answer()

    def list_sessions(self, asked: Arguments) -> Answer:
        if not self._backlog.sessions.required:
            raise not_allowed(f"'{self._node.path}' does not require sessions.")
        after, skip = asked.integer("last-updated-time"), asked.integer("skip")
        top = min(asked.integer("top"), limits.SESSIONS_PER_PAGE)
        self._backlog.run(self._now)
        listed = self._backlog.sessions.listed(None if after >= _EVER else after / 1000)
        page = tuple(listed[max(skip, 0) : max(skip, 0) + max(top, 0)])
        if not page:
            return Answer(status=204)
        return Answer({"skip": Int(skip + len(page)), "sessions-ids": Array(STRING, page)})

    def _session(self, asked: Arguments) -> SessionLock:
        """The session lock that a request is about.

        Raises:
            Refused: the client does not hold it.
        """
        self._backlog.run(self._now)
        session = asked.text("session-id")
        if asked.link_name is None:
            return self._backlog.sessions.held(session)
        for link in self._connection.links.values():
            if isinstance(link, Outbox) and link.link.name == asked.link_name:
                held = link.receiver.session
                if held is not None and held.open and held.id == session:
                    return held
        raise session_lock_lost(session)

    def _held(self, asked: Arguments) -> SessionLock | None:
        return self._session(asked) if self._backlog.sessions.required else None


KNOWN = frozenset(
    {
        "add-rule",
        "cancel-scheduled-message",
        "enumerate-rules",
        "get-message-sessions",
        "get-session-state",
        "peek-message",
        "receive-by-sequence-number",
        "remove-rule",
        "renew-lock",
        "renew-session-lock",
        "schedule-message",
        "set-session-state",
        "update-disposition",
    }
)
"""The operations that some entity has."""
