"""What is left out of a wheel, and what stays because something needs it."""

from __future__ import annotations

import zipfile
from email.parser import HeaderParser
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from crosswind.packaging.layers import scan
from crosswind.packaging.resolution import Wheel
from crosswind.packaging.wheels import Unpacked, layer_of, read_unpacked, without_description
from unit.packaging.wheelwright import repacked, wheel

FILES: dict[str, str | bytes] = {
    "big/__init__.py": "",
    "big/__init__.pyi": "x: int",
    "big/py.typed": "",
    "big/fast.c": "int x;",
    "big/fast.cpython-313-x86_64-linux-gnu.so": b"\x7fELF",
    "big/data.json": "{}",
    "big/tests/__init__.py": "import big",
    "big/tests/test_it.py": "from big.tests import x",
    "big/__pycache__/__init__.cpython-39.pyc": b"old",
    "hook.pth": "import big",
    "big-1.0.dist-info/licenses/LICENSE": "MIT",
    "big-1.0.dist-info/entry_points.txt": "[x]",
    "big-1.0.dist-info/sboms/a.json": "{}",
}


def unpacked(folder: Path, files: dict[str, str | bytes] = FILES) -> Unpacked:
    """A wheel with these files, unpacked and read again."""
    made = wheel(folder, "big", files=files, description="A long story.\n" * 9, requires=["six"])
    with zipfile.ZipFile(made) as archive:
        archive.extractall(folder / "out")
    chosen = Wheel("big", "1.0", made.name, "00", made.as_uri())
    ((_, found),) = read_unpacked(folder / "out", [chosen])
    return found


def test_what_a_function_does_not_read_is_left_out_and_counted(tmp_path: Path) -> None:
    found = unpacked(tmp_path)
    assert set(found.files) == {
        "big/__init__.py",
        "big/data.json",
        "big/fast.cpython-313-x86_64-linux-gnu.so",
        "big-1.0.dist-info/METADATA",
        "big-1.0.dist-info/entry_points.txt",
        "big-1.0.dist-info/licenses/LICENSE",
    }
    assert set(found.left_out) == {
        "bytecode", "types", "sources", "tests", "installer", "description",
    }  # fmt: skip
    assert found.left_out["tests"] == len("import big") + len("from big.tests import x")


def test_a_pth_file_is_pointed_out(tmp_path: Path) -> None:
    (note,) = unpacked(tmp_path).notes
    assert note.startswith("hook.pth is not read on a function")


@pytest.mark.parametrize("line", ["from big.tests import test_it", "import big.tests.test_it"])
def test_tests_that_other_modules_import_stay(tmp_path: Path, line: str) -> None:
    found = unpacked(tmp_path, {**FILES, "big/__init__.py": f"def f():\n    {line}"})
    assert "big/tests/test_it.py" in found.files


def test_what_importlib_metadata_reads_stays(tmp_path: Path) -> None:
    metadata = unpacked(tmp_path).files["big-1.0.dist-info/METADATA"].decode()
    headers = HeaderParser().parsestr(metadata)
    assert (headers["Name"], headers["Version"]) == ("big", "1.0")
    assert headers["Requires-Dist"] == "six"
    assert "story" not in metadata


@pytest.mark.parametrize("name", ["PyYAML", "pydantic_core", "annotated-types"])
def test_a_wheel_is_found_however_its_folder_spells_the_name(name: str, tmp_path: Path) -> None:
    made = repacked(tmp_path, name)
    with zipfile.ZipFile(made) as archive:
        archive.extractall(tmp_path / "out")
        names = archive.namelist()
    assert {one.partition("/")[0] for one in names if ".dist-info/" in one} == {
        f"{made.name.rsplit('-', 3)[0]}.dist-info"
    }
    chosen = Wheel(canonicalize_name(name), version(name), made.name, "00", made.as_uri())
    ((_, found),) = read_unpacked(tmp_path / "out", [chosen])
    assert found.metadata.startswith("Metadata-Version:")


def test_a_description_among_the_headers_goes_too() -> None:
    old = "Name: a\nDescription: one\n        |two\nVersion: 1\n"
    assert without_description(old) == "Name: a\nVersion: 1\n"


def test_a_layer_says_where_it_comes_from(tmp_path: Path) -> None:
    found = unpacked(tmp_path)
    chosen = Wheel("big", "1.0", "big-1.0-py3-none-any.whl", "ab", "file:///x")
    layer = layer_of(found, chosen, scan(found.files))
    assert layer.wheel == ("ab", "big-1.0-py3-none-any.whl")
    assert layer.requires == ("six",)
    assert set(layer.modules) == {"big", "big.fast"}
