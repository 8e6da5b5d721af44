"""Tables and text of Markdown, made of what others have written.

What observers, performers and people have said is made harmless first: it can neither break a
table nor become markup in the place to which a document is copied.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, TypeVar

T = TypeVar("T")

ROWS: Final = 60
"""Rows of a table, or points of a list; of more, the first and the latest."""

_LONG: Final = 600
_ESCAPED: Final = re.compile(r"[\\|*\[\]]")


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """A table; of very many rows the first and the latest."""
    yield f"| {' | '.join(heads)} |"
    yield f"|{'|'.join('---' for _ in heads)}|"
    for row in some(rows):
        cells = [row] if isinstance(row, str) else [harmless(cell) for cell in row]
        cells += [""] * (len(heads) - len(cells))
        yield f"| {' | '.join(cells)} |"


def some(found: Sequence[T]) -> Iterable[T | str]:
    """The first and the latest of many, with a word between them."""
    if len(found) <= ROWS:
        return found
    half = ROWS // 2
    more = len(found) - 2 * half
    return [*found[:half], f"… {more} more, with --json", *found[-half:]]


def harmless(words: str) -> str:
    """Words that mean what they say, wherever they stand."""
    short = words if len(words) <= _LONG else words[: _LONG - 1] + "…"
    line = " ".join(short.split()).replace("`", "'").replace("<", "&lt;")
    return _ESCAPED.sub(lambda found: "\\" + found[0], line)


def code(words: str) -> str:
    """Words that stand between backticks."""
    return " ".join(words.split()).replace("`", "'")
