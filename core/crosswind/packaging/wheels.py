"""Wheels that were unpacked into one folder, told apart again and stripped.

What is left out of every distribution, and why nothing misses it:

    bytecode     compiled for whoever built the wheel, if at all; ours is made for the target
    types        `*.pyi` and `py.typed` are read by type checkers only
    sources      of what was compiled: C, C++, Cython, Fortran
    tests        packages named `tests`, unless a module outside of them imports one
    scripts      `bin/`: nothing is run by name on a function
    description  the README in METADATA; its headers stay, which importlib.metadata reads
    installer    RECORD, INSTALLER, WHEEL and what installers note; they no longer fit the files

METADATA, entry points, the names of top-level modules and licences stay.
"""

from __future__ import annotations

import csv
import posixpath
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from email.parser import HeaderParser
from pathlib import Path
from typing import Final

from crosswind.packaging import archive
from crosswind.packaging.layers import Layer, Module, scan
from crosswind.packaging.resolution import Wheel

_SUFFIXES: Final = {
    ".pyc": "bytecode",
    ".pyo": "bytecode",
    ".pyi": "types",
    **dict.fromkeys((".c", ".cc", ".cpp", ".h", ".hpp", ".pyx", ".pxd", ".f90"), "sources"),
}
_KEPT_METADATA: Final = ("METADATA", "entry_points.txt", "top_level.txt", "namespace_packages.txt")
_LICENCES: Final = ("licen", "copying", "notice", "authors")


@dataclass
class Unpacked:
    """The files of one distribution: what is packed, and what is left out."""

    name: str
    version: str
    metadata: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def leave_out(self, why: str, size: int) -> None:
        """Count what is not packed."""
        self.left_out[why] = self.left_out.get(why, 0) + size


def read_unpacked(folder: Path, wheels: Sequence[Wheel]) -> Iterator[tuple[Wheel, Unpacked]]:
    """Read each distribution of a folder into which these wheels were unpacked.

    Raises:
        FileNotFoundError: one of them is not there.
    """
    from packaging.utils import canonicalize_name

    found = {
        canonicalize_name(info.name.partition("-")[0]): info for info in folder.glob("*.dist-info")
    }
    for wheel in wheels:
        info = found.get(canonicalize_name(wheel.name))
        if info is None:
            raise FileNotFoundError(f"{wheel.file} was not unpacked")
        unpacked = Unpacked(wheel.name, wheel.version)
        for path in _recorded(info):
            _sort(folder, path, info.name, unpacked)
        _strip_tests(unpacked)
        yield wheel, unpacked


def layer_of(unpacked: Unpacked, wheel: Wheel | None, modules: Mapping[str, Module]) -> Layer:
    """Compress what is packed of a distribution."""
    headers = HeaderParser().parsestr(unpacked.metadata)
    return Layer(
        name=unpacked.name,
        version=unpacked.version,
        members=tuple(archive.pack(path, content) for path, content in unpacked.files.items()),
        modules=modules,
        wheel=None if wheel is None else (wheel.sha256, wheel.file),
        requires=tuple(headers.get_all("Requires-Dist") or ()),
        license=str(headers.get("License-Expression") or ""),
        left_out=unpacked.left_out,
        notes=tuple(unpacked.notes),
    )


def without_description(metadata: str) -> str:
    """The headers of METADATA; the description is a README, below them or as one of them."""
    headers = metadata.replace("\r\n", "\n").partition("\n\n")[0].splitlines()
    kept: list[str] = []
    within = False
    for line in headers:
        within = line.startswith("Description:") or (within and line[:1] in (" ", "\t"))
        if not within:
            kept.append(line)
    return "".join(f"{line}\n" for line in kept)


def _recorded(info: Path) -> list[str]:
    """The files that a distribution has, by its RECORD."""
    with (info / "RECORD").open(encoding="utf-8", newline="") as file:
        return sorted({posixpath.normpath(row[0]) for row in csv.reader(file) if row})


def _sort(folder: Path, path: str, info: str, unpacked: Unpacked) -> None:
    file = folder / path
    if not file.is_file():
        return
    size = file.stat().st_size
    top, _, rest = path.partition("/")
    if path.startswith("../") or top == "bin":
        unpacked.leave_out("scripts", size)
    elif top == info:
        _sort_metadata(file, path, rest, unpacked)
    elif path.endswith(".pth") and not rest:
        unpacked.notes.append(f"{path} is not read on a function: its folder is no site folder")
        unpacked.leave_out("installer", size)
    elif "__pycache__" in path or (why := _SUFFIXES.get(file.suffix)) is not None:
        unpacked.leave_out("bytecode" if "__pycache__" in path else str(why), size)
    elif file.name == "py.typed":
        unpacked.leave_out("types", size)
    else:
        unpacked.files[path] = file.read_bytes()


def _sort_metadata(file: Path, path: str, rest: str, unpacked: Unpacked) -> None:
    content = file.read_bytes()
    if rest == "METADATA":
        unpacked.metadata = without_description(content.decode("utf-8", "replace"))
        unpacked.files[path] = unpacked.metadata.encode()
        unpacked.leave_out("description", len(content) - len(unpacked.files[path]))
    elif rest in _KEPT_METADATA or any(word in rest.lower() for word in _LICENCES):
        unpacked.files[path] = content
    else:
        unpacked.leave_out("installer", len(content))


def _strip_tests(unpacked: Unpacked) -> None:
    inside = {path for path in unpacked.files if "tests" in path.split("/")[1:-1]}
    if not inside:
        return
    modules = scan(unpacked.files)
    names = {name for name, module in modules.items() if module.path in inside}
    needed = any(
        one.module in names
        for module in modules.values()
        if module.path not in inside
        for one in module.imports.names
    )
    if needed:
        return
    for path in inside:
        unpacked.leave_out("tests", len(unpacked.files.pop(path)))
