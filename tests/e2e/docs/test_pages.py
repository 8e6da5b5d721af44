"""What the pages say is what happens: every command and every block of Python in them is run.

The blocks of a page are run in order, in one folder and one Python session: what a block writes or
defines is there for those after it.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Final

import pytest
import yaml

from crosswind.cli.demonstration import demonstration_fleet
from crosswind.fleet.declaration import Fleet
from crosswind.fleet.load import parse_fleet
from e2e.docs.pages import LANGUAGES, PAGES, Block, blocks, commands
from e2e.docs.terminal import Terminal

BORROWED: Final = re.compile(r"<!-- with ([\w.]+) of ([\w./]+) -->")
"""How a page says that its reader has a file of another page."""


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    """A terminal in a folder with a space in its name, which is also the working folder here."""
    opened = Terminal(tmp_path / "my project")
    for name in ("CROSSWIND_APP", "CROSSWIND_DATA", "CROSSWIND_FLEET", "CROSSWIND_PERFORMERS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(opened.folder)
    monkeypatch.syspath_prepend(str(opened.folder))
    yield opened
    opened.close()
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", None) or "").startswith(str(opened.folder)):
            del sys.modules[name]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_block_of_a_page_does_what_it_shows(
    page: Path, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = ModuleType("page")
    monkeypatch.setitem(sys.modules, "page", session)
    bring(page, terminal.folder)
    for block in blocks(page):
        assert block.language in LANGUAGES, f"{block.where}: a block of {block.language!r}"
        if block.file is not None:
            (terminal.folder / block.file).write_text(block.text, encoding="utf-8")
        match block.language:
            case "console":
                for command in commands(block):
                    wrong = terminal.type(command)
                    assert wrong is None, f"{block.where}: {wrong}"
            case "python":
                code = compile(block.text, block.where, "exec")
                exec(code, session.__dict__)
            case "yaml":
                assert fleet_with(block)


def bring(page: Path, folder: Path) -> None:
    """Put the files into a folder that a page takes from another page."""
    for name, other in BORROWED.findall(page.read_text(encoding="utf-8")):
        (found,) = (block for block in blocks(page.parent / other) if block.file == name)
        (folder / name).write_text(found.text, encoding="utf-8")


def fleet_with(block: Block) -> Fleet:
    """The fleet that a block declares, or the demonstration's with this part in place of its own.

    Raises:
        FleetInvalid: it is none.
    """
    if block.file is not None:
        return parse_fleet(block.text, block.where)
    whole = demonstration_fleet().model_dump(mode="json", exclude_unset=True)
    return parse_fleet(yaml.safe_dump({**whole, **yaml.safe_load(block.text)}), block.where)
