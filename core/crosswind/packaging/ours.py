"""Crosswind itself, as it is installed here: what was tried is what is packed.

The packages are found where they are imported from, so that a checkout is packed like an installed
wheel.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.metadata import distribution
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from crosswind.packaging.resolution import OURS
from crosswind.packaging.wheels import Unpacked, without_description

CORE: Final = ("crosswind", "crosswind_events")

_TYPES: Final = "py.typed"


def own_files(packages: Sequence[str]) -> Unpacked:
    """The files of Crosswind and of an adapter.

    Args:
        packages: the adapter's.
    """
    found = distribution(OURS)
    unpacked = Unpacked(OURS, found.version)
    for package in (*CORE, *packages):
        folder = _folder(package)
        for file in _files(folder):
            path = f"{package}/{file.relative_to(folder).as_posix()}"
            if file.name == _TYPES:
                unpacked.leave_out("types", 0)
            else:
                unpacked.files[path] = file.read_bytes()
    unpacked.metadata = without_description(found.read_text("METADATA") or "")
    unpacked.files[f"{OURS}-{found.version}.dist-info/METADATA"] = unpacked.metadata.encode()
    return unpacked


def _folder(package: str) -> Path:
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"{package} is not installed", name=package)
    return Path(spec.origin).parent


def _files(folder: Path) -> Iterator[Path]:
    for file in sorted(folder.rglob("*")):
        if file.is_file() and "__pycache__" not in file.parts and file.suffix != ".pyc":
            yield file
