"""A message as an entity holds it: read where the service looks, otherwise kept byte for byte.

"AMQP 1.0 in Azure Service Bus protocol guide", section "Messages",
https://learn.microsoft.com/azure/service-bus-messaging/service-bus-amqp-protocol-guide
"""

from collections.abc import Mapping
from typing import Self, TypeVar

from crosswind_local.servicebus import limits
from crosswind_local.servicebus.amqp import sections
from crosswind_local.servicebus.amqp.decoding import decode, items, pairs
from crosswind_local.servicebus.amqp.encoding import encode, list_of, map_of, section
from crosswind_local.servicebus.amqp.values import Malformed, Timestamp
from crosswind_local.servicebus.conditions import Refused, argument, malformed, too_large

T = TypeVar("T")

OVERHEAD = 700
"""Bytes that a message costs in memory beside its contents, roughly."""

SYSTEM = {
    "messageid": 0,
    "to": 2,
    "label": 3,
    "subject": 3,
    "replyto": 4,
    "correlationid": 5,
    "contenttype": 6,
    "sessionid": 10,
    "replytosessionid": 12,
}
"""System properties, by name in lower case: their places in the properties section."""

_PROPERTIES = 13
_SERVICE_DEFINED = frozenset(
    {
        "x-opt-deadletter-source",
        "x-opt-enqueue-sequence-number",
        "x-opt-enqueued-time",
        "x-opt-lock-token",
        "x-opt-locked-until",
        "x-opt-message-state",
        "x-opt-offset",
        "x-opt-sequence-number",
    }
)
"""Annotations that the service sets; what a sender says there is ignored."""


class Message:
    """What was sent. It is shared by all that hold it and never changes.

    `ttl` is in seconds and `scheduled` in seconds since 1970. `annotations` are those that are
    passed on, as the bytes of their keys and values in turn. `hops` counts how often the message
    was forwarded, and `dead_letter_source` names where it was dead-lettered if it was forwarded
    from there.
    """

    __slots__ = (
        "_application",
        "_decoded",
        "_folded",
        "_properties",
        "_system",
        "annotations",
        "body",
        "dead_letter_source",
        "durable",
        "hops",
        "partition_key",
        "priority",
        "scheduled",
        "size",
        "ttl",
    )

    def __init__(self) -> None:
        self.durable = False
        self.priority = b"\x40"
        self.ttl: float | None = None
        self.annotations: tuple[bytes, ...] = ()
        self.partition_key: str | None = None
        self.scheduled: float | None = None
        self.body = b""
        self.size = 0
        self.hops = 0
        self.dead_letter_source: str | None = None
        self._properties = b""
        self._system: list[object] = []
        self._application = b""
        self._decoded: Mapping[str, object] | None = None
        self._folded: Mapping[str, object] | None = None

    @property
    def cost(self) -> int:
        """Bytes of memory, roughly."""
        return self.size + OVERHEAD

    @property
    def bare(self) -> bytes:
        """The sections that the service passes on as they are."""
        return self._properties + self._application + self.body

    @property
    def message_id(self) -> str | None:
        return self.system("messageid")

    @property
    def session_id(self) -> str | None:
        return self.system("sessionid")

    def system(self, name: str) -> str | None:
        """A system property, by its name in lower case, as text."""
        place = SYSTEM[name]
        value = self._system[place] if place < len(self._system) else None
        if value is None or isinstance(value, str):
            return value
        return value.hex() if isinstance(value, bytes) else str(value)

    @property
    def application(self) -> Mapping[str, object]:
        """The application properties."""
        if self._decoded is None:
            value = decode(self._application, 3)[0] if self._application else {}
            self._decoded = value if isinstance(value, dict) else {}
        return self._decoded

    @property
    def folded(self) -> Mapping[str, object]:
        """The application properties by their names in lower case, as rules look them up."""
        if self._folded is None:
            self._folded = {name.lower(): value for name, value in self.application.items()}
        return self._folded

    def copy(self) -> Self:
        """The same message again, of which `with_...` changes a part."""
        other = type(self)()
        for name in Message.__slots__:
            setattr(other, name, getattr(self, name))
        return other

    def with_application(self, changes: Mapping[str, object]) -> "Message":
        """The message with some application properties set; the others keep their bytes.

        A value of None removes the property; `NULL` sets it to null.

        Raises:
            Refused: a value is of a type that a property cannot have.
        """
        if not changes:
            return self
        kept: dict[str, tuple[bytes, bytes]] = {}
        raw = self._application
        for start, middle, end in pairs(raw, 3) if raw else ():
            kept[str(decode(raw, start)[0])] = (raw[start:middle], raw[middle:end])
        names = {name.lower(): name for name in kept}
        for name, value in changes.items():
            kept.pop(names.get(name.lower(), name), None)
            if value is not None:
                kept[name] = (encode(name), _written(None if value is NULL else value))
        changed = self.copy()
        written = map_of([part for pair in kept.values() for part in pair])
        changed._application = section(sections.APPLICATION_PROPERTIES, written) if kept else b""
        changed._decoded = changed._folded = None
        changed.size += len(changed._application) - len(self._application)
        return changed

    def with_system(self, changes: Mapping[str, str | None]) -> "Message":
        """The message with some system properties set, by their names in lower case."""
        if not changes:
            return self
        fields = [b"\x40"] * _PROPERTIES
        if self._properties:
            for place, (start, end) in enumerate(items(self._properties, 3)):
                fields[place] = self._properties[start:end]
        changed = self.copy()
        changed._system = self._system + [None] * (_PROPERTIES - len(self._system))
        for name, value in changes.items():
            fields[SYSTEM[name]] = encode(value)
            changed._system[SYSTEM[name]] = value
        changed._properties = section(sections.PROPERTIES, list_of(fields))
        changed.size += len(changed._properties) - len(self._properties)
        return changed


