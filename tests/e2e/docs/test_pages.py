"""What the pages say is what happens: every command and every block of Python in them is run."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.docs.pages import PAGES, ROOT, Block, Command
from e2e.docs.play import play
from e2e.docs.terminal import Terminal


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
    sys.modules.pop("page", None)
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", None) or "").startswith(str(opened.folder)):
            del sys.modules[name]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_block_of_a_page_does_what_it_shows(page: Path, terminal: Terminal) -> None:
    def typed(block: Block, command: Command) -> None:
        wrong = terminal.check(command)
        assert wrong is None, f"{block.where}: {wrong}"

    play(page, terminal.folder, typed)
