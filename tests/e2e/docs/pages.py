"""The pages of the documentation, cut into the blocks of code that stand in them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[3]
DOCS: Final = ROOT / "docs"

ELSEWHERE: Final = {"cli.md", "fleet.md", "speed.md"}
"""Pages whose blocks are run by tests of their own."""

PAGES: Final = (
    ROOT / "README.md",
    *(page for page in sorted(DOCS.glob("*.md")) if page.name not in ELSEWHERE),
)

LANGUAGES: Final = {
    "console": "commands after `$`, each with what it prints; they are run and compared",
    "python": "run; where its first line is a comment with a file name, written there as well",
    "yaml": "a part of a fleet, which must be valid in one; or a file as above",
    "mermaid": "a picture, whose arrows must be true",
    "text": "not run",
}
"""What a block of each language is for; no other is used."""

_FENCE: Final = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE: Final = re.compile(r"# ([\w./-]+\.(?:py|yaml))\n")


@dataclass(frozen=True)
class Block:
    """One block; `file` is the name under which it is to be kept."""

    page: Path
    line: int
    language: str
    text: str

    @property
    def file(self) -> str | None:
        """What the comment in its first line names."""
        found = _FILE.match(self.text)
        return found[1] if found else None

    @property
    def where(self) -> str:
        """For messages."""
        return f"{os.path.relpath(self.page, ROOT)}:{self.line}"


def blocks(page: Path) -> Iterator[Block]:
    """The blocks of a page, in order."""
    text = page.read_text(encoding="utf-8")
    for found in _FENCE.finditer(text):
        line = text.count("\n", 0, found.start()) + 2
        yield Block(page, line, found[1], found[2])


def prose(page: Path) -> str:
    """A page without its blocks."""
    return _FENCE.sub("", page.read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Command:
    """A command as it is typed, what it prints, and its exit code."""

    typed: str
    printed: str
    code: int = 0


def commands(block: Block) -> Iterator[Command]:
    """The commands of a console block; a backslash at the end continues one on the next line."""
    parts = re.split(r"^\$ ", block.text, flags=re.MULTILINE)
    if parts[0].strip():
        raise ValueError(f"{block.where} does not begin with a command")
    for part in parts[1:]:
        typed, printed = _split(part)
        code = re.search(r"# exit code (\d+)$", typed)
        yield Command(typed, printed, int(code[1]) if code else 0)


def _split(part: str) -> tuple[str, str]:
    lines = part.splitlines(keepends=True)
    last = 0
    while lines[last].rstrip().endswith("\\"):
        last += 1
    return "".join(lines[: last + 1]).rstrip(), "".join(lines[last + 1 :])
