"""Writing AMQP values as bytes, each in the shortest form that is common."""

import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from crosswind_local.servicebus.amqp.values import (
    Array,
    Decimal,
    Described,
    Int,
    Symbol,
    Timestamp,
    UByte,
    UInt,
    ULong,
)

INT64 = (-(2**63), 2**63 - 1)
"""What a long may be."""

_U32 = struct.Struct("!I").pack
_I32 = struct.Struct("!i").pack
_U64 = struct.Struct("!Q").pack
_I64 = struct.Struct("!q").pack
_F64 = struct.Struct("!d").pack

LONG, TIMESTAMP, STRING = 0x81, 0x83, 0xB1
"""Constructors for the elements of an `Array`."""


def encode(value: object) -> bytes:
    """The bytes of a value; a plain `int` is a long, or a ulong if it is too large for that.

    Raises:
        TypeError: AMQP has no such type.
        ValueError: a number is out of the range of its type.
    """
    write = _WRITERS.get(type(value))
    if write is None:
        raise TypeError(f"AMQP has no type for {type(value).__name__}")
    try:
        return write(value)
    except struct.error as error:
        raise ValueError(f"{value!r} is out of the range of its type") from error


def section(code: int, value: bytes) -> bytes:
    """A value, given as its bytes, described by a small number."""
    return b"\x00\x53" + bytes((code,)) + value


def list_of(elements: Sequence[bytes]) -> bytes:
    """A list of values that are given as their bytes."""
    return _compound(0xC0, 0xD0, len(elements), b"".join(elements))


def map_of(elements: Sequence[bytes]) -> bytes:
    """A map of keys and values, in turn, that are given as their bytes."""
    return _compound(0xC1, 0xD1, len(elements), b"".join(elements))


def _compound(small: int, large: int, count: int, body: bytes) -> bytes:
    if len(body) < 255 and count < 256:
        return bytes((small, len(body) + 1, count)) + body
    return bytes((large,)) + _U32(len(body) + 4) + _U32(count) + body


def _variable(small: int, raw: bytes) -> bytes:
    if len(raw) < 256:
        return bytes((small, len(raw))) + raw
    return bytes((small + 0x10,)) + _U32(len(raw)) + raw


def _uint(value: int) -> bytes:
    return b"\x52" + bytes((value,)) if 0 <= value < 256 else b"\x70" + _U32(value)


def _ulong(value: int) -> bytes:
    return b"\x53" + bytes((value,)) if 0 <= value < 256 else b"\x80" + _U64(value)


def _array(value: Array) -> bytes:
    elements = b"".join(_element(value.code, item) for item in value.items)
    body = _U32(len(value.items)) + bytes((value.code,)) + elements
    return b"\xf0" + _U32(len(body)) + body


def _element(code: int, item: Any) -> bytes:
    if code == STRING:
        raw = str(item).encode()
        return _U32(len(raw)) + raw
    if code in {LONG, TIMESTAMP}:
        return _I64(item)
    raise TypeError(f"arrays of 0x{code:02x} are not written")


def _list(value: Sequence[object]) -> bytes:
    return list_of([encode(item) for item in value])


def _map(value: Mapping[object, object]) -> bytes:
    return map_of([encode(part) for pair in value.items() for part in pair])


_WRITERS: dict[type, Callable[[Any], bytes]] = {
    type(None): lambda value: b"\x40",
    bool: lambda value: b"\x41" if value else b"\x42",
    UByte: lambda value: b"\x50" + struct.pack("!B", value),
    UInt: _uint,
    ULong: _ulong,
    Int: lambda value: b"\x71" + _I32(value),
    int: lambda value: b"\x81" + _I64(value) if value <= INT64[1] else b"\x80" + _U64(value),
    float: lambda value: b"\x82" + _F64(value),
    Timestamp: lambda value: b"\x83" + _I64(value),
    str: lambda value: _variable(0xA1, value.encode()),
    Symbol: lambda value: _variable(0xA3, value.encode()),
    bytes: lambda value: _variable(0xA0, value),
    UUID: lambda value: b"\x98" + value.bytes,
    Decimal: lambda value: bytes(({4: 0x74, 8: 0x84, 16: 0x94}[len(value.raw)],)) + value.raw,
    list: _list,
    tuple: _list,
    dict: _map,
    Array: _array,
    Described: lambda value: b"\x00" + encode(value.descriptor) + encode(value.value),
}
