"""`crosswind package aws`, as a person and a program call it; the adapter is AWS's own."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from crosswind.fleet.load import load_fleet, parse_fleet
from crosswind.packaging.manifest import read_artifact
from integration.cli.project import Project, leave, make
from integration.packaging.workshop import HERE, NEEDED
from unit.packaging.wheelwright import repacked, wheel

RUNTIME = "python{}.{}".format(*HERE)
NAME = f"policy-aws-{RUNTIME}-x86_64.zip"
SDK = ("boto3", "botocore", "jmespath", "s3transfer", "python-dateutil", "six", "urllib3")


@pytest.fixture(scope="session")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheels that a function on AWS needs, copies of what is installed here."""
    folder = tmp_path_factory.mktemp("aws")
    for name in (*NEEDED, *SDK, "aws-lambda-powertools"):
        repacked(folder, name)
    wheel(folder, "elsewhere", tag="cp313-cp313-manylinux_2_17_s390x")
    return folder


@pytest.fixture
def project(
    machine: None, shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Project]:
    """A project with a policy, its performers and its fleet."""
    made = make(tmp_path / "my project", monkeypatch)
    monkeypatch.setenv("PIP_FIND_LINKS", str(shelf))
    yield made
    leave(tmp_path)


def files() -> dict[str, bytes]:
    with zipfile.ZipFile(Path("dist", NAME)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_a_person_sees_what_is_in_it_how_large_and_what_came_of_trying(project: Project) -> None:
    shown = project.cw("package", "aws")
    for words in (
        "pydantic-core", "your app", "left out", "left to the runtime: boto3",
        "groups: policy; handler: crosswind_handler.handler", "smoke import: imported by Python",
        f"dist/{NAME}", "sha256 ", "sbom ", "lock ",
    ):  # fmt: skip
        assert words in shown.stdout, words
    assert "not packaged" not in shown.stderr


def test_a_program_gets_one_document(project: Project) -> None:
    found = project.json("package", "aws", "--out", "made")
    assert found["artifact"] == f"made/{NAME}"
    assert found["imported"]["passed"] is True
    assert found["zipped"] == Path(found["artifact"]).stat().st_size
    assert set(found["provided"]) >= {"boto3", "botocore", "s3transfer", "urllib3"}
    assert read_artifact(Path(found["artifact"])).sha256 == found["sha256"]
    assert len(found["code_sha256"]) == 44


def test_the_fleet_and_the_performers_go_along(project: Project) -> None:
    found = read_artifact(Path(project.json("package", "aws")["artifact"])).manifest
    declared = load_fleet("fleet.yaml")
    assert found["fleet"] == {"name": declared.name, "digest": declared.digest}
    packed = files()
    assert parse_fleet(packed["crosswind.fleet.json"], "fleet.json").digest == declared.digest
    entry = packed["crosswind_handler.py"].decode()
    assert "performers=_performers()" in entry
    assert "fleet=load_fleet(" in entry
    assert found["groups"]["policy"]["acts"] == ["drain.start"]


def test_without_a_fleet_it_is_said_that_all_is_only_observed(project: Project) -> None:
    Path("fleet.yaml").unlink()
    result = project.cw("package", "aws")
    assert "every action is only observed" in result.stderr
    assert "crosswind.fleet.json" not in files()


def test_every_reason_is_shown_and_nothing_is_written(project: Project) -> None:
    Path("requirements.txt").write_text("elsewhere\npydantic==1.10.2\n??\n")
    result = project.cw("package", "aws", "--runtime", "python3.9", code=1)
    assert "[runtime] runtime python3.9: retired by AWS Lambda since 2025-12-15" in result.stderr
    assert "[requirement] requirements.txt:3" in result.stderr
    told = project.json("package", "aws", "--runtime", RUNTIME, code=1)
    assert [(one["rule"], one["where"]) for one in told["faults"]] == [
        ("requirement", "requirements.txt:3"),
        ("conflict", "requirements.txt:2"),
        ("wheel", "requirements.txt:1"),
    ]
    assert all(one["remedy"] for one in told["faults"])
    assert not Path("dist").exists()


def test_which_app_is_meant_must_be_said(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CROSSWIND_APP")
    assert "--app MODULE:ATTR" in project.cw("package", "aws", code=2).stderr


def test_an_app_that_cannot_be_loaded_is_a_reason_among_others(project: Project) -> None:
    Path("requirements.txt").write_text("??\n")
    told = project.json("package", "aws", "--app", "nothere:app", code=1)
    assert {one["rule"] for one in told["faults"]} >= {"app", "requirement"}
    assert "there is no module nothere" in json.dumps(told)


def test_an_index_that_cannot_be_asked_may_answer_later(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PIP_NO_INDEX", "PIP_FIND_LINKS"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "empty"))
    result = project.cw("package", "aws", "--offline", code=4)
    assert "--find-links" in result.stderr


def test_the_artifact_of_one_group(project: Project) -> None:
    found = project.json("package", "aws", "--group", "policy")
    assert found["groups"] == ["policy"]
    with zipfile.ZipFile(found["artifact"]) as archive:
        entry = archive.read("crosswind_handler.py").decode()
    assert "os.environ.setdefault('CROSSWIND_GROUP', 'policy')" in entry
