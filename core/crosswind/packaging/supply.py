"""Layers for a target: from the shelf, or made now and put there."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from crosswind.packaging.bytecode import compile_files
from crosswind.packaging.interpreters import Interpreter
from crosswind.packaging.layers import Layer, Module, Shelf, key, scan
from crosswind.packaging.resolution import Resolver, Wheel
from crosswind.packaging.wheels import Unpacked, layer_of, read_unpacked


@dataclass(frozen=True)
class Supply:
    """Makes layers.

    Args:
        shelf: where they are kept.
        compiler: the interpreter that compiles them; None where they are not compiled.
        mount: the folder in which they lie when they run.
    """

    shelf: Shelf
    compiler: Interpreter | None
    mount: str

    def of_wheels(self, wheels: Sequence[Wheel], resolver: Resolver) -> dict[str, Layer]:
        """The layer of each wheel, by the name of its distribution.

        Raises:
            IndexUnreachable: one cannot be fetched.
        """
        found = {wheel.name: self.shelf.get(self._key(wheel.sha256)) for wheel in wheels}
        missing = [wheel for wheel in wheels if found[wheel.name] is None]
        if missing:
            with tempfile.TemporaryDirectory(prefix="crosswind-wheels-") as name:
                resolver.install(missing, Path(name))
                for wheel, unpacked in read_unpacked(Path(name), missing):
                    layer, _ = self._made(unpacked, scan(unpacked.files), wheel)
                    self.shelf.put(self._key(wheel.sha256), layer)
                    found[wheel.name] = layer
        return {name: layer for name, layer in found.items() if layer is not None}

    def of_files(
        self, unpacked: Unpacked, modules: Mapping[str, Module] | None = None
    ) -> tuple[Layer, dict[str, str]]:
        """The layer of files that come from no wheel, and what does not compile.

        Args:
            modules: that were found in them; they are looked for unless given.
        """
        digest = hashlib.sha256(unpacked.version.encode())
        for path in sorted(unpacked.files):
            digest.update(f"\0{path}\0".encode())
            digest.update(hashlib.sha256(unpacked.files[path]).digest())
        name = self._key(unpacked.name, digest.hexdigest())
        kept = self.shelf.get(name)
        if kept is not None:
            return kept, {}
        found = scan(unpacked.files) if modules is None else modules
        layer, errors = self._made(unpacked, found, None)
        if not errors:
            self.shelf.put(name, layer)
        return layer, errors

    def _key(self, *parts: str) -> str:
        compiled = "source" if self.compiler is None else f"{self.compiler.version} {self.mount}"
        return key(compiled, *parts)

    def _made(
        self, unpacked: Unpacked, modules: Mapping[str, Module], wheel: Wheel | None
    ) -> tuple[Layer, dict[str, str]]:
        layer = layer_of(unpacked, wheel, modules)
        if self.compiler is None:
            return layer, {}
        bytecode, errors = compile_files(unpacked.files, self.compiler, self.mount)
        notes = list(layer.notes)
        if errors and wheel is not None:
            notes.append(f"{len(errors)} of its files are no modules of {self.compiler.version}")
        return replace(layer, bytecode=bytecode, notes=tuple(notes)), errors
