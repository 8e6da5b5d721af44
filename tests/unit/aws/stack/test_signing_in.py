"""What is said to whoever is not signed in, or says no region."""

from __future__ import annotations

from pathlib import Path

import pytest

from crosswind.stacks.driver import StackError
from crosswind_aws.stack import open_desk
from crosswind_aws.stack.aws import Aws


@pytest.fixture(autouse=True)
def signed_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine that knows nothing of AWS; what is asked all the same reaches nobody."""
    for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN", "PROFILE", "REGION"):
        monkeypatch.delenv(f"AWS_{name}", raising=False)
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")


def test_a_region_that_nobody_names_is_asked_for() -> None:
    with pytest.raises(StackError, match=r"no region is named; set AWS_REGION.*STACK@REGION"):
        open_desk("crosswind-ops")


@pytest.mark.parametrize("name", ["AWS_REGION", "AWS_DEFAULT_REGION"])
def test_a_region_is_that_of_the_environment_unless_one_is_asked_for(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "eu-west-1")
    assert Aws().region == "eu-west-1"
    assert Aws("us-west-2").place == "aws/us-west-2"


def test_whoever_has_no_credentials_is_told_to_sign_in() -> None:
    with pytest.raises(StackError, match="no credentials of AWS to look at stack crosswind-ops"):
        open_desk("crosswind-ops", "eu-west-1")


@pytest.mark.parametrize("region", [None, "eu-west-1"])
def test_a_profile_that_is_not_there_is_named(
    region: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nowhere")
    with pytest.raises(StackError, match=r"nowhere.*set AWS_PROFILE"):
        open_desk("crosswind-ops", region)


def test_a_stack_needs_a_name_or_an_app() -> None:
    with pytest.raises(StackError, match="--stack NAME"):
        open_desk(None, "eu-west-1")
