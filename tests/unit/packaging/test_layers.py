"""Layers are kept as they were made, and what was damaged is made anew."""

from __future__ import annotations

from pathlib import Path

import pytest

from crosswind.packaging import archive
from crosswind.packaging.layers import Layer, Shelf, key, module_name, scan

FILES = {
    "p/__init__.py": b"import json\ntry:\n    import fast\nexcept ImportError:\n    pass",
    "p/data.json": b"1",
    "p/template.py": b"from {{ name }} import app",
}
LAYER = Layer(
    "p",
    "1.0",
    tuple(archive.pack(path, content) for path, content in sorted(FILES.items())),
    scan(FILES),
    {"p/__init__.py": archive.pack("p/__pycache__/__init__.cpython-313.pyc", b"code")},
    ("ab" * 32, "p-1.0-py3-none-any.whl"),
    ("q>=1",),
    "MIT",
    {"types": 12},
    ("a note",),
)


def test_a_layer_comes_back_as_it_was_kept(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "layers")
    assert shelf.get("one") is None
    shelf.put("one", LAYER)
    assert shelf.get("one") == LAYER


@pytest.mark.parametrize("damage", ["cut", "changed", "unsealed"])
def test_what_was_damaged_is_not_taken(tmp_path: Path, damage: str) -> None:
    shelf = Shelf(tmp_path)
    shelf.put("one", LAYER)
    file = tmp_path / "one.zip"
    content = bytearray(file.read_bytes())
    content[100] ^= 1
    match damage:
        case "cut":
            file.write_bytes(file.read_bytes()[:-10])
        case "changed":
            file.write_bytes(content)
        case "unsealed":
            (tmp_path / "one.sha256").unlink()
    assert shelf.get("one") is None


def test_a_name_depends_on_all_of_its_parts() -> None:
    assert key("a", "b") != key("ab")
    assert key("a") == key("a")


@pytest.mark.parametrize(
    ("path", "name", "package"),
    [
        ("p/__init__.py", "p", True),
        ("p/q/r.py", "p.q.r", False),
        ("six.py", "six", False),
        ("p/_core.cpython-313-aarch64-linux-gnu.so", "p._core", False),
        ("p/_core.abi3.so", "p._core", False),
        ("p/data.json", None, False),
        ("p-1.0.dist-info/licenses/x.py", None, False),
        ("p/lib.so.1", None, False),
    ],
)
def test_a_module_is_known_by_its_path(path: str, name: str | None, package: bool) -> None:
    assert module_name(path) == (name, package)


def test_a_template_of_python_is_no_module_that_can_be_read() -> None:
    assert scan(FILES)["p.template"].imports.open
