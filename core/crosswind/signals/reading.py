"""JSON from strangers, read within bounds.

Reading has two halves, so that in a batch only the bad record is refused: `parse` turns text into
values and keeps what is questionable in them visible, and `inspect` finds it again, with its path,
record by record. Both take time and memory in proportion to `MAX_BYTES` at most.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from crosswind_events import Fault

from .outcome import SignalRejected

MAX_BYTES: Final = 6 * 1024 * 1024
"""Largest payload read, in bytes of UTF-8: what one AWS Lambda invocation carries. A single
notification is far smaller (EventBridge 256 KB, Event Grid 1 MB)."""

MAX_DEPTH: Final = 64
"""Deepest nesting of objects and arrays; real notifications stay below 15."""

MAX_VALUES: Final = 500_000
"""Most values (of any type) in one record."""

_MAX_DIGITS: Final = 300
"""An integer of more digits is taken for infinite: a float holds no more."""

_MAX_BITS: Final = 1000


class Repeated(dict[str, Any]):
    """An object in which `names` occurred more than once; the last value of each is kept."""

    names: tuple[str, ...] = ()


def parse(text: bytes | str, where: str = "") -> Any:
    """Turn JSON text into values.

    Args:
        text: UTF-8 bytes or a string.
        where: the path to the text, for the error.

    Raises:
        SignalRejected: too large, not UTF-8, not JSON, or nested beyond what can be parsed.
            Repeated names and numbers that are not finite are left for `inspect` to find.
    """
    if len(text) > MAX_BYTES:
        raise refusal(where, f"is {len(text)} long; at most {MAX_BYTES} bytes are read")
    try:
        string = text if isinstance(text, str) else text.decode("utf-8")
        return json.loads(
            string, object_pairs_hook=_object, parse_int=_integer, parse_constant=float
        )
    except UnicodeDecodeError as error:
        raise refusal(where, f"is not UTF-8 (byte {error.start})") from None
    except json.JSONDecodeError as error:
        raise refusal(where, f"is not JSON: {error.msg} at character {error.pos}") from None
    except RecursionError:
        raise refusal(where, f"is nested deeper than {MAX_DEPTH} levels") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    plain = dict(pairs)
    if len(plain) == len(pairs):
        return plain
    repeated = Repeated(plain)
    repeated.names = tuple(
        name for name, times in Counter(n for n, _ in pairs).items() if times > 1
    )
    return repeated


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= _MAX_DIGITS else math.inf


def inspect(value: object, where: str = "") -> list[Fault]:
    """Find everything in a value that no notification may hold.

    That is: a name twice in one object, a number that is not finite, text that is not Unicode
    (half a surrogate pair), a type that JSON does not have, too deep, too many, too large.
    """
    faults: list[Fault] = []
    budget, characters = MAX_VALUES, MAX_BYTES
    pending: list[tuple[object, str, int]] = [(value, where, 0)]
    while pending:
        value, where, depth = pending.pop()
        budget -= 1
        if budget < 0 or characters < 0:
            faults.append(Fault(where, "one record holds more values or text than can be read"))
            break
        if isinstance(value, str):
            characters -= len(value)
            if problem := _text_problem(value):
                faults.append(Fault(where, problem))
        elif isinstance(value, int):
            if value.bit_length() > _MAX_BITS:
                faults.append(Fault(where, "is not a finite number"))
        elif value is None:
            continue
        elif isinstance(value, float):
            if not math.isfinite(value):
                faults.append(Fault(where, "is not a finite number"))
        elif isinstance(value, Mapping | Sequence) and not isinstance(value, bytes | bytearray):
            if depth == MAX_DEPTH:
                faults.append(Fault(where, f"is nested deeper than {MAX_DEPTH} levels"))
                continue
            faults.extend(shallow(value, where))
            if len(value) > budget:
                faults.append(Fault(where, f"one record holds more than {MAX_VALUES} values"))
                break
            pending.extend((inner, path, depth + 1) for path, inner in _children(value, where))
        else:
            faults.append(Fault(where, f"is a {type(value).__name__}, which JSON does not have"))
    return faults


def shallow(value: Mapping[Any, object] | Sequence[object], where: str) -> Iterator[Fault]:
    """The faults of a container itself, whatever is inside: its repeated or impossible names."""
    if isinstance(value, Repeated):
        for name in value.names:
            yield Fault(join(where, name), "occurs more than once")
    if isinstance(value, Mapping):
        for name in value:
            if not isinstance(name, str):
                yield Fault(where, f"has a {type(name).__name__} as a name")
            elif problem := _text_problem(name):
                yield Fault(where, f"has a name that {problem}")


def _children(
    value: Mapping[Any, object] | Sequence[object], where: str
) -> Iterator[tuple[str, object]]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield join(where, str(name)), inner
    else:
        for index, inner in enumerate(value):
            yield f"{where}[{index}]", inner


def _text_problem(text: str) -> str | None:
    if text.isascii():
        return None
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        return f"is not Unicode text: half a surrogate pair at character {error.start}"
    return None


def join(where: str, name: str) -> str:
    """The path to `name` inside `where`, printable and bounded whatever the name is."""
    if not name.isprintable() or len(name) > 80:
        name = ascii(name[:80])
    return f"{where}.{name}" if where else name


def refusal(where: str, problem: str) -> SignalRejected:
    """The refusal for one fault."""
    return SignalRejected([Fault(where, problem)])
