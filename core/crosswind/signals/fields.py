"""Named fields of a notification, taken in every form the vendors use and in no other.

Names match in any case (`alertContext`, `AlertContext`), numbers and flags may be written as text,
null is absence, and an object may be JSON in a string. A field of a wrong type is noted as a fault
and read as absent, so that one reading finds all faults; `check` then raises them together.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from crosswind_events import Fault

from . import reading, times
from .outcome import SignalRejected

MAX_TEXT: Final = 2048
"""Longest identifier read, in characters: an AWS Health ARN may have 1600."""

MAX_ITEMS: Final = 10_000
"""Most items of a list that is read: SQS hands over at most that many messages at once."""

_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,40}(?:\.[0-9]{1,40})?(?:[eE][+-]?[0-9]{1,3})?")


class Fields:
    """One JSON object, the path to it, and the faults found so far in it and around it."""

    __slots__ = ("_faults", "_names", "value", "where")

    def __init__(
        self, value: Mapping[str, Any], where: str = "", faults: list[Fault] | None = None
    ) -> None:
        self.value = value
        self._faults: list[Fault] = [] if faults is None else faults
        self._names: dict[str, list[str]] = {}
        for name in value:
            if isinstance(name, str):
                self._names.setdefault(name.lower(), []).append(name)
        self.where = where

    def path(self, name: str) -> str:
        """The path to a field of this object."""
        return reading.join(self.where, name)

    def check(self) -> None:
        """Raise `SignalRejected` for all faults noted so far, here and in the objects around."""
        if self._faults:
            raise SignalRejected(dict.fromkeys(self._faults))

    def fault(self, name: str, problem: str) -> None:
        """Note that something is wrong with a field."""
        self._faults.append(Fault(self.path(name), problem))

    def has(self, *names: str) -> bool:
        """Whether every one of these fields is there and not null."""
        return all(self._find(name) is not None for name in names)

    def _find(self, name: str) -> Any:
        for spelling in self._names.get(name.lower(), ()):
            if (value := self.value[spelling]) is not None:
                return value
        return None

    def raw(self, name: str) -> Any:
        """A field as it is; None where it is absent. Two spellings of one name are a fault."""
        if len(self._names.get(name.lower(), ())) > 1:
            self.fault(name, "occurs more than once, in different cases")
        return self._find(name)

    def text(self, name: str, *, limit: int = MAX_TEXT) -> str | None:
        """A text, or a number as its text; None where it is absent or blank."""
        value = self.raw(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            self.fault(name, f"must be text, not {_kind(value)}")
            return None
        text = str(value).strip()
        if len(text) > limit:
            self.fault(name, f"is longer than {limit} characters")
            return None
        return text or None

    def prose(self, name: str) -> str | None:
        """A text for people, of any length."""
        return self.text(name, limit=reading.MAX_BYTES)

    def word(self, name: str) -> str | None:
        """A code word in lower case without blanks, since vendors vary both."""
        text = self.text(name)
        return text and "".join(text.lower().split())

    def need(self, name: str) -> str:
        """A text that must be there; empty, with a fault noted, where it is not."""
        return self.text(name) or self._missing(name, "")

    def need_word(self, name: str) -> str:
        """A code word that must be there; empty, with a fault noted, where it is not."""
        return self.word(name) or self._missing(name, "")

    def _missing(self, name: str, instead: str) -> str:
        path = self.path(name)
        if not any(fault.where == path for fault in self._faults):
            self.fault(name, "is required")
        return instead

    def number(self, name: str) -> float | None:
        """A finite number, or one written as text; None where it is absent or blank."""
        value = self.raw(name)
        if value is None or value == "":
            return None
        if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
            value = float(value)
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.fault(name, f"must be a number, not {_kind(value)}")
            return None
        if not math.isfinite(value):
            self.fault(name, "is not a finite number")
            return None
        return float(value)

    def flag(self, name: str) -> bool:
        """A flag, or one written as text; False where it is absent."""
        value = self.raw(name)
        if isinstance(value, bool):
            return value
        word = value.strip().lower() if isinstance(value, str) else value
        if word not in (None, "", "true", "false"):
            self.fault(name, "must be true or false")
        return word == "true"

    def instant(self, name: str) -> datetime | None:
        """A time as UTC, in any form of `times`; None where it is absent."""
        value = self.raw(name)
        if value is None or value == "":
            return None
        try:
            return times.instant(value)
        except ValueError as error:
            self.fault(name, str(error))
            return None

    def need_instant(self, name: str) -> datetime:
        """A time that must be there; 1970, with a fault noted, where it is not."""
        found = self.instant(name)
        if found is None:
            self._missing(name, "")
        return found or times.instant(0)

    def object(self, name: str) -> Fields | None:
        """An object, or one written as JSON in a string; None where it is absent."""
        value = self._unfolded(name)
        if value is None:
            return None
        if not isinstance(value, Mapping):
            self.fault(name, f"must be an object, not {_kind(value)}")
            return None
        return Fields(value, self.path(name), self._faults)

    def need_object(self, name: str) -> Fields:
        """An object that must be there; an empty one, with a fault noted, where it is not."""
        found = self.object(name)
        if found is None:
            self._missing(name, "")
        return found or Fields({}, self.path(name), self._faults)

    def objects(self, name: str) -> list[Fields]:
        """A list of objects, or one written as JSON in a string; empty where it is absent."""
        found = []
        for path, item in self.items(name):
            if isinstance(item, Mapping):
                found.append(Fields(item, path, self._faults))
            else:
                self._faults.append(Fault(path, f"must be an object, not {_kind(item)}"))
        return found

    def texts(self, name: str) -> list[str]:
        """A list of texts, or one written as JSON in a string; empty where it is absent."""
        found = []
        for path, item in self.items(name):
            if isinstance(item, str):
                found.append(item.strip())
            else:
                self._faults.append(Fault(path, f"must be text, not {_kind(item)}"))
        return found

    def items(self, name: str) -> list[tuple[str, Any]]:
        """A list of anything, or one written as JSON in a string, each item with its path."""
        value = self._unfolded(name)
        if value is None:
            return []
        if isinstance(value, str | bytes) or not isinstance(value, Sequence):
            self.fault(name, f"must be a list, not {_kind(value)}")
            return []
        if len(value) > MAX_ITEMS:
            self.fault(name, f"holds more than {MAX_ITEMS} items")
            return []
        path = self.path(name)
        return [(f"{path}[{index}]", item) for index, item in enumerate(value)]

    def _unfolded(self, name: str) -> Any:
        value = self.raw(name)
        if not isinstance(value, str):
            return value
        if not value.strip():
            return None
        path = self.path(name)
        try:
            value = reading.parse(value, path)
        except SignalRejected as refused:
            self._faults.extend(refused.faults)
            return None
        self._faults.extend(faults := reading.inspect(value, path))
        return None if faults else value


def _kind(value: object) -> str:
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, str):
        return "text"
    if isinstance(value, int | float):
        return "a number"
    return "an object" if isinstance(value, Mapping) else "a list"
