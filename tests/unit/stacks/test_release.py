"""An artifact as a stack sees it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from crosswind import App, Context, Event
from crosswind.cli.demonstration import demonstration_fleet
from crosswind.handlers import Where
from crosswind.packaging import assembly
from crosswind.packaging.manifest import NoArtifact, groups_of, schedules_of
from crosswind.stacks.release import FLEET_FILE, NotDeployable, read_release
from crosswind_events import RegionUnhealthy
from crosswind_events.catalogue.schedule import Tick

app = App("watch")


@app.on(name="note", where=Where("aws/", (("urgent", True),)))
def note(event: Event[RegionUnhealthy], ctx: Context) -> None:
    """Nothing."""


@app.schedule("0 2 * * *", name="nightly", group="night", tz="Europe/Vienna")
def nightly(event: Event[Tick], ctx: Context) -> None:
    """Nothing."""


def artifact(folder: Path, **changed: Any) -> Path:
    groups = groups_of(app, None)
    manifest = {
        "format": 1,
        "app": "watch:app",
        "name": "watch",
        "target": {
            "cloud": "aws",
            "runtime": "python3.13",
            "architecture": "arm64",
            "handler": "crosswind_handler.handler",
        },
        "fleet": None,
        "groups": groups,
        "schedules": schedules_of(app, groups),
        **changed,
    }
    path = folder / "made.zip"
    with ZipFile(path, "w") as archive:
        archive.writestr("crosswind.json", json.dumps(manifest))
        if manifest["fleet"] is not None:
            archive.writestr(FLEET_FILE, demonstration_fleet().model_dump_json())
    return path


def test_the_manifest_says_what_each_group_wants(tmp_path: Path) -> None:
    release = read_release(artifact(tmp_path), "aws")
    day, night = release.groups
    (binding,) = day.bindings
    assert (day.name, binding.type, binding.where) == (
        "watch",
        RegionUnhealthy.event_type,
        Where("aws/", (("urgent", True),)),
    )
    assert (night.name, night.takes) == ("night", (Tick.event_type,))
    (schedule,) = release.schedules
    assert (schedule.group, schedule.cron, schedule.tz) == ("night", "0 2 * * *", "Europe/Vienna")


def test_the_fleet_in_it_is_read(tmp_path: Path) -> None:
    release = read_release(artifact(tmp_path, fleet={"name": "main", "digest": "x"}), "aws")
    assert release.fleet == demonstration_fleet()


def test_the_file_of_the_fleet_is_where_packaging_puts_it() -> None:
    assert assembly.FLEET == FLEET_FILE


def test_an_artifact_for_another_cloud_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotDeployable, match="made for aws, not for gcp"):
        read_release(artifact(tmp_path), "gcp")


def test_an_artifact_without_handlers_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotDeployable, match="has no handlers"):
        read_release(artifact(tmp_path, groups={}), "aws")


def test_a_zip_that_is_no_artifact_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.zip"
    with ZipFile(path, "w") as archive:
        archive.writestr("readme", "")
    with pytest.raises(NoArtifact, match="make one with: crosswind package"):
        read_release(path, "aws")
