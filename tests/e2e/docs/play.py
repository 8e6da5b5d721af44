"""Plays a page: its blocks in order, in one folder and one Python session.

What a block writes or defines is there for those after it.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Final

import yaml

from crosswind.cli.demonstration import demonstration_fleet
from crosswind.fleet.declaration import Fleet
from crosswind.fleet.load import parse_fleet
from e2e.docs.pages import LANGUAGES, Block, Command, blocks, commands

_BORROWED: Final = re.compile(r"<!-- with ([\w.]+) of ([\w./-]+) -->")
"""How a page says that its reader has a file of another page."""


def play(page: Path, folder: Path, typed: Callable[[Block, Command], None]) -> None:
    """Play a page in a folder, which is the working folder.

    Args:
        typed: is told of each command.

    Raises:
        AssertionError: a block is of no use, or of no language known here.
        Exception: what a block of Python raises.
    """
    session = ModuleType("page")
    sys.modules["page"] = session
    _borrow(page, folder)
    for block in blocks(page):
        assert block.language in LANGUAGES, f"{block.where}: a block of {block.language!r}"
        if block.file is not None:
            (folder / block.file).write_text(block.text, encoding="utf-8")
        match block.language:
            case "console":
                for command in commands(block):
                    typed(block, command)
            case "python" if block.file is not None:
                assert _is_used(block), f"{block.where}: nothing on the page runs {block.file}"
            case "python":
                exec(compile(block.text, block.where, "exec"), session.__dict__)
            case "yaml":
                assert _fleet(block)


def _borrow(page: Path, folder: Path) -> None:
    for name, other in _BORROWED.findall(page.read_text(encoding="utf-8")):
        (found,) = (block for block in blocks(page.parent / other) if block.file == name)
        (folder / name).write_text(found.text, encoding="utf-8")


def _is_used(block: Block) -> bool:
    """Whether something later on its page runs a file: a command that names it, or an import."""
    module = re.compile(rf"\b{Path(block.file or '').stem}\b")
    later = (other for other in blocks(block.page) if other.line > block.line)
    return any(
        module.search(other.text) for other in later if other.language in ("console", "python")
    )


def _fleet(block: Block) -> Fleet:
    """The fleet that a block declares, or the demonstration's with this part in place of its own.

    Raises:
        FleetInvalid: it is none.
    """
    if block.file is not None:
        return parse_fleet(block.text, block.where)
    whole = demonstration_fleet().model_dump(mode="json", exclude_unset=True)
    return parse_fleet(yaml.safe_dump({**whole, **yaml.safe_load(block.text)}), block.where)
