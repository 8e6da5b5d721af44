"""The artifact itself: every file that goes in, its manifest, and the files written beside it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import distribution
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from crosswind.packaging import archive, closure, manifest
from crosswind.packaging.archive import Member
from crosswind.packaging.faults import Faults
from crosswind.packaging.interpreters import Interpreter
from crosswind.packaging.layers import Layer
from crosswind.packaging.platform import Declared, Entry
from crosswind.packaging.report import Built, Part, parts_of
from crosswind.packaging.resolution import OURS, Resolver, Wheel
from crosswind.packaging.sbom import sbom
from crosswind.packaging.smoke import smoke

if TYPE_CHECKING:
    from crosswind.app import App
    from crosswind.fleet.declaration import Fleet

APP: Final = ""
"""The name of the app's own layer."""

FLEET: Final = "crosswind.fleet.json"
"""The declared fleet in an artifact: JSON, which needs no library to be read."""

RESOURCES: Final = "crosswind.resources.json"
"""What is declared to stand for the fleet in an account, likewise."""


@dataclass(frozen=True)
class Assembly:
    """Puts an artifact together.

    Args:
        resources: what stands for the fleet in an account.
        layers: all that goes in, by the name of the distribution.
        wheels: all that was resolved; what has no layer is left to the platform.
        compiler: the interpreter whose bytecode is in the layers, if any is.
    """

    entry: Entry
    app: App
    fleet: Fleet | None
    resources: Declared | None
    layers: Mapping[str, Layer]
    wheels: Sequence[Wheel]
    resolver: Resolver
    compiler: Interpreter | None
    faults: Faults

    def write(self, out: Path) -> Built:
        """Write the artifact, its SBOM and its lock, if nothing is wrong with it.

        Args:
            out: the artifact's file, or the folder for it.

        Raises:
            PackagingFailed: it is too large, holds two files of one name, or cannot be imported.
        """
        target = self.resolver.target
        provided = [wheel for wheel in self.wheels if wheel.name not in self.layers]
        members = self._members(provided)
        file = BytesIO()
        digest = archive.write(members, file)
        parts = parts_of(self.layers.values())
        zipped, unzipped = file.tell(), sum(member.size for member in members)
        self._check_limits(zipped, unzipped, parts)
        tried = smoke(members, self.entry, self.app.groups, provided, self.resolver)
        if tried.passed is False:
            where = f"{self.entry.app.name} in the artifact"
            remedy = "what it needs must be in the requirements, or be named with --include"
            self.faults.add("app", where, tried.words, remedy)
        self.faults.check()
        path = self._path(out)
        document, lock = path.with_suffix(".cdx.json"), path.with_suffix(".lock.txt")
        _put(document, self._sbom(path.name, digest, provided))
        packed = [wheel for wheel in self.wheels if wheel.name in self.layers]
        _put(lock, "".join(f"{wheel.line}\n" for wheel in packed).encode())
        _put(path, file.getvalue())
        return Built(
            path=path,
            sbom=document,
            lock=lock,
            sha256=digest,
            content=archive.content_digest(members),
            target=target,
            handler=target.platform.handler,
            groups=self._groups,
            zipped=zipped,
            unzipped=unzipped,
            parts=parts,
            provided=tuple((one.name, one.version) for one in provided),
            tried=tried,
            compiled=self.compiler is not None,
        )

    @property
    def _groups(self) -> tuple[str, ...]:
        return self.app.groups if self.entry.group is None else (self.entry.group,)

    def _members(self, provided: Sequence[Wheel]) -> list[Member]:
        """Every file of the artifact, the manifest last."""
        members: dict[str, Member] = {}
        owners: dict[str, str] = {}
        for owner, member in self._owned():
            other = members.setdefault(member.path, member)
            whose = owners.setdefault(member.path, owner)
            if other.sha256 != member.sha256:
                problem = f"{whose} and {owner} both bring it, and not the same"
                self.faults.add("conflict", member.path, problem, "rename or leave out one of them")
        self.faults.check()
        content = archive.content_digest(members.values())
        about = manifest.written(self._manifest(provided, content))
        return [*members.values(), archive.pack(manifest.FILE, about)]

    def _owned(self) -> Iterator[tuple[str, Member]]:
        platform = self.resolver.target.platform
        ours = "crosswind package"
        yield ours, archive.pack(platform.entry_file, platform.entry(self.entry).encode())
        if self.fleet is not None:
            declared = manifest.written(self.fleet.model_dump(mode="json"))
            yield ours, archive.pack(FLEET, declared)
        if self.resources is not None:
            yield ours, archive.pack(RESOURCES, manifest.written(self.resources.document))
        for name, layer in self.layers.items():
            for member in (*layer.members, *layer.bytecode.values()):
                yield name or "the app", member

    def _manifest(self, provided: Sequence[Wheel], content: str) -> dict[str, Any]:
        target = self.resolver.target
        groups = manifest.groups_of(self.app, self.entry.group)
        return {
            "format": manifest.FORMAT,
            "app": self.entry.app.name,
            "name": self.app.name,
            "crosswind": distribution(OURS).version,
            "target": {
                "cloud": target.platform.cloud,
                "runtime": target.runtime.name,
                "architecture": target.architecture,
                "handler": target.platform.handler,
            },
            "fleet": None
            if self.fleet is None
            else {"name": self.fleet.name, "digest": self.fleet.digest},
            "resources": None
            if self.resources is None
            else sha256(manifest.written(self.resources.document)).hexdigest(),
            "group": self.entry.group,
            "groups": groups,
            "schedules": manifest.schedules_of(self.app, groups),
            "distributions": {
                name: layer.version for name, layer in self.layers.items() if name != APP
            },
            # Names alone: what the platform brings may change, and this artifact does not.
            "provided": sorted(one.name for one in provided),
            "bytecode": None if self.compiler is None else self.compiler.version,
            "content": content,
        }

    def _check_limits(self, zipped: int, unzipped: int, parts: Sequence[Part]) -> None:
        largest = ", ".join(f"{part.title} {part.packed / 1e6:.1f} MB" for part in parts[:3])
        for name, size in (("zipped", zipped), ("unzipped", unzipped)):
            limit = self.resolver.target.platform.limits[name]
            if size > limit.bytes:
                problem = (
                    f"{size / 1e6:,.1f} MB, and {limit.what} at most {limit.bytes / 1e6:,.1f} MB; "
                    f"the largest parts are {largest}"
                )
                self.faults.add("limit", f"the artifact, {name}", problem, limit.advice)

    def _sbom(self, name: str, digest: str, provided: Sequence[Wheel]) -> bytes:
        layers = [layer for key, layer in self.layers.items() if key != APP]
        versions = [(one.name, one.version) for one in provided]
        version = distribution(OURS).version
        return sbom(name, digest, layers, versions, self._depends(layers), version)

    def _depends(self, layers: Sequence[Layer]) -> dict[str, list[str]]:
        """The names of what each distribution needs; `` is the artifact."""
        from packaging.utils import canonicalize_name

        target = self.resolver.target
        found: dict[str, list[str]] = {}
        for layer in layers:
            extra = target.platform.extra if layer.name == OURS else ""
            needs = closure.depends(layer, target.markers(), extra)
            found[layer.name] = sorted({canonicalize_name(one.name) for one in needs})
        needed = {other for others in found.values() for other in others}
        found[APP] = sorted({OURS, *(name for name in found if name not in needed)})
        return found

    def _path(self, out: Path) -> Path:
        if out.suffix == ".zip":
            return out
        group = "" if self.entry.group is None else f"-{self.entry.group}"
        return out / f"{self.app.name}{group}-{self.resolver.target.name}.zip"


def _put(path: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        file.write(content)
    os.chmod(file.name, 0o644)
    os.replace(file.name, path)
