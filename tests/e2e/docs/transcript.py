"""Whether what a command printed is what a page shows, apart from what differs with every run.

Ids, times of day, durations, users, process ids and ports are compared by their form, and so are
blanks.
`...` stands for anything. An id of the page stands for the same id wherever it is shown, so that a
later command can name what an earlier one has printed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

_ID: Final = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?<![\w-])[0-9a-f]{8,64}(?![\w-])"
_FORMS: Final = {
    "any": (r"\.\.\.", ""),
    "id": (_ID, _ID),
    "stamp": (r"\d{4}-\d\d-\d\dT[\d:.]+(?:Z|\+00:00)",) * 2,
    "clock": (r"\d\d:\d\d:\d\d(?:\.\d+)?",) * 2,
    "span": (r"[-+]?\d+(?:\.\d+)?\s?(?:ms|s|min|m|h|d)\b(?: \d+ min)?",) * 2,
    "person": (r"[\w.-]+@[\w.-]+",) * 2,
    "number": (r"\b(?:pid|port) \d+",) * 2,
    "rule": (r"─+", r"─+"),
    "space": (r"\s+", r"\s+"),
}
_TOKEN: Final = re.compile("|".join(f"(?P<{name}>{form[0]})" for name, form in _FORMS.items()))


class Ids:
    """Which id of this run an id of the page stands for."""

    def __init__(self) -> None:
        self._actual: dict[str, str] = {}

    def learn(self, shown: str, actual: str) -> None:
        """Remember a pair of ids, and of their short forms."""
        self._actual[shown] = actual
        self._actual.setdefault(shown[:8], actual[:8])

    def known(self, shown: str) -> str | None:
        """The id of this run, if it was seen."""
        return self._actual.get(shown)

    def put_into(self, command: str) -> str:
        """A command of the page, with the ids of this run."""
        return re.sub(_ID, lambda found: self.known(found[0]) or found[0], command)

    def taken_out_of(self, printed: str) -> str:
        """What was printed in this run, with the ids of the page."""
        shown = {actual: shown for shown, actual in self._actual.items()}
        return re.sub(_ID, lambda found: shown.get(found[0], found[0]), printed)


def agrees(shown: str, printed: str, ids: Ids) -> bool:
    """Whether a page shows what was printed; learns the ids in it."""
    new: dict[str, str] = {}
    found = re.fullmatch(_whole(_segments(shown.strip(), ids, new)), printed.strip(), re.DOTALL)
    if found is None:
        return False
    for name, group in new.items():
        ids.learn(name, found[group])
    return True


def _whole(segments: Sequence[str]) -> str:
    """One pattern of what stands before, between and after each `...`.

    What stands between two of them is where it is found first. Were that tried anew for each place
    of the others, a page with many would take minutes to be refused.
    """
    first, *between = segments
    if not between:
        return first
    *between, last = between
    return first + "".join(f"(?>.*?{segment})" for segment in between) + f".*?{last}"


def _segments(shown: str, ids: Ids, new: dict[str, str]) -> list[str]:
    parts: list[list[str]] = [[]]
    for part in _pattern(shown, ids, new):
        if part is None:
            parts.append([])
        else:
            parts[-1].append(part)
    return ["".join(each) for each in parts]


def _pattern(shown: str, ids: Ids, new: dict[str, str]) -> Iterator[str | None]:
    """The pieces of a pattern; None for what may be anything."""
    position = 0
    for token in _TOKEN.finditer(shown):
        yield re.escape(shown[position : token.start()])
        position = token.end()
        kind = token.lastgroup or ""
        if kind == "any":
            yield None
        elif kind != "id":
            yield _FORMS[kind][1]
        elif known := ids.known(token[0]):
            yield re.escape(known)
        elif token[0] in new:
            yield f"(?P={new[token[0]]})"
        else:
            new[token[0]] = f"id{len(new)}"
            yield f"(?P<{new[token[0]]}>{_ID})"
    yield re.escape(shown[position:])
