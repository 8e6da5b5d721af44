"""The bytes of a message as it is delivered or browsed: what the service adds, and the rest as is.

"AMQP 1.0 protocol guide", sections "header" and "Message annotations",
https://learn.microsoft.com/azure/service-bus-messaging/service-bus-amqp-protocol-guide
"""

import math
import struct

from crosswind_local.servicebus.amqp.encoding import encode
from crosswind_local.servicebus.amqp.values import Symbol
from crosswind_local.servicebus.entries import Entry, Lock

_SEQUENCE_NUMBER = encode(Symbol("x-opt-sequence-number")) + b"\x81"
_ENQUEUED_TIME = encode(Symbol("x-opt-enqueued-time")) + b"\x83"
_ENQUEUED_NUMBER = encode(Symbol("x-opt-enqueue-sequence-number")) + b"\x81"
_STATE = encode(Symbol("x-opt-message-state")) + b"\x71"
_LOCKED_UNTIL = encode(Symbol("x-opt-locked-until")) + b"\x83"
_DEAD_LETTER_SOURCE = encode(Symbol("x-opt-deadletter-source"))

_LONG = struct.Struct("!q").pack
_INT = struct.Struct("!i").pack
_UINT = struct.Struct("!I").pack
_MAP = struct.Struct("!4sII").pack

_LONGEST = 2**32 - 1
"""Milliseconds that a header can state as the time to live."""


def delivered(entry: Entry, lock: Lock | None = None) -> bytes:
    """An entry as it goes to a receiver; without a lock it is browsed, or was taken away.

    The header counts the failed deliveries before this one, so it says 0 at the first.
    """
    message = entry.message
    number = _LONG(entry.number)
    parts = [
        _SEQUENCE_NUMBER, number,
        _ENQUEUED_TIME, _LONG(int(entry.enqueued * 1000)),
        _ENQUEUED_NUMBER, number,
        _STATE, _INT(entry.state),
    ]  # fmt: skip
    count = 8 + len(message.annotations)
    if lock is not None:
        until = lock.until if lock.session is None else lock.session.until
        parts += (_LOCKED_UNTIL, _LONG(int(until * 1000)))
        count += 2
    if message.dead_letter_source is not None:
        parts += (_DEAD_LETTER_SOURCE, encode(message.dead_letter_source))
        count += 2
    parts += message.annotations
    annotations = b"".join(parts)
    return b"".join(
        (
            _header(entry),
            _MAP(b"\x00\x53\x72\xd1", len(annotations) + 4, count),
            annotations,
            message.bare,
        )
    )


def _header(entry: Entry) -> bytes:
    """durable, priority, ttl, first-acquirer, delivery-count."""
    message = entry.message
    ttl = message.ttl if math.isinf(entry.ttl) else entry.ttl
    lives = b"\x40" if ttl is None else b"\x70" + _UINT(min(int(ttl * 1000), _LONGEST))
    fields = b"".join(
        (
            b"\x41" if message.durable else b"\x42",
            message.priority,
            lives,
            b"\x40",
            b"\x43" if entry.failures == 0 else b"\x70" + _UINT(min(entry.failures, _LONGEST)),
        )
    )
    return b"\x00\x53\x70\xc0" + bytes((len(fields) + 1, 5)) + fields
