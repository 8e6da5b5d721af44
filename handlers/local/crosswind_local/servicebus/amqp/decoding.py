"""Reading AMQP values out of bytes. Every fault is a `Malformed`, whatever the bytes are."""

import struct
from collections.abc import Callable, Iterator
from uuid import UUID

from crosswind_local.servicebus.amqp.values import Array, Decimal, Described, Malformed, Timestamp

DEPTH = 32
"""How deeply values may be nested in one another."""

_EMPTY_ELEMENTS = 1_024
"""How many elements an array may have whose elements take no bytes at all."""


def _character(raw: bytes) -> str:
    try:
        return raw.decode("utf-32-be")
    except UnicodeDecodeError as error:
        raise Malformed("a character that is not Unicode") from error


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise Malformed("a string that is not UTF-8") from error


_FIXED: dict[int, tuple[int, Callable[[bytes], object]]] = {}
"""By constructor: how many bytes follow, and what they mean."""


def _number(code: int, form: str, kind: Callable[[int], object] | None = None) -> None:
    unpack = struct.Struct(form).unpack
    width = struct.calcsize(form)
    if kind is None:
        _FIXED[code] = (width, lambda raw: unpack(raw)[0])
    else:
        _FIXED[code] = (width, lambda raw: kind(unpack(raw)[0]))


for _code, _form in {
    0x50: "!B", 0x51: "!b", 0x52: "!B", 0x53: "!B", 0x54: "!b", 0x55: "!b", 0x60: "!H", 0x61: "!h",
    0x70: "!I", 0x71: "!i", 0x72: "!f", 0x80: "!Q", 0x81: "!q", 0x82: "!d",
}.items():  # fmt: skip
    _number(_code, _form)
_number(0x56, "!B", bool)
_number(0x83, "!q", Timestamp)
_FIXED |= {
    0x40: (0, lambda raw: None),
    0x41: (0, lambda raw: True),
    0x42: (0, lambda raw: False),
    0x43: (0, lambda raw: 0),
    0x44: (0, lambda raw: 0),
    0x45: (0, lambda raw: []),
    0x73: (4, _character),
    0x74: (4, Decimal),
    0x84: (8, Decimal),
    0x94: (16, Decimal),
    0x98: (16, lambda raw: UUID(bytes=raw)),
}


_SHORT: dict[int, Callable[[bytes], object]] = {0xA0: bytes, 0xA1: _text, 0xA3: _text}
"""Binary, string and symbol, after a size of one byte."""
_LONG: dict[int, Callable[[bytes], object]] = {0xB0: bytes, 0xB1: _text, 0xB3: _text}
"""Binary, string and symbol, after a size of four bytes."""
_LISTS = frozenset({0xC0, 0xD0})
_MAPS = frozenset({0xC1, 0xD1})
_ARRAYS = frozenset({0xE0, 0xF0})
_SIZES = dict.fromkeys((0xA0, 0xA1, 0xA3, 0xC0, 0xC1, 0xE0), 1) | dict.fromkeys(
    (0xB0, 0xB1, 0xB3, 0xD0, 0xD1, 0xF0), 4
)
"""How many bytes state the size of what follows, by constructor."""


def decode(buffer: bytes, at: int = 0, depth: int = 0) -> tuple[object, int]:
    """The value that begins at `at`, and where it ends.

    Raises:
        Malformed: there is no whole value there.
    """
    if at >= len(buffer):
        raise Malformed("a value is missing")
    code = buffer[at]
    if code == 0:
        if depth >= DEPTH:
            raise Malformed("values are nested too deeply")
        descriptor, at = decode(buffer, at + 1, depth + 1)
        value, at = decode(buffer, at, depth + 1)
        return Described(descriptor, value), at
    return _decode_body(buffer, at + 1, code, depth)


def skip(buffer: bytes, at: int) -> int:
    """Where the value that begins at `at` ends.

    Raises:
        Malformed: there is no whole value there.
    """
    for _ in range(DEPTH):
        if at >= len(buffer):
            raise Malformed("a value is missing")
        code = buffer[at]
        if code:
            return _end(buffer, at + 1, code)
        # A descriptor that is itself described is legal and never seen; it is not worth a stack.
        at = _skip_descriptor(buffer, at + 1)
    raise Malformed("values are nested too deeply")


def items(buffer: bytes, at: int) -> Iterator[tuple[int, int]]:
    """Where each element of the list or map that begins at `at` begins and ends.

    The elements of a map are its keys and values in turn.

    Raises:
        Malformed: there is no list or map, or it is not whole.
    """
    count, at, end = _compound(buffer, at)
    for _ in range(count):
        start, at = at, skip(buffer, at)
        yield start, at
    if at != end:
        raise Malformed("a list or map has another size than it says")


