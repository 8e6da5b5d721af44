"""AMQP types that Python has no type of its own for."""

from dataclasses import dataclass


class Malformed(ValueError):
    """Bytes that are not AMQP, or more deeply nested than anything sensible."""


class Symbol(str):
    """A name out of a constrained domain (symbol)."""

    __slots__ = ()


class UByte(int):
    """0 to 255 (ubyte)."""

    __slots__ = ()


class UInt(int):
    """0 to 2**32 - 1 (uint)."""

    __slots__ = ()


class ULong(int):
    """0 to 2**64 - 1 (ulong)."""

    __slots__ = ()


class Int(int):
    """A signed number of 32 bits (int); a plain `int` is a long."""

    __slots__ = ()


class Timestamp(int):
    """Milliseconds since 1970, UTC (timestamp)."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Described:
    """A value together with what says how to read it."""

    descriptor: object
    value: object


@dataclass(frozen=True, slots=True)
class Array:
    """Values of one type; `code` is the constructor that all of them share."""

    code: int
    items: tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Decimal:
    """A decimal32, decimal64 or decimal128, which nothing here computes with."""

    raw: bytes
