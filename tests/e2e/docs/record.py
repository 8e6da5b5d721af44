"""Puts into a page what its commands print today, where that is not what it shows.

    PYTHONPATH=tests python -m e2e.docs.record docs/brakes.md

Ids stay as the page has them. What a page leaves out with `...` is left to whoever wrote it.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from pathlib import Path

from e2e.docs.pages import Block, Command
from e2e.docs.play import play
from e2e.docs.terminal import Terminal
from e2e.docs.transcript import agrees


def record(page: Path, folder: Path) -> None:
    """Rewrite a page, playing it in a folder that does not exist yet."""
    terminal = Terminal(folder)
    written, position = page.read_text(encoding="utf-8"), 0

    def typed(block: Block, command: Command) -> None:
        nonlocal written, position
        shown = f"$ {command.typed}\n{command.printed}"
        position = written.index(shown, position)
        ran = None if command.typed.startswith("make ") else terminal.run(command)
        if ran is not None and not agrees(command.printed, ran.printed, terminal.ids):
            if "..." in command.printed:
                print(f"{block.where}: $ {ran.typed}\n{ran.printed}", file=sys.stderr)
            else:
                today = f"$ {command.typed}\n{_tidy(terminal.ids.taken_out_of(ran.printed))}"
                written = written[:position] + today + written[position + len(shown) :]
                shown = today
        position += len(shown)

    os.chdir(folder)
    sys.path.insert(0, str(folder))
    try:
        play(page, folder, typed)
    finally:
        terminal.close()
    page.write_text(written, encoding="utf-8")


def _tidy(printed: str) -> str:
    """Without blank lines, blanks at the ends of lines, and the name of who records."""
    lines = (line.rstrip() for line in printed.splitlines() if line.strip())
    text = "".join(f"{line}\n" for line in lines)
    return re.sub(r"(?<![\w.-])[\w.-]+@[\w.-]+", "ann@example", text)


def main() -> None:
    """Record the pages that are named."""
    pages = [Path(name).resolve() for name in sys.argv[1:]]
    for page in pages:
        with tempfile.TemporaryDirectory() as folder:
            record(page, Path(folder) / "my project")


if __name__ == "__main__":
    main()
