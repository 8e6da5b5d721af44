"""JSON text, read strictly: sizes, duplicate keys, numbers out of range, with bounded work.

pydantic-core's parser refuses bad UTF-8, lone surrogates, NaN, integers of more than 4,300 digits
and nesting beyond 200 levels by itself. It keeps the last of several equal keys and reads 1e999
as infinity; both let two readers of one event see different things (RFC 8259, sections 4 and 6),
so both are refused here.
"""

from __future__ import annotations

from math import isinf
from typing import Any

from pydantic_core import from_json, to_json

from .faults import Fault, InvalidEvent, beneath, clip

# Service Bus standard takes messages of 256 KB including headers, the least of all the buses;
# the rest is room for headers, for base64 and for the bus's own envelope.
MAX_EVENT_BYTES = 192 * 1024
# A batch is no message of a bus. Lambda hands over at most 6 MB in one call, the least of the
# three function platforms.
MAX_BATCH_BYTES = 6 * 1024 * 1024

# pydantic keeps with each of its findings the names that lead there. So that a long name above
# many bad values cannot make it fill the memory, the names are bounded; in short text they are so
# by themselves.
MAX_PATH = 1024
_LONG = 16 * 1024

_COMPACT = (b'{"specversion":"', b'[{"specversion":"')
_BLANKS = b" \t\r\n"
_BOM = b"\xef\xbb\xbf"


def as_bytes(body: bytes | bytearray | str, limit: int) -> bytes:
    """Take a body as UTF-8 within `limit` bytes; raises InvalidEvent where it is not."""
    if isinstance(body, str):
        # Measured before it is encoded: a character takes at least one byte.
        if len(body) > limit:
            raise InvalidEvent([too_large(len(body), limit)])
        try:
            body = body.encode()
        except UnicodeEncodeError:
            raise InvalidEvent([Fault("", "holds a lone surrogate, so it is no text")]) from None
    elif not isinstance(body, (bytes, bytearray)):
        raise TypeError(f"an event's body is bytes or str, not {type(body).__name__}")
    if len(body) > limit:
        raise InvalidEvent([too_large(len(body), limit)])
    return bytes(body)


def too_large(size: int, limit: int) -> Fault:
    """Say that an event does not fit the buses."""
    return Fault(
        "",
        f"takes {size:,} bytes, more than the {limit:,} that every bus carries; "
        "store the data elsewhere and refer to it",
    )


def parse(body: bytes, where: str = "") -> Any:
    """Read JSON text; raises InvalidEvent where it is none."""
    try:
        return from_json(body, allow_inf_nan=False, cache_strings="keys")
    except ValueError as error:
        if body.startswith(_BOM):
            problem = "must be JSON in UTF-8 without a byte order mark"
        else:
            problem = f"is not JSON: {error}"
        raise InvalidEvent([Fault(where, problem)]) from None


def bound_names(tree: Any, size: int, where: str = "") -> None:
    """Raise InvalidEvent where a path in a tree, of `size` bytes as text, has too long names."""
    if size > _LONG and _longest_path(tree) > MAX_PATH:
        problem = f"nests names of more than {MAX_PATH:,} characters along one path"
        raise InvalidEvent([Fault(where, problem)])


def is_plain(body: bytes, tree: Any) -> bool:
    """Say whether `tree`, read from `body`, surely holds no flaw; False means: look closer.

    Every pair of an object puts a quote, perhaps blanks, and a colon into the text, so with the
    blanks taken out `":` occurs at least once for each pair. It may occur more often, within
    strings. The tree holds at most one key for each pair, and fewer where keys repeat. So where
    the two counts are equal, no key repeats.

    Text that is exactly what its tree is written as needs no counting. That is how a Codec writes,
    so most text is of this kind; what others write is often told by its first key.
    """
    if body.startswith(_COMPACT) and to_json(tree) == body:
        return True
    return _keys(tree) == body.translate(None, _BLANKS).count(b'":')


def flaws(body: bytes, where: str = "") -> list[Fault]:
    """Find repeated keys and numbers out of range, with their paths, in text that parses."""
    return flaws_of(closely(body), where)


def closely(body: bytes) -> Any:
    """Read JSON text once more, keeping note of repeated keys; for `flaws_of`."""
    import json  # needed for refused events only; pydantic has it loaded already

    return json.loads(body.decode(), object_pairs_hook=_Object)


def flaws_of(value: Any, where: str = "") -> list[Fault]:
    """Find the flaws in what `closely` read."""
    faults: list[Fault] = []
    _search(value, where, faults)
    return faults


def _search(value: Any, where: str, faults: list[Fault]) -> None:
    # The first parser has bounded the nesting, and with it the depth of this recursion.
    if isinstance(value, _Object):
        faults.extend(
            Fault(where, f"repeats the key {clip(name, 60)!r}") for name in value.repeated
        )
        for name, inner in value.items():
            _search(inner, beneath(where, name), faults)
    elif isinstance(value, list):
        for position, inner in enumerate(value):
            _search(inner, beneath(where, str(position)), faults)
    elif isinstance(value, float) and isinf(value):
        faults.append(Fault(where, "is a number beyond the range of a double"))


class _Object(dict[str, Any]):
    """A JSON object that remembers which of its keys occurred more than once."""

    __slots__ = ("repeated",)

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self.repeated: list[str] = []
        if len(self) == len(pairs):
            return
        times = dict.fromkeys(self, 0)
        for name, _ in pairs:
            times[name] += 1
            if times[name] == 2:
                self.repeated.append(name)


_NEVER = -(2**62)  # makes any count useless, which is all that a flaw found early need do


def _keys(value: Any) -> int:
    count = 0
    if type(value) is dict:
        count = len(value)
        value = value.values()
    elif type(value) is not list:
        value = (value,)
    for inner in value:
        kind = type(inner)
        if kind is str:
            continue
        if kind is dict or kind is list:
            count += _keys(inner)
        elif kind is float and isinf(inner):
            count += _NEVER
    return count


def _longest_path(value: Any) -> int:
    if type(value) is dict:
        return max((len(name) + _longest_path(inner) for name, inner in value.items()), default=0)
    if type(value) is list:
        return max(map(_longest_path, value), default=0)
    return 0
