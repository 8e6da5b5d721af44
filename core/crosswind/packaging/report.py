"""What was made, for whoever asked for it."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crosswind.packaging.layers import Layer
from crosswind.packaging.platform import Target
from crosswind.packaging.smoke import Tried


@dataclass(frozen=True)
class Part:
    """One distribution in an artifact.

    Attributes:
        name: `` for the app itself.
        packed: bytes in the artifact, headers included.
        unpacked: bytes when it is unpacked.
        left_out: bytes that are not in it, by what they were.
    """

    name: str
    version: str
    packed: int
    unpacked: int
    files: int
    left_out: Mapping[str, int]

    @property
    def title(self) -> str:
        """For people."""
        return f"{self.name} {self.version}" if self.name else "your app"


def parts_of(layers: Iterable[Layer]) -> tuple[Part, ...]:
    """What each layer takes in an artifact, the largest first."""
    found = []
    for layer in layers:
        members = (*layer.members, *layer.bytecode.values())
        if not members:
            continue  # an app of Crosswind's own brings no file
        packed = sum(member.cost for member in members)
        unpacked = sum(member.size for member in members)
        found.append(
            Part(layer.name, layer.version, packed, unpacked, len(members), dict(layer.left_out))
        )
    return tuple(sorted(found, key=lambda part: (-part.packed, part.name)))


@dataclass(frozen=True)
class Built:
    """An artifact that was made; the attributes of `document` in short."""

    path: Path
    sbom: Path
    lock: Path
    sha256: str
    content: str
    target: Target
    handler: str
    groups: tuple[str, ...]
    zipped: int
    unzipped: int
    parts: tuple[Part, ...]
    provided: tuple[tuple[str, str], ...]
    tried: Tried
    compiled: bool
    notes: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """For programs. `code_sha256` is the digest as AWS Lambda shows it."""
        return {
            "artifact": str(self.path),
            "sbom": str(self.sbom),
            "lock": str(self.lock),
            "sha256": self.sha256,
            "code_sha256": base64.b64encode(bytes.fromhex(self.sha256)).decode(),
            "content": self.content,
            "cloud": self.target.platform.cloud,
            "runtime": self.target.runtime.name,
            "architecture": self.target.architecture,
            "handler": self.handler,
            "groups": list(self.groups),
            "zipped": self.zipped,
            "unzipped": self.unzipped,
            "compiled": self.compiled,
            "parts": [
                {
                    "name": one.name or None,
                    "version": one.version or None,
                    "packed": one.packed,
                    "unpacked": one.unpacked,
                    "files": one.files,
                    "left_out": dict(one.left_out),
                }
                for one in self.parts
            ],
            "provided": dict(self.provided),
            "imported": {"passed": self.tried.passed, "words": self.tried.words},
            "notes": list(self.notes),
        }
