"""Recording a page brings what it shows up to date, and leaves the rest as it was."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from e2e.docs.pages import ROOT

PAGE = """\
# A page

```console
$ echo chain 323ba64f ended after 3 ms
chain 11112222 ended after 1.2 s
$ echo something else for ann@build-7
what it said before
$ echo one; echo two; echo three
one
...
```

Words.
"""

RECORDED = PAGE.replace("what it said before", "something else for ann@example")


def test_only_what_differs_is_written(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(PAGE)
    # Recorded in a process of its own, as it changes the working folder.
    done = subprocess.run(
        [sys.executable, "-m", "e2e.docs.record", str(page)],
        env={**os.environ, "PYTHONPATH": str(ROOT / "tests")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert page.read_text() == RECORDED
