"""Messages for tests, encoded as a client would encode them, by their properties."""

from collections.abc import Mapping

from crosswind_local.servicebus.amqp import sections
from crosswind_local.servicebus.amqp.encoding import encode, list_of, section
from crosswind_local.servicebus.amqp.values import Symbol, Timestamp, UInt
from crosswind_local.servicebus.messages import SYSTEM, Message, read


def encoded(
    body: bytes = b"x",
    *,
    ttl: float | None = None,
    annotations: Mapping[str, object] | None = None,
    application: Mapping[str, object] | None = None,
    **system: str | None,
) -> bytes:
    """The bytes of a message; `system` are system properties such as messageid."""
    fields = [b"\x40"] * 13
    for name, value in system.items():
        fields[SYSTEM[name]] = encode(value)
    raw = b""
    if ttl is not None:
        raw += section(sections.HEADER, encode([None, None, UInt(int(ttl * 1000))]))
    if annotations is not None:
        marked = {Symbol(name): value for name, value in annotations.items()}
        raw += section(sections.MESSAGE_ANNOTATIONS, encode(marked))
    raw += section(sections.PROPERTIES, list_of(fields))
    if application is not None:
        raw += section(sections.APPLICATION_PROPERTIES, encode(dict(application)))
    return raw + section(sections.DATA, encode(body))


def message(
    body: bytes = b"x",
    *,
    ttl: float | None = None,
    scheduled: float | None = None,
    application: Mapping[str, object] | None = None,
    **system: str | None,
) -> Message:
    """A message as a queue takes it in; `scheduled` is in seconds since 1970."""
    annotations = None
    if scheduled is not None:
        annotations = {"x-opt-scheduled-enqueue-time": Timestamp(int(scheduled * 1000))}
    return read(encoded(body, ttl=ttl, annotations=annotations, application=application, **system))


def named(*names: str, session: str | None = None) -> list[Message]:
    """Messages with these ids."""
    return [message(messageid=name, sessionid=session) for name in names]
