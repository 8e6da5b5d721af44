"""What a module imports, read without running it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import crosswind
from crosswind.packaging.imports import read_imports


def names(source: str, module: str = "ops.main", *, package: bool = False) -> dict[str, str]:
    """When each module is imported."""
    found = read_imports(source.encode(), module, package=package)
    return {one.module: one.when for one in found.names if one.sure}


def test_an_import_at_the_top_is_always_needed() -> None:
    assert names("import json, os.path\nfrom a.b import c") == {
        "json": "always",
        "os.path": "always",
        "a.b": "always",
    }


def test_a_name_that_is_imported_may_be_a_module() -> None:
    found = read_imports(b"from a import b", "ops", package=False)
    assert [(one.module, one.sure) for one in found.names] == [("a", True), ("a.b", False)]


@pytest.mark.parametrize(
    ("line", "module", "package", "expected"),
    [
        ("from . import near", "ops.main", False, "ops"),
        ("from .near import x", "ops.main", False, "ops.near"),
        ("from ..far import x", "ops.deep.main", False, "ops.far"),
        ("from .near import x", "ops", True, "ops.near"),
    ],
)
def test_relative_imports_are_read_against_the_package(
    line: str, module: str, package: bool, expected: str
) -> None:
    assert expected in names(line, module, package=package)


@pytest.mark.parametrize(
    "source",
    ["def f():\n    import slow", "if x:\n    import slow", "f = lambda: __import__('slow')"],
)
def test_an_import_in_a_function_or_a_branch_may_never_happen(source: str) -> None:
    assert names(source) == {"slow": "perhaps"}


def test_the_body_of_a_class_is_run_at_once() -> None:
    assert names("class A:\n    import x") == {"x": "always"}


@pytest.mark.parametrize(
    "kind", ["ImportError", "ModuleNotFoundError", "(OSError, ImportError)", ""]
)
def test_an_import_whose_absence_is_caught_is_optional(kind: str) -> None:
    source = f"try:\n    import fast\nexcept {kind}:\n    fast = None"
    assert names(source) == {"fast": "optional"}


def test_what_takes_the_place_of_an_optional_import_is_imported_perhaps() -> None:
    source = "try:\n    import fast\nexcept ImportError:\n    import slow as fast"
    assert names(source) == {"fast": "optional", "slow": "perhaps"}


def test_an_import_below_another_except_is_always_needed() -> None:
    assert names("try:\n    import x\nexcept ValueError:\n    pass") == {"x": "always"}


def test_what_only_a_type_checker_imports_does_not_count() -> None:
    source = (
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import big\nelse:\n    import b"
    )
    assert names(source) == {"typing": "always", "b": "always"}


def test_it_counts_where_names_are_loaded_on_first_use() -> None:
    source = "import typing\nif typing.TYPE_CHECKING:\n    import big\ndef __getattr__(name): ..."
    assert names(source)["big"] == "perhaps"


def test_a_constant_name_is_followed_and_a_computed_one_leaves_everything_open() -> None:
    closed = read_imports(
        b"from importlib import import_module\nimport_module('a.b')", "m", package=False
    )
    assert not closed.open
    assert "a.b" in {one.module for one in closed.names}
    assert read_imports(b"import_module(f'.{x}', __name__)", "m", package=False).open
    assert read_imports(b"importlib.import_module(name)", "m", package=False).open


def test_every_import_of_the_engine_is_found() -> None:
    """The oracle is the plainest reading: every import statement, wherever it stands."""
    root = Path(crosswind.__file__).parent
    for file in sorted((root / "engine").rglob("*.py")):
        source = file.read_bytes()
        package = file.name == "__init__.py"
        module = ".".join((root.name, *file.relative_to(root).with_suffix("").parts))
        module = module.removesuffix(".__init__")
        found = {one.module for one in read_imports(source, module, package=package).names}
        for node in ast.walk(ast.parse(source)):
            if (
                isinstance(node, ast.ImportFrom)
                and not node.level
                and b"TYPE_CHECKING" not in source
            ):
                assert node.module in found, f"{file}: {node.module}"