def pairs(buffer: bytes, at: int) -> Iterator[tuple[int, int, int]]:
    """Of each entry of the map that begins at `at`: where its key and its value begin, and its end.

    Raises:
        Malformed: there is no map, or it is not whole.
    """
    if at < len(buffer) and buffer[at] not in _MAPS:
        raise Malformed("a map was expected")
    start = None
    for begin, end in items(buffer, at):
        if start is None:
            start = begin
        else:
            yield start, begin, end
            start = None
    if start is not None:
        raise Malformed("a map has a key without a value")


def _skip_descriptor(buffer: bytes, at: int) -> int:
    if at >= len(buffer):
        raise Malformed("a value is missing")
    if buffer[at] == 0:
        raise Malformed("a described descriptor")
    return _end(buffer, at + 1, buffer[at])


def _end(buffer: bytes, at: int, code: int) -> int:
    width = _SIZES.get(code)
    if width is not None:
        at += width + _size(buffer, at, width)
    elif code in _FIXED:
        at += _FIXED[code][0]
    else:
        raise Malformed(f"no such type as 0x{code:02x}")
    if at > len(buffer):
        raise Malformed("a value is cut off")
    return at


def _size(buffer: bytes, at: int, width: int) -> int:
    if at + width > len(buffer):
        raise Malformed("a value is cut off")
    return int.from_bytes(buffer[at : at + width], "big")


def _compound(buffer: bytes, at: int) -> tuple[int, int, int]:
    """Of a list or map: how many elements, where the first begins, where the last ends."""
    if at >= len(buffer):
        raise Malformed("a value is missing")
    code = buffer[at]
    if code == 0x45:
        return 0, at + 1, at + 1
    if code not in _LISTS and code not in _MAPS:
        raise Malformed("a list or map was expected")
    end = _end(buffer, at + 1, code)
    return (*_counted(buffer, at + 1, code, end), end)


def _counted(buffer: bytes, at: int, code: int, end: int) -> tuple[int, int]:
    """The count that stands before the elements, and where they begin."""
    width = 1 if code in {0xC0, 0xC1, 0xE0} else 4
    at += width
    count = _size(buffer, at, width)
    at += width
    if at > end:
        raise Malformed("a list, map or array is cut off")
    return count, at


def _decode_body(buffer: bytes, at: int, code: int, depth: int) -> tuple[object, int]:
    """The value whose constructor was read already."""
    read = _SHORT.get(code)
    if read is not None:
        end = at + 1 + buffer[at] if at < len(buffer) else len(buffer) + 1
        if end > len(buffer):
            raise Malformed("a value is cut off")
        return read(buffer[at + 1 : end]), end
    fixed = _FIXED.get(code)
    if fixed is not None:
        end = at + fixed[0]
        if end > len(buffer):
            raise Malformed("a value is cut off")
        return fixed[1](buffer[at:end]), end
    end = _end(buffer, at, code)
    read = _LONG.get(code)
    if read is not None:
        return read(buffer[at + 4 : end]), end
    if depth >= DEPTH:
        raise Malformed("values are nested too deeply")
    count, at = _counted(buffer, at, code, end)
    if code in _ARRAYS:
        return _array(buffer, at, end, count, depth), end
    if count > end - at:
        raise Malformed("a list or map has fewer elements than it says")
    elements: list[object] = []
    for _ in range(count):
        if buffer[at : at + 1] == b"\x40":
            # Most fields of most messages are null, and null needs no reading.
            element, at = None, at + 1
        else:
            element, at = decode(buffer, at, depth + 1)
        elements.append(element)
    if at != end:
        raise Malformed("a list or map has another size than it says")
    if code in _LISTS:
        return elements, end
    if count % 2:
        raise Malformed("a map has a key without a value")
    try:
        return dict(zip(elements[::2], elements[1::2], strict=True)), end
    except TypeError as error:
        raise Malformed("a key that cannot be one") from error


def _array(buffer: bytes, at: int, end: int, count: int, depth: int) -> Array:
    if at >= end:
        raise Malformed("an array is cut off")
    code, at = buffer[at], at + 1
    descriptors: list[object] = []
    while code == 0:
        if len(descriptors) + depth >= DEPTH:
            raise Malformed("values are nested too deeply")
        descriptor, at = decode(buffer, at, depth + 1)
        descriptors.append(descriptor)
        if at >= end:
            raise Malformed("an array is cut off")
        code, at = buffer[at], at + 1
    if count > max(end - at, _EMPTY_ELEMENTS):
        raise Malformed("an array has fewer elements than it says")
    elements = []
    for _ in range(count):
        element, at = _decode_body(buffer, at, code, depth + 1)
        for descriptor in reversed(descriptors):
            element = Described(descriptor, element)
        elements.append(element)
    if at != end:
        raise Malformed("an array has another size than it says")
    return Array(code, tuple(elements))
