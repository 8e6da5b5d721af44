"""What an artifact says of itself, in `crosswind.json` at its top.

Whoever deploys it reads from it which groups there are, what each takes, which actions and queries
it may ask for, and so which permissions its function needs.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from zipfile import BadZipFile, ZipFile

from crosswind.errors import CrosswindError

if TYPE_CHECKING:
    from crosswind.app import App, Schedule
    from crosswind.handlers import Handler

FILE: Final = "crosswind.json"
FORMAT: Final = 1

_MOST_BYTES: Final = 4 << 20


class NoArtifact(CrosswindError, ValueError):
    """A file is no artifact of Crosswind."""


@dataclass(frozen=True)
class Artifact:
    """An artifact that lies in a file.

    Attributes:
        sha256: of the whole file, hexadecimal; it pins what is deployed.
        manifest: what it says of itself.
    """

    path: Path
    sha256: str
    manifest: dict[str, Any]


def read_artifact(path: Path) -> Artifact:
    """Read what an artifact says of itself.

    Raises:
        NoArtifact: it is none, or one of a later version of Crosswind.
        OSError: it cannot be read.
    """
    try:
        with ZipFile(path) as archive:
            info = archive.getinfo(FILE)
            if info.file_size > _MOST_BYTES:
                raise NoArtifact(f"{path}: {FILE} has {info.file_size:,} bytes, which is too many")
            manifest = json.loads(archive.read(info))
    except (BadZipFile, KeyError, ValueError) as error:
        if isinstance(error, NoArtifact):
            raise
        raise NoArtifact(
            f"{path} is no artifact of Crosswind; make one with: crosswind package"
        ) from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise NoArtifact(f"{path} was made by another version of Crosswind; package it again")
    return Artifact(path, sha256(path.read_bytes()).hexdigest(), manifest)


def groups_of(app: App, only: str | None) -> dict[str, Any]:
    """The groups of an app, each with its handlers and what these ask for.

    Args:
        only: this group alone.
    """
    return {
        group: _group([handler for handler in app.handlers if handler.group == group])
        for group in app.groups
        if only in (None, group)
    }


def schedules_of(app: App, groups: Iterable[str]) -> list[dict[str, Any]]:
    """The schedules whose handlers are in these groups."""
    several = set(groups)
    return [
        {**_schedule(one), "group": handler.group}
        for one in app.schedules
        if (handler := app.handler(one.handler)) is not None and handler.group in several
    ]


def written(manifest: dict[str, Any]) -> bytes:
    """A manifest as it stands in an artifact: the same bytes for the same content."""
    return (json.dumps(manifest, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


def _group(handlers: Sequence[Handler]) -> dict[str, Any]:
    return {
        "takes": sorted({data.event_type for one in handlers for data in one.takes}),
        "acts": sorted({kind.kind for one in handlers for kind in one.acts}),
        "reads": sorted({kind.kind for one in handlers for kind in one.reads}),
        "handlers": [_handler(one) for one in handlers],
    }


def _handler(handler: Handler) -> dict[str, Any]:
    where = handler.where
    return {
        "name": handler.name,
        "takes": [data.event_type for data in handler.takes],
        "emits": [{"type": one.data.event_type, "via": one.via} for one in handler.emits],
        "acts": [kind.kind for kind in handler.acts],
        "reads": [kind.kind for kind in handler.reads],
        "where": None
        if where is None
        else {"subject": where.subject, "extensions": dict(where.extensions)},
        "flight": None if handler.flight is None else handler.flight.name,
        "deadline": handler.deadline,
        "aside": handler.aside,
        "attempts": handler.attempts,
    }


def _schedule(schedule: Schedule) -> dict[str, Any]:
    return {
        "name": schedule.name,
        "handler": schedule.handler,
        "cron": schedule.cron,
        "every": schedule.every,
        "tz": schedule.tz,
    }