def _written(value: object) -> bytes:
    try:
        return encode(value)
    except (TypeError, ValueError) as error:
        raise argument(f"A property cannot be that: {error}.") from error


class _Null:
    """The type of `NULL`."""


NULL = _Null()
"""What sets an application property to null."""


def read(raw: bytes) -> Message:
    """Take in a message as it was sent.

    Raises:
        Refused: it is not a message, or exceeds a limit of the service.
    """
    if len(raw) > limits.MESSAGE_BYTES:
        raise too_large(len(raw), limits.MESSAGE_BYTES)
    message = Message()
    message.size = len(raw)
    try:
        _fill(message, raw)
    except Malformed as error:
        raise malformed(error) from error
    _check(message)
    return message


def batch(raw: bytes) -> list[Message]:
    """Take in the messages of a batch: each data section is one, encoded.

    Raises:
        Refused: it is not a batch, or one message exceeds a limit of the service.
    """
    if len(raw) > limits.MESSAGE_BYTES:
        raise too_large(len(raw), limits.MESSAGE_BYTES)
    try:
        parts = [part for part in sections.split(raw) if part.code == sections.DATA]
        contents = [decode(raw, part.value)[0] for part in parts]
    except Malformed as error:
        raise malformed(error) from error
    messages = [read(content) for content in contents if isinstance(content, bytes)]
    if len(messages) != len(parts) or not messages:
        raise malformed("a batch without messages")
    return messages


def _fill(message: Message, raw: bytes) -> None:
    body: list[bytes] = []
    for part in sections.split(raw):
        code = part.code
        if code >= sections.DATA:
            body.append(raw[part.start : part.end])
        elif code == sections.PROPERTIES:
            message._properties = section(code, raw[part.value : part.end])
            message._system = _as(list, decode(raw, part.value)[0])
            if len(message._system) > _PROPERTIES:
                raise Malformed("properties that AMQP does not know")
        elif code == sections.APPLICATION_PROPERTIES:
            message._decoded = _as(dict, decode(raw, part.value)[0])
            if not all(isinstance(name, str) for name in message._decoded):
                raise Malformed("an application property whose name is not a string")
            message._application = section(code, raw[part.value : part.end])
        elif code == sections.MESSAGE_ANNOTATIONS:
            _annotate(message, raw, part.value)
        elif code == sections.HEADER:
            _head(message, _as(list, decode(raw, part.value)[0]))
    message.body = body[0] if len(body) == 1 else b"".join(body)


def _head(message: Message, header: list[object]) -> None:
    durable, priority, ttl = (*header, None, None, None)[:3]
    message.durable = durable is True
    if isinstance(priority, int) and 0 <= priority < 256:
        message.priority = b"\x50" + bytes((priority,))
    if isinstance(ttl, int) and ttl > 0:
        message.ttl = ttl / 1000


def _annotate(message: Message, raw: bytes, at: int) -> None:
    kept: list[bytes] = []
    for start, middle, end in pairs(raw, at):
        name, value = decode(raw, start)[0], decode(raw, middle)[0]
        if not isinstance(name, str) or name in _SERVICE_DEFINED:
            continue
        kept += (raw[start:middle], raw[middle:end])
        if name == "x-opt-scheduled-enqueue-time" and isinstance(value, Timestamp):
            message.scheduled = value / 1000
        elif name == "x-opt-partition-key" and isinstance(value, str):
            message.partition_key = value
    message.annotations = tuple(kept)


def _as(kind: type[T], value: object) -> T:
    if not isinstance(value, kind):
        raise Malformed("a section of another kind than its name says")
    return value


def _check(message: Message) -> None:
    properties = len(message._properties) + len(message._application)
    if properties > limits.PROPERTY_BYTES:
        raise argument(
            f"The properties of the message have {properties} bytes, more than the "
            f"{limits.PROPERTY_BYTES} that are allowed."
        )
    for name, value, most in (
        ("MessageId", message.message_id, limits.MESSAGE_ID),
        ("SessionId", message.session_id, limits.SESSION_ID),
        ("PartitionKey", message.partition_key, limits.SESSION_ID),
    ):
        if value is not None and len(value) > most:
            raise argument(f"The length of {name} is {len(value)}, more than {most}.")
    session, partition = message.session_id, message.partition_key
    if session and partition and session != partition:
        raise Refused(
            "amqp:not-allowed",
            f"PartitionKey '{partition}' differs from SessionId '{session}': when both are set, "
            "they must be the same.",
        )
