"""What an artifact says of itself, and what is no artifact."""

from __future__ import annotations

import json
from pathlib import Path
from zipfile import ZipFile

import pytest

from crosswind import App, Context, Event
from crosswind.chains.failover import app as failover
from crosswind.handlers import Where
from crosswind.packaging.manifest import (
    FILE,
    NoArtifact,
    groups_of,
    read_artifact,
    schedules_of,
    written,
)
from crosswind_events import RegionRecovered, RegionUnhealthy, Tick

ours = App("ops")


@ours.on(group="eu", where=Where("aws/eu", (("place", "aws"),)), name="note")
def note(event: Event[RegionUnhealthy], ctx: Context) -> None:
    """Nothing."""


@ours.on(aside=True, name="rest")
def rest(event: Event[RegionRecovered], ctx: Context) -> None:
    """Nothing."""


@ours.schedule("0 2 * * *", tz="Europe/Berlin", name="nightly", group="eu")
def nightly(event: Event[Tick], ctx: Context) -> None:
    """Nothing."""


def test_each_group_says_what_it_takes_and_how_its_handlers_are_run() -> None:
    groups = groups_of(ours, None)
    assert set(groups) == {"eu", "ops"}
    assert groups["eu"]["takes"] == [
        "dev.crosswind.region.unhealthy.v1",
        "dev.crosswind.schedule.tick.v1",
    ]
    first = groups["eu"]["handlers"][0]
    assert first["where"] == {"subject": "aws/eu", "extensions": {"place": "aws"}}
    assert groups["ops"]["handlers"][0]["aside"] is True


def test_actions_and_queries_are_named_by_kind() -> None:
    groups = groups_of(failover, None)
    assert any("traffic.set-weights" in group["acts"] for group in groups.values())
    for group in groups.values():
        for kinds in ("acts", "reads"):
            assert group[kinds] == sorted({k for one in group["handlers"] for k in one[kinds]})


def test_one_group_alone_and_its_schedules() -> None:
    assert set(groups_of(ours, "ops")) == {"ops"}
    assert schedules_of(ours, ["ops"]) == []
    (schedule,) = schedules_of(ours, ["eu"])
    assert (schedule["cron"], schedule["tz"], schedule["group"]) == (
        "0 2 * * *",
        "Europe/Berlin",
        "eu",
    )


def test_the_same_content_is_the_same_bytes() -> None:
    assert written({"b": 1, "a": "é"}) == written({"a": "é", "b": 1})


def zipped(file: Path, content: str | None) -> Path:
    with ZipFile(file, "w") as archive:
        if content is not None:
            archive.writestr(FILE, content)
    return file


def test_a_manifest_is_read_back_with_the_digest_of_its_artifact(tmp_path: Path) -> None:
    file = zipped(tmp_path / "a.zip", json.dumps({"format": 1, "name": "ops"}))
    found = read_artifact(file)
    assert found.manifest["name"] == "ops"
    assert len(found.sha256) == 64


@pytest.mark.parametrize("content", [None, "{", '{"format": 99}', "[]", " " * (5 << 20)])
def test_what_is_no_artifact_is_refused(tmp_path: Path, content: str | None) -> None:
    with pytest.raises(NoArtifact, match=r"a\.zip"):
        read_artifact(zipped(tmp_path / "a.zip", content))


def test_what_is_no_zip_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_text("hello")
    with pytest.raises(NoArtifact, match="crosswind package"):
        read_artifact(tmp_path / "a.zip")
