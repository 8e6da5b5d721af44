"""Layers: one distribution each, stripped, compressed and read through, kept for the next time.

A wheel never changes, and neither does what becomes of it; so it is worked once for each target and
kept under the user's cache, named by a digest of all that it depends on. A layer is a zip like an
artifact, with a member more that says the rest. What does not have the digest that stands beside it
is made anew.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from io import BytesIO
from pathlib import Path
from typing import Any, Final

from crosswind.packaging import archive
from crosswind.packaging.archive import Member
from crosswind.packaging.imports import Import, Imports, read_imports

FORMAT: Final = 1
"""Raised when what becomes of a wheel changes, so that what is kept is made anew."""

_ABOUT: Final = "layer.json"


@dataclass(frozen=True, slots=True)
class Module:
    """A module of a layer."""

    path: str
    package: bool
    imports: Imports


@dataclass(frozen=True)
class Layer:
    """One distribution, ready to be packed.

    Attributes:
        name: of the distribution, as it is compared; `` for the app itself.
        wheel: the digest and the file name of the wheel that it was; None for what is no wheel.
        requires: requirements, as its metadata has them.
        bytecode: by the path of the source.
        left_out: bytes that were stripped, by what they were.
        notes: what a person should know.
    """

    name: str
    version: str
    members: tuple[Member, ...]
    modules: Mapping[str, Module] = field(default_factory=dict)
    bytecode: Mapping[str, Member] = field(default_factory=dict)
    wheel: tuple[str, str] | None = None
    requires: tuple[str, ...] = ()
    license: str = ""
    left_out: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def scan(files: Mapping[str, bytes]) -> dict[str, Module]:
    """The modules among files, by dotted name."""
    found: dict[str, Module] = {}
    for path, content in files.items():
        name, package = module_name(path)
        if name is None:
            continue
        imports = Imports()
        if path.endswith(".py"):
            try:
                imports = read_imports(content, name, package=package)
            except (SyntaxError, ValueError):
                # Of another version of Python than this one, or a template: anything may be meant.
                imports = Imports(open=True)
        found[name] = Module(path, package, imports)
    return found


def module_name(path: str) -> tuple[str | None, bool]:
    """The module that a file is, if it is one, and whether it is a package."""
    folder, _, file = path.rpartition("/")
    stem, dot, suffix = file.partition(".")
    if not dot or not (suffix == "py" or suffix == "so" or suffix.endswith(".so")):
        return None, False
    parts = [part for part in folder.split("/") if part]
    if not all(part.isidentifier() for part in (*parts, stem)):
        return None, False
    if stem == "__init__":
        return ".".join(parts) or None, True
    return ".".join([*parts, stem]), False


def cache_folder() -> Path:
    """Where layers are kept: `$CROSSWIND_CACHE`, or the user's cache."""
    named = os.environ.get("CROSSWIND_CACHE")
    if named:
        return Path(named)
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base, "crosswind", "packaging")


def key(*parts: str) -> str:
    """The name of a layer that depends on these, on the format and on the compressing library."""
    text = json.dumps([FORMAT, version("deflate"), *parts])
    return hashlib.sha256(text.encode()).hexdigest()


class Shelf:
    """The layers that are kept.

    Args:
        folder: where; created when the first is kept.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def get(self, name: str) -> Layer | None:
        """A layer, if it is kept and whole."""
        file = self.folder / f"{name}.zip"
        try:
            seal = (self.folder / f"{name}.sha256").read_text(encoding="ascii")
            if hashlib.sha256(file.read_bytes()).hexdigest() != seal:
                return None
        except FileNotFoundError:
            return None
        return _load(file)

    def put(self, name: str, layer: Layer) -> None:
        """Keep a layer; where two do so at once, either will do."""
        about = archive.pack(_ABOUT, _described(layer))
        buffer = BytesIO()
        seal = archive.write((about, *layer.members, *layer.bytecode.values()), buffer)
        self.folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=self.folder, delete=False) as file:
            file.write(buffer.getvalue())
        os.replace(file.name, self.folder / f"{name}.zip")
        with tempfile.NamedTemporaryFile("w", dir=self.folder, delete=False) as sealed:
            sealed.write(seal)
        os.replace(sealed.name, self.folder / f"{name}.sha256")


def _described(layer: Layer) -> bytes:
    modules = {
        name: [one.path, one.package, one.imports.open, one.imports.names]
        for name, one in layer.modules.items()
    }
    packed = (*layer.members, *layer.bytecode.values())
    about = {
        "name": layer.name,
        "version": layer.version,
        "wheel": layer.wheel,
        "requires": layer.requires,
        "license": layer.license,
        "left_out": layer.left_out,
        "notes": layer.notes,
        "modules": modules,
        "bytecode": {source: one.path for source, one in layer.bytecode.items()},
        "sha256": {one.path: one.sha256 for one in packed},
    }
    return json.dumps(about).encode()


def _load(file: Path) -> Layer:
    members = {member.path: member for member in archive.read(file)}
    about: dict[str, Any] = json.loads(members.pop(_ABOUT).content())
    sealed = {
        path: member._replace(sha256=about["sha256"][path]) for path, member in members.items()
    }
    bytecode = {source: sealed.pop(path) for source, path in about["bytecode"].items()}
    modules = {
        name: Module(path, package, Imports(_imports(names), opened))
        for name, (path, package, opened, names) in about["modules"].items()
    }
    wheel: Sequence[str] | None = about["wheel"]
    return Layer(
        about["name"],
        about["version"],
        tuple(sealed.values()),
        modules,
        bytecode,
        None if wheel is None else (wheel[0], wheel[1]),
        tuple(about["requires"]),
        about["license"],
        about["left_out"],
        tuple(about["notes"]),
    )


def _imports(names: Sequence[Any]) -> tuple[Import, ...]:
    return tuple(Import(*one) for one in names)
