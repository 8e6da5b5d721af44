"""Function apps for tests, under the real language worker."""

import json
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

HEAD = """
import logging
import azure.functions as func

app = func.FunctionApp()
"""

AppFolder = Callable[..., Path]
"""Writes an app: the source of its functions, and members of its host.json."""


@pytest.fixture
def app_folder(tmp_path: Path) -> AppFolder:
    """Writes a function app into a folder of this test's own."""

    def write(source: str, **host: Any) -> Path:
        folder = tmp_path / "app"
        folder.mkdir()
        (folder / "function_app.py").write_text(HEAD + textwrap.dedent(source))
        (folder / "host.json").write_text(json.dumps({"version": "2.0", **host}))
        return folder

    return write
