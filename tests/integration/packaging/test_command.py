"""`crosswind package aws`, as a person and a program call it; the adapter is AWS's own."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
import yaml

from crosswind.fleet.load import load_fleet, parse_fleet
from crosswind.packaging.manifest import read_artifact
from crosswind_aws.package import environment
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


REQUEST = """\
import json, types
from crosswind_handler import handler
request = {
    "version": "2.0", "rawPath": "/", "rawQueryString": "", "isBase64Encoded": False,
    "headers": {"content-type": "application/cloudevents+json"}, "body": "{}",
    "requestContext": {"http": {"method": "POST", "path": "/"}, "stage": "$default"},
}
print(json.dumps(handler(request, types.SimpleNamespace(aws_request_id="1"))))
"""


def test_the_function_s_url_answers_without_what_describes_routes(
    project: Project, tmp_path: Path
) -> None:
    project.cw("package", "aws")
    code = tmp_path / "code"
    with zipfile.ZipFile(Path("dist", NAME)) as archive:
        archive.extractall(code)
    assert not list(code.rglob("openapi/models.py"))
    assert not list(code.rglob("swagger_ui"))
    answered = subprocess.run(
        [sys.executable, "-P", "-c", REQUEST],
        env={**environment("policy"), "PYTHONPATH": str(code)},
        capture_output=True,
        text=True,
        check=True,
    )
    answer = json.loads(answered.stdout.splitlines()[-1])
    assert answer["statusCode"] == 400
    assert "specversion" in answer["body"]


def test_an_app_that_uses_the_event_handler_has_all_of_it(project: Project) -> None:
    with Path("policy.py").open("a") as file:
        file.write("\n\ndef resolver():\n    from aws_lambda_powertools import event_handler\n")
    project.cw("package", "aws")
    assert "aws_lambda_powertools/event_handler/openapi/models.py" in files()


RESOURCES = """\
# Who is told.
workloads:
  chat: {}
channels:
  default: arn:aws:sns:us-east-1:123456789012:on-call
"""


def test_what_stands_for_the_fleet_is_checked_packed_and_found_by_the_function(
    project: Project,
) -> None:
    Path("aws.yaml").write_text(RESOURCES)
    found = project.json("package", "aws", "--resources", "aws.yaml")
    # The smoke import makes the handler, and so has read the file in the artifact.
    assert found["imported"]["passed"] is True
    packed = files()
    assert "yaml/__init__.py" not in packed
    assert "aws.yaml" not in packed
    assert json.loads(packed["crosswind.resources.json"]) == {
        "channels": {"default": "arn:aws:sns:us-east-1:123456789012:on-call"},
        "workloads": {"chat": {}},
    }
    assert "performers=(*_performers(), *_deployed,)" in packed["crosswind_handler.py"].decode()
    manifest = read_artifact(Path(found["artifact"])).manifest
    assert manifest["resources"] == sha256(packed["crosswind.resources.json"]).hexdigest()
    assert any("aws.yaml: workloads.chat.regions: nothing is declared" in n for n in found["notes"])


def test_the_same_declaration_makes_the_same_artifact_whatever_its_file_looks_like(
    project: Project,
) -> None:
    Path("aws.yaml").write_text(RESOURCES)
    Path("aws.json").write_text(json.dumps(yaml.safe_load(RESOURCES)))
    made = [
        project.json("package", "aws", "--resources", file)["sha256"]
        for file in ("aws.yaml", "aws.json")
    ]
    assert made[0] == made[1]


def test_what_is_wrong_with_it_is_said_by_line_beside_all_else(project: Project) -> None:
    Path("requirements.txt").write_text("??\n")
    Path("aws.yaml").write_text(
        "channels:\n  default: nowhere\nnotes:\n  token: 8f3KqLz91xTvBn5RmWc7YpQe\n"
    )
    told = project.json("package", "aws", "--resources", "aws.yaml", code=1)
    by_rule = {one["rule"]: one for one in told["faults"]}
    assert set(by_rule) == {"resources", "requirement", "secret"}
    assert by_rule["secret"]["where"] == "aws.yaml:4"
    assert "aws.yaml:2: " in by_rule["resources"]["problem"]
    assert "aws.yaml:3: " in by_rule["resources"]["problem"]
    assert "8f3KqLz91" not in json.dumps(told)


def test_it_stands_for_a_fleet_which_must_be_declared(project: Project) -> None:
    Path("fleet.yaml").unlink()
    Path("aws.yaml").write_text(RESOURCES)
    told = project.json("package", "aws", "--resources", "aws.yaml", code=1)
    (fault,) = told["faults"]
    assert fault["rule"] == "resources"
    assert "--fleet" in fault["remedy"]
