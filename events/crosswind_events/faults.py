"""The one error of this package: all that is wrong with an event, in one bounded message.

ValueError
 └─ InvalidEvent      holds a tuple of Fault
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from pydantic_core import ValidationError

# An event may come from anyone, so what is said about it is bounded: a refused event is written
# to logs and to the dead-letter table, and must not be a way to fill them.
MAX_FAULTS = 50
MAX_WHERE = 120  # characters of a path
MAX_PROBLEM = 240  # characters of a sentence
_MANY = 1000  # findings of which the first fifty are worth having


class Fault(NamedTuple):
    """One thing that is wrong with an event.

    `where` is the path of the offending value (`data.native.id`, `time`), empty where the event
    as a whole is meant; `problem` says what is wrong there and never repeats the value at length.
    """

    where: str
    problem: str

    def __str__(self) -> str:
        return f"{self.where}: {self.problem}" if self.where else self.problem


class InvalidEvent(ValueError):
    """An event that is refused, with every reason for it.

    `faults` holds at most `MAX_FAULTS` faults; `unlisted` counts those beyond.
    """

    def __init__(self, faults: Iterable[Fault], unlisted: int = 0) -> None:
        found = tuple(faults)
        self.faults: tuple[Fault, ...] = tuple(map(_bounded, found[:MAX_FAULTS]))
        self.unlisted: int = unlisted + len(found) - len(self.faults)
        super().__init__(self.faults, self.unlisted)

    def __str__(self) -> str:
        more = f"; and {self.unlisted} more" if self.unlisted else ""
        return f"the event is refused: {'; '.join(map(str, self.faults))}{more}"


def from_validation(error: ValidationError) -> Iterator[Fault]:
    """Translate what pydantic found in the data; the values are left out, they may be private."""
    if (count := error.error_count()) > _MANY:
        # pydantic has no way to give the first few of its findings.
        yield Fault("data", f"does not fit in {count:,} places")
        return
    for found in error.errors(include_url=False, include_context=False, include_input=False):
        message = found["msg"].removeprefix("Value error, ")
        where = "data"
        for name in found["loc"]:
            where = beneath(where, str(name))
        yield Fault(where, message[:1].lower() + message[1:])


def beneath(where: str, name: str) -> str:
    """Extend a path by a name. What is too long to be shown is not made longer."""
    if len(where) > MAX_WHERE:
        return where
    return f"{where}.{clip(name, MAX_WHERE)}" if where else clip(name, MAX_WHERE)


def clip(text: str, limit: int) -> str:
    """Shorten `text` to `limit` characters, with an ellipsis where something is missing."""
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def _bounded(fault: Fault) -> Fault:
    # A path holds keys that the sender chose; what cannot be printed is shown escaped, so that a
    # refused event cannot forge lines in a log.
    return Fault(_printable(fault.where, MAX_WHERE), _printable(fault.problem, MAX_PROBLEM))


def _printable(text: str, limit: int) -> str:
    text = clip(text, limit)
    if text.isprintable():
        return text
    return clip("".join(c if c.isprintable() else ascii(c)[1:-1] for c in text), limit)
