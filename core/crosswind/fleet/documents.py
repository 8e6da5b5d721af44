"""Documents that remember the line of every value, built of a flat stream of tokens.

Nothing here recurses, and depth, size and the number of faults are bounded, so that no document
can exhaust the machine. What an alias repeats counts as often as it is repeated.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from crosswind.errors import CrosswindError

MAX_BYTES: Final = 2_000_000
MAX_DEPTH: Final = 32
MAX_VALUES: Final = 150_000
"""Values of a document, counting what an alias repeats as often as it does."""
MAX_FAULTS: Final = 1000
"""Repeated keys and the like after which reading is given up."""

Path = tuple[str | int, ...]


class LineFault(NamedTuple):
    """Something wrong with a document, at a line."""

    line: int
    problem: str


class DocumentError(CrosswindError, ValueError):
    """A document that cannot be read to its end.

    Args:
        problem: what is wrong and what to do.
        line: where, from 1.
    """

    def __init__(self, problem: str, line: int = 1) -> None:
        super().__init__(problem)
        self.problem = problem
        self.line = line


class _Lines(NamedTuple):
    """The lines of a container's values; holds the container, so that its id stays its own."""

    container: Any
    lines: Any


@dataclass(frozen=True, slots=True)
class Document:
    """A value with its lines.

    Attributes:
        value: of dicts, lists and scalars.
        faults: what was wrong and could be passed over, such as repeated keys.
    """

    value: Any
    faults: tuple[LineFault, ...]
    _lines: dict[int, _Lines] = field(repr=False)
    _located: Callable[[], Document] | None = field(default=None, repr=False)

    @classmethod
    def unlocated(cls, value: Any, locate: Callable[[], Document]) -> Document:
        """A value without fault, whose lines are only looked for when one is asked for."""
        return cls(value, (), {}, locate)

    def line(self, path: Path) -> int:
        """The line of the value at a path, or of the nearest value around it."""
        if self._located is not None:
            return self._located().line(path)
        value, line = self.value, 1
        for step in path:
            known = self._lines.get(id(value))
            if known is None:
                break
            try:
                line = known.lines[step]
            except (TypeError, KeyError, IndexError):
                break
            value = known.container[step]
        return line


@dataclass(slots=True)
class _Open:
    """A mapping or sequence that has not ended yet."""

    value: Any
    lines: Any
    anchor: str | None
    began: int
    key: str | None = None
    dropped: bool = False

    def wants_key(self) -> bool:
        return self.key is None and isinstance(self.value, dict)


class _Anchored(NamedTuple):
    value: Any
    size: int


class Builder:
    """Makes a document of tokens, within bounds of depth and size."""

    def __init__(self) -> None:
        self._faults: list[LineFault] = []
        self._lines: dict[int, _Lines] = {}
        self._open: list[_Open] = []
        self._anchors: dict[str, _Anchored | None] = {}
        self._count = 0
        self._root: Any = None
        self._begun = False

    def start(self, line: int) -> None:
        """A document starts; there is one only."""
        if self._begun:
            raise DocumentError("a second document begins here; a file has one", line)
        self._begun = True

    def begin(self, value: dict[str, Any] | list[Any], line: int, anchor: str | None) -> None:
        """A mapping or sequence begins."""
        if len(self._open) >= MAX_DEPTH:
            raise DocumentError(f"the document is nested more than {MAX_DEPTH} levels deep", line)
        began = self._count
        self._put(value, line, 1)
        lines: dict[str, int] | list[int] = {} if isinstance(value, dict) else []
        self._lines[id(value)] = _Lines(value, lines)
        self._open.append(_Open(value, lines, anchor, began))
        if anchor:
            self._anchors[anchor] = None

    def end(self) -> None:
        """The innermost mapping or sequence ends."""
        ended = self._open.pop()
        if ended.anchor:
            self._anchors[ended.anchor] = _Anchored(ended.value, self._count - ended.began)

    def scalar(self, text: str, value: Any, line: int, anchor: str | None = None) -> None:
        """A scalar; where a key is due its text counts."""
        if self._open and self._open[-1].wants_key():
            self._key(text, line)
        else:
            self._put(value, line, 1)
        if anchor:
            self._anchors[anchor] = _Anchored(value, 1)

    def alias(self, name: str, line: int) -> None:
        """An anchored value once more."""
        if name not in self._anchors:
            raise DocumentError(f"*{name} repeats a value that nothing above names &{name}", line)
        anchored = self._anchors[name]
        if anchored is None:
            raise DocumentError(f"*{name} stands inside of what it repeats; write it out", line)
        self._put(anchored.value, line, anchored.size)

    def fault(self, line: int, problem: str) -> None:
        """Note something wrong that can be passed over."""
        self._faults.append(LineFault(line, problem))
        if len(self._faults) > MAX_FAULTS:
            raise DocumentError(f"{problem}; {MAX_FAULTS} such faults stand above", line)

    def document(self) -> Document:
        """What was built."""
        return Document(self._root, tuple(self._faults), self._lines)

    def _key(self, text: str, line: int) -> None:
        top = self._open[-1]
        top.key = text
        top.dropped = text in top.lines or text == "<<"
        if text == "<<":
            self.fault(line, "merge keys (<<) are not supported; write the fields out")
        elif top.dropped:
            self.fault(line, f"the key {text!r} is repeated, it stands in line {top.lines[text]}")
        else:
            top.lines[text] = line

    def _put(self, value: Any, line: int, size: int) -> None:
        self._count += size
        if self._count > MAX_VALUES:
            raise DocumentError(
                f"the document holds more than {MAX_VALUES} values, aliases counted in full", line
            )
        if not self._open:
            self._root = value
            return
        top = self._open[-1]
        if isinstance(top.value, list):
            top.value.append(value)
            top.lines.append(line)
        elif top.key is None:
            raise DocumentError("a key must be a plain text", line)
        else:
            if not top.dropped:
                top.value[top.key] = value
            top.key = None
