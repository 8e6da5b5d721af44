"""What is deployed: an artifact, read once, with everything that a stack is made of.

Nothing is imported from the artifact and no code of it is run: its manifest says what it needs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from zipfile import ZipFile

from crosswind.buses.routing import Binding
from crosswind.errors import CrosswindError
from crosswind.handlers import Where
from crosswind.packaging.manifest import read_artifact

if TYPE_CHECKING:
    from crosswind.fleet.declaration import Fleet

FLEET_FILE: Final = "crosswind.fleet.json"
"""The declaration of the fleet in an artifact."""

_LARGEST_FLEET: Final = 16 << 20


class NotDeployable(CrosswindError, ValueError):
    """An artifact cannot be deployed as it is; the message lists every reason."""


@dataclass(frozen=True, slots=True)
class Group:
    """The handlers that one function runs.

    Attributes:
        bindings: which events they want.
        acts, reads: the kinds of action and query that they declare, sorted.
        handlers: their names.
    """

    name: str
    bindings: tuple[Binding, ...]
    acts: tuple[str, ...]
    reads: tuple[str, ...]
    handlers: tuple[str, ...]

    @property
    def takes(self) -> tuple[str, ...]:
        """The types of event that it wants, sorted."""
        return tuple(sorted({binding.type for binding in self.bindings}))


@dataclass(frozen=True, slots=True)
class Timed:
    """A schedule of a group: a cron line of five fields in a time zone, or seconds."""

    name: str
    group: str
    cron: str | None
    every: float | None
    tz: str


@dataclass(frozen=True)
class Release:
    """An artifact as a stack sees it.

    Attributes:
        path: the file.
        digest: SHA-256 of it, hexadecimal.
        app: the app's name.
        fleet: the fleet that is packed in it; None where everything is only observed.
    """

    path: Path
    digest: str
    app: str
    runtime: str
    architecture: str
    handler: str
    groups: tuple[Group, ...]
    schedules: tuple[Timed, ...]
    fleet: Fleet | None = None

    @property
    def kinds(self) -> frozenset[str]:
        """Every kind of action and query that its handlers declare."""
        return frozenset(kind for group in self.groups for kind in (*group.acts, *group.reads))


def read_release(path: Path, cloud: str) -> Release:
    """Read an artifact.

    Args:
        cloud: for which it must have been made.

    Raises:
        NoArtifact: it is none.
        NotDeployable: it was made for another cloud, or serves no group.
        FleetInvalid: the fleet in it is not one that this version knows.
        OSError: it cannot be read.
    """
    artifact = read_artifact(path)
    manifest = artifact.manifest
    target = manifest["target"]
    if target["cloud"] != cloud:
        raise NotDeployable(
            f"{path} was made for {target['cloud']}, not for {cloud}; make another with: "
            f"crosswind package {cloud}"
        )
    groups = tuple(group_of(name, said) for name, said in manifest["groups"].items())
    if not groups:
        raise NotDeployable(f"{path}: its app {manifest['app']} has no handlers; add one")
    return Release(
        path=path,
        digest=artifact.sha256,
        app=manifest["name"],
        runtime=target["runtime"],
        architecture=target["architecture"],
        handler=target["handler"],
        groups=groups,
        schedules=tuple(timed_of(one) for one in manifest["schedules"]),
        fleet=None if manifest["fleet"] is None else _fleet(path),
    )


def group_of(name: str, said: Mapping[str, Any]) -> Group:
    """A group, as a manifest says it."""
    return Group(
        name=name,
        bindings=tuple(_bindings(said["handlers"])),
        acts=tuple(said["acts"]),
        reads=tuple(said["reads"]),
        handlers=tuple(one["name"] for one in said["handlers"]),
    )


def _bindings(handlers: list[dict[str, Any]]) -> Iterator[Binding]:
    for handler in handlers:
        where = handler["where"]
        asked = where and Where(where["subject"], tuple(where["extensions"].items()))
        for kind in handler["takes"]:
            yield Binding(kind, asked or None)


def timed_of(said: Mapping[str, Any]) -> Timed:
    """A schedule, as a manifest says it."""
    return Timed(said["name"], said["group"], said["cron"], said["every"], said["tz"])


def _fleet(path: Path) -> Fleet:
    from crosswind.fleet.load import parse_fleet

    with ZipFile(path) as archive:
        info = archive.getinfo(FLEET_FILE)
        if info.file_size > _LARGEST_FLEET:
            raise NotDeployable(
                f"{path}: its fleet has {info.file_size:,} bytes, which is too many"
            )
        return parse_fleet(archive.read(info), f"{path}:{FLEET_FILE}")
