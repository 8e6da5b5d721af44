"""The sections of a message, taken apart without reading what is in them.

AMQP 1.0, part 3, section 3.2: header, delivery annotations, message annotations, properties,
application properties, a body of one or more sections, footer; all but the body may be missing.
They have that order, but the Service Bus SDK writes delivery annotations last, so any is read.
"""

from typing import NamedTuple

from crosswind_local.servicebus.amqp.decoding import decode, skip
from crosswind_local.servicebus.amqp.values import Malformed

HEADER = 0x70
DELIVERY_ANNOTATIONS = 0x71
MESSAGE_ANNOTATIONS = 0x72
PROPERTIES = 0x73
APPLICATION_PROPERTIES = 0x74
DATA = 0x75
SEQUENCE = 0x76
VALUE = 0x77
FOOTER = 0x78

_NAMES = {
    "amqp:header:list": HEADER,
    "amqp:delivery-annotations:map": DELIVERY_ANNOTATIONS,
    "amqp:message-annotations:map": MESSAGE_ANNOTATIONS,
    "amqp:properties:list": PROPERTIES,
    "amqp:application-properties:map": APPLICATION_PROPERTIES,
    "amqp:data:binary": DATA,
    "amqp:amqp-sequence:list": SEQUENCE,
    "amqp:amqp-value:*": VALUE,
    "amqp:footer:map": FOOTER,
}


class Section(NamedTuple):
    """Where a section stands: from its descriptor at `start` to `end`, its value at `value`."""

    code: int
    start: int
    value: int
    end: int


def split(buffer: bytes) -> list[Section]:
    """The sections of a message, as they stand there.

    Raises:
        Malformed: the bytes are not a message.
    """
    found: list[Section] = []
    seen: set[int] = set()
    at = 0
    while at < len(buffer):
        code, value = _descriptor(buffer, at)
        if not HEADER <= code <= FOOTER:
            raise Malformed("a section that AMQP does not know")
        if code in seen and code not in {DATA, SEQUENCE}:
            raise Malformed("a section that is there twice")
        seen.add(code)
        end = skip(buffer, value)
        found.append(Section(code, at, value, end))
        at = end
    return found


def _descriptor(buffer: bytes, at: int) -> tuple[int, int]:
    # Nearly always a small number, which is not worth a general reading.
    if buffer[at : at + 2] == b"\x00\x53" and at + 2 < len(buffer):
        return buffer[at + 2], at + 3
    if buffer[at] != 0:
        raise Malformed("a section without a descriptor")
    descriptor, value = decode(buffer, at + 1)
    if isinstance(descriptor, str):
        return _NAMES.get(descriptor, 0), value
    return (descriptor if isinstance(descriptor, int) else 0), value
