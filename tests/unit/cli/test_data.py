"""Where data is: what the text of `--data` means."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from crosswind.cli.data import DATA, DataType, DeployedData, on_this_machine, read_data
from crosswind.cli.faults import USAGE, Failure
from crosswind.cli.options import works_with
from crosswind.cli.session import Session


@click.command()
@works_with("app", "data")
def where(session: Session) -> None:
    """Say what was understood."""
    click.echo(repr(session.sources.data))


def said(*words: str, env: dict[str, str] | None = None, code: int = 0) -> str:
    result = CliRunner().invoke(where, words, env={"CROSSWIND_DATA": None, **(env or {})})
    assert result.exit_code == code, result.output
    return result.output


@pytest.mark.parametrize(
    "text",
    ["a.sqlite", "/var/lib/a.sqlite", "./aws:crosswind-ops", "data/aws:ops", "no cloud: a file"],
)
def test_a_path_is_a_file(text: str) -> None:
    assert read_data(text) == Path(text)


@pytest.mark.parametrize(
    ("text", "stack", "region"),
    [
        ("aws:crosswind-ops", "crosswind-ops", None),
        ("aws:crosswind-ops@eu-west-1", "crosswind-ops", "eu-west-1"),
        ("aws:Ops2", "Ops2", None),
    ],
)
def test_a_cloud_and_a_name_are_a_stack(text: str, stack: str, region: str | None) -> None:
    found = read_data(text)
    assert found == DeployedData("aws", stack, region)
    assert str(found) == text


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "name a file, or a stack such as aws:crosswind-ops"),
        ("a\0b", "name a file"),
        ("gcp:crosswind-ops", "names a stack on gcp, and no deployed app can be reached there"),
        ("awz:crosswind-ops", "a file of this name as ./awz:crosswind-ops"),
        ("AWS:crosswind-ops", "names a stack on AWS"),
        ("aws:", "does not name a stack; write it as aws:STACK or aws:STACK@REGION"),
        ("aws:crosswind_ops", "does not name a stack"),
        ("aws:crosswind-ops@", "does not name a stack"),
        ("aws:crosswind-ops@EU", "does not name a stack"),
        ("aws:crosswind-ops@eu-west-1@us-east-1", "does not name a stack"),
        ("aws:crosswind-ops\n", "does not name a stack"),
        ("aws:" + "x" * 129, "does not name a stack"),
    ],
)
def test_what_names_neither_is_refused_with_what_to_write(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=r".") as refused:
        read_data(text)
    assert why in str(refused.value)
    assert len(str(refused.value)) < 400


def test_the_option_the_environment_and_the_default_say_where_data_is() -> None:
    stack = {"CROSSWIND_DATA": "aws:crosswind-ops@eu-west-1"}
    assert repr(DATA) in said()
    assert repr(DeployedData("aws", "crosswind-ops", "eu-west-1")) in said(env=stack)
    assert repr(Path("b.sqlite")) in said("--data", "b.sqlite", env=stack)


def test_a_cloud_that_is_unknown_is_wrong_usage_of_the_option() -> None:
    shown = said("--data", "gcp:crosswind-ops", code=USAGE)
    assert "--data" in shown
    assert "names a stack on gcp" in shown


def test_an_option_that_was_read_before_is_taken_as_it_is() -> None:
    found = DeployedData("aws", "crosswind-ops")
    assert DataType().convert(found, None, None) is found


def test_a_folder_is_no_file_of_data(tmp_path: Path) -> None:
    assert "is a folder" in said("--data", str(tmp_path), code=USAGE)


def test_what_works_on_a_file_alone_says_what_to_do_on_a_stack() -> None:
    assert on_this_machine(DATA, "crosswind run", "look elsewhere") == DATA
    with pytest.raises(Failure, match=r"crosswind run .* not on aws:ops; look elsewhere"):
        on_this_machine(DeployedData("aws", "ops"), "crosswind run", "look elsewhere")


@pytest.mark.parametrize("missing", ["crosswind_aws", "botocore"])
def test_a_stack_without_its_adapter_or_its_sdk_names_the_extra(
    missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in list(sys.modules):
        if name.startswith(("crosswind_aws.stack", f"{missing}.")):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(Failure, match=r"pip install 'crosswind\[aws\]'"):
        DeployedData("aws", "crosswind-ops").open()


def test_a_module_that_is_missing_for_another_reason_is_a_fault_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in list(sys.modules):
        if name.startswith("crosswind_aws.stack"):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "crosswind.stacks.desk", None)
    with pytest.raises(ModuleNotFoundError, match=r"crosswind\.stacks\.desk"):
        DeployedData("aws", "crosswind-ops").open()
