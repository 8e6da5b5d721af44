"""Where wheels come from: uv's settings, or else pip's."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from crosswind.packaging.indexes import Indexes, read_indexes

INDEX = "https://user:word@packages.example.com/simple"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / ".config/pip").mkdir(parents=True)
    (tmp_path / ".config/pip/pip.conf").write_text(
        f"[global]\nindex-url = {INDEX}\nfind-links =\n    /one\n    /two\n"
        "[install]\nextra-index-url = https://a.example.com/simple https://b.example.com/simple\n"
    )
    return tmp_path


def read(home: Path, toml: Mapping[str, Any] | None = None, **environment: str) -> Indexes:
    clean = {"XDG_CONFIG_DIRS": str(home / "none"), **environment}
    return read_indexes(clean, toml or {}, home, home)


def told(home: Path, toml: Mapping[str, Any] | None = None, **environment: str) -> dict[str, str]:
    found = read(home, toml, **environment).variables
    return {name: value for name, value in found.items() if name != "SSL_CERT_FILE"}


def test_uv_is_told_what_pip_is_told(home: Path) -> None:
    assert told(home) == {
        "UV_DEFAULT_INDEX": INDEX,
        "UV_FIND_LINKS": "/one,/two",
        "UV_INDEX": "https://a.example.com/simple https://b.example.com/simple",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
    }


def test_variables_of_pip_win_over_its_files(home: Path) -> None:
    found = told(home, PIP_INDEX_URL="https://other.example.com/simple")
    assert found["UV_DEFAULT_INDEX"] == "https://other.example.com/simple"


def test_pip_may_be_told_to_ask_no_index(home: Path) -> None:
    assert not read(home).none
    assert read(home, PIP_NO_INDEX="1").none
    assert not read(home, PIP_NO_INDEX="0").none


def test_where_uv_has_settings_of_its_own_pip_s_do_not_count(home: Path) -> None:
    assert told(home, UV_DEFAULT_INDEX="https://uv.example.com/simple") == {}
    assert told(home, {"tool": {"uv": {"index": []}}}) == {}
    (home / "uv.toml").touch()
    assert told(home) == {}


def test_pip_may_be_told_to_read_no_file(home: Path) -> None:
    assert told(home, PIP_CONFIG_FILE="/dev/null") == {}


def test_a_file_that_pip_could_not_read_says_nothing(home: Path) -> None:
    (home / ".config/pip/pip.conf").write_text("no section")
    assert told(home) == {}
